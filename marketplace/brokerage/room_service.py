"""The data room: opened, filled, closed by the owner; its files opened by the buyer's members."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import date, datetime
from importlib import import_module

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage import room_rules
from marketplace.brokerage.deal_queries import has_agreement
from marketplace.brokerage.introduction_events import RoomClosed, RoomFilled, RoomLinkIssued
from marketplace.brokerage.models import Deal
from marketplace.brokerage.pipeline_service import load, subject
from marketplace.brokerage.room_models import Room, RoomAccess, RoomFile, RoomLink
from marketplace.brokerage.room_rules import FileReach, LinkFacts, RoomFacts
from marketplace.brokerage.rules import Side
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotAllowed, NotFound, RuleBroken


def room_subject(room_id: int) -> str:
    """Name a data room for its files."""
    return f"deal-room:{room_id}"


def open_room(session: Session, *, actor: Actor, now: datetime, deal_id: int) -> int:
    """Let the owner open the deal's data room, or open it again; return its id."""
    require(actor, room_rules.KEEP_ROOM)
    deal = _load_own(session, actor, deal_id)
    if deal.achievement_id is None:
        raise RuleBroken("room.no_achievement", "这个项目没有成果条目，没有可开放的资料")
    room = session.scalar(select(Room).where(Room.deal_id == deal.id).with_for_update())
    if room is not None and room.closed_at is None:
        return room.id
    if room is None:
        room = Room(deal_id=deal.id)
        session.add(room)
    room.opened_at, room.opened_by_name = now, actor.name
    room.closed_at, room.closed_reason = None, ""
    session.flush()
    _record(session, deal, "brokerage.open_room", actor=actor, now=now, room=room.id)
    return room.id


def close_room(session: Session, *, actor: Actor, now: datetime, room_id: int, reason: str) -> int:
    """Close a data room at once, whatever links are out; return the deal's id."""
    require(actor, room_rules.KEEP_ROOM)
    room, deal = _load_room(session, actor, room_id)
    words = room_rules.check_closing(reason)
    if room.closed_at is not None:
        return deal.id
    room.closed_at, room.closed_reason = now, words
    _record(session, deal, "brokerage.close_room", actor=actor, now=now, room=room.id, reason=words)
    outbox.publish(
        session,
        RoomClosed(
            deal_id=deal.id,
            title=deal.title,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            reason=words,
        ),
        now=now,
    )
    return deal.id


def add_files(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    room_id: int,
    uploads: Sequence[Upload],
    reach: FileReach,
    store: AttachmentStore,
) -> list[int]:
    """Put files into an open data room; return their ids.

    A PDF that cannot be read page by page is refused: it could not carry its reader's name.
    """
    require(actor, room_rules.KEEP_ROOM)
    room, deal = _load_room(session, actor, room_id)
    if room.closed_at is not None:
        raise RuleBroken("room.closed", "资料室已关闭；请先重新开放，再放资料")
    if not uploads:
        raise RuleBroken("room.no_file", "请选择要放进资料室的文件", "attachments")
    present = session.scalar(
        select(func.count()).where(RoomFile.room_id == room.id, RoomFile.withdrawn_at.is_(None))
    )
    if (present or 0) + len(uploads) > room_rules.MOST_FILES:
        raise RuleBroken(
            "room.many_files", f"一个资料室最多 {room_rules.MOST_FILES} 份文件", "attachments"
        )
    made = []
    for upload in uploads:
        attachments.check_upload(upload)
        # The readers of PDF and pictures are loaded with the first file: they slow every start.
        import_module("marketplace.brokerage.watermark").check(upload)
        attachment_id = attachments.store(
            session,
            actor=actor,
            now=now,
            subject=room_subject(room.id),
            upload=upload,
            visibility=FileVisibility.AGREEMENT,
            store=store,
        )
        file = RoomFile(
            room_id=room.id,
            attachment_id=attachment_id,
            name=upload.name[-200:],
            reach=reach,
            added_at=now,
        )
        session.add(file)
        session.flush()
        _record(session, deal, "brokerage.add_file", actor=actor, now=now, file=file.id)
        made.append(file.id)
    outbox.publish(
        session,
        RoomFilled(
            deal_id=deal.id,
            title=deal.title,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            file_count=len(made),
        ),
        now=now,
    )
    return made


def withdraw_file(session: Session, *, actor: Actor, now: datetime, file_id: int) -> int:
    """Take a file out of its room at once; its record of openings stays. Return the deal's id."""
    require(actor, room_rules.KEEP_ROOM)
    file = lock(session, RoomFile, file_id)
    _room, deal = _load_room(session, actor, file.room_id)
    if file.withdrawn_at is None:
        file.withdrawn_at = now
        _record(session, deal, "brokerage.withdraw_file", actor=actor, now=now, file=file.id)
    return deal.id


