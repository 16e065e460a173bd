"""A registered contract is looked at for introductions of its parties, whoever drew it up."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import and_, func, or_, select
from sqlalchemy.orm import Session

from marketplace.brokerage import introduction_rules, ledger_service, parameters, rules
from marketplace.brokerage.family_queries import covering_ids, standing_id, standing_ids
from marketplace.brokerage.introduction_events import ContractRecognised
from marketplace.brokerage.introduction_models import Recognition
from marketplace.brokerage.introduction_rules import (
    ContractFacts,
    IntroductionFacts,
    RecognitionState,
)
from marketplace.brokerage.models import Commission, Deal, Introduction
from marketplace.brokerage.pipeline_service import lock_standing, mark_registered, subject
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
    stands = standing_ids(session, {row.deal_id for row in rows if row.deal_id})
    covered: set[int] = set()
    own_deal_id = contract.deal_id
    if own_deal_id is not None:
        own_deal_id = standing_id(session, own_deal_id)
        covered = covering_ids(session, own_deal_id)
    agreed = _agreed_deals(session, [row.deal_id for row in rows if row.deal_id])
    going_on = set(
        session.scalars(
            select(Deal.id).where(Deal.id.in_(stands.values()), Deal.stage.not_in(rules.CLOSED))
        )
    )

    def deal_of(row: Introduction) -> int | None:
        """Return the deal that a contract found by an introduction belongs to."""
        return own_deal_id if row.deal_id in covered else stands.get(row.deal_id or 0)

    found = introduction_rules.recognise(
        replace(contract, deal_id=own_deal_id),
        [
            _facts(row, deal_of(row), row.deal_id in agreed, deal_of(row) in going_on)
            for row in rows
        ],
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
            _settle(session, deal_of(row), recognition, actor=actor, now=now)
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
    if counts and row.deal_id is not None:
        standing = standing_id(session, row.deal_id)
        _settle(session, standing, recognition, actor=actor, now=now)


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


def _facts(
    row: Introduction, deal_id: int | None, agreed: bool, deal_open: bool
) -> IntroductionFacts:
    return IntroductionFacts(
        id=row.id,
        deal_id=deal_id,
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
    deal_id: int | None,
    recognition: Recognition,
    *,
    actor: Actor,
    now: datetime,
) -> None:
    """Let the deal that the contract belongs to, and its commission, follow the contract."""
    if deal_id is None:
        return
    deal = lock_standing(session, deal_id)
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
