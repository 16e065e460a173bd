"""Review claims step by step: district, promotion centre, bureau, a panel of experts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.subsidies import claimable_queries, facts_queries, review_rules, rules
from marketplace.subsidies.deadline_service import set_due
from marketplace.subsidies.events import ClaimRefused, ClaimReviewed
from marketplace.subsidies.models import Claim, ContractFact, Review, Round
from marketplace.subsidies.return_service import send_back
from marketplace.subsidies.review_rules import ExpertOpinion, Panel
from marketplace.subsidies.rules import ReviewDecision, ReviewStep
from marketplace.subsidies.single_entry_rules import ENTRIES


@dataclass(frozen=True)
class Verdict:
    """What a reviewer found; ``unconcerned`` is an expert's statement of no interest."""

    decision: ReviewDecision
    opinion: str = ""
    score: int | None = None
    unconcerned: bool = False


def review(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    claim_id: int,
    step: ReviewStep,
    verdict: Verdict,
    attempt: int | None = None,
) -> None:
    """Decide one step of a claim: pass it on, return it with what is missing, or refuse it.

    Each step has its own role and nobody decides where their own organisation is concerned.
    ``attempt`` is the application the reviewer had before them; a newer one is refused.
    """
    require(actor, rules.REVIEW)
    claim = lock(session, Claim, claim_id)
    review_rules.check_reviewer(
        actor,
        step=step,
        district=claim.district,
        reviewer_district=_district_of(session, actor),
        organisation_id=claim.organisation_id,
        party_ids=party_ids(session, claim),
    )
    if attempt is not None and attempt != claim.attempt:
        raise Conflict("claims.newer", "申报单位已经重新提交，请刷新后按新的材料审核")
    review_rules.check_review(
        status=claim.status,
        step=step,
        decision=verdict.decision,
        opinion=verdict.opinion,
        score=verdict.score,
        unconcerned=verdict.unconcerned,
    )
    computed = _computed(session, claim, now)
    before = claim.status
    seats = session.get_one(Round, claim.round_id).expert_count if step is ReviewStep.EXPERT else 1
    seat = _take_seat(session, claim, step=step, actor=actor, seat_count=seats)
    session.add(
        Review(
            claim_id=claim.id,
            step=step,
            attempt=claim.attempt,
            seat=seat,
            decision=verdict.decision,
            opinion=verdict.opinion.strip(),
            score=verdict.score if step is ReviewStep.EXPERT else None,
            computed_fen=computed,
            reviewer_user_id=actor.user_id,
            reviewer_organisation_id=actor.organisation_id,
            decided_at=now,
        )
    )
    session.flush()
    decision: ReviewDecision | None = verdict.decision
    reason = verdict.opinion.strip()
    if step is ReviewStep.EXPERT:
        panel = _panel(session, claim, seats)
        decision, reason = panel.decision, _told(panel)
    if decision is ReviewDecision.PASS:
        _pass(session, claim, step=step, computed=computed, now=now)
    elif decision is ReviewDecision.RETURN:
        send_back(session, claim, reason=reason, now=now)
    elif decision is ReviewDecision.REFUSE:
        _refuse(session, claim, reason=reason, now=now)
    audit.record(
        session,
        actor=actor,
        action=f"subsidies.review.{step}",
        subject=f"claim:{claim.id}",
        now=now,
        before={"status": before},
        after={
            "status": claim.status,
            "decision": verdict.decision,
            "computed_fen": computed,
            "score": verdict.score,
            "seat": seat,
        },
    )


def _computed(session: Session, claim: Claim, now: datetime) -> Fen:
    found = claimable_queries.found_for(
        session,
        claim.organisation_id,
        claim.year,
        claim.item,
        now=now,
        entries=ENTRIES.validate_python(claim.particulars),
        without_claim_id=claim.id,
    )
    return found.claimable_fen if found else Fen(0)


def _take_seat(
    session: Session, claim: Claim, *, step: ReviewStep, actor: Actor, seat_count: int
) -> int:
    """Return the next free seat; the claim's lock and two unique constraints keep it so."""
    taken_by = list(
        session.scalars(
            select(Review.reviewer_user_id).where(
                Review.claim_id == claim.id, Review.step == step, Review.attempt == claim.attempt
            )
        )
    )
    review_rules.check_seat(taken_by=taken_by, actor=actor, seat_count=seat_count)
    return len(taken_by) + 1


def _panel(session: Session, claim: Claim, seat_count: int) -> Panel:
    rows = session.scalars(
        select(Review)
        .where(
            Review.claim_id == claim.id,
            Review.step == ReviewStep.EXPERT,
            Review.attempt == claim.attempt,
        )
        .order_by(Review.seat)
    )
    opinions = [ExpertOpinion(row.decision, row.score or 0, row.opinion) for row in rows]
    return review_rules.judge_panel(opinions, seat_count=seat_count)


def _told(panel: Panel) -> str:
    """Write what the experts found for the applicant, nobody named."""
    opinions = "；".join(opinion.opinion for opinion in panel.opinions if opinion.opinion)
    return f"专家评审平均 {panel.mean} 分（{panel.seat_count} 名专家）：{opinions}"


def party_ids(session: Session, claim: Claim) -> set[int]:
    """Return the organisations that stand in any role behind a claim."""
    facts = session.scalars(
        select(ContractFact).where(
            ContractFact.contract_id.in_([line.contract_id for line in claim.lines])
        )
    )
    parties = {party for fact in facts for party in facts_queries.party_ids(fact)}
    others = {ground.counterparty_organisation_id for ground in claim.grounds}
    return parties | {party for party in others if party is not None}


def _pass(
    session: Session, claim: Claim, *, step: ReviewStep, computed: Fen, now: datetime
) -> None:
    if step is ReviewStep.BUREAU:
        if computed <= 0:
            raise RuleBroken(
                "claims.nothing_left",
                "按现在的登记数据已没有可支付的金额（合同可能已撤销），不能通过；请退回或不予支持",
            )
        claim.approved_fen = min(claim.claimed_fen, computed)
    claim.status = rules.AFTER[step]
    today = local_date(now)
    key = "claim_publicise_workdays" if step is ReviewStep.EXPERT else "claim_review_workdays"
    set_due(claim, add_workdays(today, value_on(key, today)), today=today)
    outbox.publish(
        session,
        ClaimReviewed(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            item=claim.item.value,
            year=claim.year,
            step=step.value,
            status=claim.status.value,
            due_on=claim.due_on,
        ),
        now=now,
    )


def _refuse(session: Session, claim: Claim, *, reason: str, now: datetime) -> None:
    claim.status, claim.reason = rules.ClaimStatus.REFUSED, reason
    set_due(claim, None, today=local_date(now))
    outbox.publish(
        session,
        ClaimRefused(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            item=claim.item.value,
            year=claim.year,
            reason=reason,
        ),
        now=now,
    )


def _district_of(session: Session, actor: Actor) -> str | None:
    if actor.organisation_id is None:
        return None
    district = accounts.get_organisation(session, actor.organisation_id).district
    return None if district is None else district.value
