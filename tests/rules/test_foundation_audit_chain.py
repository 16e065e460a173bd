"""The chain's arithmetic: whatever is done to one row, the walk names it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation import audit_chain
from marketplace.foundation.audit_chain import (
    ALGORITHM,
    FIRST_ALGORITHM,
    GENESIS,
    BrokenLink,
    Entry,
    Link,
    walk,
)

START = datetime(2024, 3, 15, 1, 0, tzinfo=UTC)


def chain(count: int, algorithm: str = ALGORITHM) -> list[Link]:
    """Build a chain that holds."""
    links: list[Link] = []
    previous = GENESIS
    for place in range(1, count + 1):
        entry = Entry(place, START + timedelta(minutes=place), 7, 3, "某人", "tests.change",
                      f"thing:{place}", None, {"number": place}, "10.0.0.1", algorithm)  # fmt: skip
        digest = audit_chain.digest_of(entry, previous)
        links.append(Link(place, previous, digest, entry))
        previous = digest
    return links


def head_of(links: list[Link]) -> tuple[int, str]:
    """Return what the head says of a chain that nobody touched."""
    return links[-1].sequence, links[-1].digest


def found(links: list[Link], head: tuple[int, str]) -> BrokenLink | None:
    """Walk touched links with the head as it was."""
    places = {link.digest: link.sequence for link in links}
    return walk(links, head=head, place_of=places.get)[1]


def forged(place: int, previous: str) -> Link:
    """Make a row that was never written, with a digest that fits it."""
    entry = Entry(place, START, 9, 9, "外人", "tests.forged", "thing:0", None, None, "", ALGORITHM)
    return Link(place, previous, audit_chain.digest_of(entry, previous), entry)


def renumbered(links: list[Link], by: int) -> list[Link]:
    """Move rows up or down without computing their digests again."""
    return [
        replace(
            link,
            sequence=link.sequence + by,
            entry=replace(link.entry, sequence=link.sequence + by) if link.entry else None,
        )
        for link in links
    ]


@pytest.mark.parametrize("algorithm", [FIRST_ALGORITHM, ALGORITHM])
def test_an_untouched_chain_holds(algorithm: str) -> None:
    links = chain(9, algorithm)
    assert walk(links, head=head_of(links)) == (9, None)


def test_a_chain_may_change_its_algorithm_on_the_way() -> None:
    old = chain(3, FIRST_ALGORITHM)
    entry = chain(4)[3].entry
    assert entry is not None
    digest = audit_chain.digest_of(entry, old[-1].digest)
    links = [*old, Link(4, old[-1].digest, digest, entry)]
    assert walk(links, head=(4, digest)) == (4, None)


FIELDS = {
    "happened_at": START,
    "user_id": 8,
    "organisation_id": None,
    "actor_name": "别人",
    "action": "tests.other",
    "subject": "thing:x",
    "before": {"x": 1},
    "after": {"number": 0},
    "origin": "10.9.9.9",
}


@given(place=st.integers(1, 12), name=st.sampled_from(sorted(FIELDS)))
def test_a_changed_row_is_named(place: int, name: str) -> None:
    links = chain(12)
    head = head_of(links)
    row = links[place - 1]
    assert row.entry is not None
    links[place - 1] = replace(row, entry=replace(row.entry, **{name: FIELDS[name]}))
    assert found(links, head) == BrokenLink(place, "changed")


@given(place=st.integers(1, 12))
def test_a_changed_row_with_a_digest_made_anew_is_named(place: int) -> None:
    links = chain(12)
    head = head_of(links)
    row = links[place - 1]
    assert row.entry is not None
    entry = replace(row.entry, actor_name="别人")
    digest = audit_chain.digest_of(entry, row.previous)
    links[place - 1] = replace(row, entry=entry, digest=digest)
    assert found(links, head) == BrokenLink(place, "changed")


@given(place=st.integers(1, 12), closed_up=st.booleans())
def test_a_deleted_row_is_named(place: int, closed_up: bool) -> None:
    links = chain(12)
    head = head_of(links)
    rest = links[place:]
    left = [*links[: place - 1], *(renumbered(rest, -1) if closed_up else rest)]
    assert found(left, head) == BrokenLink(place, "missing")


@given(place=st.integers(1, 13))
def test_an_inserted_row_is_named(place: int) -> None:
    links = chain(12)
    head = head_of(links)
    previous = links[place - 2].digest if place > 1 else GENESIS
    touched = [*links[: place - 1], forged(place, previous), *renumbered(links[place - 1 :], 1)]
    assert found(touched, head) == BrokenLink(place, "inserted")


@given(pair=st.sets(st.integers(1, 12), min_size=2, max_size=2))
def test_two_swapped_rows_are_named(pair: set[int]) -> None:
    first, second = sorted(pair)
    links = chain(12)
    head = head_of(links)
    one, other = links[first - 1], links[second - 1]
    links[first - 1] = renumbered([other], first - second)[0]
    links[second - 1] = renumbered([one], second - first)[0]
    broken = found(links, head)
    assert broken is not None
    assert broken.sequence == first
    assert broken.what == "moved"


def test_a_head_that_was_turned_back_hides_nothing() -> None:
    links = chain(5)
    assert found(links, (4, links[3].digest)) == BrokenLink(5, "inserted")
    assert found(links, (5, "0" * 64)) == BrokenLink(5, "changed")
    assert found(links[:4], head_of(links)) == BrokenLink(5, "missing")


def test_rows_of_other_people_are_vouched_for_by_their_content_alone() -> None:
    links = chain(6)
    hidden = [
        link if link.sequence in (2, 5) or link.entry is None
        else replace(link, entry=None, content=audit_chain.content_digest(link.entry))
        for link in links
    ]  # fmt: skip
    assert walk(hidden, head=head_of(links)) == (6, None)
    hidden[3] = replace(hidden[3], content="0" * 64)
    assert found(hidden, head_of(links)) == BrokenLink(4, "changed")


def test_a_row_survives_its_export() -> None:
    for link in chain(3):
        assert link.entry is not None
        line = audit_chain.entry_as_text(link.entry, previous=link.previous, digest=link.digest)
        assert audit_chain.read_link(line) == link


@given(st.one_of(st.text(max_size=200), st.binary(max_size=100).map(lambda b: b.decode("latin-1"))))
def test_what_is_no_row_is_refused_in_one_way(line: str) -> None:
    with pytest.raises(ValueError, match="not a row"):
        audit_chain.read_link(line)
