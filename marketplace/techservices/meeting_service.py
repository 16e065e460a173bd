"""The use cases of meetings: announce, cancel, sign up, check in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts.rules import District
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, Role, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound
from marketplace.foundation.money import Fen
from marketplace.techservices import rules, voucher_rules
from marketplace.techservices.events import (
    MeetingAnnounced,
    MeetingCancelled,
    MeetingCheckedIn,
    MeetingSignedUp,
)
from marketplace.techservices.models import Meeting, SignUp
from marketplace.techservices.ordering_service import voucher_year
from marketplace.techservices.parameters import voucher_terms_on
from marketplace.techservices.rules import MeetingKind, VoucherKind


@dataclass(frozen=True, kw_only=True)
class MeetingContent:
    """What an organiser fills in."""

    kind: MeetingKind
    title: str
    body: str
    place: str
    starts_at: datetime
    ends_at: datetime
    capacity: int
    district: District | None = None
    vouchers: bool = False


def meeting_subject(meeting_id: int) -> str:
    """Return the subject under which a meeting's audit rows stand."""
    return f"meeting:{meeting_id}"


def announce(session: Session, *, actor: Actor, now: datetime, content: MeetingContent) -> int:
    """Announce a meeting and return its id."""
    require(actor, rules.ORGANISE)
    rules.check_meeting(
        title=content.title,
        place=content.place,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        capacity=content.capacity,
        now=now,
    )
    if content.vouchers:
        voucher_terms_on(VoucherKind.EVENT.value, local_date(content.starts_at))
    assert actor.organisation_id is not None
    meeting = Meeting(
        kind=content.kind,
        title=content.title.strip(),
        body=content.body.strip(),
        organiser_organisation_id=actor.organisation_id,
        place=content.place.strip(),
        district=content.district,
        starts_at=content.starts_at,
        ends_at=content.ends_at,
        capacity=content.capacity,
        vouchers=content.vouchers,
        announced_at=now,
        cancelled_at=None,
    )
    session.add(meeting)
    session.flush()
    outbox.publish(
        session,
        MeetingAnnounced(
            meeting_id=meeting.id,
            kind=meeting.kind.value,
            title=meeting.title,
            organiser_organisation_id=meeting.organiser_organisation_id,
            starts_at=meeting.starts_at,
        ),
        now=now,
    )
    _audit(session, actor, "announce", meeting, now, title=meeting.title)
    return meeting.id


def cancel(session: Session, *, actor: Actor, now: datetime, meeting_id: int, reason: str) -> None:
    """Cancel a meeting; everybody who signed up is told why."""
    meeting = _organise(session, actor, meeting_id)
    text = rules.check_text(reason, "取消的原因", field="reason")
    if _state(session, meeting, now) not in rules.COMING:
        raise Conflict("meetings.not_open", "活动已经结束或取消，不能再取消")
    meeting.cancelled_at, meeting.cancelled_reason = now, text
    outbox.publish(
        session,
        MeetingCancelled(
            meeting_id=meeting.id,
            title=meeting.title,
            organiser_organisation_id=meeting.organiser_organisation_id,
            reason=text,
        ),
        now=now,
    )
    _audit(session, actor, "cancel_meeting", meeting, now, reason=text)


def sign_up(
    session: Session, *, actor: Actor, now: datetime, meeting_id: int, note: str = ""
) -> int:
    """Take a place at a meeting and return the sign-up's id; a second time changes nothing."""
    require(actor, rules.ATTEND)
    meeting = lock(session, Meeting, meeting_id)
    found = session.scalar(
        select(SignUp).where(SignUp.meeting_id == meeting.id, SignUp.user_id == actor.user_id)
    )
    if found is not None and found.cancelled_at is None:
        return found.id
    rules.check_sign_up(_state(session, meeting, now))
    if found is None:
        count = session.scalar(
            select(func.count()).select_from(SignUp).where(SignUp.meeting_id == meeting.id)
        )
        found = SignUp(
            meeting_id=meeting.id,
            user_id=actor.user_id,
            code=f"{(count or 0) + 1:03d}",
            signed_up_at=now,
            checked_in_at=None,
        )
        session.add(found)
    found.organisation_id = actor.organisation_id
    found.note = note.strip()
    found.cancelled_at = None
    session.flush()
    assert actor.user_id is not None
    outbox.publish(
        session,
        MeetingSignedUp(
            meeting_id=meeting.id,
            title=meeting.title,
            organiser_organisation_id=meeting.organiser_organisation_id,
            user_id=actor.user_id,
            organisation_id=actor.organisation_id,
            starts_at=meeting.starts_at,
        ),
        now=now,
    )
    _audit(session, actor, "sign_up", meeting, now, code=found.code)
    return found.id


