"""我能解决: an organisation answers a need, the need's owner accepts or declines with a reason."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.needs.events import AnswerDecided, NeedAnswered
from marketplace.needs.models import Answer, Need
from marketplace.needs.rules import (
    ANSWER,
    EDIT,
    VISIBLE_STATES,
    AnswerState,
    check_answer,
    check_reason,
)


def answer(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    need_id: int,
    text: str,
    achievement_id: int | None = None,
) -> int:
    """Tell a need's owner that the actor's organisation can solve it; return the answer's id.

    ``achievement_id`` names an own published achievement that the answer rests on. While an
    answer waits, the same organisation gives no second one.
    """
    require(actor, ANSWER)
    if actor.organisation_id is None:
        raise NotAllowed("needs.no_organisation", "请先以一个单位的身份登录，再答复")
    need = lock(session, Need, need_id)
    if need.state not in VISIBLE_STATES:
        raise Conflict("needs.not_open", f"这条需求现在是“{need.state.label}”，不再接受答复")
    if need.organisation_id == actor.organisation_id:
        raise RuleBroken("needs.own_need", "这是本单位自己的需求，不能由本单位答复")
    if need.deadline is not None and need.deadline < local_date(now):
        raise Conflict("needs.over", "这条需求的征集已经截止，不再接受答复")
    if achievement_id is not None:
        own = achievements.get_for(session, actor, achievement_id)
        if own.organisation_id != actor.organisation_id or not own.open_to_others:
            raise RuleBroken(
                "needs.foreign_achievement", "只能选择本单位已发布的成果", "achievement_id"
            )
    waits = session.scalar(
        select(Answer.id).where(
            Answer.need_id == need_id,
            Answer.organisation_id == actor.organisation_id,
            Answer.state == AnswerState.SENT,
        )
    )
    if waits is not None:
        raise Conflict(
            "needs.answered", "本单位已经答复过这条需求，对方还没有回复；请等回复后再补充"
        )
    row = Answer(
        need_id=need_id,
        organisation_id=actor.organisation_id,
        user_id=actor.user_id,
        achievement_id=achievement_id,
        text=check_answer(text),
        state=AnswerState.SENT,
        created_at=now,
        decided_at=None,
    )
    session.add(row)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="needs.answer",
        subject=f"need:{need_id}",
        now=now,
        after={"answer": row.id},
    )
    outbox.publish(
        session,
        NeedAnswered(
            need_id=need.id,
            answer_id=row.id,
            title=need.title,
            organisation_id=need.organisation_id,
            answering_organisation_id=actor.organisation_id,
            achievement_id=achievement_id,
        ),
        now=now,
    )
    return row.id


def decide_answer(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    answer_id: int,
    accepted: bool,
    reason: str = "",
) -> None:
    """Accept an answer for a talk, or decline it with a reason that its author learns.

    Accepting opens the need's confidential part and, if anonymous, the asker's name to that
    organisation.
    """
    require(actor, EDIT)
    row = session.get(Answer, answer_id)
    if row is None:
        raise NotFound()
    need = lock(session, Need, row.need_id)
    require_own(actor, need.organisation_id)
    row = lock(session, Answer, answer_id)
    if row.state is not AnswerState.SENT:
        raise Conflict("needs.decided", f"这个答复已经回复过：{row.state.label}")
    row.state = AnswerState.ACCEPTED if accepted else AnswerState.DECLINED
    row.reason = reason.strip()[:1000] if accepted else check_reason(reason, "不采纳")
    row.decided_at = now
    audit.record(
        session,
        actor=actor,
        action="needs.answer_decide",
        subject=f"need:{need.id}",
        now=now,
        after={"answer": row.id, "state": row.state, "reason": row.reason},
    )
    outbox.publish(
        session,
        AnswerDecided(
            need_id=need.id,
            answer_id=row.id,
            title=need.title,
            organisation_id=need.organisation_id,
            answering_organisation_id=row.organisation_id,
            answering_user_id=row.user_id,
            accepted=accepted,
            reason=row.reason,
        ),
        now=now,
    )
