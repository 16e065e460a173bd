"""Review claims step by step, put the settled ones before the public, take the outcome."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.publicity import queries as publicity_queries
from marketplace.publicity import service as publicity
from marketplace.publicity.rules import ObjectionState, PublicityKind
from marketplace.subsidies import claim_queries, rules
from marketplace.subsidies.events import (
    ClaimApproved,
    ClaimPublicised,
    ClaimRefused,
    ClaimReturned,
    ClaimReviewed,
)
from marketplace.subsidies.models import Claim, ContractFact, Review, Round
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep


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
    rules.check_reviewer(
        actor,
        step=step,
        district=claim.district,
        reviewer_district=_district_of(session, actor),
        organisation_id=claim.organisation_id,
        party_ids=party_ids(session, claim),
    )
    if attempt is not None and attempt != claim.attempt:
        raise Conflict("claims.newer", "申报单位已经重新提交，请刷新后按新的材料审核")
    rules.check_review(
        status=claim.status,
        step=step,
        decision=verdict.decision,
        opinion=verdict.opinion,
        score=verdict.score,
        unconcerned=verdict.unconcerned,
    )
    found = claim_queries.entitlements(
        session, claim.organisation_id, claim.year, without_claim_id=claim.id
    ).get(claim.item)
    computed = found.claimable_fen if found else Fen(0)
    before = claim.status
    session.add(
        Review(
            claim_id=claim.id,
            step=step,
            attempt=claim.attempt,
            decision=verdict.decision,
            opinion=verdict.opinion.strip(),
            score=verdict.score if step is ReviewStep.EXPERT else None,
            computed_fen=computed,
            reviewer_user_id=actor.user_id,
            reviewer_organisation_id=actor.organisation_id,
            decided_at=now,
        )
    )
    if verdict.decision is ReviewDecision.PASS:
        _pass(session, claim, step=step, computed=computed, now=now)
    elif verdict.decision is ReviewDecision.RETURN:
        _return(session, claim, reason=verdict.opinion.strip(), now=now)
    else:
        _refuse(session, claim, reason=verdict.opinion.strip(), now=now)
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
        },
    )


def party_ids(session: Session, claim: Claim) -> set[int]:
    """Return the organisations that stand in any role in a claim's contracts."""
    facts = session.scalars(
        select(ContractFact).where(
            ContractFact.contract_id.in_([line.contract_id for line in claim.lines])
        )
    )
    roles = [
        (
            fact.seller_organisation_id,
            fact.buyer_organisation_id,
            fact.agency_organisation_id,
            fact.registrar_organisation_id,
        )
        for fact in facts
    ]
    return {party for fact_roles in roles for party in fact_roles if party is not None}


def publicise(session: Session, *, actor: Actor, now: datetime, round_id: int) -> int:
    """Put a round's settled claims before the public for five working days; return how many.

    Where the budget is too small for all, every amount is scaled by one factor and the notice
    says so (the rates are ceilings); the share of a scaled claim can be its floor of a fen.
    """
    require(actor, rules.OPEN_ROUND)
    opened = lock(session, Round, round_id)
    claims = list(
        session.scalars(
            select(Claim)
            .where(Claim.round_id == opened.id)
            .order_by(Claim.id)
            .with_for_update()
            .execution_options(populate_existing=True)
        )
    )
    settled = [claim for claim in claims if claim.status is ClaimStatus.SETTLING]
    if not settled:
        raise RuleBroken("rounds.none_settled", "没有审结待公示的申报")
    shares = rules.share_budget(
        [claim.approved_fen or Fen(0) for claim in settled],
        budget=opened.budget_fen,
        granted=[
            claim.payable_fen or Fen(0)
            for claim in claims
            if claim.status in (ClaimStatus.PUBLICITY, ClaimStatus.APPROVED, ClaimStatus.PAID)
        ],
        undecided=[claim.claimed_fen for claim in claims if claim.status in rules.IN_REVIEW],
    )
    names = accounts.get_organisations(session, [claim.organisation_id for claim in settled])
    for claim, payable in zip(settled, shares.amounts, strict=True):
        if payable <= 0:
            raise RuleBroken(
                "rounds.exhausted", "本批预算已经用完，不能公示新的支付；请追加预算后另开一批"
            )
        claim.payable_fen, claim.factor = payable, str(shares.factor)
        claim.status, claim.due_on = ClaimStatus.PUBLICITY, None
        name = names[claim.organisation_id].name
        claim.publicity_id = publicity.open(
            session,
            actor=actor,
            now=now,
            kind=PublicityKind.SUBSIDY_CLAIM,
            subject=f"claim:{claim.id}",
            title=f"{name} {claim.year} 年度{claim.item.label}",
            body=_notice(claim, name, scaled=shares.scaled),
            organisation_id=claim.organisation_id,
            facts=[
                ("申报编号", claim.number),
                ("单位", name),
                ("项目", f"{claim.year} 年度{claim.item.label}"),
                ("拟支付", f"{format_yuan(payable)} 元"),
                ("依据", claim_queries.unpack(claim.calculation).document_no),
            ],
        )
        outbox.publish(
            session,
            ClaimPublicised(
                claim_id=claim.id,
                number=claim.number,
                organisation_id=claim.organisation_id,
                payable_fen=payable,
                publicity_id=claim.publicity_id,
            ),
            now=now,
        )
        audit.record(
            session,
            actor=actor,
            action="subsidies.publicise",
            subject=f"claim:{claim.id}",
            now=now,
            before={"status": ClaimStatus.SETTLING},
            after={
                "status": claim.status,
                "payable_fen": payable,
                "factor": claim.factor,
                "publicity": claim.publicity_id,
            },
        )
    return len(settled)


