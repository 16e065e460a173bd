"""A builder of listings for tests: a seller, a published achievement, buyers, two operators."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts.queries import OrganisationView, get_organisation
from marketplace.accounts.rules import OrganisationKind
from marketplace.achievements import service as achievements
from marketplace.achievements.rules import (
    AchievementContent,
    Comparison,
    EvidenceClass,
    Inventor,
    IPKind,
    IPRight,
    LegalStatus,
    Owner,
)
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.clock import LOCAL, local_date
from marketplace.foundation.db import Database
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Outbox
from marketplace.foundation.trade import PaymentMode, TechnologyField, TradingMode
from marketplace.listings import due as listings_due
from marketplace.listings import handlers as listings_handlers
from marketplace.listings import notice_queries, service
from marketplace.listings.models import Intent, Listing
from marketplace.listings.qualification_rules import JUDGED
from marketplace.listings.rules import PricingMode
from marketplace.listings.service import IntentContent, ListingContent
from marketplace.payments import service as payments
from marketplace.payments import statement_service
from marketplace.payments.statement_rules import Line
from marketplace.publicity import due as publicity_due
from tests.world import World

BASE = Fen(120_000_000)
STEP = Fen(2_000_000)
DEPOSIT = Fen(18_000_000)


def local(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return a moment of Jinan's clock."""
    return datetime(year, month, day, hour, minute, tzinfo=LOCAL)


def offer(pricing: PricingMode = PricingMode.BIDDING, **changes: Any) -> ListingContent:
    """Return a complete offer, changed where a test wants it."""
    values: dict[str, Any] = {
        "title": "等温淬火球铁曲轴工艺及三项专利",
        "pricing_mode": pricing,
        "trading_mode": TradingMode.TRANSFER,
        "base_price_fen": BASE,
        "increment_fen": STEP,
        "deposit_fen": DEPOSIT,
        "payment_mode": PaymentMode.INSTALMENTS,
        "payment_terms": "签约付 60%，验收合格付 40%",
        "conditions": "受让方须在济南市内实施",
    }
    return ListingContent(**{**values, **changes})


