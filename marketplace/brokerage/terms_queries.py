"""Reads of introductions, agreements and commission."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session, aliased

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.brokerage import terms_rules
from marketplace.brokerage.commission_models import CommissionEntry, CommissionShare
from marketplace.brokerage.models import Agreement, Commission, Deal, Introduction
from marketplace.brokerage.parameters import AgreementText, agreement_text
from marketplace.brokerage.rules import TALKING, DealStage
from marketplace.brokerage.seen_queries import seen_family, seen_proofs
from marketplace.brokerage.terms_rules import (
    WHOLE_RATE,
    AgreementStatus,
    CommissionBasis,
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
    DueWhen,
)
from marketplace.foundation.access import Actor
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen


@dataclass(frozen=True)
class IntroductionView:
    """An introduction with its proof."""

    id: int
    deal_id: int | None
    subject: str
    subject_title: str
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int
    introduced_at: datetime
    valid_to: date
    digest: str
    seller_acknowledged_at: datetime | None
    buyer_acknowledged_at: datetime | None

    @property
    def complete(self) -> bool:
        """Tell whether both sides have acknowledged it."""
        return self.seller_acknowledged_at is not None and self.buyer_acknowledged_at is not None

    def awaits(self, organisation_id: int | None) -> bool:
        """Tell whether an organisation has still to acknowledge it."""
        return (
            organisation_id == self.seller_organisation_id and self.seller_acknowledged_at is None
        ) or (organisation_id == self.buyer_organisation_id and self.buyer_acknowledged_at is None)


def _introduction(row: Introduction) -> IntroductionView:
    return IntroductionView(
        row.id,
        row.deal_id,
        row.subject,
        row.subject_title,
        row.seller_organisation_id,
        row.buyer_organisation_id,
        row.broker_user_id,
        row.introduced_at,
        row.valid_to,
        row.digest,
        row.seller_acknowledged_at,
        row.buyer_acknowledged_at,
    )


def introductions_of_deal(session: Session, actor: Actor, deal_id: int) -> list[IntroductionView]:
    """List the introductions that cover a deal: its own, and those it shares, its own first."""
    rows = session.scalars(
        select(Introduction)
        .where(Introduction.deal_id.in_(seen_proofs(session, actor, deal_id)))
        .order_by(Introduction.deal_id != deal_id, Introduction.id)
    )
    return [_introduction(row) for row in rows]


def introductions_awaiting(
    session: Session, organisation_id: int, *, among: ColumnElement[bool]
) -> list[IntroductionView]:
    """List the introductions that an organisation has still to acknowledge, among some deals."""
    rows = session.scalars(
        select(Introduction)
        .where(
            or_(
                (Introduction.seller_organisation_id == organisation_id)
                & Introduction.seller_acknowledged_at.is_(None),
                (Introduction.buyer_organisation_id == organisation_id)
                & Introduction.buyer_acknowledged_at.is_(None),
            ),
            Introduction.deal_id.in_(select(Deal.id).where(among)),
        )
        .order_by(Introduction.introduced_at)
        .limit(50)
    )
    return [_introduction(row) for row in rows]


@dataclass(frozen=True)
class AgreementView:
    """A confidentiality agreement with the text it was offered in."""

    id: int
    achievement_id: int
    achievement_title: str
    deal_id: int | None
    seller_organisation_id: int
    buyer_organisation_id: int
    status: AgreementStatus
    offered_at: datetime
    text: AgreementText
    text_digest: str
    accepted_at: datetime | None
    accepted_by_name: str
    valid_to: date | None
    revoked_at: datetime | None
    revoked_reason: str


def _agreement(row: Agreement, title: str) -> AgreementView:
    return AgreementView(
        row.id,
        row.achievement_id,
        title,
        row.deal_id,
        row.seller_organisation_id,
        row.buyer_organisation_id,
        row.status,
        row.offered_at,
        agreement_text(row.text_version),
        row.text_digest,
        row.accepted_at,
        row.accepted_by_name,
        row.valid_to,
        row.revoked_at,
        row.revoked_reason,
    )


def find_agreement(
    session: Session, achievement_id: int | None, buyer_organisation_id: int
) -> AgreementView | None:
    """Return the agreement between an achievement's owner and a buyer, or None."""
    if achievement_id is None:
        return None
    row = session.scalar(
        select(Agreement).where(
            Agreement.achievement_id == achievement_id,
            Agreement.buyer_organisation_id == buyer_organisation_id,
        )
    )
    return None if row is None else _agreement(row, "")


def get_agreement(session: Session, actor: Actor, agreement_id: int) -> AgreementView:
    """Return an agreement to its two parties; everybody else gets ``NotFound``."""
    row = session.get(Agreement, agreement_id)
    if row is None or actor.organisation_id not in (
        row.seller_organisation_id,
        row.buyer_organisation_id,
    ):
        raise NotFound()
    title = achievements.rows_of(session, [row.achievement_id])[row.achievement_id].title
    return _agreement(row, title)


def agreements_awaiting(session: Session, organisation_id: int) -> list[AgreementView]:
    """List the agreements that a buyer has been offered and not accepted yet."""
    rows = session.scalars(
        select(Agreement)
        .where(
            Agreement.buyer_organisation_id == organisation_id,
            Agreement.status == AgreementStatus.OFFERED,
        )
        .order_by(Agreement.offered_at)
        .limit(50)
    ).all()
    titles = achievements.rows_of(session, [row.achievement_id for row in rows])
    return [_agreement(row, titles[row.achievement_id].title) for row in rows]


@dataclass(frozen=True)
class ShareView:
    """A broker's part of a commission."""

    broker_user_id: int
    name: str
    per_myriad: int

    @property
    def text(self) -> str:
        """Write the part in percent without loss, ``33.33 %``."""
        return f"{self.per_myriad / 100:g} %"


