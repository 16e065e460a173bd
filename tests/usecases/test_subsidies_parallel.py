"""A hundred at once: of one claim there is one application, one approval, one payment.

On both databases, against the services, each act in a transaction of its own thread.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.foundation import audit
from marketplace.foundation.errors import DomainError
from marketplace.foundation.money import Fen
from marketplace.publicity import service as publicity
from marketplace.subsidies import queries, service
from marketplace.subsidies.models import (
    Claim,
    ClaimGround,
    ClaimLine,
    ClawBack,
    Payment,
    PaymentList,
    Review,
)
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep
from marketplace.subsidies.service import Verdict
from marketplace.subsidies.single_entry_rules import Entries, Recognition
from marketplace.subsidies.word_rules import ClaimItem
from tests.subsidies import PAYEE, SubsidyYear, names_of
from tests.world import World

HUNDRED = 100
THREADS = 32


@pytest.fixture
def year(world: World, now: Any) -> SubsidyYear:
    made = SubsidyYear(world, now)
    _everybody = (
        made.district, made.centre, made.bureau, made.treasurer, made.expert, made.officer,
    )  # fmt: skip
    return made


def at_once(act: Callable[[int], Any]) -> int:
    """Act a hundred times at once and count how often it was not refused."""

    def tried(number: int) -> bool:
        try:
            act(number)
        except DomainError:
            return False
        return True

    with ThreadPoolExecutor(THREADS) as pool:
        return sum(pool.map(tried, range(HUNDRED)))


def rows(year: SubsidyYear, model: Any) -> int:
    with year.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def events(year: SubsidyYear, name: str) -> int:
    with year.database.reading() as session:
        return names_of(session).count(f"subsidies.{name}")


def apply(year: SubsidyYear, claim_id: int, amount: Fen) -> None:
    year.do(
        service.apply,
        actor=year.officer,
        claim_id=claim_id,
        confirmed_fen=amount,
        declared=True,
        payee=PAYEE,
    )


def test_of_one_claim_a_hundred_applications_approvals_and_payments_make_one_each(
    year: SubsidyYear,
) -> None:
    year.register()
    round_id = year.open_round()
    year.world.now = year.now

    ids: set[int] = set()
    assert at_once(lambda _n: ids.add(year.prepared(round_id))) == HUNDRED
    (claim_id,) = ids
    assert rows(year, Claim) == 1

    assert at_once(lambda _n: apply(year, claim_id, Fen(3_900_00))) == 1
    assert (rows(year, ClaimLine), events(year, "ClaimApplied")) == (1, 1)

    for step in ReviewStep:
        assert at_once(lambda _n, step=step: year.review(claim_id, step)) == 1
    assert (rows(year, Review), events(year, "ClaimReviewed")) == (4, 4)

    assert at_once(lambda _n: year.do(service.publicise, actor=year.bureau, round_id=round_id)) == 1
    notice_id = year.claim(claim_id).publicity_id
    assert events(year, "ClaimPublicised") == 1
    year.now += timedelta(days=14)
    with year.database.transaction() as session:
        assert publicity.close_due(session, now=year.now) == 1
    taken = at_once(
        lambda _n: year.do(
            service.take_publicity, claim_id=claim_id, publicity_id=notice_id, upheld=False
        )
    )
    assert taken == HUNDRED  # repeating it is no error, and changes nothing
    assert events(year, "ClaimApproved") == 1

    listed = at_once(
        lambda _n: year.do(service.list_payments, actor=year.bureau, claim_ids=[claim_id])
    )
    assert (listed, rows(year, PaymentList), rows(year, Payment)) == (1, 1, 1)
    with year.database.reading() as session:
        payment_id = queries.payment_lists(session)[0].rows[0].payment.id

    treasurer = year.treasurer
    confirmed = at_once(
        lambda n: year.do(
            service.confirm_payment,
            actor=treasurer,
            payment_id=payment_id,
            reference=f"JNCZ{n:06d}",
        )
    )
    assert (confirmed, events(year, "ClaimPaid")) == (1, 1)
    assert year.status(claim_id) is ClaimStatus.PAID

    assert at_once(lambda _n: year.clawed_back(claim_id)) == 1
    assert (rows(year, ClawBack), events(year, "ClaimClawedBack")) == (1, 1)
    received = at_once(
        lambda n: year.do(
            service.confirm_receipt,
            actor=treasurer,
            claim_id=claim_id,
            amount_fen=Fen(3_900_00),
            reference=f"SK{n:06d}",
        )
    )
    assert (received, events(year, "ClawBackReceived")) == (1, 1)
    with year.database.reading() as session:
        _count, broken = audit.verify(session)
    assert broken is None


def test_a_panel_of_three_hears_three_of_a_hundred_opinions(year: SubsidyYear) -> None:
    claim_id = year.applied(round_id=year.open_round(expert_count=3))
    for step in (ReviewStep.DISTRICT, ReviewStep.CENTRE, ReviewStep.BUREAU):
        year.review(claim_id, step)
    experts = [year.another_expert(number) for number in range(5)]
    verdict = Verdict(ReviewDecision.PASS, "", 80, unconcerned=True)
    heard = at_once(
        lambda n: year.review(claim_id, ReviewStep.EXPERT, verdict, actor=experts[n % 5])
    )
    assert heard == 3
    with year.database.reading() as session:
        panel = session.scalars(select(Review).where(Review.step == ReviewStep.EXPERT)).all()
    assert sorted(review.seat for review in panel) == [1, 2, 3]
    assert len({review.reviewer_user_id for review in panel}) == 3
    assert year.status(claim_id) is ClaimStatus.SETTLING


def test_a_recognition_in_two_rounds_is_claimed_once(year: SubsidyYear) -> None:
    item = ClaimItem.NATIONAL_INSTITUTION
    drafts = [year.prepared(year.open_round(), item=item) for _ in range(2)]
    for claim_id in drafts:
        year.do(
            service.enter,
            actor=year.officer,
            claim_id=claim_id,
            entries=Entries(Recognition("国科火字〔2024〕1号", year.now.date())),
        )
    assert at_once(lambda n: apply(year, drafts[n % 2], Fen(1_000_000_00))) == 1
    assert rows(year, ClaimGround) == 1
