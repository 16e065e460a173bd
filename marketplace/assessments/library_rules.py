"""The library of assessors: fields, grades, load and the quality of past work, from the records."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.errors import Problem, raise_if_any
from marketplace.foundation.trade import TechnologyField
from marketplace.foundation.words import Word


class HouseGrade(Word):
    """What an assessment house is licensed or filed as."""

    SECURITIES = "securities", "从事证券服务业务备案"
    FILED = "filed", "财政部门备案"
    TECHNOLOGY = "technology", "科技成果评价机构"


class ExpertGrade(Word):
    """An expert's professional title."""

    FULL = "full", "正高级"
    ASSOCIATE = "associate", "副高级"
    MIDDLE = "middle", "中级"


class TieKind(Word):
    """What ties two organisations together."""

    OWNERSHIP = "ownership", "股权关系"
    DEAL = "deal", "技术交易"


@dataclass(frozen=True)
class HouseRecord:
    """How a house has worked: reports on file and refused, in time and late, orders in hand."""

    filed_count: int = 0
    refused_count: int = 0
    late_count: int = 0
    open_count: int = 0

    @property
    def ended_count(self) -> int:
        """Count the reports that were checked."""
        return self.filed_count + self.refused_count

    @property
    def passed_text(self) -> str:
        """Say how many of the reports that were checked went on file."""
        return _share_text(self.filed_count, self.ended_count)

    @property
    def in_time_text(self) -> str:
        """Say how many of the reports came by the agreed day."""
        return _share_text(self.ended_count - self.late_count, self.ended_count)


@dataclass(frozen=True)
class ExpertRecord:
    """How an expert has scored: sheets handed in, seats open, distance from the panels."""

    submitted_count: int = 0
    open_count: int = 0
    distance_sum: int = 0
    distance_count: int = 0

    @property
    def distance_text(self) -> str:
        """Say how far the expert's points lie from the panel's median on average."""
        if self.distance_count == 0:
            return "还没有记录"
        tenths = (20 * self.distance_sum + self.distance_count) // (2 * self.distance_count)
        return f"{tenths // 10}.{tenths % 10} 分"


def _share_text(part: int, whole: int) -> str:
    if whole == 0:
        return "还没有记录"
    return f"{(200 * part + whole) // (2 * whole)} %（{part} / {whole}）"


def check_entry(fields: tuple[TechnologyField, ...], basis: str) -> None:
    """Refuse an entry without a field, or without the paper that its grade rests on."""
    problems = []
    if not fields:
        problems.append(
            Problem("assessments.no_fields", "请至少选择一个技术领域，委托时按领域推荐", "fields")
        )
    if len(basis.strip()) < 4:
        problems.append(
            Problem("assessments.no_basis", "请写明等级的依据，如备案文号或职称证书号", "basis")
        )
    raise_if_any(problems)


def check_tie(first_id: int, second_id: int, since: date, until: date | None, source: str) -> None:
    """Refuse a tie of an organisation with itself, with its days reversed, or without a source."""
    problems = []
    if first_id == second_id:
        problems.append(Problem("assessments.tie_self", "请选择两家不同的单位", "second"))
    if until is not None and until < since:
        problems.append(Problem("assessments.tie_days", "结束日不能早于开始日", "until"))
    if len(source.strip()) < 4:
        problems.append(
            Problem("assessments.tie_source", "请写明依据，如工商登记的股东信息", "source")
        )
    raise_if_any(problems)
