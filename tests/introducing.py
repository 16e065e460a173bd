"""Introductions and commissions of a market, for tests: agreed, introduced, past an open deal."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import select

from marketplace.brokerage import service
from marketplace.brokerage.models import Commission
from marketplace.brokerage.register_rules import Certificate
from marketplace.brokerage.rules import LostReason
from marketplace.brokerage.terms_rules import (
    CommissionBasis,
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
    DueWhen,
)
from marketplace.contracts import handlers as contract_handlers
from marketplace.foundation.access import Actor
from marketplace.foundation.outbox import Outbox
from tests.dealing import Market

LOST = {"reason_code": LostReason.TIMING, "reason": "企业说今年不上新线，以后再说吧"}


def settle(market: Market) -> None:
    """Let the contracts' events reach the deals."""
    Outbox(contract_handlers.SUBSCRIPTIONS).deliver_due(market.database, now=market.now)


def rows(market: Market, model: type[Any]) -> list[Any]:
    """Read all rows of a model, in the order of their making."""
    with market.database.reading() as session:
        return list(session.scalars(select(model).order_by(model.id)))


def agreed(market: Market, deal_id: int, **changed: Any) -> int:
    """Propose a commission to the buyer and let him confirm it."""
    partners = changed.pop("partners", ())
    terms = CommissionTerms(
        CommissionBasis.RATE,
        changed.get("rate", 300),
        None,
        changed.get("minimum"),
        changed.get("due_when", DueWhen.REGISTRATION),
    )
    made = market.do(
        service.propose_commission,
        market.broker,
        deal_id=deal_id,
        payer=CommissionPayer.BUYER,
        terms=terms,
        partners=partners,
    )
    market.do(service.confirm_commission, market.buyer, commission_id=made)
    return int(made)


def introduced(market: Market, achievement_id: int | None = None) -> tuple[int, int]:
    """Pair an achievement with the firm and record the introduction."""
    deal_id = market.deal(achievement_id)
    return deal_id, int(market.do(service.introduce, market.broker, deal_id=deal_id))


def bypass(market: Market, deal_id: int | None = None, *, days: int = 0) -> int:
    """Let the parties register a contract of their own, once they have closed the deal."""
    if deal_id is not None:
        market.do(service.lose, market.buyer, deal_id=deal_id, **LOST)
    signed_on = market.today - timedelta(days=days)
    made = market.registered(signed_on=signed_on, effective_on=signed_on)
    settle(market)
    return made


def status(market: Market, commission_id: int) -> CommissionStatus:
    """Read where a commission stands."""
    with market.database.reading() as session:
        return session.get_one(Commission, commission_id).status


def enlist(market: Market, actor: Actor, **changed: Any) -> None:
    """Enter a broker into the register, without a certificate unless one is given."""
    certificate = changed.pop("certificate", Certificate(None, "", "", None))
    market.do(
        service.save_profile,
        actor,
        certificate=certificate,
        fields=[],
        introduction="",
        **changed,
    )
