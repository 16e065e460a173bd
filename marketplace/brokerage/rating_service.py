"""The use cases of ratings: rate, look at words, answer, hide, strike."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.brokerage import parameters, rating_rules
from marketplace.brokerage.models import Broker, Deal
from marketplace.brokerage.rating_models import Rating
from marketplace.brokerage.rating_rules import Carried, Criterion, WordsState
from marketplace.brokerage.register_events import BrokerRated, RatingAnswered, RatingWordsDecided
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound


def subject(rating_id: int) -> str:
    """Name a rating for audit."""
    return f"rating:{rating_id}"


def carried(session: Session, deal: Deal) -> Carried:
    """Return what the rules of ratings need of a deal."""
    homes = {deal.agency_organisation_id}
    entry = session.get(Broker, deal.broker_user_id) if deal.broker_user_id else None
    if entry is not None:
        homes.add(entry.organisation_id)
    return Carried(
        deal.stage,
        deal.registered_on,
        deal.seller_organisation_id,
        deal.buyer_organisation_id,
        deal.broker_user_id,
        frozenset(home for home in homes if home is not None),
    )


def rate_broker(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    scores: Mapping[Criterion, int | None],
    words: str = "",
    consented: bool = False,
) -> int:
    """Let a party of a registered contract rate its broker, once; return the rating's id."""
    require(actor, rating_rules.RATE)
    deal = lock(session, Deal, deal_id)
    today = local_date(now)
    side = rating_rules.check_may_rate(
        carried(session, deal),
        user_id=actor.user_id,
        organisation_id=actor.organisation_id,
        today=today,
        days=parameters.rating_days_on(today),
    )
    rating_rules.check_rating(scores, words=words, consented=consented)
    assert deal.broker_user_id is not None
    assert actor.organisation_id is not None
    row = Rating(
        deal_id=deal.id,
        contract_no=deal.contract_no,
        broker_user_id=deal.broker_user_id,
        organisation_id=actor.organisation_id,
        side=side,
        rated_by_id=actor.user_id,
        rated_at=now,
        words=words.strip(),
        words_state=rating_rules.words_state(words=words, consented=consented),
        **{criterion.value: score for criterion, score in scores.items()},
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as rated:
        raise Conflict(
            "rating.twice", "贵单位已经评价过这位技术经理人，每份合同评价一次"
        ) from rated
    audit.record(
        session,
        actor=actor,
        action="brokerage.rate_broker",
        subject=subject(row.id),
        now=now,
        after={
            "broker": row.broker_user_id,
            "contract_no": row.contract_no,
            "words_state": row.words_state,
        },
    )
    outbox.publish(
        session,
        BrokerRated(
            rating_id=row.id,
            broker_user_id=row.broker_user_id,
            contract_no=row.contract_no,
            words_wait=row.words_state is WordsState.WAITING,
        ),
        now=now,
    )
    return row.id


def decide_words(
    session: Session, *, actor: Actor, now: datetime, rating_id: int, shown: bool, reason: str = ""
) -> None:
    """Let the operator show the words of a rating or keep them back with a reason."""
    require(actor, rating_rules.REVIEW_RATINGS)
    row = lock(session, Rating, rating_id)
    before = row.words_state
    row.words_state = rating_rules.decide_words(before, shown=shown, reason=reason)
    row.decided_at, row.decision = now, reason.strip()
    audit.record(
        session,
        actor=actor,
        action="brokerage.decide_rating_words",
        subject=subject(row.id),
        now=now,
        before={"words_state": before},
        after={"words_state": row.words_state, "reason": row.decision},
    )
    outbox.publish(
        session,
        RatingWordsDecided(
            rating_id=row.id,
            organisation_id=row.organisation_id,
            contract_no=row.contract_no,
            shown=shown,
            outcome="评语已公开" if shown else f"评语没有公开，原因：{row.decision}",
        ),
        now=now,
    )


def answer_rating(
    session: Session, *, actor: Actor, now: datetime, rating_id: int, answer: str
) -> int:
    """Let the broker answer shown words, once; return his user id."""
    require(actor, rating_rules.ANSWER_RATING)
    row = lock(session, Rating, rating_id)
    if row.broker_user_id != actor.user_id:
        raise NotFound()
    row.answer = rating_rules.check_answer(row.words_state, row.answered_at is not None, answer)
    row.answered_at = now
    audit.record(
        session,
        actor=actor,
        action="brokerage.answer_rating",
        subject=subject(row.id),
        now=now,
        after={"answer": row.answer},
    )
    outbox.publish(
        session,
        RatingAnswered(
            rating_id=row.id,
            organisation_id=row.organisation_id,
            broker_user_id=row.broker_user_id,
            answer=row.answer,
        ),
        now=now,
    )
    return row.broker_user_id


def hide_words(
    session: Session, *, actor: Actor, now: datetime, rating_id: int, reason: str
) -> None:
    """Take words off the public page after a report that was upheld; the figures stay."""
    require(actor, rating_rules.REVIEW_RATINGS)
    row = lock(session, Rating, rating_id)
    if row.words_state is not WordsState.SHOWN:
        return
    row.words_state, row.decided_at, row.decision = WordsState.HIDDEN, now, reason
    audit.record(
        session,
        actor=actor,
        action="brokerage.hide_rating_words",
        subject=subject(row.id),
        now=now,
        before={"words_state": WordsState.SHOWN},
        after={"words_state": row.words_state, "reason": reason},
    )


def strike_ratings(
    session: Session, *, actor: Actor, now: datetime, contract_no: str, reason: str
) -> None:
    """Let the ratings of a contract that is no longer in the register count no longer."""
    rows = session.scalars(
        select(Rating)
        .where(Rating.contract_no == contract_no, Rating.struck_at.is_(None))
        .with_for_update()
    )
    for row in rows:
        row.struck_at = now
        audit.record(
            session,
            actor=actor,
            action="brokerage.strike_rating",
            subject=subject(row.id),
            now=now,
            after={"contract_no": contract_no, "reason": reason},
        )
