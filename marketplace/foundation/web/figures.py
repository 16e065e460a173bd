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
_TAG = r"""<[^>"']*(?:"[^"]*"[^>"']*|'[^']*'[^>"']*)*>"""
_PIECE = re.compile(
    # Left as it is: what may hold no element, lays out its lines itself, or sets words and icons
    # beside each other, so that an element more would be one more to set.
    r"<(script|style|title|textarea|select|datalist|svg|pre|code|button|summary)\b.*?</\1>|"
    + _TAG
    # A day with its time; numbers, telephones and codes; an amount or a share with its unit.
    + r"|(?P<figure>(?<![A-Za-z0-9-])(?:"
    r"\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?"
    r"|(?=[A-Za-z-]*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)+"
    r"|\d[\d,]*(?:\.\d+)? (?:元|万元|亿元|%)"
    r"))",
    re.DOTALL,
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
    return _PIECE.sub(_kept, page)


def _kept(piece: re.Match[str]) -> str:
    figure = piece["figure"]
    if figure is None or len(figure) > _LONGEST:
        return piece[0]
    return f'<span class="nb">{figure}</span>'
