"""A deal on its way: stages, terms, loss, registration."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts.standing_queries import check_acting
from marketplace.achievements import service as achievement_service
from marketplace.brokerage import enquiry_service, ledger_service, rules
from marketplace.brokerage.deal_queries import parties_of
from marketplace.brokerage.events import DealLost, DealPipelineChanged, DealStageChanged
from marketplace.brokerage.facts_queries import facts_of
from marketplace.brokerage.family_queries import (
    belongs_to,
    family_ids,
    lives_on,
    standing_id,
)
from marketplace.brokerage.models import Commission, Deal
from marketplace.brokerage.pipeline_parameters import pipelines
from marketplace.brokerage.pipeline_rules import Step, check_change, check_move
from marketplace.brokerage.rules import DealStage, LostReason, Side
from marketplace.brokerage.step_queries import place_of
from marketplace.brokerage.terms_rules import CommissionStatus
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TradingMode
from marketplace.needs import service as need_service

# From this stage on an achievement counts as being in a deal.
_SERIOUS = (
    DealStage.TECHNICAL_TALK,
    DealStage.PRICE_TALK,
    DealStage.CONTRACT_DRAFT,
    DealStage.SIGNED,
)


def subject(deal_id: int) -> str:
    """Name a deal for audit and attachments."""
    return f"deal:{deal_id}"


def load(session: Session, actor: Actor, deal_id: int) -> tuple[Deal, frozenset[Side]]:
    """Load and lock a deal for somebody who takes part in it, with what he is to it."""
    deal = lock(session, Deal, deal_id)
    sides = rules.sides_of(actor, parties_of(deal))
    if not rules.may_end(sides):
        raise NotFound()
    return deal, sides


def lock_standing(session: Session, deal_id: int) -> Deal:
    """Lock the deal that stands for a deal: itself, or the one it was merged into.

    The merged one is not locked: whoever merges holds the standing deal first.
    """
    deal = lock(session, Deal, standing_id(session, deal_id))
    if deal.merged_into_id is not None:
        raise Conflict("deal.merged_meanwhile", "项目刚刚并入了另一个项目，请刷新页面再试")
    return deal


def load_led(session: Session, actor: Actor, deal_id: int) -> Deal:
    """Load and lock a deal for who leads it; other participants are refused."""
    deal, sides = load(session, actor, deal_id)
    if not rules.leads(sides, parties_of(deal)):
        raise NotAllowed(
            "deal.not_leading", "这个项目由技术经理人推进；您可以写备注、确认介绍或结束项目"
        )
    return deal


def assign_broker(session: Session, deal: Deal, *, actor: Actor, now: datetime) -> None:
    """Put a deal without a broker into the hands of the acting one, whom a party has asked."""
    if deal.broker_user_id is not None:
        raise Conflict("deal.has_broker", "这个项目已有技术经理人，请与他联系")
    deal.broker_user_id = actor.user_id
    deal.agency_organisation_id = actor.organisation_id
    deal.touched_at = now
    deal.version += 1
    audit.record(
        session,
        actor=actor,
        action="brokerage.take_over",
        subject=subject(deal.id),
        now=now,
        after={"broker": actor.user_id},
    )


def move(session: Session, *, actor: Actor, now: datetime, deal_id: int, to: str) -> None:
    """Move a deal one step on, named by its code, when what the step needs is there."""
    require(actor, rules.LEAD)
    deal = load_led(session, actor, deal_id)
    check_acting(session, (deal.seller_organisation_id, deal.buyer_organisation_id))
    today = local_date(now)
    pipeline, _step = place_of(deal)
    step = check_move(pipeline, facts_of(session, deal, today=today), to)
    if step.stage is DealStage.PAID:
        deal.paid_on = today
    advance(session, deal, step, action="brokerage.move", actor=actor, now=now)
    if step.stage is DealStage.PAID:
        ledger_service.settle_on_payment(session, deal, now=now)


def advance(
    session: Session,
    deal: Deal,
    to: Step,
    *,
    action: str,
    actor: Actor,
    now: datetime,
) -> None:
    """Put a locked deal into a step of its pipeline and tell of it.

    The stage follows; serious talks mark the achievement.
    """
    _pipeline, left = place_of(deal)
    before = _stand(deal)
    deal.step, deal.stage = to.code, to.stage
    deal.stage_since = deal.touched_at = now
    deal.version += 1
    enquiry_service.close_enquiry(session, deal, actor=actor, now=now)
    audit.record(
        session,
        actor=actor,
        action=action,
        subject=subject(deal.id),
        now=now,
        before=before,
        after=_stand(deal),
    )
    outbox.publish(
        session,
        DealStageChanged(
            deal_id=deal.id,
            title=deal.title,
            from_stage=left.stage.value,
            to_stage=to.stage.value,
            from_label=left.label,
            to_label=to.label,
            achievement_id=deal.achievement_id,
            need_id=deal.need_id,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            broker_user_id=deal.broker_user_id,
        ),
        now=now,
    )
    if to.stage in _SERIOUS and deal.achievement_id is not None:
        achievement_service.mark_in_deal(
            session, actor=SYSTEM, now=now, achievement_id=deal.achievement_id
        )


def _stand(deal: Deal) -> dict[str, str]:
    """Tell for audit where a deal stands; pipeline and step by the names of the day."""
    pipeline, step = place_of(deal)
    return {"stage": deal.stage, "pipeline": pipeline.name, "step": step.label}


def change_pipeline(
    session: Session, *, actor: Actor, now: datetime, deal_id: int, to: str
) -> None:
    """Carry a deal on in another pipeline, named by its code, while it is talked over.

    It goes on at the step of the stage that it has reached, or at an earlier one where something
    is missing on the way there.
    """
    require(actor, rules.LEAD)
    deal = load_led(session, actor, deal_id)
    check_acting(session, (deal.seller_organisation_id, deal.buyer_organisation_id))
    left, _step = place_of(deal)
    pipeline = pipelines().get(to)
    step = check_change(facts_of(session, deal, today=local_date(now)), left, pipeline)
    before, was_serious = _stand(deal), deal.stage in _SERIOUS
    deal.pipeline, deal.step, deal.stage = pipeline.code, step.code, step.stage
    deal.stage_since = deal.touched_at = now
    deal.version += 1
    audit.record(
        session,
        actor=actor,
        action="brokerage.change_pipeline",
        subject=subject(deal.id),
        now=now,
        before=before,
        after=_stand(deal),
    )
    outbox.publish(
        session,
        DealPipelineChanged(
            deal_id=deal.id,
            title=deal.title,
            from_pipeline=left.code,
            to_pipeline=pipeline.code,
            pipeline_name=pipeline.name,
            to_stage=step.stage.value,
            step_label=step.label,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            broker_user_id=deal.broker_user_id,
        ),
        now=now,
    )
    if was_serious and deal.stage not in _SERIOUS:
        family = family_ids(session, deal.id)
        for achievement_id in _subjects(session, family).achievements:
            _release_achievement(session, achievement_id, family, now=now)


def lose(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    reason_code: LostReason,
    reason: str,
) -> None:
    """Close a deal as lost; the reason goes back to the university and its team."""
    require(actor, rules.END)
    deal, _sides = load(session, actor, deal_id)
    words = rules.check_loss(deal.stage, reason)
    before = _stand(deal)
    deal.lost_from, deal.lost_reason, deal.lost_words = deal.stage, reason_code, words
    deal.lost_at = deal.stage_since = deal.touched_at = now
    deal.stage = DealStage.LOST
    deal.version += 1
    enquiry_service.close_enquiry(session, deal, actor=actor, now=now)
    for commission in session.scalars(
        select(Commission).where(
            belongs_to(Commission.deal_id, deal.id),
            Commission.status.in_((CommissionStatus.PROPOSED, CommissionStatus.AGREED)),
        )
    ):
        commission.status = CommissionStatus.VOID
    audit.record(
        session,
        actor=actor,
        action="brokerage.lose",
        subject=subject(deal.id),
        now=now,
        before=before,
        after={"stage": DealStage.LOST, "code": reason_code, "reason": words},
    )
    outbox.publish(
        session,
        DealLost(
            deal_id=deal.id,
            title=deal.title,
            stage=deal.lost_from.value,
            reason_code=reason_code.value,
            reason=words,
            achievement_id=deal.achievement_id,
            need_id=deal.need_id,
            listing_id=deal.listing_id,
            seller_organisation_id=deal.seller_organisation_id,
            buyer_organisation_id=deal.buyer_organisation_id,
            broker_user_id=deal.broker_user_id,
            advice=rules.ADVICE[reason_code],
        ),
        now=now,
    )
    family = family_ids(session, deal.id)
    subjects = _subjects(session, family)
    for need_id in subjects.needs:
        _release_need(session, need_id, family, now=now)
    for achievement_id in subjects.achievements:
        _release_achievement(session, achievement_id, family, now=now)


@dataclass(frozen=True)
class _Subjects:
    """What a deal and those merged into it are about."""

    needs: list[int]
    achievements: list[int]


def _subjects(session: Session, family: Sequence[int]) -> _Subjects:
    rows = session.execute(
        select(Deal.need_id, Deal.achievement_id).where(Deal.id.in_(family))
    ).all()
    return _Subjects(
        sorted({need for need, _achievement in rows if need}),
        sorted({achievement for _need, achievement in rows if achievement}),
    )


def _release_need(session: Session, need_id: int, family: Sequence[int], *, now: datetime) -> None:
    others = session.scalar(
        select(func.count()).where(
            Deal.need_id == need_id,
            Deal.id.not_in(family),
            or_(Deal.stage.not_in((DealStage.LOST, DealStage.MERGED)), lives_on()),
        )
    )
    if not others:
        need_service.mark_unmatched(session, actor=SYSTEM, now=now, need_id=need_id)


def _release_achievement(
    session: Session, achievement_id: int, family: Sequence[int], *, now: datetime
) -> None:
    others = session.scalar(
        select(func.count()).where(
            Deal.achievement_id == achievement_id,
            Deal.id.not_in(family),
            or_(Deal.stage.in_(_SERIOUS), lives_on()),
        )
    )
    if not others:
        achievement_service.mark_out_of_deal(
            session, actor=SYSTEM, now=now, achievement_id=achievement_id
        )


def set_terms(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    title: str,
    amount_fen: Fen | None,
    trading_mode: TradingMode | None,
    signed_on: date | None,
    version: int | None = None,
) -> None:
    """Note what the parties agree on: price, mode, and when they signed."""
    require(actor, rules.LEAD)
    deal = load_led(session, actor, deal_id)
    if version is not None and version != deal.version:
        raise Conflict(
            "deal.stale",
            "项目刚被别人改过；请另开一页核对最新内容，再提交您的修改（您填写的内容还在）",
        )
    if deal.stage not in rules.TALKING and deal.stage is not DealStage.SIGNED:
        raise Conflict(
            "deal.terms_fixed", f"项目已经是“{deal.stage.label}”，交易条件以登记的合同为准"
        )
    rules.check_terms(
        amount_fen=amount_fen,
        signed_on=signed_on,
        today=local_date(now),
        opened_on=local_date(deal.opened_at),
    )
    if deal.listing_id is not None and amount_fen != deal.amount_fen and deal.amount_fen:
        raise RuleBroken(
            "deal.awarded_price",
            "价格由挂牌成交确定，不能在这里改；有误请联系交易中心",
            "amount_fen",
        )
    before = {"amount_fen": deal.amount_fen, "mode": deal.trading_mode, "signed": deal.signed_on}
    deal.title = title.strip()[:80] or deal.title
    deal.amount_fen, deal.trading_mode, deal.signed_on = amount_fen, trading_mode, signed_on
    deal.touched_at = now
    deal.version += 1
    audit.record(
        session,
        actor=actor,
        action="brokerage.set_terms",
        subject=subject(deal.id),
        now=now,
        before=before,
        after={"amount_fen": amount_fen, "mode": trading_mode, "signed": signed_on},
    )


def mark_registered(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    deal_id: int,
    contract_no: str,
    amount_fen: Fen,
) -> None:
    """Note that the deal's contract is registered, and make agreed commission due; idempotent.

    The contract of a merged deal is that of the deal which stands. A need that came with it is
    met too; an achievement that the contract does not name returns to the market.
    """
    deal = lock_standing(session, deal_id)
    if not rules.can_register(deal.stage):
        return
    today = local_date(now)
    deal.contract_no, deal.registered_on, deal.amount_fen = contract_no, today, amount_fen
    pipeline, _step = place_of(deal)
    advance(
        session,
        deal,
        pipeline.step(DealStage.REGISTERED),
        action="brokerage.mark_registered",
        actor=actor,
        now=now,
    )
    ledger_service.settle_on_contract(
        session, deal, actor=actor, now=now, contract_no=contract_no, price_fen=amount_fen
    )
    family = family_ids(session, deal.id)
    subjects = _subjects(session, family)
    for need_id in subjects.needs:
        need_service.mark_contracted(session, actor=SYSTEM, now=now, need_id=need_id)
    for achievement_id in subjects.achievements:
        if achievement_id != deal.achievement_id:
            _release_achievement(session, achievement_id, family, now=now)
