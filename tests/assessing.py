"""A builder of assessments for tests: an owner with an achievement, an assessor, an operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any

from sqlalchemy import select

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements import service as achievements
from marketplace.achievements.ip_rules import expected_check_digit
from marketplace.achievements.rules import (
    AchievementContent,
    Comparison,
    EvidenceClass,
    Inventor,
    IPKind,
    IPRight,
    LegalStatus,
    Owner,
)
from marketplace.assessments import handlers, service
from marketplace.assessments.library_rules import ExpertGrade
from marketplace.assessments.models import Seat
from marketplace.assessments.panel_rules import AchievementType, SheetAnswers
from marketplace.assessments.parameters import panel_terms_on
from marketplace.assessments.rules import Indicator, ValuationMethod
from marketplace.assessments.valuation_rules import (
    Conclusion,
    CostInput,
    CostItem,
    IncomeInput,
)
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import Outbox
from marketplace.foundation.trade import TechnologyField, TradingMode
from tests.world import World

FREE = Fen(0)
RIGHT = f"ZL201910371234.{expected_check_digit('201910371234')}"
POINTS = (70, 74, 76, 78, 82)


_TILT = {
    "originality": 4,
    "rigour": -4,
    "saving": 2,
    "market": -2,
    "wellbeing": 2,
    "standards": -3,
    "rights": 3,
    "conditions": -2,
    "demand": -2,
}


def answers(points: int = 75, kind: AchievementType = AchievementType.APPLIED) -> SheetAnswers:
    """Return a whole sheet with these points on every indicator but one, levels 7, 3 and 5.

    The lines differ within an indicator of the applied sheet, so that experts agree or do not.
    """
    terms = panel_terms_on(date(2024, 3, 15))
    levels = {"trl": 7, "innovation": 3, "advancement": 5}
    return SheetAnswers(
        {
            line.code: levels[line.scale] if line.scale else points + _TILT.get(line.code, 0)
            for line in terms.sheet(kind.value).lines()
        },
        {indicator: f"{indicator.label}：与检测报告核对后评分" for indicator in Indicator},
        "看过示范装置 8000 小时的运行记录",
    )


INCOME = IncomeInput(
    revenues_fen=(Fen(80_000_000_00), Fen(120_000_000_00), Fen(150_000_000_00)),
    share_low_ppm=10_000,
    share_high_ppm=15_000,
    discount_ppm=120_000,
)
COST = CostInput(
    items=(CostItem("研发人员", Fen(1_800_000_00)), CostItem("试验与检测", Fen(600_000_00))),
    profit_ppm=150_000,
    depreciation_low_ppm=50_000,
    depreciation_high_ppm=200_000,
)
CONCLUSION = Conclusion(
    low_fen=Fen(2_600_000_00),
    high_fen=Fen(3_800_000_00),
    base_on=date(2024, 2, 29),
    valid_until=date(2025, 2, 27),
    reasoning="收益法反映未来分成，成本法偏低，以收益法为主并适当下调，取此区间。",
)


def content(owner: str = "泉城理工大学", **changes: Any) -> AchievementContent:
    """Return a complete record, changed where a test wants it."""
    made = AchievementContent(
        title="低温脱硝催化剂：180 ℃ 去除率 92 %，烟气无需再加热",
        problem="焦化烟气温度低，常规催化剂要先把烟气加热到 300 ℃，能耗高，排放难达标。",
        solution="以二氧化钛为载体，铈锰复合氧化物为活性组分，经溶胶浸渍和分段焙烧，"
        "在低温下保持酸性位与氧化还原位的平衡；再以硫酸盐抑制层减缓二氧化硫中毒，成型为蜂窝体。"
        "示范装置上连续运行八千小时，压降稳定，可在线再生，适用于焦化、玻璃和水泥窑尾气的深度脱硝，"
        "也可替换现有中温催化剂模块而不改造反应器外壳。",
        benefit="省去烟气再加热，每万立方米烟气少用燃气 38 立方米，减排二氧化碳 75 千克",
        comparison=(
            Comparison("去除率", "92", "%", "钒钛催化剂", "61", EvidenceClass.THIRD_PARTY),
            Comparison("起活温度", "180", "℃", "钒钛催化剂", "300", EvidenceClass.THIRD_PARTY),
            Comparison("寿命", "24000", "小时", "钒钛催化剂", "24000", EvidenceClass.SELF),
        ),
        field=TechnologyField.ENVIRONMENT,
        industry_code="C2662",
        industry_name="专项化学用品制造",
        ipc=("B01J23/34",),
        trl=7,
        trl_evidence="在一家焦化厂 5 万立方米每小时示范装置上连续运行 8000 小时",
        ip_rights=(
            IPRight(
                IPKind.INVENTION,
                RIGHT,
                "一种低温脱硝催化剂",
                LegalStatus.GRANTED,
                date(2019, 5, 6),
                date(2039, 5, 6),
            ),
        ),
        owners=(Owner(owner, 10_000),),
        inventors=(Inventor("陈卓"), Inventor("李敏")),
        fiscal_funded=False,
        modes=(TradingMode.LICENCE_ORDINARY, TradingMode.EQUITY),
        price_fen=Fen(3_000_000_00),
        keywords=("脱硝", "催化剂"),
    )
    return replace(made, **changes)


class Bench:
    """Drives assessments through their services, as owner, assessor and operator."""

    def __init__(self, database: Database, world: World, now: datetime) -> None:
        self.database = database
        self.world = world
        self.now = now
        self.university = world.organisation(OrganisationKind.UNIVERSITY)
        self.officer = world.actor(Role.OFFICER, self.university, Role.LEADER)
        self.house = world.organisation(
            OrganisationKind.SERVICE_INSTITUTION,
            subkinds=(OrganisationSubkind.ASSESSOR,),
            name="明湖资产评估有限公司",
        )
        self.assessor = world.actor(Role.ASSESSOR, self.house, Role.PROVIDER)
        self.operator = world.actor(Role.OPERATOR)
        self.experts: list[Actor] = []
        self._outbox = Outbox(handlers.SUBSCRIPTIONS)

    def do(self, use_case: Callable[..., Any], actor: Any, **arguments: Any) -> Any:
        """Run one use case in one transaction at the bench's present moment."""
        with self.database.transaction() as session:
            return use_case(session, actor=actor, now=self.now, **arguments)

    def settle(self) -> None:
        """Deliver what happened."""
        while self._outbox.deliver_due(self.database, now=self.now):
            pass

    def achievement(self, **changes: Any) -> int:
        """Publish a complete achievement of the university."""
        made: int = self.do(
            achievements.create_draft,
            self.officer,
            content=content(self.university.name, **changes),
        )
        self.do(achievements.submit_for_review, self.officer, achievement_id=made)
        self.do(achievements.approve_review, self.officer, achievement_id=made)
        return made

    def requested(self, **changes: Any) -> int:
        """Ask for an assessment of a new achievement and return its id."""
        made: int = self.do(
            service.request,
            self.officer,
            achievement_id=self.achievement(**changes),
            purpose="拟普通许可给三家焦化企业，作协议定价参考",
        )
        return made

    def accepted(self, *, fee_fen: Fen = FREE) -> int:
        """Bring an assessment to the point at which the assessor works."""
        made = self.requested()
        self.do(
            service.assign,
            self.officer,
            assessment_id=made,
            assessor_organisation_id=self.house.id,
        )
        self.accept(made, fee_fen=fee_fen)
        return made

    def accept(self, assessment_id: int, *, fee_fen: Fen = FREE) -> None:
        """Let the assessor take the order."""
        self.do(
            service.accept,
            self.assessor,
            assessment_id=assessment_id,
            declared=True,
            statement="核对了股权、任职和近两年的业务往来，没有利益关系",
            expert_id=self.assessor.user_id,
            fee_fen=fee_fen,
            due_on=date(2024, 4, 12),
        )

    def expert(self, *fields: TechnologyField, name: str = "") -> Actor:
        """Enter a new expert of an institute of its own into the library."""
        made = self.world.actor(
            Role.EXPERT,
            self.world.organisation(OrganisationKind.RESEARCH_INSTITUTE),
            name=name,
        )
        self.do(
            service.enter_expert,
            self.operator,
            user_id=made.user_id,
            grade=ExpertGrade.FULL,
            fields=fields or (TechnologyField.ENVIRONMENT,),
            basis="职称证书 2019-0001",
        )
        return made

    def panel(self, assessment_id: int, size: int = 5) -> None:
        """Call a panel of new experts of the field, kept in ``experts``."""
        self.experts = [self.expert() for _ in range(size)]
        self.call(assessment_id, self.experts)

    def call(self, assessment_id: int, experts: Sequence[Actor]) -> None:
        """Call these experts."""
        self.do(
            service.call_panel,
            self.assessor,
            assessment_id=assessment_id,
            achievement_type=AchievementType.APPLIED,
            expert_ids=[one.user_id for one in experts],
        )

    def seat(self, assessment_id: int, expert: Actor) -> int:
        """Return the id of an expert's seat."""
        with self.database.reading() as session:
            found = session.scalar(
                select(Seat.id).where(
                    Seat.assessment_id == assessment_id, Seat.expert_id == expert.user_id
                )
            )
        assert found is not None
        return found

    def declare(self, assessment_id: int, expert: Actor) -> int:
        """Let an expert declare that nothing ties him, and return the seat."""
        seat_id = self.seat(assessment_id, expert)
        self.do(
            service.declare,
            expert,
            seat_id=seat_id,
            declared=True,
            statement="与权利人、发明人没有任职、合作和股权关系",
        )
        return seat_id

    def score(self, assessment_id: int, points: Sequence[int] = POINTS) -> None:
        """Call a panel and let every expert hand in a sheet."""
        self.panel(assessment_id, len(points))
        for expert, given in zip(self.experts, points, strict=True):
            seat_id = self.declare(assessment_id, expert)
            self.do(service.hand_in, expert, seat_id=seat_id, answers=answers(given))

    def worked(self, *, fee_fen: Fen = FREE, points: Sequence[int] = POINTS) -> int:
        """Bring an assessment to the point at which its report can be issued."""
        made = self.accepted(fee_fen=fee_fen)
        self.score(made, points)
        self.do(
            service.value,
            self.assessor,
            assessment_id=made,
            version=None,
            inputs={ValuationMethod.INCOME: INCOME, ValuationMethod.COST: COST},
            conclusion=CONCLUSION,
        )
        return made

    def filed(self) -> int:
        """Bring an assessment to its end, the report on file."""
        made = self.worked()
        self.do(service.issue, self.assessor, assessment_id=made)
        self.do(service.file, self.operator, assessment_id=made)
        return made
