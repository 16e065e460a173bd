"""Reads of subsidies in one place: estimates for other pages, and what waits for a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from marketplace.foundation.access import Actor, permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.waiting import WaitingItem
from marketplace.subsidies import (
    claim_queries,
    correction_rules,
    rules,
    single_queries,
    single_rules,
)
from marketplace.subsidies.claim_queries import Entitlement
from marketplace.subsidies.claim_view_queries import (
    ClaimRow,
    ClaimView,
    ClawBackView,
    FactView,
    PaymentView,
    ReviewView,
    computed_now,
    facts_of,
    get_own_claim,
    own_claims,
    page_of_claims,
)
from marketplace.subsidies.desk_queries import (
    DeskFilter,
    awaited_ids,
    claims_of_contract,
    claims_of_round,
    desk,
    get_claim_for_review,
    judged_by,
    must_be_blind,
    totals_by_year,
)
from marketplace.subsidies.estimate_queries import (
    estimate_contract,
    estimate_for,
    estimate_prospect,
)
from marketplace.subsidies.facts_queries import years_with_facts
from marketplace.subsidies.history_queries import timeline
from marketplace.subsidies.parameters import editions_of, select_policies
from marketplace.subsidies.payment_queries import (
    PaymentListView,
    PaymentRow,
    approved_unlisted,
    get_payment_list,
    payment_lists,
    reclaims,
)
from marketplace.subsidies.round_queries import RoundView, get_round, list_rounds, open_rounds
from marketplace.subsidies.rules import ClaimStatus
from marketplace.subsidies.single_entry_rules import ENTERED
from marketplace.subsidies.single_queries import SingleEntitlement
from marketplace.subsidies.word_rules import ClaimItem, Item

__all__ = [
    "ClaimRow",
    "ClaimView",
    "ClawBackView",
    "DeskFilter",
    "FactView",
    "PaymentListView",
    "PaymentRow",
    "PaymentView",
    "ReviewView",
    "RoundView",
    "approved_unlisted",
    "awaited_ids",
    "claimable",
    "claims_of_contract",
    "claims_of_round",
    "computed_now",
    "correction_notes",
    "desk",
    "estimate_contract",
    "estimate_for",
    "estimate_prospect",
    "facts_of",
    "get_claim_for_review",
    "get_own_claim",
    "get_payment_list",
    "get_round",
    "judged_by",
    "list_rounds",
    "must_be_blind",
    "offered_singles",
    "open_rounds",
    "own_claims",
    "page_of_claims",
    "payment_lists",
    "reclaims",
    "timeline",
    "totals_by_year",
    "waiting",
    "years_with_facts",
]


def claimable(session: Session, organisation_id: int, year: int) -> dict[Item, Entitlement]:
    """Return what an organisation could claim of a year now, by item."""
    return claim_queries.entitlements(session, organisation_id, year)


def offered_singles(
    session: Session, organisation_id: int, view: RoundView, *, now: datetime
) -> dict[ClaimItem, SingleEntitlement]:
    """Return what a round offers an organisation for single occasions.

    Left out is what it has no ground for and cannot enter any.
    """
    offered = [item for item in view.items if item.contracts is None]
    found = {
        item: single_queries.entitlement(session, organisation_id, view.year, item, now=now)
        for item in offered
    }
    return {
        item: entitlement
        for item, entitlement in found.items()
        if entitlement.explanation.parts
        or (
            item in ENTERED
            and single_rules.is_open_to(item, entitlement.result.party, select_policies())
        )
    }


def correction_notes(
    view: ClaimView, computed: Entitlement | SingleEntitlement | None
) -> tuple[str, ...]:
    """Say what was corrected in a claim's document since it was sent, and what that would change.

    The amount that was decided stays; ``computed`` is the calculation with the corrected data.
    """
    if view.row.applied_at is None or not view.on_contracts:
        return ()
    return correction_rules.notes(
        editions_of(view.calculation.policy_id),
        decided_on=local_date(view.row.applied_at),
        decided=view.row.claimed_fen,
        recomputed=computed.claimable_fen if computed else Fen(0),
    )


def waiting(session: Session, actor: Actor, *, now: datetime) -> list[WaitingItem]:
    """List what waits for the actor: reviews, publicity, payments, corrections, open rounds."""
    items: list[WaitingItem] = []
    if permits(actor, rules.REVIEW):
        items.extend(_waiting_reviews(session, actor))
    if permits(actor, rules.OPEN_ROUND):
        items.extend(_waiting_for_bureau(session))
    if permits(actor, rules.CONFIRM_PAYMENT):
        items.extend(
            WaitingItem(
                what=f"确认支付：清单 {made.number}",
                why=f"{made.waiting_count} 笔待支付",
                endpoint="subsidies.payment_list",
                params={"list_id": made.id},
                act="支付",
                due_on=made.due_on,
                workdays=True,
            )
            for made in payment_lists(session)
            if made.waiting_count
        )
        items.extend(_waiting_receipts(session))
    if permits(actor, rules.CLAIM) and actor.organisation_id is not None:
        items.extend(_waiting_for_applicant(session, actor.organisation_id, now))
    return items


def _waiting_receipts(session: Session) -> list[WaitingItem]:
    return [
        WaitingItem(
            what=f"确认退款到账：{row.organisation_name}，{row.item.label}",
            why=f"{row.number}，应退 {format_yuan(taken.amount_fen)} 元",
            endpoint="subsidies.reclaims",
            params={},
            act="核对",
            due_on=taken.due_on,
        )
        for row, taken in reclaims(session)
        if taken.received_at is None
    ]


def _waiting_reviews(session: Session, actor: Actor) -> list[WaitingItem]:
    page = desk(session, actor, DeskFilter(), size=50)
    return [
        WaitingItem(
            what=f"审核补助申报：{row.organisation_name}，{row.item.label}",
            why=f"{row.number}，{row.year} 年度，{row.status.label}",
            endpoint="subsidies.review",
            params={"claim_id": row.id},
            act="审核",
            due_on=row.due_on,
            workdays=True,
        )
        for row in page.items
    ]


def _waiting_for_bureau(session: Session) -> list[WaitingItem]:
    items = [
        WaitingItem(
            what=f"公示审结的补助：{view.title}",
            why=f"{view.claim_counts[ClaimStatus.SETTLING]} 件审结待公示",
            endpoint="subsidies.round_board",
            params={"round_id": view.id},
            act="公示",
        )
        for view in list_rounds(session)
        if view.claim_counts.get(ClaimStatus.SETTLING)
    ]
    unlisted = approved_unlisted(session)
    if unlisted:
        items.append(
            WaitingItem(
                what="编制补助支付清单",
                why=f"{len(unlisted)} 件公示无异议，尚未列入清单",
                endpoint="subsidies.payments",
                act="编制",
            )
        )
    return items


def _waiting_for_applicant(
    session: Session, organisation_id: int, now: datetime
) -> list[WaitingItem]:
    own = own_claims(session, organisation_id)
    items = [
        WaitingItem(
            what=f"{'补正' if row.status is ClaimStatus.RETURNED else '确认并提交'}补助申报："
            f"{row.year} 年度{row.item.label}",
            why=row.reason or f"{row.number} 已按登记数据填好，核对后提交",
            endpoint="subsidies.claim",
            params={"claim_id": row.id},
            act="办理",
            due_on=row.due_on,
            workdays=True,
        )
        for row in own
        if row.status in (ClaimStatus.RETURNED, ClaimStatus.ESTIMATED)
    ]
    begun = {(row.round_id, row.item) for row in own if row.status in _BEGUN}
    for view in open_rounds(session, now=now):
        items.extend(
            WaitingItem(
                what=f"可以申报 {view.year} 年度{item.label}",
                why=view.title,
                endpoint="subsidies.mine",
                act="申报",
                due_on=view.closes_on,
            )
            for item, found in claimable(session, organisation_id, view.year).items()
            if found.claimable_fen > 0
            and ClaimItem(item) in view.items
            and (view.id, ClaimItem(item)) not in begun
        )
    return items


_BEGUN = (ClaimStatus.ESTIMATED, ClaimStatus.RETURNED)
