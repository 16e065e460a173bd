"""Achievements are written, approved step by step, published, confirmed; some are taken off."""

from __future__ import annotations

from datetime import date, timedelta

from marketplace.achievements import service
from marketplace.achievements.rules import (
    AchievementContent,
    Comparison,
    EvidenceClass,
    FieldGroup,
    Inventor,
    IPKind,
    IPRight,
    LegalStatus,
    Owner,
    ReviewStep,
    Visibility,
)
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.foundation.workdays import add_workdays
from seed.demo.content import Achievement
from seed.demo.stage import Stage, Story, yuan

_STATUS = {
    "授权": LegalStatus.GRANTED,
    "登记": LegalStatus.REGISTERED,
    "实质审查": LegalStatus.EXAMINATION,
    "受理": LegalStatus.FILED,
    "未公开": LegalStatus.SECRET,
}
# The universities' own chain: the leader decides from a million yuan on.
_LEADER_FROM = 1_000_000
_CHAIN = (
    ReviewStep(Role.COLLEGE_APPROVER, Fen(0)),
    ReviewStep(Role.OFFICER, Fen(0)),
    ReviewStep(Role.LEADER, yuan(_LEADER_FROM)),
)


def chains(stage: Stage) -> Story:
    """Let every university set its review chain."""
    yield stage.at(date(2022, 2, 15), "chains")
    for organisation in stage.content.organisations:
        if organisation.kind == "university":
            service.set_chain(
                stage.session, actor=stage.seller(organisation.key), now=stage.now, steps=_CHAIN
            )


def achievement(stage: Stage, record: Achievement) -> Story:
    """Bring one achievement to the state that the content names."""
    owner = record.owners[0].org
    if record.published_on is None:
        yield from _unpublished(stage, record, owner)
        return
    deciders = _deciders(stage, record, owner)
    first = _workdays_before(record.published_on, len(deciders))
    yield stage.at(first, record.key)
    _create(stage, record, owner)
    service.submit_for_review(
        stage.session,
        actor=stage.seller(owner),
        now=stage.now,
        achievement_id=stage.achievements[record.key],
    )
    for role in deciders:
        yield stage.after(1, record.key)
        service.approve_review(
            stage.session,
            actor=_decider(stage, owner, role),
            now=stage.now,
            achievement_id=stage.achievements[record.key],
        )
    yield from _afterwards(stage, record, owner)


def _unpublished(stage: Stage, record: Achievement, owner: str) -> Story:
    yield stage.at(date(2024, 2, 26) + timedelta(days=int(record.key[-2:]) % 12), record.key)
    _create(stage, record, owner)
    achievement_id = stage.achievements[record.key]
    if record.state == "draft" and not record.returned_reason:
        return
    yield stage.after(1, record.key)
    service.submit_for_review(
        stage.session, actor=stage.seller(owner), now=stage.now, achievement_id=achievement_id
    )
    for role in _deciders(stage, record, owner)[: record.approved_steps]:
        yield stage.after(1, record.key)
        service.approve_review(
            stage.session,
            actor=_decider(stage, owner, role),
            now=stage.now,
            achievement_id=achievement_id,
        )
    if record.returned_reason:
        yield stage.after(2, record.key)
        service.return_review(
            stage.session,
            actor=stage.seller(owner),
            now=stage.now,
            achievement_id=achievement_id,
            reason=record.returned_reason,
        )


def _afterwards(stage: Stage, record: Achievement, owner: str) -> Story:
    achievement_id = stage.achievements[record.key]
    if record.confirmed_on and record.confirmed_on > local_date(stage.now):
        yield stage.at(record.confirmed_on, record.key)
        service.confirm_current(
            stage.session,
            actor=stage.seller(owner),
            now=stage.now,
            achievement_ids=[achievement_id],
        )
    if record.withdrawn_on is not None:
        yield stage.at(record.withdrawn_on, record.key)
        service.withdraw(
            stage.session,
            actor=stage.seller(owner),
            now=stage.now,
            achievement_id=achievement_id,
            reason=record.withdrawn_reason,
        )


def _create(stage: Stage, record: Achievement, owner: str) -> None:
    stage.achievements[record.key] = service.create_draft(
        stage.session, actor=stage.seller(owner), now=stage.now, content=_content(stage, record)
    )


def _deciders(stage: Stage, record: Achievement, owner: str) -> list[Role]:
    if not owner.startswith("u-"):
        return [Role.OFFICER]
    price = record.expected_price_yuan
    leader = [Role.LEADER] if price is None or price >= _LEADER_FROM else []
    return [Role.COLLEGE_APPROVER, Role.OFFICER, *leader]


def _decider(stage: Stage, owner: str, role: Role) -> Actor:
    return stage.member(owner, role, Role.ORG_ADMIN)


def _workdays_before(day: date, count: int) -> date:
    found = day
    while add_workdays(found, count) > day or found >= day:
        found -= timedelta(days=1)
    return found


def _content(stage: Stage, record: Achievement) -> AchievementContent:
    names = {organisation.key: organisation.name for organisation in stage.content.organisations}
    field = TechnologyField.labelled(record.field)
    assert field is not None
    return AchievementContent(
        title=record.title,
        problem=record.problem,
        solution=record.solution,
        benefit=record.benefit,
        comparison=tuple(
            Comparison(
                indicator=line.indicator,
                value=line.value,
                unit=line.unit or "",
                alternative=line.alternative,
                alternative_value=line.alternative_value,
                evidence=EvidenceClass(line.evidence),
            )
            for line in record.comparison
        ),
        field=field,
        industry_code=record.industry.code,
        industry_name=record.industry.name,
        ipc=tuple(code.replace(" ", "") for code in record.ipc),
        trl=record.maturity.trl,
        trl_evidence=record.maturity.evidence,
        ip_rights=tuple(
            IPRight(
                kind=next(kind for kind in IPKind if kind.label == right.kind),
                number=right.number or "",
                title=right.title,
                legal_status=_STATUS[right.legal_status],
                filed_on=right.filed_on,
                expires_on=right.expires_on,
            )
            for right in record.ip_rights
        ),
        owners=tuple(
            Owner(
                name=names[share.org],
                share=round(share.share * 10_000),
                organisation_id=stage.organisations[share.org],
            )
            for share in record.owners
        ),
        inventors=tuple(
            Inventor(name=stage.people[key].name, user_id=stage.users[key])
            for key in record.inventors
        ),
        fiscal_funded=record.fiscal_funded,
        modes=tuple(TradingMode(mode) for mode in record.modes),
        negotiable=record.expected_price_yuan is None,
        price_fen=None if record.expected_price_yuan is None else yuan(record.expected_price_yuan),
        visibility={
            FieldGroup(part): Visibility(level) for part, level in record.visibility.items()
        },
        keywords=tuple(record.keywords),
        confidential=record.confidential,
    )
