"""Assessments, integrity records, orders and meetings."""

from __future__ import annotations

from marketplace.assessments import service as assessments
from marketplace.assessments.rules import ValuationMethod
from marketplace.assessments.valuation_rules import (
    Comparable,
    Conclusion,
    CostInput,
    CostItem,
    IncomeInput,
    MarketInput,
    MethodInput,
)
from marketplace.foundation.access import Role
from marketplace.foundation.money import Fen
from marketplace.foundation.workdays import add_workdays
from marketplace.integrity import repair_service as repair
from marketplace.integrity import service as integrity
from marketplace.integrity.rules import DishonestyGround
from seed.demo import panels_story
from seed.demo.content import Achievement, Assessment, Record
from seed.demo.listings_story import pay
from seed.demo.stage import Stage, Story, yuan

_DESK = "youxueqin"


def integrity_record(stage: Stage, record: Record) -> Story:
    """Put an organisation on the integrity register."""
    yield stage.at(record.recorded_on, record.organisation)
    record_id = integrity.record(
        stage.session,
        actor=stage.actor("luoshengnan"),
        now=stage.now,
        organisation_id=stage.organisations[record.organisation],
        ground=DishonestyGround(record.ground),
        reason=record.reason,
        document=record.document,
        starts_on=record.starts_on,
        ends_on=record.ends_on,
    )
    if record.revoked_on is not None:
        yield stage.at(record.revoked_on, record.organisation)
        integrity.revoke(
            stage.session,
            actor=stage.actor("luoshengnan"),
            now=stage.now,
            record_id=record_id,
            reason=record.revoked_reason,
        )
    if record.repair_on is not None:
        yield stage.at(record.repair_on, record.organisation)
        repair_id = repair.apply(
            stage.session,
            actor=stage.member(record.organisation, Role.ENTERPRISE, Role.AGENCY_HEAD),
            now=stage.now,
            record_id=record_id,
            deeds=record.deeds,
        )
        if record.repair_answer:
            yield stage.after(6, record.organisation)
            repair.decide(
                stage.session,
                actor=stage.actor("luoshengnan"),
                now=stage.now,
                repair_id=repair_id,
                granted=True,
                opinion=record.repair_answer,
            )


def assessment(stage: Stage, record: Assessment) -> Story:
    """Bring one assessment as far as the content says."""
    achievement = next(a for a in stage.content.achievements if a.key == record.achievement)
    owner = achievement.owners[0].org
    yield stage.at(record.requested_on, record.key)
    assessment_id = assessments.request(
        stage.session,
        actor=stage.seller(owner),
        now=stage.now,
        achievement_id=stage.achievements[record.achievement],
        purpose="为挂牌交易确定底价，并作为单位集体决策的依据",
    )
    if record.outcome == "pre_assessed":
        return
    assert record.assessor is not None
    yield stage.after(1, record.key)
    assessments.assign(
        stage.session,
        actor=stage.seller(owner),
        now=stage.now,
        assessment_id=assessment_id,
        assessor_organisation_id=stage.organisations[record.assessor],
    )
    if record.outcome == "assigned":
        return
    yield stage.after(1, record.key)
    assessor = stage.member(record.assessor, Role.ASSESSOR)
    if record.outcome == "declined":
        assessments.decline(
            stage.session,
            actor=assessor,
            now=stage.now,
            assessment_id=assessment_id,
            reason=record.comment,
        )
        return
    assert assessor.user_id is not None
    assessments.accept(
        stage.session,
        actor=assessor,
        now=stage.now,
        assessment_id=assessment_id,
        declared=True,
        statement="本机构及承办评估师与委托方、权利人、发明人无投资、任职或亲属关系",
        expert_id=assessor.user_id,
        fee_fen=yuan(record.fee_yuan),
        due_on=add_workdays(stage.today, 15),
    )
    if record.outcome == "accepted":
        return
    yield from pay(stage, f"assessment:{assessment_id}", record.key, payer=owner)
    yield from _work(stage, record, achievement, assessment_id)


def _work(stage: Stage, record: Assessment, achievement: Achievement, assessment_id: int) -> Story:
    assert record.assessor is not None
    yield stage.after(2, record.key)
    assessor = stage.member(record.assessor, Role.ASSESSOR)
    if record.outcome == "rejected":
        assessments.reject(
            stage.session,
            actor=assessor,
            now=stage.now,
            assessment_id=assessment_id,
            reason=record.comment,
        )
        return
    sheets = 3 if record.outcome == "scoring" else 5
    yield from panels_story.panel(stage, record.assessor, achievement, assessment_id, sheets=sheets)
    if record.outcome == "scoring":
        return
    yield stage.after(2, record.key)
    _value(stage, record, assessment_id)
    panels_story.explain(stage, record.assessor, assessment_id)
    assessments.issue(stage.session, actor=assessor, now=stage.now, assessment_id=assessment_id)
    if record.outcome == "reported":
        return
    yield stage.after(1, record.key)
    assessments.file(
        stage.session,
        actor=stage.actor(_DESK),
        now=stage.now,
        assessment_id=assessment_id,
    )


def _value(stage: Stage, record: Assessment, assessment_id: int) -> None:
    assert record.assessor is not None
    assert record.range_yuan is not None
    assert record.base_on is not None
    low, high = (yuan(amount) for amount in record.range_yuan)
    assessments.value(
        stage.session,
        actor=stage.member(record.assessor, Role.ASSESSOR),
        now=stage.now,
        assessment_id=assessment_id,
        version=None,
        inputs={ValuationMethod(record.method): _inputs(record.method, low, high)},
        conclusion=Conclusion(
            low_fen=low,
            high_fen=high,
            base_on=record.base_on,
            valid_until=record.base_on.replace(year=record.base_on.year + 1, day=28),
            reasoning=f"{record.comment}综合考虑实施风险，取区间两端作为参考。",
        ),
    )


def _inputs(method: str, low: Fen, high: Fen) -> MethodInput:
    """Choose figures whose range holds the conclusion: a little wider on both sides."""
    if method == "market":
        return MarketInput(
            (
                Comparable("同类专利转让，规模较小", Fen(low * 8 // 10), 1_180_000),
                Comparable("同领域许可，修正地域", Fen((low + high) // 2), 1_000_000),
                Comparable("近一年成交，修正成熟度", Fen(high * 11 // 10), 960_000),
            )
        )
    if method == "cost":
        return CostInput(
            (
                CostItem("研发人员与试制", Fen(high * 6 // 10)),
                CostItem("中试与检测", Fen(high * 3 // 10)),
                CostItem("专利申请与维护", Fen(high // 10)),
            ),
            profit_ppm=150_000,
            depreciation_low_ppm=60_000,
            depreciation_high_ppm=340_000,
        )
    # Five level years; the shares bracket the range at a discount of 14 %.
    yearly = Fen(high * 3)
    return IncomeInput(
        revenues_fen=(yearly,) * 5,
        share_low_ppm=int(low / (yearly * 3.4331) * 1_000_000 * 0.97),
        share_high_ppm=int(high / (yearly * 3.4331) * 1_000_000 * 1.03),
        discount_ppm=140_000,
    )
