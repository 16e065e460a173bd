"""A broker with many deals, tasks and notes, stored at once."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import insert

from marketplace.brokerage.models import Deal, Note, Task
from marketplace.brokerage.rules import (
    ORDER,
    DealSource,
    DealStage,
    LostReason,
    NoteKind,
    NoteVisibility,
)
from tests.dealing import Market


def fill(market: Market, deals: int, notes: int) -> None:
    """Store deals of every stage for one broker, with tasks and notes."""
    stages = (*ORDER, DealStage.LOST)
    with market.database.transaction() as session:
        session.execute(
            insert(Deal),
            [
                {
                    "id": number,
                    "title": f"撮合项目 {number}",
                    "source": DealSource.BROKER,
                    "pipeline": "transfer",
                    "step": (*ORDER, DealStage.PRICE_TALK)[number % len(stages)],
                    "stage": stages[number % len(stages)],
                    "stage_since": market.now - timedelta(days=number % 90),
                    "opened_at": market.now - timedelta(days=100),
                    "touched_at": market.now,
                    "seller_organisation_id": market.university.id,
                    "buyer_organisation_id": market.firm.id,
                    "broker_user_id": market.broker.user_id,
                    "agency_organisation_id": market.agency.id,
                    "amount_fen": number * 10_000 if number % 3 else None,
                    "lost_reason": LostReason.PRICE if number % len(stages) == 9 else None,
                    "lost_from": DealStage.PRICE_TALK if number % len(stages) == 9 else None,
                    "last_contact_at": market.now - timedelta(days=number % 40),
                }
                for number in range(1, deals + 1)
            ],
        )
        session.execute(
            insert(Task),
            [
                {
                    "deal_id": number,
                    "what": "回电话",
                    "due_on": market.today + timedelta(days=number % 31 - 10),
                    "owner_user_id": market.broker.user_id,
                    "created_at": market.now,
                }
                for number in range(1, deals + 1, 2)
            ],
        )
        session.execute(
            insert(Note),
            [
                {
                    "deal_id": number % deals + 1,
                    "kind": NoteKind.CALL,
                    "visibility": NoteVisibility.PRIVATE,
                    "body": "企业想先看检测报告",
                    "written_at": market.now,
                    "author_user_id": market.broker.user_id,
                    "author_name": market.broker.name,
                    "author_organisation_name": market.agency.name,
                }
                for number in range(notes)
            ],
        )
