"""Reads of the data room: the ladder of a deal, its files, who opened what, and one opened file."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage import room_rules
from marketplace.brokerage.deal_queries import DealView, get_deal, has_agreement
from marketplace.brokerage.room_models import Room, RoomAccess, RoomFile, RoomLink
from marketplace.brokerage.room_rules import FileReach, LadderStep
from marketplace.brokerage.terms_queries import find_agreement
from marketplace.foundation import attachments
from marketplace.foundation.access import Actor
from marketplace.foundation.attachments import AttachmentStore, AttachmentView
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound


@dataclass(frozen=True)
class Rung:
    """One step of the ladder: whether the buyer stands on it, and since when or why not."""

    step: LadderStep
    reached: bool
    note: str


@dataclass(frozen=True)
class RoomView:
    """A deal's data room."""

    id: int
    deal_id: int
    opened_at: datetime
    opened_by_name: str
    closed_at: datetime | None
    closed_reason: str
    file_count: int

    @property
    def is_open(self) -> bool:
        """Tell whether the owner keeps it open."""
        return self.closed_at is None


@dataclass(frozen=True)
class LinkView:
    """A personal link as the owner sees it, or its reader."""

    id: int
    token: str
    file_id: int
    file_name: str
    user_id: int
    person: str
    single_use: bool
    valid_to: date
    used_at: datetime | None
    revoked_at: datetime | None

    @property
    def ended(self) -> bool:
        """Tell whether it opens nothing more, whatever the day."""
        return self.revoked_at is not None or (self.single_use and self.used_at is not None)


@dataclass(frozen=True)
class RoomFileView:
    """A file with what a page shows of it."""

    id: int
    name: str
    reach: FileReach
    byte_count: int
    added_at: datetime
    marked: bool
    opened_count: int
    links: tuple[LinkView, ...]


@dataclass(frozen=True)
class AccessView:
    """One opening of a file."""

    id: int
    file_name: str
    user_name: str
    organisation_name: str
    opened_at: datetime
    by_link: bool


@dataclass(frozen=True)
class OpenedFile:
    """An opened file with what its watermark says."""

    attachment: AttachmentView
    content: bytes
    user_name: str
    organisation_name: str
    opened_at: datetime


_MARKED = ("application/pdf", "image/png", "image/jpeg")


def ladder(session: Session, deal: DealView, *, now: datetime) -> list[Rung]:
    """List the steps of a deal's ladder with the owner's grant of each."""
    agreement = find_agreement(session, deal.achievement_id, deal.buyer.id)
    held = has_agreement(session, deal.buyer.id, deal.achievement_id, local_date(now))
    room = find_room(session, deal.id)
    note = "成果方提供协议、需求方接受后开放"
    if held and agreement is not None and agreement.accepted_at is not None:
        note = f"{local_date(agreement.accepted_at).isoformat()} 接受第 {agreement.text.version} 版"
    elif agreement is not None:
        note = agreement.status.label
    inside = held and room is not None and room.is_open
    in_room = "成果方开放资料室后，逐份看资料"
    if room is not None:
        in_room = f"{room.file_count} 份资料" if room.is_open else f"已关闭：{room.closed_reason}"
    return [
        Rung(LadderStep.TEASER, True, "任何人可见"),
        Rung(LadderStep.SUMMARY, deal.buyer.verified, "核验过的会员可见"),
        Rung(LadderStep.AGREEMENT, held, note),
        Rung(LadderStep.DATA_ROOM, inside, in_room),
    ]


def find_room(session: Session, deal_id: int) -> RoomView | None:
    """Return a deal's data room, or None."""
    row = session.scalar(select(Room).where(Room.deal_id == deal_id))
    if row is None:
        return None
    count = session.scalar(
        select(func.count()).where(RoomFile.room_id == row.id, RoomFile.withdrawn_at.is_(None))
    )
    return RoomView(
        row.id,
        row.deal_id,
        row.opened_at,
        row.opened_by_name,
        row.closed_at,
        row.closed_reason,
        count or 0,
    )


