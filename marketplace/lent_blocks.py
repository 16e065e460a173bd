"""What downstream slices lend to the pages of upstream ones, which cannot import them."""

from __future__ import annotations

from typing import Any

from flask import g

from marketplace.brokerage import feedback_queries as brokerage_feedback
from marketplace.brokerage import queries as brokerage_queries
from marketplace.contracts import queries as contracts_queries
from marketplace.discovery import record_views as discovery_record_views
from marketplace.discovery.finding import MatchList
from marketplace.foundation import web
from marketplace.foundation.clock import local_date
from marketplace.integrity import queries as integrity_queries
from marketplace.integrity.queries import IntegrityRecordView
from marketplace.oversight import bidding_queries as oversight_bidding
from marketplace.oversight.bidding_rules import FoundSign
from marketplace.subsidies import contract_claims_queries as subsidies_contract_claims
from marketplace.subsidies import queries as subsidies_queries
from marketplace.subsidies.estimate_rules import Estimate


def _contract_of_deal(deal_id: int) -> contracts_queries.ContractRow | None:
    """Return a deal's contract for the deal's page, which lies upstream of contracts."""
    return contracts_queries.find_of_deal(web.session(), web.actor(), deal_id)


def _answer_time_of(organisation_id: int) -> brokerage_feedback.AnswerTime | None:
    """Return how an organisation answers who asks, for pages upstream of brokerage."""
    return brokerage_feedback.answer_time_of(web.session(), organisation_id, now=web.now())


def _dishonesty_of(organisation_id: int) -> IntegrityRecordView | None:
    """Return the record that counts for an organisation today, for pages of every slice."""
    if "dishonest" not in g:
        records = integrity_queries.current(web.session(), local_date(web.now()))
        g.dishonest = {record.organisation_id: record for record in records}
    found: IntegrityRecordView | None = g.dishonest.get(organisation_id)
    return found


def _bidding_signs(listing_id: int) -> list[FoundSign]:
    """Return the signs that bidders act together, for the operator's page of a listing."""
    return oversight_bidding.bidding_signs(web.session(), web.actor(), listing_id)


def _subsidy_estimate(
    thing: brokerage_queries.Prospect | contracts_queries.ContractView,
) -> Estimate | None:
    """Estimate the subsidies of a deal or contract for its page, which lies upstream of them."""
    today = local_date(web.now())
    if isinstance(thing, brokerage_queries.Prospect):
        return subsidies_queries.estimate_prospect(web.session(), thing, registered_on=today)
    return subsidies_queries.estimate_contract(
        web.session(),
        thing.content,
        contract_id=thing.id,
        registered_on=thing.registered_on or today,
    )


def _claims_on_contract(
    contract_id: int,
) -> list[subsidies_contract_claims.ClaimOnContract]:
    """Return the claims that rest on a contract, for the registrar's page upstream of them."""
    return subsidies_contract_claims.claims_on_contract(web.session(), contract_id)


def _matches_of_need(need_id: int, limit: int = 3) -> MatchList:
    """Return the best achievements for a need, for pages of other slices."""
    return discovery_record_views.finder().of_need(need_id, limit=limit)


def _matches_of_achievement(achievement_id: int, limit: int = 3) -> MatchList:
    """Return the best needs for an achievement, for pages of other slices."""
    return discovery_record_views.finder().of_achievement(achievement_id, limit=limit)


BLOCKS: dict[str, Any] = {
    "contract_of_deal": _contract_of_deal,
    "bidding_signs": _bidding_signs,
    "answer_time_of": _answer_time_of,
    "dishonesty_of": _dishonesty_of,
    "subsidy_estimate": _subsidy_estimate,
    "claims_on_contract": _claims_on_contract,
    "matches_of_need": _matches_of_need,
    "matches_of_achievement": _matches_of_achievement,
}
