"""What votes change about a match, for whom, and when the learned table is made anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from marketplace.discovery.learning_rules import (
    LEAST_ORGANISATIONS,
    Adjustment,
    Vote,
    adjustment,
    is_due,
)
from marketplace.discovery.rules import Verdict

NOW = datetime(2024, 3, 15, tzinfo=UTC)
ASKER, OFFERER, READER = 1, 2, 3
USEFUL, USELESS = Verdict.USEFUL, Verdict.USELESS


def vote(organisation_id: int | None, verdict: Verdict, *, user: int = 0, minute: int = 0) -> Vote:
    return Vote(
        user or (organisation_id or 0) * 10,
        organisation_id,
        verdict,
        NOW + timedelta(minutes=minute),
    )


def judged(*votes: Vote, reader: int | None = READER, user: int | None = READER * 10) -> Adjustment:
    return adjustment(
        votes,
        asker_id=ASKER,
        offerer_id=OFFERER,
        reader_user_id=user,
        reader_organisation_id=reader,
    )


def test_nothing_said_changes_nothing() -> None:
    assert judged() == Adjustment(1.0, "")


def test_a_dismissal_by_who_asks_counts_for_everybody() -> None:
    found = judged(vote(ASKER, USELESS))
    assert found.factor < 0.5
    assert found.said == "需求方认为无关"
    assert judged(vote(ASKER, USELESS), reader=None, user=None).factor < 0.5


def test_the_readers_own_word_comes_first_and_the_last_one_counts() -> None:
    found = judged(
        vote(ASKER, USELESS), vote(READER, USELESS), vote(READER, USEFUL, user=99, minute=5)
    )
    assert found == Adjustment(found.factor, "您单位认为有用")
    assert found.factor > 1


def test_a_person_without_an_organisation_speaks_for_himself_only() -> None:
    said = vote(None, USELESS, user=7)
    assert judged(said, reader=None, user=7).factor < 0.5
    assert judged(said).factor == 1.0
    assert judged(*[vote(None, USELESS, user=n) for n in range(100, 120)]).factor == 1.0


def test_one_malicious_organisation_moves_nothing_for_others() -> None:
    loud = [vote(50, USELESS, user=n, minute=n) for n in range(500)]
    assert judged(*loud).factor == 1.0


def test_several_organisations_that_agree_move_a_little() -> None:
    enough = [vote(50 + n, USELESS) for n in range(LEAST_ORGANISATIONS)]
    assert judged(*enough[:-1]).factor == 1.0
    assert 0.5 < judged(*enough).factor < 1.0
    assert judged(*enough).said == "3 家单位认为无关"
    assert judged(*enough, vote(90, USEFUL), vote(91, USEFUL)).factor == 1.0


def test_who_offers_has_no_voice_about_his_own() -> None:
    two = [vote(50, USEFUL), vote(51, USEFUL)]
    assert judged(*two, vote(OFFERER, USEFUL)).factor == 1.0
    assert judged(*two, vote(52, USEFUL)).factor > 1.0


@pytest.mark.parametrize(
    ("learned", "answered", "due"),
    [
        (None, None, True),
        (timedelta(minutes=59), timedelta(minutes=1), False),
        (timedelta(hours=1), timedelta(minutes=1), True),
        (timedelta(hours=2), timedelta(hours=3), False),
        (timedelta(hours=2), None, False),
        (timedelta(days=1), None, True),
    ],
)
def test_the_table_is_made_soon_after_an_answer_and_daily(
    learned: timedelta | None, answered: timedelta | None, due: bool
) -> None:
    assert due is is_due(
        learned_at=NOW - learned if learned is not None else None,
        answered_at=NOW - answered if answered is not None else None,
        now=NOW,
    )
