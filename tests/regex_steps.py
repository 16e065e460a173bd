"""Counts the steps that a backtracking matcher takes, and writes the strings it likes least.

Time is not measured: a step is one look at one place of the text, so what is counted here is the
same on every machine. The patterns are parsed by Python's own parser and tried in the order in
which its engine tries them, without the short cuts that it sometimes takes.
"""

from __future__ import annotations

import re
import re._constants as sre
import re._parser as sre_parser
from collections.abc import Callable, Iterator
from typing import Any

WIDE = 24  # so many kinds of characters are told apart
SHORT = 40  # what may be repeated up to 40 times counts as bounded

Then = Callable[[int], bool]
_WORDS = {
    sre.CATEGORY_DIGIT: str.isdigit,
    sre.CATEGORY_SPACE: str.isspace,
    sre.CATEGORY_WORD: lambda c: c.isalnum() or c == "_",
}
_NEGATED = {
    sre.CATEGORY_NOT_DIGIT: sre.CATEGORY_DIGIT,
    sre.CATEGORY_NOT_SPACE: sre.CATEGORY_SPACE,
    sre.CATEGORY_NOT_WORD: sre.CATEGORY_WORD,
}
_ONCE = ("match", "fullmatch")
_REPEATS = {sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT}


class TooManySteps(Exception):
    """The matcher has looked more often than the test allows."""


class Matcher:
    """A pattern, tried step by step."""

    def __init__(self, pattern: re.Pattern[Any]) -> None:
        text = pattern.pattern
        self.text = text.decode("latin-1") if isinstance(text, bytes) else text
        flags = pattern.flags & (re.IGNORECASE | re.MULTILINE | re.DOTALL | re.VERBOSE)
        self.tree = list(sre_parser.parse(self.text, flags))
        self._lower = bool(pattern.flags & re.IGNORECASE)
        self._dot_all = bool(pattern.flags & re.DOTALL)

    def steps(self, text: str, *, method: str, limit: int) -> int:
        """Return how many steps one call of a method of ``re.Pattern`` takes on a text."""
        self._taken, self._limit, self._string = 0, limit, text
        whole = method == "fullmatch"
        start = 0
        while start <= len(text):
            ends: list[int] = []
            found = self._try(self.tree, 0, start, self._at_the_end if whole else _keep(ends))
            if method in _ONCE or (found and method == "search"):
                break
            start = max(start + 1, *ends) if ends else start + 1
        return self._taken

    def _at_the_end(self, at: int) -> bool:
        return at == len(self._string)

    def _try(self, nodes: Any, index: int, at: int, then: Then) -> bool:
        self._taken += 1
        if self._taken > self._limit:
            raise TooManySteps(self.text)
        if index == len(nodes):
            return then(at)
        operation, value = nodes[index]

        def rest(place: int) -> bool:
            return self._try(nodes, index + 1, place, then)

        if operation in _REPEATS:
            return self._repeat(operation, value, at, rest)
        if operation is sre.SUBPATTERN:
            return self._try(list(value[3]), 0, at, rest)
        if operation is sre.BRANCH:
            return any(self._try(list(branch), 0, at, rest) for branch in value[1])
        if operation is sre.ATOMIC_GROUP:
            ends: list[int] = []
            return self._try(list(value), 0, at, _keep(ends)) and rest(ends[0])
        if operation in (sre.ASSERT, sre.ASSERT_NOT):
            return self._look(value, at) is (operation is sre.ASSERT) and rest(at)
        if operation is sre.AT:
            return self._stands(value, at) and rest(at)
        return at < len(self._string) and self.fits(nodes[index], self._string[at]) and rest(at + 1)

    def _repeat(self, operation: Any, value: Any, at: int, rest: Then) -> bool:
        least, most, body = value[0], value[1], list(value[2])
        if operation is sre.POSSESSIVE_REPEAT:
            ends, count = [at], 0
            while count < most and self._try(body, 0, ends[-1], _keep(ends)):
                count += 1
            return count >= least and rest(ends[-1])

        def again(count: int, place: int) -> bool:
            def more() -> bool:
                return count < most and self._try(
                    body,
                    0,
                    place,
                    lambda end: (end > place or count < least) and again(count + 1, end),
                )

            if count < least:
                return more()
            if operation is sre.MIN_REPEAT:
                return rest(place) or more()
            return more() or rest(place)

        return again(0, at)

    def _look(self, value: Any, at: int) -> bool:
        direction, inside = value
        if direction > 0:
            return self._try(list(inside), 0, at, lambda _end: True)
        width = inside.getwidth()[0]
        return at >= width and self._try(list(inside), 0, at - width, lambda end: end == at)

    def _stands(self, where: Any, at: int) -> bool:
        text = self._string
        if where in (sre.AT_BEGINNING, sre.AT_BEGINNING_STRING):
            return at == 0
        if where is sre.AT_END_STRING:
            return at == len(text)
        if where is sre.AT_END:
            return at == len(text) or text[at:] == "\n"
        edge = _word(text[at - 1 : at]) is not _word(text[at : at + 1])
        return edge is (where is sre.AT_BOUNDARY)

    def fits(self, node: Any, char: str) -> bool:
        """Tell whether one node takes one character."""
        operation, value = node
        shapes = {char, char.lower(), char.upper()} if self._lower else {char}
        if operation is sre.ANY:
            return self._dot_all or char != "\n"
        if operation is sre.LITERAL:
            return chr(value) in shapes
        if operation is sre.NOT_LITERAL:
            return chr(value) not in shapes
        if operation is sre.IN:
            negated = value[0][0] is sre.NEGATE
            items = value[1:] if negated else value
            return negated is not any(_in(item, shape) for item in items for shape in shapes)
        raise NotImplementedError(f"{operation} in {self.text}")


