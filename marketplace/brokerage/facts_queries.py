"""What is there of a deal, as the conditions of its steps look at it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from marketplace.brokerage.deal_queries import has_agreement
from marketplace.brokerage.family_queries import belongs_to, covering_ids
from marketplace.brokerage.models import Commission, Deal, Introduction, Note
from marketplace.brokerage.pipeline_rules import DealFacts
from marketplace.brokerage.room_models import Room, RoomFile
from marketplace.brokerage.rules import CONTACTS
from marketplace.brokerage.talk_models import Talk
from marketplace.brokerage.talk_rules import TalkKind, TalkState
from marketplace.brokerage.terms_rules import CommissionStatus


def facts_of(session: Session, deal: Deal, *, today: date) -> DealFacts:
    """Collect what the conditions look at, in the deal and in what was merged into it."""
    there = session.execute(
        select(
            select(func.count())
            .where(belongs_to(Note.deal_id, deal.id), Note.kind.in_(CONTACTS))
            .scalar_subquery(),
            exists().where(
                # The parties were brought together once, also for what was split off since.
                Introduction.deal_id.in_(covering_ids(session, deal.id)),
                Introduction.ended_at.is_(None),
                Introduction.seller_acknowledged_at.is_not(None),
                Introduction.buyer_acknowledged_at.is_not(None),
            ),
            exists().where(
                belongs_to(Commission.deal_id, deal.id),
                Commission.agreed_at.is_not(None),
                Commission.status != CommissionStatus.VOID,
            ),
            exists().where(belongs_to(Talk.deal_id, deal.id), Talk.state == TalkState.HELD),
            exists().where(
                belongs_to(Talk.deal_id, deal.id),
                Talk.state == TalkState.HELD,
                Talk.kind == TalkKind.SITE,
            ),
            exists().where(
                belongs_to(Room.deal_id, deal.id),
                Room.closed_at.is_(None),
                RoomFile.room_id == Room.id,
                RoomFile.withdrawn_at.is_(None),
            ),
        )
    ).one()
    contacts, introduced, agreed, talked, visited, shared = there
    return DealFacts(
        stage=deal.stage,
        step=deal.step,
        contact_count=contacts,
        agreement_accepted=has_agreement(
            session, deal.buyer_organisation_id, deal.achievement_id, today
        ),
        agreement_waived=bool(deal.agreement_waiver),
        amount_fen=deal.amount_fen,
        trading_mode=deal.trading_mode,
        signed_on=deal.signed_on,
        has_need=deal.need_id is not None,
        has_broker=deal.broker_user_id is not None,
        introduction_acknowledged=introduced,
        commission_agreed=agreed,
        talk_held=talked,
        visit_held=visited,
        file_shared=shared,
        next_task_on=deal.next_task_on,
    )
