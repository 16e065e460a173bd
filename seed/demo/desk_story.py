"""What brokers do at their desks: pairs proposed, views kept, chances weighed, deals joined."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from importlib.resources import files

import yaml
from pydantic import BaseModel, ConfigDict

from marketplace.brokerage import service
from marketplace.brokerage.merge_rules import MergedPrice, SplitSubject
from marketplace.brokerage.proposal_rules import ProposalTo
from marketplace.brokerage.rules import NoteKind, NoteVisibility
from seed.demo.stage import Stage, Story


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid")

    day: date


class _Answer(_Record):
    accepted: bool
    words: str


class _Proposal(_Record):
    broker: str
    need: str
    achievement: str
    to: ProposalTo
    words: str
    buyer_says: _Answer | None = None
    seller_says: _Answer | None = None


class _View(_Record):
    by: str
    name: str
    conditions: dict[str, str]


class _Chance(_Record):
    deal: str
    percent: int
    reason: str


class _Merge(_Record):
    """A second talk of the same parties that soon went on in the first."""

    into: str
    achievement: str
    opened_on: date
    words: str


class _Split(_Record):
    deal: str
    part: str
    title: str


class _Desk(BaseModel):
    model_config = ConfigDict(extra="forbid")

    proposals: tuple[_Proposal, ...]
    views: tuple[_View, ...]
    chances: tuple[_Chance, ...]
    merges: tuple[_Merge, ...]
    splits: tuple[_Split, ...]


def desks(stage: Stage) -> Iterator[Story]:
    """Tell one story for every record of the file."""
    text = files("seed.demo").joinpath("desk.yaml").read_text(encoding="utf-8")
    whole = _Desk.model_validate(yaml.safe_load(text))
    yield from (_proposal(stage, record) for record in whole.proposals)
    yield from (_view(stage, record) for record in whole.views)
    yield from (_chance(stage, record) for record in whole.chances)
    yield from (_merge(stage, record) for record in whole.merges)
    yield from (_split(stage, record) for record in whole.splits)


def _proposal(stage: Stage, record: _Proposal) -> Story:
    needs = {need.key: need for need in stage.content.needs}
    achievements = {found.key: found for found in stage.content.achievements}
    yield stage.at(record.day, record.need)
    proposal_id = service.propose_pair(
        stage.session,
        actor=stage.actor(record.broker),
        now=stage.now,
        need_id=stage.needs[record.need],
        achievement_id=stage.achievements[record.achievement],
        to=record.to,
        words=record.words,
    )
    asked = (
        (record.buyer_says, stage.buyer(needs[record.need].organisation)),
        (record.seller_says, stage.seller(achievements[record.achievement].owners[0].org)),
    )
    for said, actor in asked:
        if said is None:
            continue
        yield stage.at(said.day, record.need)
        service.answer_proposal(
            stage.session,
            actor=actor,
            now=stage.now,
            proposal_id=proposal_id,
            accepted=said.accepted,
            words=said.words,
        )


def _view(stage: Stage, record: _View) -> Story:
    yield stage.at(record.day, record.by)
    service.save_view(
        stage.session,
        actor=stage.actor(record.by),
        now=stage.now,
        name=record.name,
        arguments=record.conditions,
    )


def _broker_of(stage: Stage, key: str) -> str:
    broker = next(deal.broker for deal in stage.content.deals if deal.key == key)
    assert broker is not None
    return broker


def _chance(stage: Stage, record: _Chance) -> Story:
    broker = _broker_of(stage, record.deal)
    yield stage.at(record.day, record.deal)
    service.override_chance(
        stage.session,
        actor=stage.actor(broker),
        now=stage.now,
        deal_id=stage.deals[record.deal],
        percent=record.percent,
        reason=record.reason,
    )


def _merge(stage: Stage, record: _Merge) -> Story:
    buyer = next(deal.buyer for deal in stage.content.deals if deal.key == record.into)
    yield stage.at(record.opened_on, record.into)
    broker = stage.actor(_broker_of(stage, record.into))
    deal_id = service.open_deal(
        stage.session,
        actor=broker,
        now=stage.now,
        achievement_id=stage.achievements[record.achievement],
        buyer_organisation_id=stage.organisations[buyer],
    )
    service.add_note(
        stage.session,
        actor=broker,
        now=stage.now,
        deal_id=deal_id,
        kind=NoteKind.CALL,
        visibility=NoteVisibility.SHARED,
        body=record.words,
    )
    yield stage.at(record.day, record.into)
    service.merge_deals(
        stage.session,
        actor=broker,
        now=stage.now,
        deal_id=deal_id,
        into_deal_id=stage.deals[record.into],
        price=MergedPrice.KEEP,
    )


def _split(stage: Stage, record: _Split) -> Story:
    yield stage.at(record.day, record.deal)
    service.split_deal(
        stage.session,
        actor=stage.actor(_broker_of(stage, record.deal)),
        now=stage.now,
        deal_id=stage.deals[record.deal],
        title=record.title,
        what=SplitSubject.PART,
        part=record.part,
        amount_fen=None,
    )