def files(session: Session, actor: Actor, deal: DealView) -> list[RoomFileView]:
    """List a room's files for the owner, and for the buyer with his own links only."""
    room = find_room(session, deal.id)
    if room is None or not deal.has("seller", "buyer"):
        return []
    rows = session.scalars(
        select(RoomFile)
        .where(RoomFile.room_id == room.id, RoomFile.withdrawn_at.is_(None))
        .order_by(RoomFile.id)
    ).all()
    kept = {view.id: view for view in attachments.of(session, f"deal-room:{room.id}")}
    opened: dict[int, int] = {}
    for file_id, count in session.execute(
        select(RoomAccess.file_id, func.count())
        .where(RoomAccess.file_id.in_([row.id for row in rows]))
        .group_by(RoomAccess.file_id)
    ):
        opened[file_id] = count
    links = _links(session, [row.id for row in rows])
    owner = deal.has("seller")
    return [
        RoomFileView(
            row.id,
            row.name,
            row.reach,
            kept[row.attachment_id].byte_count,
            row.added_at,
            kept[row.attachment_id].content_type in _MARKED,
            opened.get(row.id, 0),
            tuple(
                link for link in links if link.file_id == row.id
                and (owner or link.user_id == actor.user_id)
            ),
        )
        for row in rows
    ]  # fmt: skip


def _links(session: Session, file_ids: list[int]) -> list[LinkView]:
    rows = session.execute(
        select(RoomLink, RoomFile.name)
        .join(RoomFile, RoomFile.id == RoomLink.file_id)
        .where(RoomLink.file_id.in_(file_ids))
        .order_by(RoomLink.id)
    ).all()
    people = accounts.get_users(session, {link.user_id for link, _name in rows})
    return [_link(link, name, people[link.user_id].name) for link, name in rows]


def _link(link: RoomLink, file_name: str, person: str) -> LinkView:
    return LinkView(
        link.id,
        link.token,
        link.file_id,
        file_name,
        link.user_id,
        person,
        link.single_use,
        link.valid_to,
        link.used_at,
        link.revoked_at,
    )


def get_link(session: Session, actor: Actor, token: str) -> LinkView:
    """Return a personal link to members of the organisation it was given to."""
    found = session.execute(
        select(RoomLink, RoomFile.name)
        .join(RoomFile, RoomFile.id == RoomLink.file_id)
        .where(RoomLink.token == token, RoomLink.organisation_id == (actor.organisation_id or 0))
    ).one_or_none()
    if found is None:
        raise NotFound()
    link, name = found
    return _link(link, name, accounts.get_user(session, link.user_id).name)


def accesses(session: Session, deal: DealView, *, limit: int = 200) -> list[AccessView]:
    """List who opened what, newest first; only the owner is told."""
    if not deal.has("seller"):
        return []
    rows = session.execute(
        select(RoomAccess, RoomFile.name)
        .join(RoomFile, RoomFile.id == RoomAccess.file_id)
        .join(Room, Room.id == RoomFile.room_id)
        .where(Room.deal_id == deal.id)
        .order_by(RoomAccess.id.desc())
        .limit(limit)
    )
    return [
        AccessView(
            row.id,
            name,
            row.user_name,
            row.organisation_name,
            row.opened_at,
            row.link_id is not None,
        )
        for row, name in rows
    ]


def fetch(
    session: Session, actor: Actor, access_id: int, *, now: datetime, store: AttachmentStore
) -> OpenedFile:
    """Return an opened file to who opened it, minutes later at most and while he may still see it.

    Whatever was taken back since, the room, the agreement, the file, the link, the membership,
    makes it ``NotFound``.
    """
    found = session.execute(
        select(RoomAccess, RoomFile, Room)
        .join(RoomFile, RoomFile.id == RoomAccess.file_id)
        .join(Room, Room.id == RoomFile.room_id)
        .where(RoomAccess.id == access_id)
    ).one_or_none()
    if found is None:
        raise NotFound()
    access, file, room = found
    mine = (access.user_id, access.organisation_id) == (actor.user_id, actor.organisation_id)
    if not mine or not room_rules.may_fetch(opened_at=access.opened_at, now=now):
        raise NotFound()
    deal = get_deal(session, actor, room.deal_id)
    link = session.get(RoomLink, access.link_id) if access.link_id is not None else None
    if (
        room.closed_at is not None
        or file.withdrawn_at is not None
        or (link is not None and link.revoked_at is not None)
        or not has_agreement(session, deal.buyer.id, deal.achievement_id, local_date(now))
    ):
        raise NotFound()
    view, content = attachments.content(
        session,
        subject=f"deal-room:{room.id}",
        attachment_id=file.attachment_id,
        store=store,
    )
    return OpenedFile(view, content, access.user_name, access.organisation_name, access.opened_at)
