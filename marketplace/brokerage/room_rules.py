"""The confidentiality ladder and its last step, the data room with its files and links.

Pure. Every step is the owner's to grant and to take back; taken back, it counts at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import NotAllowed, RuleBroken
from marketplace.foundation.words import Word

KEEP_ROOM = Permission(
    "brokerage.keep_room", frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.LEADER})
)
ENTER_ROOM = Permission(
    "brokerage.enter_room",
    frozenset({Role.ENTERPRISE, Role.ORG_ADMIN, Role.OFFICER, Role.LEADER, Role.INVENTOR}),
)

MOST_FILES = 60
# How long an opened file may be fetched: a slow line must finish, a bookmark must not work.
FETCH_WITHIN = timedelta(minutes=5)


class LadderStep(Word):
    """How far a buyer has been let into what an owner keeps secret."""

    TEASER = "teaser", "公开摘要"
    SUMMARY = "summary", "会员概要"
    AGREEMENT = "agreement", "保密内容"
    DATA_ROOM = "data_room", "资料室"


class FileReach(Word):
    """How a file of the data room is opened."""

    ROOM = "room", "需求方经办人都能打开"
    LINK = "link", "只凭发给个人的链接"


@dataclass(frozen=True)
class RoomFacts:
    """What decides whether a buyer's member gets into the data room now."""

    is_open: bool
    agreement_holds: bool


def check_enter(facts: RoomFacts) -> None:
    """Refuse a closed room, and a buyer whose confidentiality agreement does not hold."""
    if not facts.is_open:
        raise NotAllowed("room.closed", "成果方已关闭资料室；需要继续了解请与成果方联系")
    if not facts.agreement_holds:
        raise NotAllowed(
            "room.no_agreement", "保密协议没有生效、已收回或已到期，资料室不开放；请先看协议状态"
        )


@dataclass(frozen=True)
class LinkFacts:
    """What decides whether a personal link still opens its file."""

    user_id: int
    organisation_id: int
    single_use: bool
    valid_to: date
    used_at: datetime | None
    revoked_at: datetime | None


def check_link(
    link: LinkFacts, *, user_id: int | None, organisation_id: int | None, today: date
) -> None:
    """Refuse a link in another member's hands, taken back, run out, or used up."""
    if (user_id, organisation_id) != (link.user_id, link.organisation_id):
        raise NotAllowed(
            "room.link_of_another", "这个链接是发给另一位经办人的，不能转用；请成果方另发给您"
        )
    if link.revoked_at is not None:
        raise NotAllowed("room.link_revoked", "成果方已收回这个链接；需要时请成果方另发")
    if today > link.valid_to:
        raise NotAllowed(
            "room.link_over",
            f"链接已于 {link.valid_to.isoformat()} 到期；需要时请成果方另发",
        )
    if link.single_use and link.used_at is not None:
        raise NotAllowed("room.link_used", "一次性链接已经用过；需要再看请成果方另发")


def check_link_terms(valid_to: date, *, today: date) -> None:
    """Refuse a link that ends in the past or runs longer than half a year."""
    if valid_to < today:
        raise RuleBroken("room.link_past", "链接的到期日已经过去，请改成今天或以后", "valid_to")
    if valid_to > today + timedelta(days=183):
        raise RuleBroken("room.link_long", "链接最长半年有效；到期可以再发", "valid_to")


def may_fetch(*, opened_at: datetime, now: datetime) -> bool:
    """Tell whether a file opened at a moment may still be fetched."""
    return timedelta(0) <= now - opened_at <= FETCH_WITHIN


def check_closing(reason: str) -> str:
    """Return the trimmed reason for closing a room or taking a file out."""
    text = reason.strip()
    if len(text) < 5:
        raise RuleBroken("room.reason", "请写明理由（至少 5 个字），对方会看到", "reason")
    return text