class Hall:
    """Drives the trading hall through its services, as a seller, buyers and two operators."""

    def __init__(self, database: Database, world: World, now: datetime) -> None:
        self.database = database
        self.world = world
        self.now = now
        self.university = world.organisation(OrganisationKind.UNIVERSITY)
        self.officer = world.actor(Role.OFFICER, self.university, Role.LEADER)
        self.centre = world.organisation(OrganisationKind.OPERATOR)
        self.operator = world.actor(Role.OPERATOR, self.centre)
        self.second_operator = world.actor(Role.OPERATOR, self.centre)
        self._outbox = Outbox(listings_handlers.SUBSCRIPTIONS)

    def do(self, use_case: Callable[..., Any], actor: Actor, **arguments: Any) -> Any:
        """Run one use case in one transaction at the hall's present moment."""
        with self.database.transaction() as session:
            return use_case(session, actor=actor, now=self.now, **arguments)

    def settle(self) -> None:
        """Do what is due and deliver what happened, as the worker does, until all is quiet."""
        tasks = [*publicity_due.TASKS, *listings_due.TASKS]
        done = 1
        while done:
            while self._outbox.deliver_due(self.database, now=self.now):
                pass  # what is delivered may bring forth more
            with self.database.transaction() as session:
                done = sum(task.run(session, self.now) for task in tasks)

    def at(self, moment: datetime) -> None:
        """Move the hall's clock and settle what became due."""
        self.now = moment
        self.settle()

    def enterprise(self, name: str = "") -> tuple[OrganisationView, Actor]:
        """Make an enterprise and its member."""
        organisation = self.world.organisation(OrganisationKind.ENTERPRISE, name=name)
        return organisation, self.world.actor(Role.ENTERPRISE, organisation)

    def achievement(self, **changes: Any) -> int:
        """Publish a complete achievement of the university, changed where a test wants it."""
        content = AchievementContent(
            title="等温淬火球铁曲轴：疲劳强度提高四成，单件成本不到锻钢的三分之二",
            problem="锻钢曲轴毛坯贵，球铁曲轴的疲劳强度又不够用于大功率柴油机。",
            solution="先奥氏体化，再在盐浴中等温淬火得到奥铁体组织，随后圆角滚压强化。",
            benefit="同功率曲轴毛坯成本下降三分之一",
            comparison=(
                Comparison(
                    "弯曲疲劳强度", "420", "MPa", "42CrMo 锻钢", "390", EvidenceClass.THIRD_PARTY
                ),
            ),
            field=TechnologyField.MATERIALS,
            industry_code="C3411",
            trl=7,
            trl_evidence="两家主机厂装机考核 1000 小时",
            ip_rights=(IPRight(IPKind.SECRET, "", "等温淬火工艺参数包", LegalStatus.SECRET),),
            owners=(Owner(self.university.name, 10_000, self.university.id),),
            inventors=(Inventor("孟祥铸"),),
            fiscal_funded=False,
            modes=(TradingMode.TRANSFER, TradingMode.LICENCE_EXCLUSIVE),
            price_fen=BASE,
            keywords=("曲轴", "等温淬火"),
        )
        content = replace(content, **changes)
        with self.database.transaction() as session:
            made = achievements.create_draft(
                session, actor=self.officer, now=self.now, content=content
            )
        with self.database.transaction() as session:
            achievements.publish(session, actor=SYSTEM, now=self.now, achievement_id=made)
        return made

    def applied(self, content: ListingContent | None = None) -> int:
        """Apply for the listing of a new achievement."""
        made: int = self.do(
            service.apply,
            self.officer,
            achievement_id=self.achievement(),
            content=content or offer(),
        )
        self.waive(made)
        return made

    def waive(self, listing_id: int) -> None:
        """Let the seller record that every holder of a priority right has waived it in writing."""
        for asked in self.read(lambda session: notice_queries.priorities(session, listing_id)):
            self.do(
                service.answer_priority,
                self.officer,
                priority_id=asked.id,
                claims=False,
                note="书面放弃声明 2024-03-15",
            )

    def announced(self, content: ListingContent | None = None, workdays: int | None = None) -> int:
        """Apply, accept and announce."""
        listing_id = self.applied(content)
        self.do(service.accept, self.operator, listing_id=listing_id)
        self.do(service.announce, self.operator, listing_id=listing_id, workdays=workdays)
        self.settle()
        return listing_id

    def intent(self, listing_id: int, buyer: Actor, **changes: Any) -> int:
        """Register a buyer's intent."""
        values: dict[str, Any] = {
            "offer_fen": BASE,
            "plan": "在章丘工厂建一条年产三万件的生产线",
            "promised": True,
        }
        made: int = self.do(
            service.register_intent,
            buyer,
            listing_id=listing_id,
            content=IntentContent(**{**values, **changes}),
        )
        return made

    def qualified(self, listing_id: int, buyer: Actor, **changes: Any) -> int:
        """Register, admit and pay the deposit, until the buyer is qualified."""
        intent_id = self.intent(listing_id, buyer, **changes)
        self.admit(intent_id)
        self.pay_deposit(intent_id)
        return intent_id

    def admit(self, intent_id: int, **judged: Any) -> None:
        """Let the operator find a buyer eligible, related if it says so itself."""
        judged.setdefault("related", self.stored_intent(intent_id).related_party)
        self.do(service.admit_intent, self.operator, intent_id=intent_id, ticked=JUDGED, **judged)

    def pay_deposit(self, intent_id: int) -> None:
        """Let the operator confirm the deposit of an intent."""
        with self.database.reading() as session:
            row = session.get_one(Intent, intent_id)
            payment_id, amount = row.payment_id, session.get_one(Listing, row.listing_id)
            payer, deposit = get_organisation(session, row.organisation_id).name, amount.deposit_fen
        if payment_id is not None:
            self.receive(payment_id, deposit, payer)
        self.settle()

    def receive(self, payment_id: int, amount: Fen, account_name: str, reference: str = "") -> None:
        """Let one operator record a line of the statement and another confirm it."""
        line = Line(
            reference=reference or f"BANK-{payment_id:06d}",
            booked_on=local_date(self.now),
            amount_fen=amount,
            account_name=account_name,
        )
        self.do(statement_service.record_line, self.second_operator, line=line)
        self.do(payments.confirm, self.operator, payment_id=payment_id, reference=line.reference)

    def bidding(self, count: int = 2) -> tuple[int, list[Actor]]:
        """Bring a listing to its bidding session, planned but not begun; return it and the bidders.

        Announced on Friday 2024-03-15, announced through 03-29, bidding on 04-02 at 09:00.
        """
        listing_id = self.announced()
        buyers = [self.enterprise()[1] for _ in range(count)]
        for buyer in buyers:
            self.qualified(listing_id, buyer)
        self.at(local(2024, 3, 30))
        self.do(service.close_qualification, self.operator, listing_id=listing_id)
        self.settle()
        return listing_id, buyers

    def listing(self, listing_id: int) -> Listing:
        """Return the stored listing."""
        with self.database.reading() as session:
            return session.get_one(Listing, listing_id)

    def stored_intent(self, intent_id: int) -> Intent:
        """Return a stored intent."""
        with self.database.reading() as session:
            return session.get_one(Intent, intent_id)

    def read(self, query: Callable[[Session], Any]) -> Any:
        """Run a read."""
        with self.database.reading() as session:
            return query(session)


def day(text: str) -> date:
    """Return a date written as ``2024-03-15``."""
    return date.fromisoformat(text)