def take_publicity(
    session: Session, *, now: datetime, claim_id: int, publicity_id: int, upheld: bool
) -> None:
    """Approve a claim whose publicity ended well, return one against which an objection held.

    Repeating it changes nothing.
    """
    claim = lock(session, Claim, claim_id)
    if claim.status is not ClaimStatus.PUBLICITY or claim.publicity_id != publicity_id:
        return
    if upheld:
        answers = [
            objection.answer
            for objection in publicity_queries.published_objections(session, publicity_id)
            if objection.state is ObjectionState.UPHELD
        ]
        claim.approved_fen = claim.payable_fen = None
        claim.factor = "1"
        _return(session, claim, reason="公示期间异议成立：" + "；".join(answers), now=now)
    else:
        claim.status = ClaimStatus.APPROVED
        outbox.publish(
            session,
            ClaimApproved(
                claim_id=claim.id,
                number=claim.number,
                organisation_id=claim.organisation_id,
                item=claim.item.value,
                year=claim.year,
                payable_fen=claim.payable_fen or Fen(0),
            ),
            now=now,
        )
    audit.record(
        session,
        actor=SYSTEM,
        action="subsidies.take_publicity",
        subject=f"claim:{claim.id}",
        now=now,
        before={"status": ClaimStatus.PUBLICITY},
        after={"status": claim.status, "upheld": upheld},
    )


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
    claim.due_on = _next_due(local_date(now))
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


def _return(session: Session, claim: Claim, *, reason: str, now: datetime) -> None:
    claim.status, claim.reason, claim.due_on = ClaimStatus.RETURNED, reason, None
    claim.approved_fen = None
    outbox.publish(
        session,
        ClaimReturned(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            item=claim.item.value,
            year=claim.year,
            reason=reason,
        ),
        now=now,
    )


def _refuse(session: Session, claim: Claim, *, reason: str, now: datetime) -> None:
    claim.status, claim.reason, claim.due_on = ClaimStatus.REFUSED, reason, None
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


def _next_due(today: date) -> date:
    return add_workdays(today, value_on("claim_review_workdays", today))


def _notice(claim: Claim, name: str, *, scaled: bool) -> str:
    explanation = claim_queries.unpack(claim.calculation)
    lines = [
        f"经区县初审、市创新促进中心与市科学技术局审核、专家评审，拟支付{name} {claim.year} 年度"
        f"{claim.item.label} {format_yuan(claim.payable_fen or Fen(0))} 元。",
        f"依据：{explanation.document_no}{explanation.article}，"
        f"计入 {len(claim.lines)} 份登记的技术合同。",
    ]
    if scaled:
        lines.append(
            f"本批预算小于应付合计，全部申报按同一比例缩减，各向下取到分；"
            f"缩减前为 {format_yuan(claim.approved_fen or Fen(0))} 元。"
        )
    lines.append("对公示内容有异议的，可以在公示期内在本页提出，并写明事实和理由。")
    return "\n".join(lines)


def _district_of(session: Session, actor: Actor) -> str | None:
    if actor.organisation_id is None:
        return None
    district = accounts.get_organisation(session, actor.organisation_id).district
    return None if district is None else district.value
