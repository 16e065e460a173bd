"""Open a round: the notice with its year, dates, budget, items, who may claim and with what."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.numbering import next_number
from marketplace.subsidies import rules
from marketplace.subsidies.events import RoundOpened
from marketplace.subsidies.models import Round
from marketplace.subsidies.rules import RoundTerms


def open_round(
    session: Session, *, actor: Actor, now: datetime, terms: RoundTerms, body: str = ""
) -> int:
    """Announce what may be applied for, by whom, with what, out of which budget; return its id.

    A round may be opened for the running year, and more than one for a year.
    """
    require(actor, rules.OPEN_ROUND)
    rules.check_round(terms, today=local_date(now))
    row = Round(
        number=next_number(session, "TZ", terms.year),
        year=terms.year,
        title=terms.title.strip(),
        body=body.strip(),
        opens_on=terms.opens_on,
        closes_on=terms.closes_on,
        budget_fen=terms.budget_fen,
        items=[item.value for item in terms.items],
        eligible=terms.eligible.strip(),
        documents=terms.documents.strip(),
        expert_count=terms.expert_count,
        opened_at=now,
        opened_by_id=actor.user_id,
    )
    session.add(row)
    session.flush()
    outbox.publish(
        session,
        RoundOpened(
            round_id=row.id,
            year=row.year,
            title=row.title,
            opens_on=row.opens_on,
            closes_on=row.closes_on,
            budget_fen=row.budget_fen,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="subsidies.open_round",
        subject=f"round:{row.id}",
        now=now,
        after={"year": row.year, "budget_fen": row.budget_fen, "items": row.items},
    )
    return row.id
