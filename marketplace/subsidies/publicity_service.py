"""Put settled claims before the public, the budget shared among them; take the outcome."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.publicity import queries as publicity_queries
from marketplace.publicity import service as publicity
from marketplace.publicity.rules import ObjectionState, PublicityKind
from marketplace.subsidies import claim_queries, review_rules, rules
from marketplace.subsidies.deadline_service import set_due
from marketplace.subsidies.events import ClaimApproved, ClaimPublicised
from marketplace.subsidies.models import Claim, Round
from marketplace.subsidies.return_service import send_back
from marketplace.subsidies.rules import ClaimStatus


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
    shares = review_rules.share_budget(
        [claim.approved_fen or Fen(0) for claim in settled],
        budget=opened.budget_fen,
        granted=[claim.payable_fen or Fen(0) for claim in claims if claim.status in rules.GRANTED],
        undecided=[claim.claimed_fen for claim in claims if claim.status in rules.IN_REVIEW],
    )
    names = accounts.get_organisations(session, [claim.organisation_id for claim in settled])
    for claim, payable in zip(settled, shares.amounts, strict=True):
        if payable <= 0:
            raise RuleBroken(
                "rounds.exhausted", "本批预算已经用完，不能公示新的支付；请追加预算后另开一批"
            )
        claim.payable_fen, claim.factor = payable, str(shares.factor)
        claim.status = ClaimStatus.PUBLICITY
        set_due(claim, None, today=local_date(now))
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
        send_back(session, claim, reason="公示期间异议成立：" + "；".join(answers), now=now)
    else:
        claim.status = ClaimStatus.APPROVED
        today = local_date(now)
        due_on = add_workdays(today, value_on("claim_payment_workdays", today))
        set_due(claim, due_on, today=today)
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


def _notice(claim: Claim, name: str, *, scaled: bool) -> str:
    explanation = claim_queries.unpack(claim.calculation)
    lines = [
        f"经区县初审、市创新促进中心与市科学技术局审核、专家评审，拟支付{name} {claim.year} 年度"
        f"{claim.item.label} {format_yuan(claim.payable_fen or Fen(0))} 元。",
        f"依据：{explanation.document_no}{explanation.article}，"
        + (f"计入 {len(claim.lines)} 份登记的技术合同。" if claim.lines else _grounds(claim)),
    ]
    if scaled:
        lines.append(
            f"本批预算小于应付合计，全部申报按同一比例缩减，各向下取到分；"
            f"缩减前为 {format_yuan(claim.approved_fen or Fen(0))} 元。"
        )
    lines.append("对公示内容有异议的，可以在公示期内在本页提出，并写明事实和理由。")
    return "\n".join(lines)


def _grounds(claim: Claim) -> str:
    return "依据 " + "、".join(ground.proof for ground in claim.grounds) + "。"
