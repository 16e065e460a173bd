"""A registered contract is looked at for introductions of its parties, whoever drew it up."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from marketplace.brokerage import introduction_rules, ledger_service, parameters, rules
from marketplace.brokerage.events import ContractRecognised
from marketplace.brokerage.introduction_models import Recognition
from marketplace.brokerage.introduction_rules import (
    ContractFacts,
    IntroductionFacts,
    RecognitionState,
)
from marketplace.brokerage.models import Commission, Deal, Introduction
from marketplace.brokerage.pipeline_service import mark_registered, subject
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict
from marketplace.foundation.money import Fen


def recognise_contract(
    session: Session, *, actor: Actor, now: datetime, contract: ContractFacts, amount_fen: Fen
) -> list[int]:
    """Put a registered contract down to the introductions behind it; return their ids.

    Where that is certain the agreed commission is owed, also of a deal that was closed before
    (民法典 965); where it is not, the operator is asked. A contract is looked at once.
    """
    require(actor, introduction_rules.DECIDE_DISPUTE)
    rows = _between(session, contract)
    known = set(
        session.scalars(
            select(Recognition.introduction_id).where(
                Recognition.contract_id == contract.contract_id
            )
        )
    )
    agreed = _agreed_deals(session, [row.deal_id for row in rows if row.deal_id])
    going_on = set(
        session.scalars(
            select(Deal.id).where(
                Deal.id.in_([row.deal_id for row in rows]), Deal.stage.not_in(rules.CLOSED)
            )
        )
    )
    found = introduction_rules.recognise(
        contract, [_facts(row, row.deal_id in agreed, row.deal_id in going_on) for row in rows]
    )
    made = []
    for each in found:
        if each.introduction_id in known:
            continue
        row = lock(session, Introduction, each.introduction_id)
        recognition = Recognition(
            introduction_id=row.id,
            contract_id=contract.contract_id,
            contract_no=contract.contract_no,
            project_name=contract.project_name,
            amount_fen=amount_fen,
            signed_on=contract.signed_on,
            ground=each.ground,
            state=each.state,
            recognised_at=now,
        )
        session.add(recognition)
        session.flush()
        _tell(session, row, recognition, actor=actor, now=now)
        if each.state is RecognitionState.RECOGNISED:
            _settle(session, row, recognition, actor=actor, now=now)
        made.append(row.id)
    return made


def decide_recognition(
    session: Session, *, actor: Actor, now: datetime, recognition_id: int, counts: bool, words: str
) -> None:
    """Let the operator say whether an uncertain contract is the fruit of the introduction."""
    require(actor, introduction_rules.DECIDE_DISPUTE)
    recognition = lock(session, Recognition, recognition_id)
    reasons = introduction_rules.check_decision(words)
    if recognition.state is not RecognitionState.TO_CHECK:
        raise Conflict(
            "recognition.decided", f"这份合同已经核对过：{recognition.state.label}；请刷新页面"
        )
    recognition.state = RecognitionState.RECOGNISED if counts else RecognitionState.DISMISSED
    recognition.decided_at, recognition.decided_by_name = now, actor.name
    recognition.decision = reasons
    row = session.get_one(Introduction, recognition.introduction_id)
    _tell(session, row, recognition, actor=actor, now=now)
    if counts:
        _settle(session, row, recognition, actor=actor, now=now)


def _between(session: Session, contract: ContractFacts) -> list[Introduction]:
    one, other = contract.seller_uscc, contract.buyer_uscc
    return list(
        session.scalars(
            select(Introduction)
            .where(
                or_(
                    and_(Introduction.seller_uscc == one, Introduction.buyer_uscc == other),
                    and_(Introduction.seller_uscc == other, Introduction.buyer_uscc == one),
                )
            )
            .order_by(Introduction.id)
        )
    )


def _agreed_deals(session: Session, deal_ids: list[int]) -> set[int]:
    return set(
        session.scalars(
            select(Commission.deal_id)
            .where(Commission.deal_id.in_(deal_ids), Commission.agreed_at.is_not(None))
            .group_by(Commission.deal_id)
            .having(func.count() > 0)
        )
    )


def _facts(row: Introduction, agreed: bool, deal_open: bool) -> IntroductionFacts:
    return IntroductionFacts(
        id=row.id,
        deal_id=row.deal_id,
        subject=row.subject,
        seller_uscc=row.seller_uscc,
        buyer_uscc=row.buyer_uscc,
        introduced_on=local_date(row.introduced_at),
        valid_to=row.valid_to,
        acknowledged=agreed
        or (row.seller_acknowledged_at is not None and row.buyer_acknowledged_at is not None),
        deal_open=deal_open,
        lookback=parameters.introduction_lookback_on(local_date(row.introduced_at)),
    )


def _settle(
    session: Session,
    row: Introduction,
    recognition: Recognition,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Let the introduction's own deal and its commission follow the contract."""
    if row.deal_id is None:
        return
    deal = lock(session, Deal, row.deal_id)
    if rules.can_register(deal.stage):
        mark_registered(
            session,
            actor=actor,
            now=now,
            deal_id=deal.id,
            contract_no=recognition.contract_no,
            amount_fen=recognition.amount_fen,
        )
    else:
        ledger_service.settle_on_contract(
            session,
            deal,
            actor=actor,
            now=now,
            contract_no=recognition.contract_no,
            price_fen=recognition.amount_fen,
            revive=True,
        )


def _tell(
    session: Session,
    row: Introduction,
    recognition: Recognition,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    audit.record(
        session,
        actor=actor,
        action="brokerage.recognise",
        subject=subject(row.deal_id or 0),
        now=now,
        after={
            "introduction": row.id,
            "contract": recognition.contract_no,
            "ground": recognition.ground,
            "state": recognition.state,
            "reason": recognition.decision,
        },
    )
    outbox.publish(
        session,
        ContractRecognised(
            introduction_id=row.id,
            deal_id=row.deal_id,
            subject_title=row.subject_title,
            contract_no=recognition.contract_no,
            ground=recognition.ground.value,
            state=recognition.state.value,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            broker_user_id=row.broker_user_id,
        ),
        now=now,
    )