def _keep(ends: list[int]) -> Then:
    def note(end: int) -> bool:
        ends.append(end)
        return True

    return note


def _word(char: str) -> bool:
    return bool(char) and _WORDS[sre.CATEGORY_WORD](char)


def _in(item: Any, char: str) -> bool:
    operation, value = item
    if operation is sre.RANGE:
        return bool(value[0] <= ord(char) <= value[1])
    if operation is sre.LITERAL:
        return bool(ord(char) == value)
    if value in _NEGATED:
        return not _WORDS[_NEGATED[value]](char)
    return bool(_WORDS[value](char))


def _nodes(tree: Any) -> Iterator[Any]:
    for node in tree:
        yield node
        operation, value = node
        if operation in _REPEATS:
            yield from _nodes(value[2])
        elif operation is sre.SUBPATTERN:
            yield from _nodes(value[3])
        elif operation is sre.BRANCH:
            for branch in value[1]:
                yield from _nodes(branch)
        elif operation in (sre.ASSERT, sre.ASSERT_NOT):
            yield from _nodes(value[1])
        elif operation is sre.ATOMIC_GROUP:
            yield from _nodes(value)


_SAMPLES = "aA0Z9 \t\n.-_/:：，,（甲乙<>'\"="


def _characters(matcher: Matcher) -> list[str]:
    """Return a character for each thing that the pattern tells apart."""
    singles = [n for n in _nodes(matcher.tree)
               if n[0] in (sre.LITERAL, sre.IN, sre.ANY, sre.NOT_LITERAL)]  # fmt: skip
    own = {chr(n[1]) for n in singles if n[0] is sre.LITERAL}
    for node in singles:
        if node[0] is sre.IN:
            for operation, value in node[1]:
                if operation is sre.LITERAL:
                    own.add(chr(value))
                elif operation is sre.RANGE:
                    own.add(chr(value[0]))
    kinds: dict[tuple[bool, ...], str] = {}
    for char in [*_SAMPLES, *sorted(own)]:
        kinds.setdefault(tuple(matcher.fits(node, char) for node in singles), char)
    return list(kinds.values())[:WIDE]


def _shortest(matcher: Matcher, tree: Any) -> str:
    """Return a short text that the tree takes."""
    made = ""
    for node in tree:
        operation, value = node
        if operation in _REPEATS:
            made += _shortest(matcher, value[2]) * value[0]
        elif operation is sre.SUBPATTERN:
            made += _shortest(matcher, value[3])
        elif operation is sre.BRANCH:
            made += _shortest(matcher, value[1][0])
        elif operation is sre.ATOMIC_GROUP:
            made += _shortest(matcher, value)
        elif operation is sre.LITERAL:
            made += chr(value)
        elif operation in (sre.IN, sre.ANY, sre.NOT_LITERAL):
            made += next((c for c in _characters(matcher) if matcher.fits(node, c)), "")
    return made


def _ways_in(matcher: Matcher, tree: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """Give for each repetition what leads to it and what it repeats."""
    for index, node in enumerate(tree):
        operation, value = node
        led = before + _shortest(matcher, list(tree)[:index])
        if operation in _REPEATS:
            yield led, _shortest(matcher, value[2])
            yield from _ways_in(matcher, value[2], led)
        elif operation is sre.SUBPATTERN:
            yield from _ways_in(matcher, value[3], led)
        elif operation is sre.BRANCH:
            for branch in value[1]:
                yield from _ways_in(matcher, branch, led)


def hostile(matcher: Matcher) -> Iterator[Callable[[int], str]]:
    """Give the texts that grow: a beginning, something repeated, and an end that fits nowhere."""
    characters = _characters(matcher)
    led = list(_ways_in(matcher, matcher.tree))
    beginnings = {"", *(before for before, _pump in led)}
    pumps = {*characters, *(pump for _before, pump in led if pump)}
    pumps |= {before + pump for before, pump in led if before + pump}
    pumps |= {before + char for before, _pump in led if before for char in characters}
    for beginning in sorted(beginnings):
        for pump in sorted(pumps):
            for end in ("\0", "\n\0"):
                yield _growing(beginning, pump, end)


def _growing(beginning: str, pump: str, end: str) -> Callable[[int], str]:
    return lambda length: beginning + (pump * length)[:length] + end


def runaway(pattern: re.Pattern[Any], *, method: str, growth: float = 1.6) -> str:
    """Return a text on which each character costs the more, the longer the text is; or nothing.

    A text five times as long may cost five times as many steps, and some for its ends.
    """
    matcher = Matcher(pattern)
    for make in hostile(matcher):
        short, long = make(SHORT), make(SHORT * 5)
        try:
            steps = matcher.steps(short, method=method, limit=200 * len(short))
            allowed = max(growth * steps / len(short), 10.0)
            matcher.steps(long, method=method, limit=int(allowed * len(long)))
        except TooManySteps:
            return long
    return ""
