"""A listing driven at random through its use cases: no illegal step, no lost deposit, ever."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select

from marketplace import wiring
from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.db import Base, Database
from marketplace.foundation.errors import DomainError
from marketplace.foundation.money import Fen
from marketplace.listings import notice_queries, rules, service
from marketplace.listings.models import Intent, Listing
from marketplace.listings.qualification_rules import JUDGED
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.payments import queries as payments
from marketplace.payments.rules import PaymentState
from tests.trading import BASE, STEP, Hall, local, offer
from tests.world import World

assert wiring.BLUEPRINTS  # importing it imports every slice, and with it every table

_AGENT = {"agent_name": "济南正源拍卖有限公司", "agent_licence": "鲁拍批 2015-031"}


class ListingLife(RuleBasedStateMachine):
    """One listing, two buyers, a clock; every use case may be tried at any moment."""

    @initialize(pricing=st.sampled_from(PricingMode), ahead=st.integers(0, 3))
    def apply(self, pricing: PricingMode, ahead: int) -> None:
        now = local(2024, 3, 15, 10)
        self.database = Database("sqlite://")
        Base.metadata.create_all(self.database.engine)
        self.hall = Hall(self.database, World(self.database, now), now)
        self.buyers: list[Actor] = [self.hall.enterprise()[1] for _ in range(3)]
        self.listing_id = self.hall.do(
            service.apply,
            self.hall.officer,
            achievement_id=self.hall.achievement(),
            content=offer(pricing, **(_AGENT if pricing in rules.HELD_OUTSIDE else {})),
        )
        # Some histories begin further on, so that the late steps are tried often enough.
        if ahead >= 1:
            self.answer(claims=False)
            self.accept()
            self.announce()
        for which in range(ahead - 1):
            self.intend(which)
            self.judge(pays=True, which=which)
        if ahead == 3:
            self.hall.at(local(2024, 3, 30, 1))

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.engine.dispose()

    def attempt(self, use_case: object, actor: Actor, **arguments: object) -> None:
        try:
            self.hall.do(use_case, actor, **arguments)  # type: ignore[arg-type]  # any use case
        except DomainError:
            return

    def intents(self) -> list[Intent]:
        return self.hall.read(
            lambda s: list(s.scalars(select(Intent).where(Intent.listing_id == self.listing_id)))
        )

    @rule(claims=st.booleans())
    def answer(self, claims: bool) -> None:
        asked = self.hall.read(lambda s: notice_queries.priorities(s, self.listing_id))
        for one in asked:
            self.attempt(
                service.answer_priority,
                self.hall.officer,
                priority_id=one.id,
                claims=claims,
                note="书面答复 2024-03-15",
            )

    @rule()
    def accept(self) -> None:
        self.attempt(service.accept, self.hall.operator, listing_id=self.listing_id)

    @rule()
    def return_(self) -> None:
        self.attempt(
            service.return_, self.hall.operator, listing_id=self.listing_id, reason="请补充付款条件"
        )

    @rule(raised=st.integers(0, 3))
    def correct_or_revise(self, raised: int) -> None:
        stored = self.hall.listing(self.listing_id)
        content = offer(
            stored.pricing_mode,
            base_price_fen=Fen(BASE + raised * STEP),
            **(_AGENT if stored.pricing_mode in rules.HELD_OUTSIDE else {}),
        )
        self.attempt(
            service.correct, self.hall.officer, listing_id=self.listing_id, content=content
        )
        self.attempt(
            service.revise,
            self.hall.operator,
            listing_id=self.listing_id,
            content=content,
            reason="按评估报告调整底价",
        )

    @rule()
    def announce(self) -> None:
        self.attempt(service.announce, self.hall.operator, listing_id=self.listing_id)

    @rule(which=st.integers(0, 2))
    def intend(self, which: int) -> None:
        stored = self.hall.listing(self.listing_id)
        self.attempt(
            service.register_intent,
            self.buyers[which],
            listing_id=self.listing_id,
            content=service.IntentContent(
                offer_fen=stored.base_price_fen, plan="在章丘工厂建一条生产线", promised=True
            ),
        )

    @rule(pays=st.booleans(), which=st.integers(0, 2))
    def judge(self, pays: bool, which: int) -> None:
        found = self.intents()
        if which >= len(found):
            return
        intent = found[which]
        self.attempt(service.admit_intent, self.hall.operator, intent_id=intent.id, ticked=JUDGED)
        if pays and self.hall.stored_intent(intent.id).state is IntentState.ADMITTED:
            self.hall.pay_deposit(intent.id)

    @rule(which=st.integers(0, 2))
    def take_back(self, which: int) -> None:
        for intent in self.intents():
            if intent.organisation_id == self.buyers[which].organisation_id:
                self.attempt(service.withdraw_intent, self.buyers[which], intent_id=intent.id)

    @rule(days=st.integers(1, 20))
    def wait(self, days: int) -> None:
        self.hall.at(self.hall.now + timedelta(days=days))

    @rule()
    def close(self) -> None:
        self.attempt(service.close_qualification, self.hall.operator, listing_id=self.listing_id)

    @rule(over=st.integers(0, 2))
    def settle_price(self, over: int) -> None:
        for intent in self.intents()[:1]:
            self.attempt(
                service.agree_price,
                self.hall.officer,
                intent_id=intent.id,
                price_fen=Fen(BASE + over * STEP),
            )
            self.attempt(
                service.record_outside,
                self.hall.operator,
                intent_id=intent.id,
                price_fen=Fen(BASE + over * STEP),
                document="成交确认书 2024-7",
            )

    @rule()
    def sign(self) -> None:
        self.attempt(
            service.mark_signed,
            self.hall.operator,
            listing_id=self.listing_id,
            contract_no="JN-2024-0001",
        )

    @rule(who=st.sampled_from(("withdraw", "terminate", "fail_outside")))
    def end(self, who: str) -> None:
        actor = self.hall.officer if who == "withdraw" else self.hall.operator
        self.attempt(
            getattr(service, who), actor, listing_id=self.listing_id, reason="双方未能达成一致"
        )

    @invariant()
    def every_step_is_one_of_the_procedure(self) -> None:
        if not hasattr(self, "listing_id"):
            return
        trail = self.hall.read(lambda s: audit.history(s, f"listing:{self.listing_id}"))
        states = [
            (ListingState(e.before["state"]), ListingState(e.after["state"]))
            for e in trail
            if e.before and e.after and e.action != "listings.answer_priority"
        ]
        for before, after in states:
            assert before is after or after in rules.reachable(before), (before, after)
        for (_, after), (before, _) in pairwise(states):
            assert before is after  # no step is missing from the trail

    @invariant()
    def what_stands_is_consistent(self) -> None:
        if not hasattr(self, "listing_id"):
            return
        stored: Listing = self.hall.listing(self.listing_id)
        found = self.intents()
        won = [intent for intent in found if intent.state is IntentState.WON]
        settled = stored.state in (
            ListingState.PRICE_PUBLICITY,
            ListingState.RESULT_PUBLICITY,
            ListingState.AWARDED,
            ListingState.SIGNED,
        )
        assert len(won) == (1 if settled else 0)
        if stored.price_fen is not None:
            assert stored.price_fen >= stored.base_price_fen
        shown = self.hall.read(lambda s: notice_queries.versions(s, self.listing_id))
        assert bool(shown) is (stored.announced_at is not None)
        assert [v.number for v in shown] == list(range(len(shown), 0, -1))
        if stored.state is ListingState.ANNOUNCED:
            assert shown[0].ends_on == stored.announcement_ends_on
        if stored.state in rules.OVER:
            # Nobody's deposit is kept when it is over: it is on its way back or gone back.
            for intent in found:
                if intent.payment_id is not None:
                    state = self.hall.read(
                        lambda s, payment=intent.payment_id: payments.state_of(s, payment)
                    )
                    assert state is not PaymentState.CONFIRMED, intent.state


TestListingLife = ListingLife.TestCase
TestListingLife.settings = settings(
    max_examples=12,
    stateful_step_count=20,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
