"""What an organisation may claim for single occasions: the platform's own facts and few entries.

Nothing is typed that the platform knows: fees, orders, meetings and certificates are read where
they happened. Only a recognition and what a training cost are entered.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.assessments import fee_queries as assessments
from marketplace.brokerage import register_queries as brokerage
from marketplace.foundation.money import Fen
from marketplace.listings import queries as listings
from marketplace.subsidies import facts_queries
from marketplace.subsidies.explanation_rules import Explanation
from marketplace.subsidies.models import ClaimGround
from marketplace.subsidies.parameters import select_policies
from marketplace.subsidies.single_entry_rules import NOTHING, Entries
from marketplace.subsidies.single_explanation_rules import explain
from marketplace.subsidies.single_rules import Ground, SingleResult, WeighedGround, assess
from marketplace.subsidies.word_rules import ClaimItem
from marketplace.techservices import voucher_queries as vouchers


@dataclass(frozen=True)
class SingleEntitlement:
    """What can be claimed for an item's occasions, with the grounds it rests on."""

    result: SingleResult
    explanation: Explanation
    grounds: tuple[WeighedGround, ...]
    earlier_fen: Fen = Fen(0)

    @property
    def bases(self) -> dict[int, Fen]:
        """Return no contracts: an occasion has none."""
        return {}

    @property
    def claimable_fen(self) -> Fen:
        """Return the amount of a claim made now."""
        return self.result.amount_fen


def entitlement(
    session: Session,
    organisation_id: int,
    year: int,
    item: ClaimItem,
    *,
    now: datetime,
    entries: Entries = NOTHING,
    without_claim_id: int | None = None,
) -> SingleEntitlement:
    """Compute an item on all its grounds that no other claim has taken."""
    party = facts_queries.load_parties(
        session, [organisation_id], judged=[organisation_id], year=year
    )[str(organisation_id)]
    found = list(_grounds(session, organisation_id, year, item, entries, now))
    taken = _taken(session, item, (ground.key for ground in found), without_claim_id)
    free = [ground for ground in found if ground.key not in taken]
    result = assess(item, party=party, year=year, grounds=free, policies=select_policies())
    paying = result.paying
    return SingleEntitlement(
        result,
        _with_taken(explain(result), [ground for ground in found if ground.key in taken]),
        tuple(part for part in paying.parts if part.counted_fen) if paying else (),
    )


def _with_taken(explanation: Explanation, taken: list[Ground]) -> Explanation:
    if not taken:
        return explanation
    told = "、".join(ground.proof for ground in taken)
    return replace(
        explanation,
        sentences=(*explanation.sentences, f"{told} 已经申报过，一项依据只申报一次，不再计入。"),
    )


def _taken(
    session: Session, item: ClaimItem, keys: Iterable[str], without_claim_id: int | None
) -> set[str]:
    statement = select(ClaimGround.key).where(ClaimGround.item == item, ClaimGround.key.in_(keys))
    if without_claim_id is not None:
        statement = statement.where(ClaimGround.claim_id != without_claim_id)
    return set(session.scalars(statement))


def _grounds(
    session: Session,
    organisation_id: int,
    year: int,
    item: ClaimItem,
    entries: Entries,
    now: datetime,
) -> Iterator[Ground]:
    if item.once:
        recognition = entries.recognition
        if recognition is not None and recognition.recognised_on.year == year:
            yield Ground(
                # Once for an organisation, in whichever year and by whichever document.
                key=f"organisation:{organisation_id}",
                what=item.label.removesuffix("奖励")
                + ("，省级评价优秀" if recognition.excellent else ""),
                proof=recognition.document,
                happened_on=recognition.recognised_on,
                excellent=recognition.excellent,
            )
    elif item is ClaimItem.ASSESSMENT_FEE:
        yield from _assessment_fees(session, organisation_id, year)
    elif item is ClaimItem.TRAINING_FEE:
        yield from _trainings(session, year, entries)
    elif item is ClaimItem.INSTRUMENT_VOUCHER:
        for order in vouchers.used_instrument_vouchers(session, organisation_id, year):
            yield Ground(
                key=f"order:{order.order_id}",
                what=f"{order.title}，{order.customer_name}用券",
                proof=order.number,
                happened_on=order.confirmed_on,
                paid_fen=order.fee_fen,
                used_fen=order.voucher_fen,
                holder=str(order.customer_organisation_id),
                counterparty_id=order.customer_organisation_id,
            )
    elif item is ClaimItem.EVENT_VOUCHER:
        for meeting in vouchers.used_event_vouchers(session, organisation_id, year, now=now):
            yield Ground(
                key=f"meeting:{meeting.meeting_id}",
                what=f"{meeting.head_count} 人凭券签到",
                proof=meeting.title,
                happened_on=meeting.held_on,
                used_fen=meeting.voucher_fen,
                holder=str(organisation_id),
                count=meeting.head_count,
            )


def _assessment_fees(session: Session, organisation_id: int, year: int) -> Iterator[Ground]:
    fees = assessments.paid_fees(session, organisation_id, year)
    announced = listings.ever_announced(session, {fee.achievement_id for fee in fees})
    for fee in fees:
        if fee.achievement_id in announced:
            yield Ground(
                key=f"assessment:{fee.assessment_id}",
                what=fee.title,
                proof=fee.report_number,
                happened_on=fee.filed_on,
                paid_fen=fee.fee_fen,
                counterparty_id=fee.assessor_organisation_id,
            )


def _trainings(session: Session, year: int, entries: Entries) -> Iterator[Ground]:
    known = brokerage.brokers_by_certificate(
        session, {training.certificate_no for training in entries.trainings}
    )
    for training in entries.trainings:
        if training.ended_on.year != year:
            continue
        # The register's name stands for the certificate where it is listed.
        listed = known.get(training.certificate_no)
        yield Ground(
            key=f"certificate:{training.certificate_no}",
            what=f"{listed}，证书在平台名录中" if listed else f"{training.person}，请核对证书原件",
            proof=training.certificate_no,
            happened_on=training.ended_on,
            paid_fen=training.fee_fen,
        )
