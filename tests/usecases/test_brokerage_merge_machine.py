"""Deals merged and split at random: nothing lost, nothing twice, nobody reads more than before."""

from __future__ import annotations

import tempfile
from collections import Counter
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from marketplace import wiring
from marketplace.achievements.models import Achievement
from marketplace.brokerage import deal_queries, queries, service
from marketplace.brokerage.commission_models import CommissionEntry
from marketplace.brokerage.family_queries import family_ids
from marketplace.brokerage.merge_rules import MergedPrice, SplitSubject
from marketplace.brokerage.models import Commission, Deal, Introduction, Note, Task
from marketplace.brokerage.queries import DealFilter
from marketplace.brokerage.rules import CLOSED, DealStage, NoteKind, NoteVisibility
from marketplace.brokerage.terms_rules import CommissionStatus
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.db import Base, Database
from marketplace.foundation.errors import DomainError
from marketplace.foundation.money import Fen
from tests.dealing import Market, propose
from tests.trading import local
from tests.world import World

assert wiring.BLUEPRINTS  # importing it imports every slice, and with it every table

PLACE = st.integers(0, 30)
_IN_FORCE = (CommissionStatus.AGREED, CommissionStatus.DUE, CommissionStatus.INVOICED)


class MergedAndSplit(RuleBasedStateMachine):
    """One seller, one buyer, one broker, two inventors; any deal may be merged, split, signed."""

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        self.database = Database("sqlite://")
        Base.metadata.create_all(self.database.engine)
        now = local(2024, 3, 15, 10)
        world = World(self.database, now)
        self.market = Market(self.database, world, now, Path(self.folder.name))
        self.inventors = [
            world.actor(Role.INVENTOR, self.market.university, name=name)
            for name in ("孟昭", "丁文韬")
        ]
        self.readers: list[Actor] = [
            self.market.broker,
            self.market.officer,
            self.market.buyer,
            *self.inventors,
        ]
        self.deals: list[int] = []
        # Who could read a note when it was written, by its id.
        self.readable: dict[int, set[int]] = {}
        self.made: Counter[str] = Counter()
        self.worth = 0
        for place in range(3):
            self.open(place)

    def teardown(self) -> None:
        if hasattr(self, "database"):
            self.database.engine.dispose()
            self.folder.cleanup()

    def row(self, session: Session, place: int) -> Deal:
        return session.get_one(Deal, self.deals[place % len(self.deals)])

    def id_at(self, place: int) -> int:
        return self.deals[place % len(self.deals)]

    @rule(place=PLACE)
    def open(self, place: int) -> None:
        achievement_id = self.market.achievement()
        with self.database.transaction() as session:
            session.execute(
                update(Achievement)
                .where(Achievement.id == achievement_id)
                .values(author_id=self.inventors[place % 2].user_id)
            )
        deal_id = self.market.deal(achievement_id)
        worth = 100 * (place + 2)
        self.market.terms(deal_id, amount_fen=Fen(worth), signed_on=None)
        self.deals.append(deal_id)
        self.worth += worth

    @rule(place=PLACE, who=st.integers(0, 2), private=st.booleans())
    def write(self, place: int, who: int, private: bool) -> None:
        author, deal_id = self.readers[who], self.id_at(place)
        note_id = self.market.do(
            service.add_note,
            author,
            deal_id=deal_id,
            kind=NoteKind.REMARK,
            visibility=NoteVisibility.PRIVATE if private else NoteVisibility.SHARED,
            body=f"记一条：{len(self.readable)}",
        )
        with self.database.reading() as session:
            self.readable[note_id] = {
                reader.user_id or 0
                for reader in self.readers
                if deal_queries.sees(session, reader, deal_id)
                and (not private or reader.user_id == author.user_id)
            }

    @rule(place=PLACE)
    def plan(self, place: int) -> None:
        day = self.market.today + timedelta(days=place)
        try:
            self.market.do(
                service.add_task,
                self.market.broker,
                deal_id=self.id_at(place),
                what="回电话",
                due_on=day,
            )
        except DomainError:
            return
        self.made["tasks"] += 1

    @rule(place=PLACE)
    def introduce(self, place: int) -> None:
        try:
            self.market.do(service.introduce, self.market.broker, deal_id=self.id_at(place))
        except DomainError:
            return
        self.made["introductions"] += 1

    @rule(place=PLACE)
    def agree(self, place: int) -> None:
        try:
            commission_id = propose(self.market, self.id_at(place))
            self.market.do(
                service.confirm_commission, self.market.buyer, commission_id=commission_id
            )
        except DomainError:
            return

    @rule(one=PLACE, other=PLACE, price=st.sampled_from(MergedPrice))
    def merge(self, one: int, other: int, price: MergedPrice) -> None:
        with self.database.reading() as session:
            ending = self.row(session, one).amount_fen or 0
        try:
            self.market.do(
                service.merge_deals,
                self.market.broker,
                deal_id=self.id_at(one),
                into_deal_id=self.id_at(other),
                price=price,
            )
        except DomainError:
            return
        self.worth -= ending if price is MergedPrice.KEEP else 0

    @rule(place=PLACE, share=st.integers(1, 99), every=st.integers(1, 3))
    def split(self, place: int, share: int, every: int) -> None:
        deal_id = self.id_at(place)
        with self.database.reading() as session:
            amount = self.row(session, place).amount_fen
            tasks = session.scalars(
                select(Task.id).where(Task.deal_id == deal_id, Task.done_at.is_(None))
            ).all()
            notes = queries.notes(session, self.market.broker, deal_id)
        try:
            new_id = self.market.do(
                service.split_deal,
                self.market.broker,
                deal_id=deal_id,
                title="另一部分",
                what=SplitSubject.PART,
                part=f"第 {len(self.deals)} 部分",
                amount_fen=Fen(amount * share // 100) if amount else None,
                task_ids=tasks[::every],
                note_ids=[each.id for each in notes if each.deal_id == deal_id][::every],
            )
        except DomainError:
            return
        self.deals.append(new_id)

    @rule(place=PLACE)
    def register(self, place: int) -> None:
        with self.database.reading() as session:
            deal = self.row(session, place)
            standing = session.get_one(Deal, deal.merged_into_id or deal.id)
            before = 0 if standing.stage is DealStage.REGISTERED else standing.amount_fen or 0
            again = standing.stage is DealStage.REGISTERED
        self.market.do(
            service.mark_registered,
            SYSTEM,
            deal_id=self.id_at(place),
            contract_no=f"JN-{place}",
            amount_fen=Fen(1_000_000),
        )
        self.worth += 0 if again else 1_000_000 - before

    @invariant()
    def nothing_is_lost_or_doubled(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.reading() as session:
            deals = session.scalars(select(Deal)).all()
            standing = [deal for deal in deals if deal.stage is not DealStage.MERGED]
            shown: Counter[int] = Counter()
            tasks: Counter[int] = Counter()
            for deal in standing:
                shown.update(n.id for n in queries.notes(session, SYSTEM, deal.id))
                tasks.update(t.id for t in queries.tasks_of_deal(session, SYSTEM, deal.id))
            stored = session.scalars(
                select(Note.id).where(Note.visibility == NoteVisibility.SHARED)
            ).all()
            assert shown == Counter(stored)
            assert set(self.readable) == set(session.scalars(select(Note.id)))
            assert tasks == Counter(session.scalars(select(Task.id)).all())
            assert sum(tasks.values()) == self.made["tasks"]
            introductions = session.scalars(select(Introduction.deal_id)).all()
            assert len(introductions) == self.made["introductions"]
            assert sum(deal.amount_fen or 0 for deal in standing) == self.worth

    @invariant()
    def nobody_reads_more_than_before(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.reading() as session:
            for reader in self.readers:
                listed = queries.list_deals(
                    session, reader, chosen=DealFilter(), now=self.market.now, size=200
                )
                seen = {
                    note.id
                    for row in listed.items
                    for note in queries.notes(session, reader, row.id)
                }
                before = {
                    note_id for note_id, who in self.readable.items() if reader.user_id in who
                }
                assert seen <= before
                if reader not in self.inventors:
                    assert seen == before

    @invariant()
    def it_always_leads_to_one_that_stands(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.reading() as session:
            by_id = {deal.id: deal for deal in session.scalars(select(Deal))}
            for deal in by_id.values():
                if deal.merged_into_id is not None:
                    assert by_id[deal.merged_into_id].stage is not DealStage.MERGED
                    assert deal.merged_into_id != deal.id
                    assert deal.stage in CLOSED
            assert audit.verify(session)[1] is None

    @invariant()
    def no_commission_is_due_twice(self) -> None:
        if not hasattr(self, "database"):
            return
        with self.database.reading() as session:
            for deal in session.scalars(select(Deal).where(Deal.stage != DealStage.MERGED)):
                in_force = session.scalars(
                    select(Commission.id).where(
                        Commission.deal_id.in_(family_ids(session, deal.id)),
                        Commission.status.in_(_IN_FORCE),
                    )
                ).all()
                assert len(in_force) <= 1
                due = session.scalars(
                    select(CommissionEntry.id).where(CommissionEntry.commission_id.in_(in_force))
                ).all()
                assert len(due) == (1 if in_force and deal.stage is DealStage.REGISTERED else 0)


TestMergedAndSplit = MergedAndSplit.TestCase
TestMergedAndSplit.settings = settings(
    max_examples=12,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