def give_up(session: Session, *, actor: Actor, now: datetime, meeting_id: int) -> None:
    """Give one's place back."""
    require(actor, rules.ATTEND)
    meeting = lock(session, Meeting, meeting_id)
    found = session.scalar(
        select(SignUp).where(
            SignUp.meeting_id == meeting.id,
            SignUp.user_id == actor.user_id,
            SignUp.cancelled_at.is_(None),
        )
    )
    if found is None:
        raise NotFound("meetings.not_signed_up", "您没有报名这个活动")
    if found.checked_in_at is not None:
        raise Conflict("meetings.was_there", "已经签到，不能取消报名")
    rules.check_give_up(_state(session, meeting, now))
    found.cancelled_at = now
    _audit(session, actor, "give_up", meeting, now, code=found.code)


def check_in(
    session: Session, *, actor: Actor, now: datetime, meeting_id: int, sign_up_id: int
) -> None:
    """Note that somebody came; where vouchers are offered, one is used within its caps."""
    meeting = _organise(session, actor, meeting_id)
    today = local_date(now)
    rules.check_check_in(
        starts_on=local_date(meeting.starts_at),
        today=today,
        cancelled=meeting.cancelled_at is not None,
    )
    found = lock(session, SignUp, sign_up_id)
    if found.meeting_id != meeting.id or found.cancelled_at is not None:
        raise NotFound()
    if found.checked_in_at is not None:
        return
    found.checked_in_at = now
    if meeting.vouchers:
        found.voucher_fen = _use_voucher(session, meeting)
    outbox.publish(
        session,
        MeetingCheckedIn(
            meeting_id=meeting.id,
            title=meeting.title,
            organiser_organisation_id=meeting.organiser_organisation_id,
            user_id=found.user_id,
            organisation_id=found.organisation_id,
        ),
        now=now,
    )
    _audit(session, actor, "check_in", meeting, now, code=found.code, voucher_fen=found.voucher_fen)


def _organise(session: Session, actor: Actor, meeting_id: int) -> Meeting:
    require(actor, rules.ORGANISE)
    meeting = lock(session, Meeting, meeting_id)
    if not actor.has(Role.OPERATOR):
        require_own(actor, meeting.organiser_organisation_id)
    return meeting


def _state(session: Session, meeting: Meeting, now: datetime) -> rules.MeetingState:
    return rules.meeting_state(
        cancelled=meeting.cancelled_at is not None,
        ends_at=meeting.ends_at,
        seats_left=meeting.capacity - _taken(session, meeting.id),
        now=now,
    )


def _taken(session: Session, meeting_id: int) -> int:
    return (
        session.scalar(
            select(func.count())
            .select_from(SignUp)
            .where(SignUp.meeting_id == meeting_id, SignUp.cancelled_at.is_(None))
        )
        or 0
    )


def _use_voucher(session: Session, meeting: Meeting) -> Fen:
    held_on = local_date(meeting.starts_at)
    terms = voucher_terms_on(VoucherKind.EVENT.value, held_on)
    given = session.scalar(
        select(func.count())
        .select_from(SignUp)
        .where(SignUp.meeting_id == meeting.id, SignUp.voucher_fen > 0)
    )
    account = voucher_year(
        session, VoucherKind.EVENT, meeting.organiser_organisation_id, held_on.year
    )
    amount = voucher_rules.event_amount(terms, given_count=given or 0, used_fen=account.used_fen)
    account.used_fen = Fen(account.used_fen + amount)
    return amount


def _audit(
    session: Session, actor: Actor, action: str, meeting: Meeting, now: datetime, **after: object
) -> None:
    audit.record(
        session,
        actor=actor,
        action=f"techservices.{action}",
        subject=meeting_subject(meeting.id),
        now=now,
        after=after,
    )
