"""Which deals belong together: what was merged into one, and what one was split from.

A merged deal keeps its notes, tasks, meetings, introductions, commission and data room, each with
its own readers; the deal that stands shows them to whoever reads them there. Nothing is copied and
nothing is moved.
"""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import ColumnElement, Integer, cast, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from marketplace.brokerage.models import Deal
from marketplace.brokerage.rules import CLOSED


def belongs_to(
    row_deal_id: InstrumentedAttribute[int] | InstrumentedAttribute[int | None],
    deal_id: int | InstrumentedAttribute[int],
) -> ColumnElement[bool]:
    """Return the condition that a row is a deal's, or of one that was merged into it."""
    merged = aliased(Deal)
    into = select(merged.id).where(merged.merged_into_id == deal_id)
    return or_(row_deal_id == deal_id, row_deal_id.in_(into))


def standing_of(deal: type[Deal]) -> ColumnElement[int]:
    """Return the id of the deal that stands for a deal, as a column to join and to group by.

    Cast, so that SQLite makes an index of it to join by: a bare expression has no type there.
    """
    return cast(func.coalesce(deal.merged_into_id, deal.id), Integer)


def family_ids(session: Session, deal_id: int) -> list[int]:
    """List a deal and all that was merged into it, the deal itself first."""
    return list(
        session.scalars(
            select(Deal.id)
            .where(or_(Deal.id == deal_id, Deal.merged_into_id == deal_id))
            .order_by(Deal.id != deal_id, Deal.id)
        )
    )


def standing_id(session: Session, deal_id: int) -> int:
    """Return the deal that stands for a deal: itself, or the one it was merged into."""
    return standing_ids(session, [deal_id]).get(deal_id, deal_id)


def standing_ids(session: Session, deal_ids: Collection[int]) -> dict[int, int]:
    """Return for each of several deals the one that stands for it."""
    rows = session.execute(select(Deal.id, Deal.merged_into_id).where(Deal.id.in_(deal_ids)))
    return {deal_id: merged_into or deal_id for deal_id, merged_into in rows}


def covering_ids(session: Session, deal_id: int) -> set[int]:
    """Return the deals whose introductions prove how a deal came about.

    These are the deal, what was merged into it, and what any of them was split from: the parties
    were brought together once, for all that came of it.
    """
    found: set[int] = set()
    wanted = {deal_id}
    while wanted:
        found |= wanted
        rows = session.execute(
            select(Deal.id, Deal.split_from_id).where(
                or_(Deal.id.in_(wanted), Deal.merged_into_id.in_(wanted))
            )
        ).all()
        near = {own for own, _origin in rows} | {origin for _own, origin in rows if origin}
        wanted = near - found
    return found


def lives_on() -> ColumnElement[bool]:
    """Return the condition that a deal was merged into one that is open."""
    standing = aliased(Deal)
    return (
        select(standing.id)
        .where(standing.id == Deal.merged_into_id, standing.stage.not_in(CLOSED))
        .exists()
    )


def goes_on() -> ColumnElement[bool]:
    """Return the condition that a deal is open, or that the one it was merged into is."""
    return or_(Deal.stage.not_in(CLOSED), lives_on())
