"""A year's subsidies: the round, the claims and their reviews, publicity, payment, claw-back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from marketplace.foundation.access import ANONYMOUS, Actor, Role
from marketplace.foundation.clock import LOCAL
from marketplace.publicity import service as publicity
from marketplace.subsidies import queries, service
from marketplace.subsidies.application_service import Payee
from marketplace.subsidies.review_service import Verdict
from marketplace.subsidies.rules import (
    ClaimStatus,
    ReviewDecision,
    ReviewStep,
    RoundTerms,
)
from marketplace.subsidies.word_rules import Item
from seed.demo.content import Claim
from seed.demo.stage import Stage, Story, yuan

_BUREAU = "luoshengnan"
_TREASURER = "changyongqiang"
_BUDGET_YUAN = 3_000_000
_PUBLICISED = (date(2024, 1, 24), date(2024, 2, 20), date(2024, 3, 11))
_LISTED = date(2024, 2, 2)
_CLAWED_BACK = date(2024, 3, 7)
# Where a claim waits, by the outcome that the content names; None: through all reviews.
_STEPS = (ReviewStep.DISTRICT, ReviewStep.CENTRE, ReviewStep.BUREAU, ReviewStep.EXPERT)
_WAITS_AT: dict[str, ReviewStep | None] = {
    "applied": ReviewStep.DISTRICT,
    "district": ReviewStep.DISTRICT,
    "centre": ReviewStep.CENTRE,
    "bureau": ReviewStep.BUREAU,
    "expert": ReviewStep.EXPERT,
    "returned": ReviewStep.CENTRE,
    "refused": ReviewStep.BUREAU,
}


class Round:
    """What the claims' stories share: the round's id, and each claim's."""

    def __init__(self) -> None:
        self.id = 0
        self.claims: dict[str, int] = {}


def desk(stage: Stage, opened: Round) -> Story:
    """Open the round of 2023, put settled claims before the public, list and pay the first."""
    yield datetime(2024, 1, 8, 9, 5, tzinfo=LOCAL)
    opened.id = service.open_round(
        stage.session,
        actor=stage.actor(_BUREAU),
        now=stage.now,
        terms=RoundTerms(
            year=2023,
            title="关于申报2023年度技术转移转化补助的通知",
            opens_on=date(2024, 1, 8),
            closes_on=date(2024, 3, 29),
            budget_fen=yuan(_BUDGET_YUAN),
        ),
        body="按济科发〔2021〕27号，对2023年度认定登记的技术合同给予补助。金额由平台按登记数据计算，"
        "申报单位核对后提交；区县初审后逐级审核、专家评审，公示五个工作日后拨付。",
    )
    for day in _PUBLICISED[:1]:
        yield stage.at(day, "desk")
        service.publicise(
            stage.session, actor=stage.actor(_BUREAU), now=stage.now, round_id=opened.id
        )
    yield stage.at(_LISTED, "desk")
    list_id = service.list_payments(
        stage.session,
        actor=stage.actor(_BUREAU),
        now=stage.now,
        claim_ids=[row.id for row in queries.approved_unlisted(stage.session)],
    )
    yield stage.after(2, "desk")
    for row in queries.get_payment_list(stage.session, list_id).rows:
        service.confirm_payment(
            stage.session,
            actor=stage.actor(_TREASURER),
            now=stage.now,
            payment_id=row.payment.id,
            reference=f"GK2024{row.payment.id:06d}",
        )
    for day in _PUBLICISED[1:]:
        yield stage.at(day, "desk")
        service.publicise(
            stage.session, actor=stage.actor(_BUREAU), now=stage.now, round_id=opened.id
        )
    yield stage.after(1, "desk")
    # The treasurer finds one list waiting.
    service.list_payments(
        stage.session,
        actor=stage.actor(_BUREAU),
        now=stage.now,
        claim_ids=[opened.claims["clm-006"]],
    )


