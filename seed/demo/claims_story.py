"""Subsidies: the rounds, the claims and their reviews, publicity, payment, claw-back."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from marketplace.foundation.access import ANONYMOUS, Actor, Role
from marketplace.foundation.clock import LOCAL
from marketplace.publicity import service as publicity
from marketplace.subsidies import queries, service
from marketplace.subsidies.application_service import Payee
from marketplace.subsidies.clawback_rules import ClawBackGround, ClawBackTerms
from marketplace.subsidies.review_service import Verdict
from marketplace.subsidies.rules import (
    ClaimStatus,
    ReviewDecision,
    ReviewStep,
    RoundTerms,
)
from marketplace.subsidies.single_entry_rules import Entries, Recognition, Training
from marketplace.subsidies.word_rules import ClaimItem
from seed.demo.content import Claim
from seed.demo.stage import Stage, Story, yuan

_BUREAU = "luoshengnan"
_TREASURER = "changyongqiang"
_PUBLICISED = (date(2024, 1, 24), date(2024, 2, 20), date(2024, 3, 11))
_LISTED = date(2024, 2, 2)
_FEES_PUBLICISED = date(2024, 1, 23)
_FEES_LISTED = date(2024, 2, 1)
_CLAWED_BACK = date(2024, 3, 7)
_RECEIVED = date(2024, 3, 12)
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
_EXPERT_COUNT = 3
_CONTRACTS = (ClaimItem.SELLER, ClaimItem.BUYER, ClaimItem.AGENCY, ClaimItem.REGISTRAR)
_VOUCHERS = (ClaimItem.INSTRUMENT_VOUCHER, ClaimItem.EVENT_VOUCHER)
_AWARDS = (ClaimItem.NATIONAL_INSTITUTION, ClaimItem.PROVINCIAL_INSTITUTION)
_FEES = (ClaimItem.ASSESSMENT_FEE, ClaimItem.TRAINING_FEE)


class Rounds:
    """What the claims' stories share: each round's id, and each claim's."""

    def __init__(self) -> None:
        self.ids: dict[str, int] = {}
        self.claims: dict[str, int] = {}


def desk(stage: Stage, rounds: Rounds) -> Story:
    """Open the round of 2023, put settled claims before the public, list and pay the first."""
    yield datetime(2024, 1, 8, 9, 5, tzinfo=LOCAL)
    rounds.ids["contracts"] = _open(
        stage,
        RoundTerms(
            year=2023,
            title="关于申报2023年度技术转移转化补助的通知",
            opens_on=date(2024, 1, 8),
            closes_on=date(2024, 3, 29),
            budget_fen=yuan(3_000_000),
            items=(*_CONTRACTS, *_VOUCHERS),
            eligible="在济南市登记注册、2023年度有认定登记技术合同的高校、科研院所、企业、服务机构和"
            "登记机构，以及接受创新券的机构；在科研失信记录期内的单位不得申报。",
            documents="合同款支付凭证和发票；合同、登记证明和创新券使用记录由平台提供，不用上传。",
            expert_count=_EXPERT_COUNT,
        ),
        "按济科发〔2021〕27号，对2023年度认定登记的技术合同给予补助。金额由平台按登记数据计算，"
        "申报单位核对后提交；区县初审后逐级审核、专家评审，公示五个工作日后拨付。",
    )
    for day in _PUBLICISED[:1]:
        yield stage.at(day, "desk")
        _publicise(stage, rounds, "contracts")
    yield stage.at(_LISTED, "desk")
    yield from _pay(stage, rounds, "contracts")
    for day in _PUBLICISED[1:]:
        yield stage.at(day, "desk")
        _publicise(stage, rounds, "contracts")
    yield stage.after(1, "desk")
    # The treasurer finds one list waiting.
    service.list_payments(
        stage.session,
        actor=stage.actor(_BUREAU),
        now=stage.now,
        claim_ids=[rounds.claims["clm-006"]],
    )


