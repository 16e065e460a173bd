"""Make the table of learned terms anew, and let the operator refuse what it should not hold."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.discovery import learning_queries
from marketplace.discovery.learning_rules import CURATE, is_due
from marketplace.discovery.models import LearnedPair, Learning
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require
from marketplace.foundation.db import lock
from search import learning


def learn_when_due(session: Session, now: datetime) -> int:
    """Make the table anew where answers came in or a day has passed; return 1 when it was made."""
    due = is_due(
        learned_at=learning_queries.learned_at(session),
        answered_at=learning_queries.answered_at(session),
        now=now,
    )
    if due:
        relearn(session, now=now)
    return int(due)


def relearn(session: Session, *, now: datetime) -> int:
    """Make the whole table from the answers there are; return how many pairs it holds.

    What the operator has refused stays refused, also when it is not learned for a while.
    """
    pairs = learning.learn(learning_queries.answers(session))
    session.execute(delete(LearnedPair).where(LearnedPair.refused.is_(False)))
    refused = {(row.said, row.meant) for row in session.scalars(select(LearnedPair))}
    session.add_all(
        LearnedPair(
            said=pair.said,
            meant=pair.meant,
            supporters=pair.supporters,
            opponents=pair.opponents,
            weight=pair.weight,
            refused=False,
        )
        for pair in pairs
        if (pair.said, pair.meant) not in refused
    )
    session.merge(Learning(id=1, learned_at=now))
    return len(pairs)


def refuse_pair(
    session: Session, *, actor: Actor, now: datetime, pair_id: int, refused: bool
) -> None:
    """Take a learned pair out of use for good, or take it back into use."""
    require(actor, CURATE)
    row = lock(session, LearnedPair, pair_id)
    row.refused = refused
    audit.record(
        session,
        actor=actor,
        action="discovery.refuse_pair" if refused else "discovery.admit_pair",
        subject=f"learned_pair:{row.id}",
        now=now,
        after={"said": row.said, "meant": row.meant},
    )
