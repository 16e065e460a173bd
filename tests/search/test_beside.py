"""What is asked beside other work comes back, or says what went wrong, in every process."""

from __future__ import annotations

import multiprocessing
import threading

import pytest

from search import beside


def test_an_answer_comes_from_another_thread() -> None:
    assert beside.begun(threading.get_ident).result(10) != threading.get_ident()


def test_what_went_wrong_is_raised_where_the_answer_is_wanted() -> None:
    failed = beside.begun(int, "x")
    with pytest.raises(ValueError, match="invalid literal"):
        failed.result(10)


def test_a_child_that_was_forked_off_has_threads_of_its_own() -> None:
    assert beside.begun(int, "1").result(10) == 1
    child = multiprocessing.get_context("fork").Process(target=_ask)
    child.start()
    child.join(20)
    ended = child.exitcode
    child.kill()
    assert ended == 0


def _ask() -> None:
    assert beside.begun(int, "2").result(10) == 2