def fees(stage: Stage, rounds: Rounds) -> Story:
    """Open the round of fees and awards, whose budget is too small for all, and pay it."""
    yield datetime(2024, 1, 5, 9, 5, tzinfo=LOCAL)
    rounds.ids["fees"] = _open(
        stage,
        RoundTerms(
            year=2023,
            title="关于申报2023年度技术转移机构奖励和费用补助的通知",
            opens_on=date(2024, 1, 5),
            closes_on=date(2024, 1, 12),
            budget_fen=yuan(420_000),
            items=(*_AWARDS, *_FEES),
            eligible="2023年新认定的国家技术转移机构、首次认定且省级评价优秀的山东省技术转移示范机构；"
            "在平台挂牌成果并付清评估费、派员参加技术经理人培训的高校和科研院所。",
            documents="认定文件、培训费发票；评估报告和付款记录由平台提供，不用上传。",
            expert_count=_EXPERT_COUNT,
        ),
        "按济科发〔2021〕27号第八条、济政发〔2021〕14号第（十五）条和济政发〔2021〕15号第十二条办理。"
        "本批预算有限，应付合计超过预算时全部申报按同一比例缩减。",
    )
    yield stage.at(_FEES_PUBLICISED, "fees")
    _publicise(stage, rounds, "fees")
    yield stage.at(_FEES_LISTED, "fees")
    yield from _pay(stage, rounds, "fees")


def vouchers(stage: Stage, rounds: Rounds) -> Story:
    """Open the first round of the running year: vouchers, fees and awards."""
    yield datetime(2024, 2, 26, 9, 5, tzinfo=LOCAL)
    rounds.ids["vouchers"] = _open(
        stage,
        RoundTerms(
            year=2024,
            title="关于2024年度创新券兑付和机构奖励（第一批）的通知",
            opens_on=date(2024, 2, 26),
            closes_on=date(2024, 5, 31),
            budget_fen=yuan(1_500_000),
            items=(*_VOUCHERS, *_AWARDS, *_FEES),
            eligible="2024年接受大型仪器共享券的机构、主办活动并凭活动券签到的机构、新认定的技术转移"
            "机构，以及付清评估费和培训费的高校、科研院所。",
            documents="认定文件、培训费发票；创新券使用和签到记录由平台提供，不用上传。",
            expert_count=_EXPERT_COUNT,
        ),
        "按济科发〔2019〕78号兑付创新券，一张券只兑付一次。",
    )


def _open(stage: Stage, terms: RoundTerms, body: str) -> int:
    return service.open_round(
        stage.session, actor=stage.actor(_BUREAU), now=stage.now, terms=terms, body=body
    )


def _publicise(stage: Stage, rounds: Rounds, name: str) -> None:
    service.publicise(
        stage.session, actor=stage.actor(_BUREAU), now=stage.now, round_id=rounds.ids[name]
    )


def _pay(stage: Stage, rounds: Rounds, name: str) -> Story:
    list_id = service.list_payments(
        stage.session,
        actor=stage.actor(_BUREAU),
        now=stage.now,
        claim_ids=[
            row.id
            for row in queries.approved_unlisted(stage.session)
            if row.round_id == rounds.ids[name]
        ],
    )
    yield stage.after(2, name)
    for row in queries.get_payment_list(stage.session, list_id).rows:
        service.confirm_payment(
            stage.session,
            actor=stage.actor(_TREASURER),
            now=stage.now,
            payment_id=row.payment.id,
            reference=f"GK2024{row.payment.id:06d}",
        )


def claim(stage: Stage, record: Claim, rounds: Rounds) -> Story:
    """Bring one claim to the outcome that the content names."""
    yield stage.at(record.applied_on, record.key)
    applicant = stage.member(
        record.organisation, Role.OFFICER, Role.ENTERPRISE, Role.AGENCY_HEAD, Role.ORG_ADMIN
    )
    claim_id = service.prepare(
        stage.session,
        actor=applicant,
        now=stage.now,
        round_id=rounds.ids[record.round],
        item=ClaimItem(record.item),
    )
    rounds.claims[record.key] = claim_id
    entries = _entries(record)
    if entries is not None:
        service.enter(
            stage.session, actor=applicant, now=stage.now, claim_id=claim_id, entries=entries
        )
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
    if record.outcome in ("reclaiming", "clawed_back"):
        yield from _claw_back(stage, record, claim_id)


def _entries(record: Claim) -> Entries | None:
    if record.recognition is not None:
        given = record.recognition
        return Entries(Recognition(given.document, given.recognised_on, given.excellent))
    if record.trainings:
        return Entries(
            trainings=tuple(
                Training(
                    training.person,
                    training.certificate_no,
                    training.ended_on,
                    yuan(training.fee_yuan),
                )
                for training in record.trainings
            )
        )
    return None


