"""Write an achievement: draft, autosave, corrections of what is published, attachments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements.completeness_rules import contradictions, missing
from marketplace.achievements.events import AchievementChanged
from marketplace.achievements.ip_rules import number_key
from marketplace.achievements.models import (
    Achievement,
    ComparisonRow,
    InventorRow,
    IPRightRow,
    OwnerRow,
)
from marketplace.achievements.record_queries import content_of
from marketplace.achievements.rules import (
    DRAFT,
    EDIT,
    INSIDERS,
    SHOWN_STATES,
    AchievementContent,
    AchievementState,
    check_edit,
)
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, Role, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, raise_if_any

_AUTHORS = (Role.OFFICER, Role.ORG_ADMIN)


def create_draft(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    content: AchievementContent | None = None,
) -> int:
    """Begin an achievement of the actor's organisation, however little is known; return its id."""
    require(actor, DRAFT)
    if actor.organisation_id is None:
        raise NotAllowed("achievements.no_organisation", "请先以一个单位的身份登录，再登记成果")
    content = link_parties(
        session, content or AchievementContent(), organisation_id=actor.organisation_id
    )
    raise_if_any(contradictions(content))
    row = Achievement(
        organisation_id=actor.organisation_id,
        author_id=actor.user_id,
        state=AchievementState.DRAFT,
        version=1,
        created_at=now,
        updated_at=now,
    )
    fill(row, content)
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="achievements.create",
        subject=subject(row),
        now=now,
        after={"title": content.title},
    )
    return row.id


def save_draft(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    content: AchievementContent,
    version: int | None,
) -> int:
    """Store the content of a draft, or a correction of what is published; return the new version.

    ``version`` is the one the page was opened with: another person's later change is not
    overwritten (``Conflict``). A published record must stay as complete as it was.
    """
    row = load_to_edit(session, actor=actor, achievement_id=achievement_id)
    check_version(row, version)
    before = content_of(row)
    content = link_parties(
        session, inherit_links(before, content), organisation_id=row.organisation_id
    )
    check_edit(row.state, before, content)
    problems = contradictions(content)
    lacking = missing(content, own_organisation_id=row.organisation_id)
    published = row.state is not AchievementState.DRAFT
    if published and len(lacking) > row.missing_count:
        problems += lacking
    raise_if_any(problems)
    if content == before:
        return row.version
    fill(row, content)
    row.version += 1
    row.updated_at = now
    audit.record(
        session,
        actor=actor,
        action="achievements.save",
        subject=subject(row),
        now=now,
        before=_changed(before, content),
        after=_changed(content, before),
    )
    if row.state in SHOWN_STATES:
        outbox.publish(
            session,
            AchievementChanged(
                achievement_id=row.id,
                organisation_id=row.organisation_id,
                past_inventor_ids=sorted(_members(before) - _members(content)),
            ),
            now=now,
        )
    return row.version


def _members(content: AchievementContent) -> set[int]:
    return {person.user_id for person in content.inventors if person.user_id is not None}


def attach(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    achievement_id: int,
    uploads: Sequence[Upload],
    visibility: FileVisibility,
    store: AttachmentStore,
) -> None:
    """Attach files with the layer from which on they can be opened."""
    row = load_to_edit(session, actor=actor, achievement_id=achievement_id)
    check_edit(row.state, content_of(row), content_of(row))
    attachments.check_room(session, subject=subject(row), uploads=uploads)
    for upload in uploads:
        attachments.store(
            session,
            actor=actor,
            now=now,
            subject=subject(row),
            upload=upload,
            visibility=visibility,
            store=store,
        )


def detach(
    session: Session, *, actor: Actor, now: datetime, achievement_id: int, attachment_id: int
) -> None:
    """Take an attachment off."""
    row = load_to_edit(session, actor=actor, achievement_id=achievement_id)
    check_edit(row.state, content_of(row), content_of(row))
    attachments.remove(
        session, actor=actor, now=now, subject=subject(row), attachment_id=attachment_id
    )


def subject(row: Achievement) -> str:
    """Return the name under which audit and attachments keep the record."""
    return f"achievement:{row.id}"


def load_to_edit(session: Session, *, actor: Actor, achievement_id: int) -> Achievement:
    """Lock a record of the actor's own organisation that the actor may write."""
    require(actor, EDIT if actor.verified else DRAFT)
    row = lock(session, Achievement, achievement_id)
    require_own(actor, row.organisation_id)
    if actor is SYSTEM or actor.has(*_AUTHORS):
        return row
    named = {inventor.user_id for inventor in row.inventors} | {row.author_id}
    if actor.user_id not in named:
        raise NotFound()
    return row


def load_own(session: Session, *, actor: Actor, achievement_id: int) -> Achievement:
    """Lock a record of the actor's organisation; inventors only those that name them."""
    row = lock(session, Achievement, achievement_id)
    require_own(actor, row.organisation_id)
    if actor is SYSTEM or actor.has(*INSIDERS):
        return row
    named = {inventor.user_id for inventor in row.inventors} | {row.author_id}
    if actor.user_id not in named:
        raise NotFound()
    return row


