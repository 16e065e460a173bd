"""园区落地: laboratory stage → incubator, pilot stage → accelerator or industrial park."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.errors import Problem
from marketplace.foundation.words import Word


class ProjectStage(Word):
    """How far a project has come."""

    LABORATORY = "laboratory", "小试阶段"
    PILOT = "pilot", "中试阶段"
    PRODUCTION = "production", "产业化阶段"


class Carrier(Word):
    """What kind of place a project settles in."""

    INCUBATOR = "incubator", "孵化器"
    ACCELERATOR = "accelerator", "加速器"
    INDUSTRIAL_PARK = "industrial_park", "产业园"


# 济科发〔2020〕26号: 小试项目进孵化器, 中试项目进加速器与产业园.
SUITABLE: dict[ProjectStage, tuple[Carrier, ...]] = {
    ProjectStage.LABORATORY: (Carrier.INCUBATOR,),
    ProjectStage.PILOT: (Carrier.ACCELERATOR, Carrier.INDUSTRIAL_PARK),
    ProjectStage.PRODUCTION: (Carrier.INDUSTRIAL_PARK,),
}


def stage_of(trl: int | None) -> ProjectStage | None:
    """Return the stage that a technology readiness level stands for (GB/T 22900-2022)."""
    if trl is None:
        return None
    if trl <= 4:
        return ProjectStage.LABORATORY
    return ProjectStage.PILOT if trl <= 7 else ProjectStage.PRODUCTION


@dataclass(frozen=True)
class ParkDetails:
    """What the project needs of a place, and when its people would come to see it."""

    stage: ProjectStage
    carrier: Carrier
    area_m2: int
    team_size: int
    visit_on: date | None = None
    requirements: str = ""


def check(details: ParkDetails, *, today: date) -> list[Problem]:
    """List what cannot be: a place that does not fit the stage, no room, a visit in the past."""
    problems = []
    suitable = SUITABLE[details.stage]
    if details.carrier not in suitable:
        problems.append(
            Problem(
                "park.carrier",
                f"{details.stage.label}的项目适合进{'或'.join(c.label for c in suitable)}，"
                f"请改选，或先更新项目阶段",
                "carrier",
            )
        )
    if not 1 <= details.area_m2 <= 1_000_000:
        problems.append(Problem("park.area", "请写明需要的面积，1 平方米以上", "area_m2"))
    if not 1 <= details.team_size <= 10_000:
        problems.append(Problem("park.team", "请写明团队人数", "team_size"))
    if details.visit_on is not None and details.visit_on < today:
        problems.append(Problem("park.visit", "考察日期不能早于今天", "visit_on"))
    return problems


def facts(details: ParkDetails) -> list[tuple[str, str]]:
    """List the details for the page."""
    return [
        ("项目阶段", details.stage.label),
        ("载体", details.carrier.label),
        ("面积", f"{details.area_m2:,} 平方米"),
        ("团队", f"{details.team_size} 人"),
        ("希望考察", details.visit_on.isoformat() if details.visit_on else ""),
        ("其他要求", details.requirements),
    ]