def _claw_back(stage: Stage, record: Claim, claim_id: int) -> Story:
    """Take back the whole for deceit, which goes on record; or what was paid too much."""
    yield stage.at(_CLAWED_BACK, record.key)
    view = queries.get_claim_for_review(stage.session, stage.actor("moxinlan"), claim_id)
    assert view.payment is not None
    deceived = record.outcome == "reclaiming"
    terms = ClawBackTerms(
        ground=ClawBackGround.FALSE_CLAIM if deceived else ClawBackGround.OVERPAID,
        amount_fen=view.payment.amount_fen if deceived else yuan(700),
        reason=record.words,
        document="济科信字〔2024〕2号" if deceived else "济科字〔2024〕19号",
        due_on=date(2024, 4, 8),
        dishonest_until=date(2026, 3, 6) if deceived else None,
    )
    service.claw_back(
        stage.session,
        actor=stage.actor("moxinlan"),
        now=stage.now,
        claim_id=claim_id,
        terms=terms,
    )
    if not deceived:
        yield stage.at(_RECEIVED, record.key)
        service.confirm_receipt(
            stage.session,
            actor=stage.actor(_TREASURER),
            now=stage.now,
            claim_id=claim_id,
            amount_fen=terms.amount_fen,
            reference="SK20240312007",
        )


def _reviews(stage: Stage, record: Claim, claim_id: int) -> Story:
    waits_at = _WAITS_AT.get(record.outcome)
    decided = record.outcome in ("returned", "refused")
    for step in _STEPS:
        if step is waits_at and not decided:
            if step is ReviewStep.EXPERT:
                # One of the panel has judged, the others have not.
                yield stage.after(2, record.key)
                _judge(stage, claim_id, seats=1)
            return
        yield stage.after(2, record.key)
        if step is ReviewStep.EXPERT:
            _judge(stage, claim_id, seats=_EXPERT_COUNT)
            return
        verdict = Verdict(ReviewDecision.PASS)
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


def _judge(stage: Stage, claim_id: int, *, seats: int) -> None:
    """Let so many experts who are not concerned judge a claim, each for themselves."""
    experts = [
        stage.actor(person.key)
        for person in stage.content.people
        if "expert" in person.roles and person.key in stage.users
    ]
    # Not always the same ones.
    turned = experts[claim_id % len(experts) :] + experts[: claim_id % len(experts)]
    free = [e for e in turned if claim_id in queries.awaited_ids(stage.session, e)]
    for seat, expert in enumerate(free[:seats]):
        service.review(
            stage.session,
            actor=expert,
            now=stage.now,
            claim_id=claim_id,
            step=ReviewStep.EXPERT,
            verdict=Verdict(
                ReviewDecision.PASS,
                score=74 + (claim_id * 7 + seat * 5) % 21,
                unconcerned=True,
            ),
        )


def _objection(stage: Stage, record: Claim, applicant: Actor, claim_id: int) -> Story:
    assert record.objection is not None
    while True:
        view = queries.get_own_claim(stage.session, applicant, claim_id)
        if view.status is ClaimStatus.PUBLICITY and view.publicity_id is not None:
            break
        yield stage.evening()
    yield stage.now + timedelta(days=1, hours=2)
    objection_id = publicity.raise_objection(
        stage.session,
        actor=ANONYMOUS,
        now=stage.now,
        publicity_id=view.publicity_id,
        text=record.objection.text,
        name=record.objection.name,
        contact=record.objection.contact,
    )
    if record.objection.answer:
        yield stage.after(1, record.key)
        publicity.decide_objection(
            stage.session,
            actor=stage.actor(_BUREAU),
            now=stage.now,
            objection_id=objection_id,
            upheld=record.objection.upheld,
            answer=record.objection.answer,
        )


def _reviewer(stage: Stage, record: Claim, step: ReviewStep) -> Actor:
    if step is ReviewStep.BUREAU:
        return stage.actor(_BUREAU)
    districts = {o.key: o.district for o in stage.content.organisations}
    offices = [
        o.key
        for o in stage.content.organisations
        if o.subkinds == ["district"] and o.district == districts[record.organisation]
    ]
    if step is ReviewStep.CENTRE or not offices:
        return stage.actor("zhenghongbin")
    return stage.member(offices[0], Role.DISTRICT_REVIEWER)


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