def check_version(row: Achievement, version: int | None) -> None:
    """Refuse to overwrite what somebody else has changed since the page was opened."""
    if version is not None and version != row.version:
        raise Conflict(
            "achievements.stale_form",
            "您打开这页之后，别人修改过这项成果；您填的内容还在本页，"
            "请在新窗口打开最新内容核对后，再把需要的改动填进去",
        )


def inherit_links(before: AchievementContent, content: AchievementContent) -> AchievementContent:
    """Keep what no form shows: who an owner or inventor is, the year in which a right was filed."""
    organisations = {owner.name: owner.organisation_id for owner in before.owners}
    users = {inventor.name: inventor.user_id for inventor in before.inventors}
    years = {number_key(right.number): right.filed_year for right in before.ip_rights}
    return replace(
        content,
        owners=tuple(
            replace(owner, organisation_id=owner.organisation_id or organisations.get(owner.name))
            for owner in content.owners
        ),
        inventors=tuple(
            replace(inventor, user_id=inventor.user_id or users.get(inventor.name))
            for inventor in content.inventors
        ),
        ip_rights=tuple(
            right
            if right.filed_on or right.filed_year or not right.number
            else replace(right, filed_year=years.get(number_key(right.number)))
            for right in content.ip_rights
        ),
    )


def link_parties(
    session: Session, content: AchievementContent, *, organisation_id: int
) -> AchievementContent:
    """Link owners to organisations and inventors to own members where their names are the same.

    Who is linked already stays; of two members with one name neither is guessed.
    """
    own = accounts.get_organisation(session, organisation_id)
    unlinked = [owner.name for owner in content.owners if owner.organisation_id is None]
    ids = accounts.organisation_ids_by_name(session, unlinked) | {own.name: own.id}
    people: dict[str, list[int]] = {}
    if any(inventor.user_id is None for inventor in content.inventors):
        for member in accounts.members(session, organisation_id, Role.INVENTOR):
            people.setdefault(member.name, []).append(member.user_id)
    sole = {name: found[0] for name, found in people.items() if len(found) == 1}
    return replace(
        content,
        owners=tuple(
            owner
            if owner.organisation_id is not None
            else replace(owner, organisation_id=ids.get(owner.name))
            for owner in content.owners
        ),
        inventors=tuple(
            inventor
            if inventor.user_id is not None
            else replace(inventor, user_id=sole.get(inventor.name))
            for inventor in content.inventors
        ),
    )


def fill(row: Achievement, content: AchievementContent) -> None:
    """Write the content into the row and count what it still lacks."""
    row.title = content.title
    row.problem = content.problem
    row.solution = content.solution
    row.benefit = content.benefit
    row.field = content.field
    row.industry_code = content.industry_code
    row.industry_name = content.industry_name
    row.ipc = list(content.ipc)
    row.discipline = content.discipline
    row.trl = content.trl
    row.trl_evidence = content.trl_evidence
    row.fiscal_funded = content.fiscal_funded
    row.fiscal_source = content.fiscal_source
    row.modes = [mode.value for mode in content.modes]
    row.negotiable = content.negotiable
    row.price_fen = content.price_fen
    row.visibility = {
        group.value: layer.value for group, layer in (content.visibility or {}).items()
    }
    row.keywords = list(content.keywords)
    row.confidential = content.confidential
    row.comparison = [
        ComparisonRow(
            position=position,
            indicator=line.indicator,
            value=line.value,
            unit=line.unit,
            alternative=line.alternative,
            alternative_value=line.alternative_value,
            evidence=line.evidence,
        )
        for position, line in enumerate(content.comparison)
    ]
    row.ip_rights = [
        IPRightRow(
            position=position,
            kind=right.kind,
            number=right.number,
            number_key=number_key(right.number),
            title=right.title,
            legal_status=right.legal_status,
            filed_on=right.filed_on,
            expires_on=right.expires_on,
            filed_year=right.filed_year,
            open_licensed=right.open_licensed,
        )
        for position, right in enumerate(content.ip_rights)
    ]
    row.owners = [
        OwnerRow(
            position=position,
            name=owner.name,
            organisation_id=owner.organisation_id,
            share=owner.share,
        )
        for position, owner in enumerate(content.owners)
    ]
    row.inventors = [
        InventorRow(position=position, name=inventor.name, user_id=inventor.user_id)
        for position, inventor in enumerate(content.inventors)
    ]
    row.missing_count = len(missing(content, own_organisation_id=row.organisation_id))


# What an audit row must not repeat: the chain is read by more people than the record.
_NOT_IN_AUDIT = frozenset({"confidential"})


def _changed(this: AchievementContent, other: AchievementContent) -> dict[str, Any]:
    """Name what differs, with this side's value; long texts by their length only."""
    found: dict[str, Any] = {}
    for name in this.__dataclass_fields__:
        value = getattr(this, name)
        if value == getattr(other, name):
            continue
        if name in _NOT_IN_AUDIT or (isinstance(value, str) and len(value) > 200):
            found[name] = f"{len(value)} 字"
        else:
            found[name] = str(value) if isinstance(value, (tuple, dict)) else value
    return found
