"""What a deal brings to the draft of its three-party contract."""

from __future__ import annotations

from datetime import date

from sqlalchemy.orm import Session

from marketplace.brokerage.deal_queries import get_deal
from marketplace.brokerage.paper_rules import PaperFacts
from marketplace.brokerage.register_queries import find_broker
from marketplace.brokerage.register_rules import check_still_certified
from marketplace.brokerage.terms_queries import (
    CommissionView,
    commissions_of_deal,
    introductions_of_deal,
)
from marketplace.brokerage.terms_rules import CommissionStatus
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import format_yuan


def paper_facts(session: Session, actor: Actor, deal_id: int, *, today: date) -> PaperFacts:
    """Collect what a deal knows of its contract, for its parties and its broker.

    Refuse to name a broker in it whose certificate has run out.
    """
    deal = get_deal(session, actor, deal_id)
    if not deal.has("seller", "buyer", "broker", "agency"):
        raise NotFound()
    entry = find_broker(session, deal.broker.id) if deal.broker else None
    if entry is not None:
        check_still_certified(entry.certificate_valid_to, name=entry.name, today=today)
    introduction = next(iter(introductions_of_deal(session, actor, deal_id)), None)
    standing = [
        view
        for view in commissions_of_deal(session, actor, deal_id)
        if view.status is not CommissionStatus.VOID
    ]
    return PaperFacts(
        title=deal.title,
        achievement=deal.achievement_title,
        mode=deal.trading_mode.label if deal.trading_mode else "",
        amount_fen=deal.amount_fen,
        signed_on=deal.signed_on,
        seller=deal.seller.name,
        seller_uscc=deal.seller.uscc,
        seller_representative=deal.seller.representative,
        buyer=deal.buyer.name,
        buyer_uscc=deal.buyer.uscc,
        buyer_representative=deal.buyer.representative,
        agency=deal.agency.name if deal.agency else "",
        agency_uscc=deal.agency.uscc if deal.agency else "",
        broker=deal.broker.name if deal.broker else "",
        introduction_digest=introduction.digest if introduction else "",
        introduced_on=local_date(introduction.introduced_at) if introduction else None,
        commissions=[_written(view) for view in standing],
    )


def _written(view: CommissionView) -> str:
    if view.fixed_fen is not None:
        amount = f"固定为人民币 {format_yuan(view.fixed_fen)} 元"
    else:
        amount = f"为成交额的 {view.rate_text}"
        if view.minimum_fen is not None:
            amount += f"，不低于人民币 {format_yuan(view.minimum_fen)} 元"
    shares = ""
    if len(view.shares) > 1:
        parts = "、".join(f"{share.name} {share.text}" for share in view.shares)
        shares = f"；由{parts}分得"
    payer = f"{view.payer.label}（{view.payer_name}）"
    return f"佣金由{payer}支付，{amount}，{view.due_when.label}{shares}。"
