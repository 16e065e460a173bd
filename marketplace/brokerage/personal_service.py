"""What brokerage holds on one person: requests to brokers, kept views, ratings of brokers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from marketplace.brokerage.contact_service import forget_requests
from marketplace.brokerage.models import ContactRequest
from marketplace.brokerage.rating_models import Rating
from marketplace.brokerage.rating_rules import Criterion
from marketplace.brokerage.saved_view_models import SavedDealView
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import LOCAL


def own_data(session: Session, *, user_id: int) -> dict[str, Any]:
    """Return what a person asked of brokers, the views he keeps and how he rated brokers."""
    requests = session.scalars(
        select(ContactRequest)
        .where(ContactRequest.requested_by_id == user_id)
        .order_by(ContactRequest.id)
    )
    views = session.scalars(
        select(SavedDealView).where(SavedDealView.user_id == user_id).order_by(SavedDealView.id)
    )
    ratings = session.scalars(
        select(Rating).where(Rating.rated_by_id == user_id).order_by(Rating.id)
    )
    return {
        "联系请求": [
            {
                "时间": _written(row.requested_at),
                "联系人": row.contact_name,
                "电话": row.phone,
                "内容": row.message,
                "答复": row.answer,
            }
            for row in requests
        ],
        "项目视图": [{"名称": view.name} for view in views],
        "对技术经理人的评价": [
            {
                "时间": _written(row.rated_at),
                "合同编号": row.contract_no,
                **{criterion.label: getattr(row, criterion.value) for criterion in Criterion},
                "评语": row.words,
            }
            for row in ratings
        ],
    }


def let_go(session: Session, *, actor: Actor, now: datetime) -> None:
    """Remove contacts and kept views of somebody whose account is being closed.

    Ratings stay: they are the organisation's word on a registered contract, without a name.
    """
    forget_requests(session, actor=actor, now=now)
    session.execute(delete(SavedDealView).where(SavedDealView.user_id == actor.user_id))


def _written(moment: datetime) -> str:
    return moment.astimezone(LOCAL).isoformat(timespec="seconds")
