"""Needs are posted, reviewed, answered; some stay drafts, are returned or closed."""

from __future__ import annotations

from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.needs import service
from marketplace.needs.rules import Indicator, NeedContent
from seed.demo.content import Answer, Need
from seed.demo.stage import Stage, Story, yuan

_DESK = "zhanzixuan"


def need(stage: Stage, record: Need) -> Story:
    """Bring one need as far as it comes without a deal."""
    yield stage.at(record.posted_on, record.key)
    author = stage.actor(record.contact)
    need_id = service.create_draft(
        stage.session, actor=author, now=stage.now, content=_content(stage, record)
    )
    stage.needs[record.key] = need_id
    if record.state == "draft" and not record.returned_reason:
        return
    service.submit(stage.session, actor=author, now=stage.now, need_id=need_id)
    if record.state == "review":
        return
    yield stage.after(1, record.key)
    desk = stage.actor(_DESK)
    if record.returned_reason:
        service.return_(
            stage.session,
            actor=desk,
            now=stage.now,
            need_id=need_id,
            reason=record.returned_reason,
        )
        return
    service.accept(stage.session, actor=desk, now=stage.now, need_id=need_id)
    if record.closed_on is not None:
        yield stage.at(record.closed_on, record.key)
        service.close(
            stage.session,
            actor=author,
            now=stage.now,
            need_id=need_id,
            reason=record.closed_reason,
        )


def answer(stage: Stage, record: Answer) -> Story:
    """Let somebody say 我能解决, and the asker accept or decline."""
    key = record.need + record.by
    yield stage.at(record.asked_on, key)
    answer_id = service.answer(
        stage.session,
        actor=stage.actor(record.by),
        now=stage.now,
        need_id=stage.needs[record.need],
        text=record.text,
        achievement_id=stage.achievements[record.achievement] if record.achievement else None,
    )
    if record.state == "sent":
        return
    yield stage.after(2, key)
    asker = next(need for need in stage.content.needs if need.key == record.need)
    service.decide_answer(
        stage.session,
        actor=stage.actor(asker.contact),
        now=stage.now,
        answer_id=answer_id,
        accepted=record.state == "accepted",
        reason=record.reason,
    )


def _content(stage: Stage, record: Need) -> NeedContent:
    field = TechnologyField.labelled(record.field)
    assert field is not None
    region = next(
        organisation.region_code
        for organisation in stage.content.organisations
        if organisation.key == record.organisation
    )
    low, high = record.budget_yuan or (None, None)
    return NeedContent(
        title=record.title,
        problem=record.problem,
        present_solution=record.present_solution,
        indicators=tuple(
            Indicator(name=row.name, present=row.present, target=row.target, unit=row.unit)
            for row in record.indicators
        ),
        budget_min_fen=None if low is None else yuan(low),
        budget_max_fen=None if high is None else yuan(high),
        budget_negotiable=high is None,
        deadline=record.deadline,
        modes=tuple(TradingMode(mode) for mode in record.cooperation),
        field=field,
        industry_code=record.industry.code,
        industry_name=record.industry.name,
        region_code=region,
        anonymous=record.anonymous,
        expert_terms=tuple(record.keywords),
        confidential=record.confidential,
    )