def issue_link(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    file_id: int,
    user_id: int,
    single_use: bool,
    valid_to: date,
) -> int:
    """Give one member of the buyer a personal link to a file; return the link's id."""
    require(actor, room_rules.KEEP_ROOM)
    file = lock(session, RoomFile, file_id)
    _room, deal = _load_room(session, actor, file.room_id)
    room_rules.check_link_terms(valid_to, today=local_date(now))
    if file.withdrawn_at is not None:
        raise RuleBroken("room.file_withdrawn", "这份文件已撤下，不能再发链接")
    people = accounts.members(session, deal.buyer_organisation_id)
    if user_id not in {person.user_id for person in people}:
        raise RuleBroken("room.not_a_member", "请从需求方的经办人中选择", "person")
    link = RoomLink(
        file_id=file.id,
        token=secrets.token_hex(32),
        user_id=user_id,
        organisation_id=deal.buyer_organisation_id,
        single_use=single_use,
        valid_to=valid_to,
        issued_at=now,
    )
    session.add(link)
    session.flush()
    _record(
        session, deal, "brokerage.issue_link", actor=actor, now=now, link=link.id, person=user_id
    )
    outbox.publish(
        session,
        RoomLinkIssued(
            deal_id=deal.id,
            title=deal.title,
            file_name=file.name,
            seller_organisation_id=deal.seller_organisation_id,
            reader_user_id=user_id,
            valid_to=valid_to,
        ),
        now=now,
    )
    return link.id


def revoke_link(session: Session, *, actor: Actor, now: datetime, link_id: int) -> int:
    """Take a personal link back at once; return the deal's id."""
    require(actor, room_rules.KEEP_ROOM)
    link = lock(session, RoomLink, link_id)
    file = session.get_one(RoomFile, link.file_id)
    _room, deal = _load_room(session, actor, file.room_id)
    if link.revoked_at is None:
        link.revoked_at = now
        _record(session, deal, "brokerage.revoke_link", actor=actor, now=now, link=link.id)
    return deal.id


def open_file(session: Session, *, actor: Actor, now: datetime, file_id: int) -> int:
    """Open a file of the room as a member of the buyer; return the id of the opening.

    The file is then fetched by ``room_queries.fetch`` within minutes, under the same conditions.
    """
    require(actor, room_rules.ENTER_ROOM)
    file = lock(session, RoomFile, file_id)
    return _open(session, file, None, actor=actor, now=now)


def use_link(session: Session, *, actor: Actor, now: datetime, token: str) -> int:
    """Open the file of a personal link; return the id of the opening. A single-use link ends."""
    require(actor, room_rules.ENTER_ROOM)
    found = session.scalar(select(RoomLink.id).where(RoomLink.token == token))
    if found is None:
        raise NotFound()
    link = lock(session, RoomLink, found)
    if actor.organisation_id != link.organisation_id:
        raise NotFound()
    room_rules.check_link(
        link_facts(link),
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        today=local_date(now),
    )
    opened = _open(session, lock(session, RoomFile, link.file_id), link, actor=actor, now=now)
    link.used_at = link.used_at or now
    return opened


def link_facts(link: RoomLink) -> LinkFacts:
    """Read what decides whether a link still opens its file."""
    return LinkFacts(
        link.user_id,
        link.organisation_id,
        link.single_use,
        link.valid_to,
        link.used_at,
        link.revoked_at,
    )


def _open(
    session: Session, file: RoomFile, link: RoomLink | None, *, actor: Actor, now: datetime
) -> int:
    room = session.get_one(Room, file.room_id)
    deal, sides = load(session, actor, room.deal_id)
    if Side.BUYER not in sides or actor.user_id is None or actor.organisation_id is None:
        raise NotFound()
    if link is None and file.reach is not FileReach.ROOM:
        raise NotAllowed("room.by_link_only", "这份文件只凭成果方发给个人的链接打开")
    room_rules.check_enter(
        RoomFacts(
            room.closed_at is None,
            has_agreement(
                session, deal.buyer_organisation_id, deal.achievement_id, local_date(now)
            ),
        )
    )
    if file.withdrawn_at is not None:
        raise NotAllowed("room.file_withdrawn", "成果方已撤下这份文件")
    access = RoomAccess(
        file_id=file.id,
        link_id=link.id if link else None,
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        user_name=actor.name,
        organisation_name=actor.organisation_name,
        opened_at=now,
    )
    session.add(access)
    session.flush()
    _record(session, deal, "brokerage.open_file", actor=actor, now=now, file=file.id)
    return access.id


def _load_own(session: Session, actor: Actor, deal_id: int) -> Deal:
    """Load and lock a deal for the owner: nobody else opens its secrets."""
    deal, sides = load(session, actor, deal_id)
    if Side.SELLER not in sides and actor is not SYSTEM:
        raise NotAllowed("room.not_owner", "资料室由成果方开放和关闭，请联系成果方的科研管理部门")
    return deal


def _load_room(session: Session, actor: Actor, room_id: int) -> tuple[Room, Deal]:
    room = lock(session, Room, room_id)
    return room, _load_own(session, actor, room.deal_id)


def _record(
    session: Session, deal: Deal, action: str, *, actor: Actor, now: datetime, **after: object
) -> None:
    audit.record(
        session, actor=actor, action=action, subject=subject(deal.id), now=now, after=after
    )
