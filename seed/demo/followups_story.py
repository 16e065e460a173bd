"""What goes on around some deals: data rooms, meetings, messages, invoices, a dispute."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from marketplace.brokerage import dispute_queries, ledger_queries, service, talk_queries
from marketplace.brokerage.introduction_rules import DisputeGround
from marketplace.brokerage.room_rules import FileReach
from marketplace.brokerage.rules import NoteKind, NoteVisibility
from marketplace.brokerage.talk_rules import Slot, TalkKind
from marketplace.brokerage.terms_queries import introductions_of_deal
from marketplace.brokerage.terms_rules import (
    WHOLE_RATE,
    CommissionBasis,
    CommissionPayer,
    CommissionTerms,
    DueWhen,
)
from marketplace.foundation.access import Actor
from marketplace.foundation.attachments import Upload
from marketplace.foundation.clock import LOCAL
from seed.demo.content import Deal
from seed.demo.paper import write_paper
from seed.demo.stage import Stage, Story, yuan


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    deal: str
    day: date


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: str
    lines: list[str]

    def upload(self) -> Upload:
        return Upload(self.name, write_paper(self.name.removesuffix(".pdf"), self.lines))


class _Room(_Record):
    files: list[_File]
    single: _File
    opened: int


class _Talk(_Record):
    kind: TalkKind
    topic: str
    place: str
    days: list[date]
    hour: int
    chosen: int = 0
    minutes: str = ""
    task: str = ""
    task_on: date | None = None


class _Message(_Record):
    text: str
    reply: str = ""
    replied_on: date | None = None


class _Invoice(_Record):
    number: str


class _Expense(_Record):
    payer: CommissionPayer
    yuan: int
    words: str


class _Dispute(_Record):
    ground: DisputeGround
    words: str


class _SharedCommission(_Record):
    payer: CommissionPayer
    rate_percent: float
    minimum_yuan: int
    when: DueWhen
    partner: str
    partner_percent: int


class _Check(BaseModel):
    model_config = ConfigDict(extra="forbid")

    day: date
    signed_before: date
    leave: list[str]
    words: str


class _Followups(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rooms: list[_Room]
    talks: list[_Talk]
    messages: list[_Message]
    invoices: list[_Invoice]
    expenses: list[_Expense]
    disputes: list[_Dispute]
    shared_commissions: list[_SharedCommission]
    checks: list[_Check]


class _Around:
    """Who stands around a deal of the stage."""

    def __init__(self, stage: Stage, key: str) -> None:
        self.stage = stage
        self.record: Deal = next(deal for deal in stage.content.deals if deal.key == key)

    @property
    def id(self) -> int:
        return self.stage.deals[self.record.key]

    @property
    def broker(self) -> Actor:
        assert self.record.broker is not None
        return self.stage.actor(self.record.broker)

    @property
    def buyer(self) -> Actor:
        return self.stage.buyer(self.record.buyer)

    @property
    def seller(self) -> Actor:
        achievement = next(
            each for each in self.stage.content.achievements if each.key == self.record.achievement
        )
        return self.stage.seller(achievement.owners[0].org)


def followups(stage: Stage) -> Iterator[Story]:
    """Tell one story for every record of the file."""
    text = files("seed.demo").joinpath("followups.yaml").read_text(encoding="utf-8")
    whole = _Followups.model_validate(yaml.safe_load(text))
    yield from (_room(stage, record) for record in whole.rooms)
    yield from (_talk(stage, record) for record in whole.talks)
    yield from (_message(stage, record) for record in whole.messages)
    yield from (_invoice(stage, record) for record in whole.invoices)
    yield from (_expense(stage, record) for record in whole.expenses)
    yield from (_dispute(stage, record) for record in whole.disputes)
    yield from (_share(stage, record) for record in whole.shared_commissions)
    yield from (_check(stage, record) for record in whole.checks)


def _room(stage: Stage, record: _Room) -> Story:
    yield stage.at(record.day, record.deal)
    around = _Around(stage, record.deal)
    room_id = service.open_room(
        stage.session, actor=around.seller, now=stage.now, deal_id=around.id
    )
    shared, single = (
        service.add_files(
            stage.session,
            actor=around.seller,
            now=stage.now,
            room_id=room_id,
            uploads=[each.upload() for each in put],
            reach=reach,
            store=stage.store,
        )
        for put, reach in ((record.files, FileReach.ROOM), ([record.single], FileReach.LINK))
    )
    reader = around.buyer
    assert reader.user_id is not None
    service.issue_link(
        stage.session,
        actor=around.seller,
        now=stage.now,
        file_id=single[0],
        user_id=reader.user_id,
        single_use=True,
        valid_to=stage.today + timedelta(days=60),
    )
    for file_id in shared[: record.opened]:
        yield stage.after(1, record.deal)
        service.open_file(stage.session, actor=reader, now=stage.now, file_id=file_id)


def _talk(stage: Stage, record: _Talk) -> Story:
    yield stage.at(record.day, record.deal)
    around = _Around(stage, record.deal)
    begins = [datetime.combine(day, time(record.hour), tzinfo=LOCAL) for day in record.days]
    talk_id = service.propose_talk(
        stage.session,
        actor=around.broker,
        now=stage.now,
        deal_id=around.id,
        kind=record.kind,
        topic=record.topic,
        place=record.place,
        slots=[Slot(moment, moment + timedelta(hours=2)) for moment in begins],
    )
    if not record.chosen:
        return
    yield stage.after(1, record.deal)
    slots = talk_queries.get_talk(stage.session, around.buyer, talk_id).slots
    chosen = [slot.id for slot in slots[: record.chosen]]
    service.choose_slots(
        stage.session, actor=around.buyer, now=stage.now, talk_id=talk_id, slot_ids=chosen
    )
    service.fix_talk(
        stage.session, actor=around.broker, now=stage.now, talk_id=talk_id, slot_id=chosen[0]
    )
    if not record.minutes:
        return
    yield stage.at(record.days[0] + timedelta(days=1), record.deal)
    assert record.task_on is not None
    assert around.buyer.user_id is not None
    service.write_minutes(
        stage.session,
        actor=around.broker,
        now=stage.now,
        talk_id=talk_id,
        minutes=record.minutes,
        tasks=[(record.task, record.task_on, around.buyer.user_id)],
    )


def _message(stage: Stage, record: _Message) -> Story:
    yield stage.at(record.day, record.deal)
    around = _Around(stage, record.deal)
    service.add_note(
        stage.session,
        actor=around.buyer,
        now=stage.now,
        deal_id=around.id,
        kind=NoteKind.MESSAGE,
        visibility=NoteVisibility.SHARED,
        body=record.text,
    )
    if record.replied_on is None:
        return
    yield stage.at(record.replied_on, record.deal)
    service.add_note(
        stage.session,
        actor=around.seller if around.record.broker is None else around.broker,
        now=stage.now,
        deal_id=around.id,
        kind=NoteKind.MESSAGE,
        visibility=NoteVisibility.SHARED,
        body=record.reply,
    )


def _invoice(stage: Stage, record: _Invoice) -> Story:
    yield stage.at(record.day, record.deal)
    around = _Around(stage, record.deal)
    entry, *_rest = ledger_queries.entries_of_deal(stage.session, around.broker, around.id)
    service.note_invoice(
        stage.session,
        actor=around.broker,
        now=stage.now,
        entry_id=entry.id,
        invoice_no=record.number,
    )


def _expense(stage: Stage, record: _Expense) -> Story:
    yield stage.at(record.day, record.deal)
    around = _Around(stage, record.deal)
    service.claim_expense(
        stage.session,
        actor=around.broker,
        now=stage.now,
        deal_id=around.id,
        payer=record.payer,
        amount_fen=yuan(record.yuan),
        words=record.words,
    )


def _dispute(stage: Stage, record: _Dispute) -> Story:
    yield stage.at(record.day, record.deal)
    around = _Around(stage, record.deal)
    introduction, *_rest = introductions_of_deal(stage.session, around.broker, around.id)
    service.open_dispute(
        stage.session,
        actor=around.broker,
        now=stage.now,
        introduction_id=introduction.id,
        ground=record.ground,
        words=record.words,
    )


def _share(stage: Stage, record: _SharedCommission) -> Story:
    yield stage.at(record.day, record.deal)
    around = _Around(stage, record.deal)
    assert around.broker.user_id is not None
    his = record.partner_percent * 100
    service.propose_commission(
        stage.session,
        actor=around.broker,
        now=stage.now,
        deal_id=around.id,
        payer=record.payer,
        terms=CommissionTerms(
            CommissionBasis.RATE,
            round(record.rate_percent * 100),
            None,
            yuan(record.minimum_yuan),
            record.when,
        ),
        partners=[
            (around.broker.user_id, WHOLE_RATE - his),
            (stage.users[record.partner], his),
        ],
    )


def _check(stage: Stage, record: _Check) -> Story:
    """Let the operator say of older contracts that they are no fruit of an introduction."""
    yield stage.at(record.day, record.words)
    for view in dispute_queries.recognitions_to_check(stage.session):
        if view.signed_on < record.signed_before and view.contract_no not in record.leave:
            service.decide_recognition(
                stage.session,
                actor=stage.actor("zhanzixuan"),
                now=stage.now,
                recognition_id=view.id,
                counts=False,
                words=record.words,
            )
