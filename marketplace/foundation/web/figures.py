"""Dates, numbers and amounts of a page stay on one line.

Browsers break a line after a hyphen between letters and digits and before a unit, and no property
of a style sheet forbids just that. So it is done once for all pages, on what is sent: a filter
would have to be remembered wherever a page writes a number.
"""

from __future__ import annotations

import re

from flask import Flask, Response

# Longer ones could not stand in one line of a phone.
_LONGEST = 24
# Left as they are: what may hold no element, lays out its lines itself, or sets words and icons
# beside each other, so that an element more would be one more to set.
_LEFT_ALONE = frozenset(
    {
        "button", "code", "datalist", "pre", "script", "select", "style", "summary", "svg",
        "textarea", "title",
    }
)  # fmt: skip
_PIECE = re.compile(
    r"""<(?P<end>/?)(?P<tag>[a-z][a-z0-9]{0,15}\b)[^<>"']*(?:"[^"]*"[^<>"']*|'[^']*'[^<>"']*)*>"""
    # A day with its time; numbers, telephones and codes; an amount or a share with its unit.
    r"|(?P<figure>(?<![A-Za-z0-9,.-])(?:"
    r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?"
    r"|(?=[A-Za-z-]{0,24}\d)[A-Za-z0-9]{1,24}(?:-[A-Za-z0-9]{1,24}){1,12}"
    r"|\d[\d,]{0,20}(?:\.\d{1,6})? (?:元|万元|亿元|%)"
    r")(?![A-Za-z0-9-]))"
)


def register_figures(app: Flask) -> None:
    """Keep the figures of every page and of every part of one whole."""

    @app.after_request
    def keep(response: Response) -> Response:
        if response.mimetype == "text/html" and not response.is_streamed:
            response.set_data(keep_whole(response.get_data(as_text=True)))
        return response


def keep_whole(page: str) -> str:
    """Return the HTML with each figure of its text in an element whose line is not broken."""
    left_alone = ""  # the element within which nothing is touched

    def kept(piece: re.Match[str]) -> str:
        nonlocal left_alone
        figure, tag = piece["figure"], piece["tag"]
        if figure is None:
            if left_alone and piece["end"] and tag == left_alone:
                left_alone = ""
            elif not left_alone and not piece["end"] and tag in _LEFT_ALONE:
                left_alone = tag
            return piece[0]
        if left_alone or len(figure) > _LONGEST:
            return piece[0]
        return f'<span class="nb">{figure}</span>'

    return _PIECE.sub(kept, page)
