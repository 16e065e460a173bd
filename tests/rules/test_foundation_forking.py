"""Work on several processes gives what work on one gives."""

from __future__ import annotations

import os

import pytest

from marketplace.foundation import forking
from marketplace.foundation.forking import forked_map


@pytest.fixture
def three_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 1, 2})


@pytest.mark.usefixtures("three_processors")
def test_results_come_in_order_from_other_processes() -> None:
    offset = 7  # what the function rests on is inherited, not sent
    found = list(forked_map(lambda part: (part + offset, os.getpid()), range(50)))
    assert [value for value, _ in found] == [part + offset for part in range(50)]
    assert os.getpid() not in {process for _, process in found}
    assert forking._inherited is None


@pytest.mark.usefixtures("three_processors")
def test_an_error_is_raised_where_the_results_are_read() -> None:
    def refuse(part: int) -> int:
        if part == 3:
            raise ValueError("part 3")
        return part

    with pytest.raises(ValueError, match="part 3"):
        list(forked_map(refuse, range(5)))
    assert forking._inherited is None


@pytest.mark.parametrize(("processors", "parts"), [({0}, 4), ({0, 1}, 1), ({0, 1}, 0)])
def test_nothing_is_forked_for_nothing(
    monkeypatch: pytest.MonkeyPatch, processors: set[int], parts: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: processors)
    assert list(forked_map(lambda _part: os.getpid(), range(parts))) == [os.getpid()] * parts
