"""What a broker does with the pairs on the match desk; what it teaches goes to the verdicts."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.brokerage import service as brokerage
from marketplace.brokerage.proposal_rules import ProposalTo
from marketplace.discovery import desk_rules, service
from marketplace.discovery.desk_models import DeskAnswer, MatchPair
from marketplace.discovery.desk_rules import UNFITTING, WORK, DeskState, DismissReason
from marketplace.discovery.rules import Verdict
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound
from marketplace.needs import queries as needs


def propose(
    session: Session, *, actor: Actor, now: datetime, pair_id: int, to: ProposalTo, words: str
) -> int:
    """Propose a pair to one or both sides; return the proposal's id."""
    pair, answer = _load(session, actor, pair_id)
    proposal_id = brokerage.propose_pair(
        session,
        actor=actor,
        now=now,
        need_id=pair.need_id,
        achievement_id=pair.achievement_id,
        to=to,
        words=words,
    )
    answer.state, answer.until, answer.reason, answer.words = DeskState.PROPOSED, None, None, ""
    _keep(session, answer, actor=actor, now=now, pair=pair)
    _judge(session, pair, Verdict.USEFUL, actor=actor, now=now)
    return proposal_id


def snooze(
    session: Session, *, actor: Actor, now: datetime, pair_id: int, until: date | None
) -> date:
    """Let a pair rest until a day; return that day."""
    pair, answer = _load(session, actor, pair_id)
    _refuse_proposed(answer)
    day = desk_rules.check_snooze(until, today=local_date(now))
    answer.state, answer.until, answer.reason, answer.words = DeskState.SNOOZED, day, None, ""
    _keep(session, answer, actor=actor, now=now, pair=pair)
    return day


def dismiss(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    pair_id: int,
    reason: DismissReason,
    words: str,
) -> None:
    """Lay a pair aside until one of its records says something else."""
    pair, answer = _load(session, actor, pair_id)
    _refuse_proposed(answer)
    text = desk_rules.check_dismissal(reason, words)
    answer.state, answer.until = DeskState.DISMISSED, None
    answer.reason, answer.words = reason, text
    _keep(session, answer, actor=actor, now=now, pair=pair)
    if reason in UNFITTING:
        _judge(session, pair, Verdict.USELESS, actor=actor, now=now)


def take_back(session: Session, *, actor: Actor, now: datetime, pair_id: int) -> None:
    """Put a pair that rests or was laid aside back on the desk, with what it taught."""
    pair, answer = _load(session, actor, pair_id)
    if answer.id is None:
        return
    _refuse_proposed(answer)
    audit.record(
        session,
        actor=actor,
        action="discovery.desk_take_back",
        subject=f"need:{pair.need_id}",
        now=now,
        before={"achievement_id": pair.achievement_id, "state": answer.state},
    )
    if answer.reason in UNFITTING:
        service.retract_verdict(
            session,
            actor=actor,
            now=now,
            need_id=pair.need_id,
            achievement_id=pair.achievement_id,
        )
    session.delete(answer)


def _load(session: Session, actor: Actor, pair_id: int) -> tuple[MatchPair, DeskAnswer]:
    """Load a pair that the actor may see, with his answer to it or a new one."""
    require(actor, WORK)
    if actor.user_id is None:
        raise NotFound()
    pair = lock(session, MatchPair, pair_id)
    needs.get_for(session, actor, pair.need_id)
    achievements.get_for(session, actor, pair.achievement_id)
    answer = session.scalar(
        select(DeskAnswer).where(
            DeskAnswer.pair_id == pair.id, DeskAnswer.broker_user_id == actor.user_id
        )
    )
    return pair, answer or DeskAnswer(pair_id=pair.id, broker_user_id=actor.user_id)


def _refuse_proposed(answer: DeskAnswer) -> None:
    if answer.state is DeskState.PROPOSED:
        raise Conflict("desk.proposed", "已经提出对接，不再回到撮合台；请在对接里看对方的答复")


def _keep(
    session: Session, answer: DeskAnswer, *, actor: Actor, now: datetime, pair: MatchPair
) -> None:
    answer.answered_at = now
    session.add(answer)
    session.flush()
    # The words are the broker's alone and stay out of the audit row.
    audit.record(
        session,
        actor=actor,
        action="discovery.desk_answer",
        subject=f"need:{pair.need_id}",
        now=now,
        after={
            "achievement_id": pair.achievement_id,
            "state": answer.state,
            "until": answer.until,
            "code": answer.reason,
        },
    )


def _judge(
    session: Session, pair: MatchPair, verdict: Verdict, *, actor: Actor, now: datetime
) -> None:
    service.judge_match(
        session,
        actor=actor,
        now=now,
        need_id=pair.need_id,
        achievement_id=pair.achievement_id,
        verdict=verdict,
    )
