"""Random histories of a listing through the services, from the announcement to its end.

Whatever is tried, in whatever order, by whomever: a step is either taken as the rules say or
refused with a reason. ``check`` holds what must be true after each step, ``finish`` what must be
true in the end. Shared by the tests' state machines and ``benchmarks/bidding_histories.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import event, select
from sqlalchemy.engine import Connection
from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import DomainError
from marketplace.foundation.money import Fen
from marketplace.listings import rules, service
from marketplace.listings.bidding_models import BiddingSession, SealedBid
from marketplace.listings.bidding_queries import entries_of
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.due import TASKS as LISTING_TASKS
from marketplace.listings.models import Intent, Listing
from marketplace.listings.replay_rules import replay
from marketplace.listings.rules import IntentState, ListingState
from marketplace.listings.sealed_rules import Criterion
from marketplace.payments import ledger_queries, payout_service, statement_service
from marketplace.payments import service as payments
from marketplace.payments.gateways import bank_transfer
from marketplace.payments.models import Payment
from marketplace.payments.rules import PaymentState
from marketplace.payments.statement_rules import Line
from marketplace.publicity.due import TASKS as PUBLICITY_TASKS
from tests.trading import BASE, DEPOSIT, JUDGED, STEP, Hall
from tests.world import World

PHRASE = "the officer's opening words"
_GONE = (IntentState.LOST, IntentState.REJECTED, IntentState.WITHDRAWN, IntentState.BARRED)
_BANK = bank_transfer().default
# What is worth trying while a listing stands somewhere, more often what leads on.
_LIKELY = {
    ListingState.ANNOUNCED: "intend judge judge pay pay wait wait wait leave",
    ListingState.QUALIFYING: "judge pay close close wait wait leave bar",
    ListingState.BIDDING: "bid bid bid bid bid bid wait wait wait limit open open wait_long",
    ListingState.AWARDED: "end end pay_out bar leave wait",
}
_ANYTHING = "intend judge pay wait bid limit open end pay_out leave bar close wait_long"


def likely(state: ListingState, chance: float) -> list[str]:
    """Return the steps to choose from in a state; one time in five, by ``chance``, any at all."""
    return (_ANYTHING if chance < 0.2 else _LIKELY.get(state, _ANYTHING)).split()


class Cast:
    """The people of many histories: made once, since making them costs more than a history."""

    def __init__(self, database: Database, now: datetime) -> None:
        self.hall = Hall(database, World(database, now), now)
        third = self.hall.world.actor(Role.OPERATOR, self.hall.centre)
        self.officers = (self.hall.operator, self.hall.second_operator, third)
        for officer in self.officers:
            self.hall.do(service.make_key, officer, passphrase=PHRASE)
        self.buyers = [self.hall.enterprise() for _ in range(4)]
        self.commits = 0
        event.listen(database.engine, "commit", self._count)

    def _count(self, _connection: Connection) -> None:
        self.commits += 1


class History:
    """One listing with up to four buyers, driven step by step."""

    def __init__(self, cast: Cast, kind: BiddingKind, now: datetime) -> None:
        self.cast, self.kind = cast, kind
        self.hall = cast.hall
        self.hall.now = now
        self.keys = 0
        self.taken: Counter[str] = Counter()
        listing_id = self.hall.applied()
        criteria = (Criterion("实施方案", 40),) if kind is BiddingKind.WEIGHTED else ()
        self.hall.do(
            service.choose_bidding,
            self.hall.officer,
            listing_id=listing_id,
            kind=kind,
            criteria=criteria,
        )
        self.hall.do(service.accept, self.hall.operator, listing_id=listing_id)
        self.hall.do(service.announce, self.hall.operator, listing_id=listing_id)
        self.listing_id = listing_id
        self.state = ListingState.ANNOUNCED
        self._checked = -1

    # --- steps: `who` and `size` are any numbers ---

    def steps(self) -> dict[str, Callable[[int, int], None]]:
        """Return what may be tried, by name."""
        return {
            "intend": self.intend,
            "judge": self.judge,
            "pay": self.pay,
            "leave": self.leave,
            "bar": self.bar,
            "close": self.close,
            "wait": self.wait,
            "wait_long": self.wait_long,
            "bid": self.bid,
            "limit": self.limit,
            "open": self.open,
            "end": self.end,
            "pay_out": self.pay_out,
        }

    def step(self, name: str, who: int, size: int) -> None:
        """Try one step; a refusal is an answer, anything else a fault."""
        try:
            self.steps()[name](who, size)
            self.taken[name] += 1
        except DomainError:
            self.taken[f"{name} refused"] += 1
        self.check()

    def intend(self, who: int, size: int) -> None:
        """Register an intent."""
        _, buyer = self.cast.buyers[who % 4]
        self.hall.intent(self.listing_id, buyer, offer_fen=Fen(BASE + size % 3 * STEP))

    def judge(self, who: int, size: int) -> None:
        """Admit an intent or, now and then, reject it."""
        intent = self._intent(who)
        if size % 7 == 0:
            self._do(service.reject_intent, intent_id=intent.id, reason="不符合公告的条件")
        else:
            self._do(service.admit_intent, intent_id=intent.id, ticked=JUDGED)

    def pay(self, who: int, size: int) -> None:
        """Let a deposit arrive: right, of another amount, or confirmed by who recorded it."""
        intent = self._intent(who)
        organisation, _ = self.cast.buyers[who % 4]
        self.keys += 1
        amount = Fen(DEPOSIT - (size % 5 == 0))
        line = Line(f"BK-{self.listing_id}-{self.keys}", self._today, amount, organisation.name)
        self._do(statement_service.record_line, self.hall.second_operator, line=line)
        by = self.hall.second_operator if size % 11 == 0 else self.hall.operator
        if intent.payment_id is not None:
            self._do(payments.confirm, by, payment_id=intent.payment_id, reference=line.reference)
        self.hall.settle()

    def leave(self, who: int, size: int) -> None:
        """Take an intent back, or let the seller withdraw everything."""
        if size % 9 == 0:
            self._do(
                service.withdraw,
                self.hall.officer,
                listing_id=self.listing_id,
                reason="权属需要重新确认",
            )
        else:
            _, buyer = self.cast.buyers[who % 4]
            self._do(service.withdraw_intent, buyer, intent_id=self._intent(who).id)

    def bar(self, who: int, size: int) -> None:
        """Bar a buyer."""
        if size % 3 == 0:
            self._do(service.bar_intent, intent_id=self._intent(who).id, reason="未申报的关联方")

    def close(self, _who: int, _size: int) -> None:
        """End the qualification before its term."""
        self._do(service.close_qualification, listing_id=self.listing_id)

    def wait(self, _who: int, size: int) -> None:
        """Let time pass up to the next moment at which something is due, or a little."""
        due = self._next_due()
        soon = self.hall.now + timedelta(seconds=size % 400)
        self.hall.at(min(due, soon) if due is not None and size % 3 else due or soon)

    def wait_long(self, _who: int, size: int) -> None:
        """Let time pass beyond what is due, as when the platform was away."""
        due = self._next_due()
        if due is not None:
            self.hall.at(due + timedelta(seconds=size % 300))

    def bid(self, who: int, size: int) -> None:
        """Bid in the room, openly or sealed: right, too low, or not a whole increment."""
        _, buyer = self.cast.buyers[who % 4]
        self.keys += 1
        row = self._session()
        least = (row.last_fen + STEP) if row is not None and row.last_fen else BASE
        amount = Fen(least + (size % 6 - 1) * STEP + (size % 13 == 0))
        use_case = (
            service.place_bid if self.kind is BiddingKind.ASCENDING else service.submit_sealed_bid
        )
        self._do(
            use_case,
            buyer,
            listing_id=self.listing_id,
            amount_fen=amount,
            submission_key=f"key-{self.keys - (size % 5 == 0)}",
        )

    def limit(self, who: int, size: int) -> None:
        """Give a private limit or take it back."""
        _, buyer = self.cast.buyers[who % 4]
        if size % 4 == 0:
            self._do(service.drop_limit, buyer, listing_id=self.listing_id)
        else:
            top = Fen(BASE + size % 40 * STEP)
            self._do(service.set_limit, buyer, listing_id=self.listing_id, limit_fen=top)

    def open(self, who: int, size: int) -> None:
        """Score, give a share, or void what cannot be opened."""
        row = self._session()
        if row is None:
            return
        if size % 8 == 0:
            self._do(service.void_unopened, listing_id=self.listing_id, reason="两位开标人遗失口令")
        elif self.kind is BiddingKind.WEIGHTED and size % 2:
            plates = self.hall.read(
                lambda s: s.scalars(
                    select(SealedBid.plate).where(SealedBid.session_id == row.id)
                ).all()
            )
            scores = {plate: [(size + n * 17) % 101] for n, plate in enumerate(plates)}
            self._do(service.record_scores, listing_id=self.listing_id, scores=scores)
        else:
            self._do(
                service.give_opening_share,
                self.cast.officers[who % 3],
                listing_id=self.listing_id,
                passphrase=PHRASE if size % 5 else "some other words here",
            )

    def end(self, _who: int, size: int) -> None:
        """Sign, or end unsigned with or without a forfeit."""
        if size % 2:
            self._do(
                service.mark_signed, listing_id=self.listing_id, contract_no=f"HT-{self.listing_id}"
            )
        else:
            self._do(
                service.terminate,
                listing_id=self.listing_id,
                reason="双方没有签约",
                forfeits=size % 4 == 0,
            )

    def pay_out(self, who: int, size: int) -> None:
        """Send money out, by a right or a wrong person."""
        by = self.hall.operator if size % 5 == 0 else self.hall.second_operator
        for payment in self.hall.read(self._payments):
            if payment.state is PaymentState.REFUND_DUE:
                self._do(
                    payout_service.refund,
                    by,
                    payment_id=payment.id,
                    reference=f"TH-{payment.id:05d}",
                    gateway=_BANK,
                )
            elif payment.state is PaymentState.FORFEIT_DUE:
                self._do(
                    payout_service.forfeit,
                    by,
                    payment_id=payment.id,
                    reference=f"KF-{payment.id:05d}",
                )

    # --- what must be true ---

    def check(self) -> None:
        """Hold after every step: legal steps, a balanced ledger, deposits and records in order."""
        if self._checked == self.cast.commits:
            return  # nothing was written since
        with self.hall.database.reading() as session:
            self._check(session)
        self._checked = self.cast.commits

    def _check(self, session: Session) -> None:
        listing = session.get_one(Listing, self.listing_id)
        assert listing.state in _after(self.state), (self.state, listing.state)
        self.state = listing.state
        assert ledger_queries.ledger_problems(session) == []
        paid = {payment.id: payment for payment in self._payments(session)}
        for intent in self._intents(session):
            payment = paid.get(intent.payment_id or 0)
            if payment is None:
                continue
            if intent.state in _GONE:
                assert payment.state is not PaymentState.CONFIRMED, (intent.id, intent.state)
            if intent.state in (IntentState.QUALIFIED, IntentState.WON):
                assert payment.confirmed_at is not None
        for row in self._sessions(session):
            verdict = replay(entries_of(session, row.id))
            assert verdict.voided == (row.voided_at is not None)
            if row.decided_at is not None and verdict.amount_fen is not None:
                assert listing.price_fen == verdict.amount_fen

    def finish(self) -> None:
        """Let everything end and be paid out; nothing of anybody's money is left."""
        for _ in range(60):
            if self.state in rules.OVER:
                break
            if self.state is ListingState.AWARDED:
                self.step("end", 0, 1)
            due = self._next_due()
            if due is not None:
                self.hall.at(due)
            elif self.state is ListingState.BIDDING:
                self._open_all()
            else:
                self._decide_all()
            self.check()
        else:
            raise AssertionError(f"never ends: {self.state}")
        self.pay_out(0, 1)
        self.check()
        for payment in self.hall.read(self._payments):
            assert payment.state in (
                PaymentState.REFUNDED, PaymentState.FORFEITED, PaymentState.CANCELLED,
            ), payment.state  # fmt: skip

    def _open_all(self) -> None:
        if self.kind is BiddingKind.WEIGHTED:
            self.step("open", 0, 1)
        for officer in self.cast.officers:
            row = self._session()
            if row is not None and row.decided_at is None and row.closed_at is not None:
                try:
                    self._do(
                        service.give_opening_share,
                        officer,
                        listing_id=self.listing_id,
                        passphrase=PHRASE,
                    )
                except DomainError:
                    continue

    def _decide_all(self) -> None:
        for intent in self.hall.read(self._intents):
            if intent.state is IntentState.REGISTERED:
                self._do(service.reject_intent, intent_id=intent.id, reason="期满没有补齐材料")
        self.hall.settle()

    def _do(self, use_case: Callable[..., Any], actor: Actor | None = None, **more: Any) -> Any:
        done = self.hall.do(use_case, actor or self.hall.operator, **more)
        self.hall.settle()
        return done

    @property
    def _today(self) -> Any:
        return self.hall.now.astimezone(self.hall.now.tzinfo).date()

    def _next_due(self) -> datetime | None:
        with self.hall.database.reading() as session:
            moments = [
                task.next_due(session, self.hall.now) for task in (*LISTING_TASKS, *PUBLICITY_TASKS)
            ]
        return min((moment for moment in moments if moment is not None), default=None)

    def _intents(self, session: Session) -> Sequence[Intent]:
        return session.scalars(
            select(Intent).where(Intent.listing_id == self.listing_id).order_by(Intent.id)
        ).all()

    def _intent(self, who: int) -> Intent:
        wanted = self.cast.buyers[who % 4][0].id
        found = [
            intent for intent in self.hall.read(self._intents) if intent.organisation_id == wanted
        ]
        if not found:
            raise DomainError("nobody", "这家没有登记意向")
        return found[-1]

    def _payments(self, session: Session) -> Sequence[Payment]:
        return session.scalars(
            select(Payment)
            .join(Intent, Intent.payment_id == Payment.id)
            .where(Intent.listing_id == self.listing_id)
            .order_by(Payment.id)
        ).all()

    def _sessions(self, session: Session) -> Sequence[BiddingSession]:
        return session.scalars(
            select(BiddingSession)
            .where(BiddingSession.listing_id == self.listing_id)
            .order_by(BiddingSession.attempt)
        ).all()

    def _session(self) -> BiddingSession | None:
        rows = self.hall.read(self._sessions)
        return rows[-1] if rows else None


def _after(state: ListingState) -> set[ListingState]:
    """Return the states that a listing may have come to from a state, itself included."""
    found, waiting = {state}, [state]
    while waiting:
        for following in rules.reachable(waiting.pop()):
            if following not in found:
                found.add(following)
                waiting.append(following)
    return found