@dataclass(frozen=True)
class CommissionView:
    """A commission as both its sides see it."""

    id: int
    deal_id: int
    deal_title: str
    stage: DealStage
    payer: CommissionPayer
    payer_organisation_id: int
    payer_name: str
    basis: CommissionBasis
    rate_per_myriad: int | None
    fixed_fen: Fen | None
    minimum_fen: Fen | None
    due_when: DueWhen
    status: CommissionStatus
    proposed_at: datetime
    agreed_at: datetime | None
    agreed_by_name: str
    total_fen: Fen | None
    contract_no: str
    due_fen: Fen | None
    due_on: date | None
    received_on: date | None
    expected_fen: Fen | None
    shares: tuple[ShareView, ...]

    @property
    def rate_text(self) -> str:
        """Write the rate in percent without loss, ``3.25 %``."""
        if self.rate_per_myriad is None:
            return ""
        return f"{self.rate_per_myriad * 100 / WHOLE_RATE:g} %"


def _commission(
    row: Commission, deal: Deal, payer_name: str, shares: tuple[ShareView, ...]
) -> CommissionView:
    terms = CommissionTerms(
        row.basis, row.rate_per_myriad, row.fixed_fen, row.minimum_fen, row.due_when
    )
    expected = (
        terms_rules.commission_on(terms, deal.amount_fen) if deal.amount_fen is not None else None
    )
    return CommissionView(
        row.id,
        deal.id,
        deal.title,
        deal.stage,
        row.payer,
        row.payer_organisation_id,
        payer_name,
        row.basis,
        row.rate_per_myriad,
        row.fixed_fen,
        row.minimum_fen,
        row.due_when,
        row.status,
        row.proposed_at,
        row.agreed_at,
        row.agreed_by_name,
        row.total_fen,
        row.contract_no,
        row.due_fen,
        row.due_on,
        row.received_on,
        expected,
        shares,
    )


# The deal that a commission is earned on: its own, or the one that was merged into.
_Standing = aliased(Deal)


def _commissions(session: Session, *conditions: object) -> list[CommissionView]:
    rows = session.execute(
        select(Commission, _Standing)
        .join(Deal, Deal.id == Commission.deal_id)
        .join(_Standing, _Standing.id == func.coalesce(Deal.merged_into_id, Deal.id))
        .where(*conditions)  # type: ignore[arg-type]  # conditions are column expressions
        .order_by(Commission.id)
        .limit(200)
    ).all()
    names = accounts.get_organisations(session, [row.payer_organisation_id for row, _deal in rows])
    shares = _shares(session, [row.id for row, _deal in rows])
    return [
        _commission(row, deal, names[row.payer_organisation_id].name, shares.get(row.id, ()))
        for row, deal in rows
    ]


def _shares(session: Session, commission_ids: list[int]) -> dict[int, tuple[ShareView, ...]]:
    rows = session.scalars(
        select(CommissionShare)
        .where(CommissionShare.commission_id.in_(commission_ids))
        .order_by(CommissionShare.id)
    ).all()
    people = accounts.get_users(session, {row.broker_user_id for row in rows})
    found: dict[int, tuple[ShareView, ...]] = {}
    for row in rows:
        view = ShareView(row.broker_user_id, people[row.broker_user_id].name, row.per_myriad)
        found[row.commission_id] = (*found.get(row.commission_id, ()), view)
    return found


def commissions_of_deal(session: Session, actor: Actor, deal_id: int) -> list[CommissionView]:
    """List what was proposed and agreed on a deal and on what was merged into it."""
    return _commissions(session, Commission.deal_id.in_(seen_family(session, actor, deal_id)))


def commissions_to_confirm(session: Session, organisation_id: int) -> list[CommissionView]:
    """List the commissions that an organisation is asked to confirm."""
    return _commissions(
        session,
        Commission.payer_organisation_id == organisation_id,
        Commission.status == CommissionStatus.PROPOSED,
    )


def commissions_due(session: Session, broker_user_id: int) -> list[CommissionView]:
    """List the commissions of which something is owed to a broker and has not arrived."""
    return _commissions(
        session,
        Commission.id.in_(
            select(CommissionEntry.commission_id).where(
                CommissionEntry.broker_user_id == broker_user_id,
                CommissionEntry.received_on.is_(None),
            )
        ),
    )


@dataclass(frozen=True)
class CommissionTotals:
    """A broker's year in money: arrived, owed, and what the talks may bring."""

    received_fen: Fen
    due_fen: Fen
    expected_fen: Fen


def commission_totals(session: Session, broker_user_id: int, year: int) -> CommissionTotals:
    """Sum a broker's own part of a year's commission and what his agreed deals would bring."""
    received = session.scalar(
        select(func.coalesce(func.sum(CommissionEntry.amount_fen), 0)).where(
            CommissionEntry.broker_user_id == broker_user_id,
            CommissionEntry.received_on.between(date(year, 1, 1), date(year, 12, 31)),
        )
    )
    due = session.scalar(
        select(func.coalesce(func.sum(CommissionEntry.amount_fen), 0)).where(
            CommissionEntry.broker_user_id == broker_user_id,
            CommissionEntry.received_on.is_(None),
        )
    )
    talks = _commissions(
        session,
        Commission.broker_user_id == broker_user_id,
        Commission.status.in_((CommissionStatus.PROPOSED, CommissionStatus.AGREED)),
        _Standing.stage.in_((*TALKING, DealStage.SIGNED)),
    )
    expected = sum(view.expected_fen or 0 for view in talks)
    return CommissionTotals(Fen(int(received or 0)), Fen(int(due or 0)), Fen(expected))