def claim(stage: Stage, record: Claim, opened: Round) -> Story:
    """Bring one claim to the outcome that the content names."""
    yield stage.at(record.applied_on, record.key)
    applicant = stage.member(
        record.organisation, Role.OFFICER, Role.ENTERPRISE, Role.AGENCY_HEAD, Role.ORG_ADMIN
    )
    claim_id = service.prepare(
        stage.session,
        actor=applicant,
        now=stage.now,
        round_id=opened.id,
        item=Item(record.item),
    )
    opened.claims[record.key] = claim_id
    if record.outcome == "draft":
        return
    view = queries.get_own_claim(stage.session, applicant, claim_id)
    service.apply(
        stage.session,
        actor=applicant,
        now=stage.now,
        claim_id=claim_id,
        confirmed_fen=view.row.claimed_fen,
        declared=True,
        payee=_payee(stage, record, applicant),
    )
    yield from _reviews(stage, record, claim_id)
    if record.objection is not None:
        yield from _objection(stage, record, applicant, claim_id)
    if record.outcome == "clawed_back":
        yield stage.at(_CLAWED_BACK, record.key)
        service.claw_back(
            stage.session,
            actor=stage.actor("moxinlan"),
            now=stage.now,
            claim_id=claim_id,
            reason=record.words,
            document="济科信字〔2024〕2号",
            dishonest_until=date(2026, 3, 6),
        )


def _reviews(stage: Stage, record: Claim, claim_id: int) -> Story:
    waits_at = _WAITS_AT.get(record.outcome)
    decided = record.outcome in ("returned", "refused")
    for position, step in enumerate(_STEPS):
        if step is waits_at and not decided:
            return
        yield stage.after(2, record.key)
        verdict = Verdict(ReviewDecision.PASS)
        if step is ReviewStep.EXPERT:
            score = 78 + (claim_id * 7 + position) % 17
            verdict = Verdict(ReviewDecision.PASS, score=score, unconcerned=True)
        if step is waits_at:
            decision = (
                ReviewDecision.RETURN if record.outcome == "returned" else ReviewDecision.REFUSE
            )
            verdict = Verdict(decision, record.words)
        service.review(
            stage.session,
            actor=_reviewer(stage, record, step),
            now=stage.now,
            claim_id=claim_id,
            step=step,
            verdict=verdict,
        )
        if step is waits_at:
            return


def _objection(stage: Stage, record: Claim, applicant: Actor, claim_id: int) -> Story:
    assert record.objection is not None
    while True:
        view = queries.get_own_claim(stage.session, applicant, claim_id)
        if view.status is ClaimStatus.PUBLICITY and view.publicity_id is not None:
            break
        yield stage.evening()
    yield stage.now + timedelta(days=1, hours=2)
    publicity.raise_objection(
        stage.session,
        actor=ANONYMOUS,
        now=stage.now,
        publicity_id=view.publicity_id,
        text=record.objection.text,
        name=record.objection.name,
        contact=record.objection.contact,
    )


def _reviewer(stage: Stage, record: Claim, step: ReviewStep) -> Actor:
    if step is ReviewStep.CENTRE:
        return stage.actor("zhenghongbin")
    if step is ReviewStep.BUREAU:
        return stage.actor(_BUREAU)
    if step is ReviewStep.EXPERT:
        return stage.actor("jinrenjie")
    districts = {o.key: o.district for o in stage.content.organisations}
    office = next(
        o.key
        for o in stage.content.organisations
        if o.subkinds == ["district"] and o.district == districts[record.organisation]
    )
    return stage.member(office, Role.DISTRICT_REVIEWER)


def _payee(stage: Stage, record: Claim, applicant: Actor) -> Payee:
    organisation = next(o for o in stage.content.organisations if o.key == record.organisation)
    digits = "".join(c for c in organisation.uscc if c.isdigit())
    phone = organisation.contact.phone if organisation.contact else "0531-55550000"
    return Payee(
        contact_name=applicant.name,
        contact_phone=phone,
        bank_name="济南泉汇科技支行",
        bank_account=f"9558{digits[-9:]:0>15}",
    )
