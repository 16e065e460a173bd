"""Store a computed year: what is new takes the place of what was, which stays to be read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from marketplace.foundation import audit
from marketplace.foundation.access import Actor
from marketplace.foundation.money import Fen
from marketplace.subsidies.word_rules import Item
from marketplace.subsidies.year_models import YearResult, YearRun
from marketplace.subsidies.year_queries import ComputedYear, latest_run

_AT_ONCE = 5_000


def store_year(
    session: Session, computed: ComputedYear, *, actor: Actor, now: datetime
) -> tuple[int, int]:
    """Store a computed year; return the id of the run that counts and how many results changed.

    A result that is as before stays as it is; a changed one keeps its predecessor, marked with
    the run that replaced it. Claims are never touched: what was decided stays decided. The same
    facts under the same documents only note that they were looked at.
    """
    last = latest_run(session, computed.year)
    results = computed.results
    if results is None:
        assert last is not None
        _note_unchanged(session, last, now)
        return last.id, 0
    stored = _stored(session, computed.year)
    new = [r for r in results if stored.get((r.organisation_id, r.item), _NOTHING)[1] != r.digest]
    kept = {(r.organisation_id, r.item) for r in results}
    gone = [key for key in stored if key not in kept]
    if last is not None and not new and not gone:
        _note_unchanged(session, last, now, fingerprint=computed.fingerprint)
        return last.id, 0
    run = YearRun(
        year=computed.year,
        known_on=computed.known_on,
        computed_at=now,
        checked_at=now,
        fingerprint=computed.fingerprint,
        contract_count=computed.contract_count,
        result_count=len(results),
        changed_count=len(new) + len(gone),
        total_fen=Fen(sum(r.amount_fen for r in results)),
    )
    session.add(run)
    session.flush()
    replaced = [stored[k][0] for k in gone]
    replaced += [stored[k][0] for r in new if (k := (r.organisation_id, r.item)) in stored]
    for start in range(0, len(replaced), _AT_ONCE):
        session.execute(
            update(YearResult)
            .where(YearResult.id.in_(replaced[start : start + _AT_ONCE]))
            .values(superseded_by_id=run.id)
            .execution_options(synchronize_session=False)
        )
    rows: list[dict[str, Any]] = [
        {
            "run_id": run.id,
            "superseded_by_id": None,
            "year": computed.year,
            "organisation_id": r.organisation_id,
            "item": r.item,
            "policy_id": r.policy_id,
            "amount_fen": r.amount_fen,
            "before_fen": stored.get((r.organisation_id, r.item), _NOTHING)[2],
            "contract_count": r.contract_count,
            "counted_count": r.counted_count,
            "digest": r.digest,
            "explanation": r.explanation,
        }
        for r in new
    ]
    for start in range(0, len(rows), _AT_ONCE):
        session.execute(insert(YearResult), rows[start : start + _AT_ONCE])
    audit.record(
        session,
        actor=actor,
        action="subsidies.recompute_year",
        subject=f"subsidy_year:{computed.year}",
        now=now,
        before={"total_fen": last.total_fen} if last else None,
        after={"run_id": run.id, "total_fen": run.total_fen, "changed": run.changed_count},
    )
    return run.id, run.changed_count


_NOTHING: tuple[int, str, Fen | None] = (0, "", None)


def _stored(session: Session, year: int) -> dict[tuple[int, Item], tuple[int, str, Fen | None]]:
    """Return id, digest and amount of the current results, by organisation and item."""
    rows = session.execute(
        select(
            YearResult.organisation_id,
            YearResult.item,
            YearResult.id,
            YearResult.digest,
            YearResult.amount_fen,
        ).where(YearResult.year == year, YearResult.superseded_by_id.is_(None))
    )
    return {(who, item): (row_id, digest, amount) for who, item, row_id, digest, amount in rows}


def _note_unchanged(
    session: Session, last: YearRun, now: datetime, *, fingerprint: str | None = None
) -> None:
    # A note of the looking, not a change of anything that was decided or shown as an amount.
    session.execute(
        update(YearRun)
        .where(YearRun.id == last.id)
        .values(checked_at=now, fingerprint=fingerprint or last.fingerprint)
        .execution_options(synchronize_session=False)
    )
