"""What a listing states: its content, checked and written; how long its notice runs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.foundation.parameters import value_on
from marketplace.foundation.trade import PaymentMode, TradingMode
from marketplace.foundation.workdays import add_workdays
from marketplace.listings import rules, trial_rules
from marketplace.listings.models import Listing
from marketplace.listings.notice_models import Trial
from marketplace.listings.rules import Limits, Offer, PricingMode
from marketplace.listings.trial_rules import TrialState, TrialTerms


@dataclass(frozen=True, kw_only=True)
class ListingContent:
    """What the seller's application states; amounts in fen."""

    title: str
    pricing_mode: PricingMode
    trading_mode: TradingMode
    base_price_fen: Fen
    increment_fen: Fen = Fen(0)
    deposit_fen: Fen = Fen(0)
    payment_mode: PaymentMode = PaymentMode.LUMP_SUM
    payment_terms: str = ""
    conditions: str = ""
    agent_name: str = ""
    agent_licence: str = ""
    trial: TrialTerms | None = None


def announcement_length(listing: Listing, chosen: int | None, now: datetime) -> int:
    """Return how many working days an announcement runs, by its price unless one was chosen."""
    today = local_date(now)
    return rules.announcement_workdays(
        listing.base_price_fen,
        chosen=chosen,
        usual=value_on("announcement_workdays", today),
        large=value_on("announcement_large_workdays", today),
        large_above_fen=Fen(value_on("announcement_large_above_yuan", today) * FEN_PER_YUAN),
        least=value_on("announcement_minimum_workdays", today),
    )


def set_announcement_end(listing: Listing, *, workdays: int, now: datetime) -> None:
    """Set the end of the announcement, and of the qualification that follows it."""
    today = local_date(now)
    ends_on = add_workdays(today, workdays)
    qualified_by = add_workdays(ends_on, value_on("qualification_workdays", today))
    listing.announcement_ends_on = ends_on
    listing.announcement_closes_at = rules.end_of(ends_on)
    listing.qualification_ends_on = qualified_by
    listing.qualification_closes_at = rules.end_of(qualified_by)


def write_content(session: Session, listing: Listing, content: ListingContent) -> None:
    """Write a checked content over a listing, with its trial."""
    for name, value in columns(content).items():
        setattr(listing, name, value)
    write_trial(session, listing, content.trial)


def write_trial(session: Session, listing: Listing, terms: TrialTerms | None) -> None:
    """Keep the terms of a trial beside its listing; none takes them away."""
    row = session.scalar(select(Trial).where(Trial.listing_id == listing.id))
    if terms is None:
        if row is not None:
            session.delete(row)
        return
    if row is None:
        row = Trial(
            listing_id=listing.id,
            state=TrialState.OFFERED,
            starts_on=None,
            ends_on=None,
            units=None,
            revenue_fen=None,
            price_fen=None,
            ended_at=None,
        )
        session.add(row)
    for name, value in vars(terms).items():
        setattr(row, name, value)


def check_content(content: ListingContent, offered: tuple[TradingMode, ...], now: datetime) -> None:
    """Refuse a content whose mode, prices or trial terms cannot be offered."""
    _check_mode(content, offered)
    _check_offer(content, now)
    trial = content.trading_mode is TradingMode.TRIAL
    if trial and content.trial is None:
        raise RuleBroken(
            "listings.no_trial", "先使用后付费要写明试用期、合格条件和计价公式", "trial_months"
        )
    if content.trial is not None:
        trial_rules.check_terms(content.trial)


def columns(content: ListingContent) -> dict[str, object]:
    """Return a content as the columns of a listing."""
    bare = content.pricing_mode in (PricingMode.NEGOTIATED, *rules.HELD_OUTSIDE)
    outside = content.pricing_mode in rules.HELD_OUTSIDE
    return {
        "title": content.title.strip(),
        "pricing_mode": content.pricing_mode,
        "trading_mode": content.trading_mode,
        "base_price_fen": content.base_price_fen,
        "increment_fen": Fen(0) if bare else content.increment_fen,
        "deposit_fen": content.deposit_fen,
        "payment_mode": content.payment_mode,
        "payment_terms": content.payment_terms.strip(),
        "conditions": content.conditions.strip(),
        "agent_name": content.agent_name.strip() if outside else "",
        "agent_licence": content.agent_licence.strip() if outside else "",
    }


def _check_mode(content: ListingContent, offered: tuple[TradingMode, ...]) -> None:
    if offered and content.trading_mode not in offered:
        names = "、".join(mode.label for mode in offered)
        raise RuleBroken(
            "listings.mode",
            f"成果登记的转化方式是{names}，不含“{content.trading_mode.label}”；请改选，或先修改成果",
            "trading_mode",
        )


def _check_offer(content: ListingContent, now: datetime) -> None:
    today = local_date(now)
    rules.check_offer(
        Offer(
            title=content.title,
            pricing_mode=content.pricing_mode,
            base_price_fen=content.base_price_fen,
            increment_fen=content.increment_fen,
            deposit_fen=content.deposit_fen,
            payment_terms=content.payment_terms,
            conditions=content.conditions,
            agent_name=content.agent_name,
            agent_licence=content.agent_licence,
        ),
        Limits(
            deposit_minimum_per_mille=value_on("deposit_minimum_per_mille", today),
            deposit_maximum_per_mille=value_on("deposit_maximum_per_mille", today),
        ),
    )
