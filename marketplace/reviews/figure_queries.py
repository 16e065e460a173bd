"""Compute an agency's year from contracts, introductions, claims, the register and training."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage import agency_queries
from marketplace.brokerage.register_rules import BrokeredContract
from marketplace.contracts import book_queries as book
from marketplace.foundation.money import FEN_PER_YUAN, format_yuan
from marketplace.reviews import rules
from marketplace.reviews.rules import Evidence, EvidenceKind, Figure, Indicator
from marketplace.subsidies import agency_claims_queries as claims
from marketplace.training import queries as training


def figures_of(session: Session, organisation_id: int, year: int) -> list[Figure]:
    """Return every figure of an agency's year with the records it rests on."""
    brokered = book.of_agency(session, organisation_id, year)
    cancelled = book.cancelled_of_agency(session, organisation_id, year)
    buyers = accounts.get_organisations(session, {each.buyer_organisation_id for each in brokered})
    in_city = [each for each in brokered if buyers[each.buyer_organisation_id].in_jinan]
    own = agency_queries.agency_year(session, organisation_id, year)
    taken_back = claims.taken_back(session, organisation_id, year)
    trained = training.hours_of(session, organisation_id, year)
    yuan = sum(each.amount_fen for each in brokered) // FEN_PER_YUAN
    share = rules.per_mille(
        [each.amount_fen for each in in_city], [each.amount_fen for each in brokered]
    )
    return [
        Figure(Indicator.BROKERED, yuan, _contracts(brokered)),
        Figure(Indicator.CONTRACTS, len(brokered), _contracts(brokered)),
        Figure(Indicator.IN_CITY, share, _contracts(in_city)),
        _counted(Indicator.INTRODUCTIONS, EvidenceKind.CONTRACT, own.recognised),
        Figure(Indicator.ANSWER, own.answer_tenths),
        _counted(Indicator.CERTIFIED, EvidenceKind.BROKER, own.certified),
        Figure(
            Indicator.TRAINING,
            sum(hours for _, _, hours in trained),
            tuple(
                Evidence(EvidenceKind.BROKER, user_id, f"{name} {hours} 学时")
                for user_id, name, hours in trained
            ),
        ),
        Figure(Indicator.RATING, own.rating_tenths),
        Figure(Indicator.CANCELLED, len(cancelled), _contracts(cancelled)),
        _counted(Indicator.REJECTED, EvidenceKind.DISPUTE, own.rejected),
        _counted(Indicator.CLAWED_BACK, EvidenceKind.CLAIM, taken_back),
    ]


def _contracts(rows: Iterable[BrokeredContract]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(
            EvidenceKind.CONTRACT,
            row.contract_id,
            f"{row.contract_no} {row.project_name}，{format_yuan(row.amount_fen)} 元",
        )
        for row in rows
    )


def _counted(indicator: Indicator, kind: EvidenceKind, rows: Iterable[tuple[int, str]]) -> Figure:
    evidence = tuple(Evidence(kind, number, label) for number, label in rows)
    return Figure(indicator, len(evidence), evidence)
