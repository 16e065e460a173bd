"""The words of the import, its limits, and how a file's columns are recognised. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.words import Word

MAX_ROWS = 10_000
MAX_COLUMNS = 100
MAX_CELL = 20_000


class ImportKind(Word):
    """What a file holds."""

    ACHIEVEMENTS = "achievements", "科技成果"
    NEEDS = "needs", "技术需求"


class ImportState(Word):
    """Where an import stands."""

    UPLOADED = "uploaded", "待确认", "neutral"
    QUEUED = "queued", "排队中", "run"
    CHECKING = "checking", "逐行检查中", "run"
    WRITING = "writing", "写入中", "run"
    INDEXING = "indexing", "编入检索中", "run"
    DONE = "done", "已完成", "ok"
    FAILED = "failed", "没有完成", "danger"
    CANCELLED = "cancelled", "已取消", "neutral"


# Until its records are written nothing of a file is in.
UNWRITTEN = frozenset({ImportState.QUEUED, ImportState.CHECKING, ImportState.WRITING})
RUNNING = UNWRITTEN | {ImportState.INDEXING}
# What can still be given up, and what can still be read otherwise.
CANCELLABLE = frozenset({ImportState.UPLOADED, ImportState.QUEUED, ImportState.CHECKING})
CHANGEABLE = frozenset({ImportState.UPLOADED})
# A search engine that is away keeps no import open for longer than this.
INDEXING_LIMIT = timedelta(minutes=2)


class RowFate(Word):
    """What became of a row."""

    IMPORTED = "imported", "已登记", "ok"
    INCOMPLETE = "incomplete", "已登记，需要补充", "warn"
    EXISTING = "existing", "已存在，没有改动", "neutral"
    REFUSED = "refused", "没有登记", "danger"


TAKEN = frozenset({RowFate.IMPORTED, RowFate.INCOMPLETE})

_IMPORTERS = frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.ENTERPRISE, Role.OPERATOR})
IMPORT = Permission("exchange.import", _IMPORTERS)
ACHIEVEMENT_IMPORTERS = frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.OPERATOR})


def kinds_for(roles: frozenset[Role]) -> tuple[ImportKind, ...]:
    """Return what a member with these roles may import."""
    if roles & ACHIEVEMENT_IMPORTERS:
        return (ImportKind.ACHIEVEMENTS, ImportKind.NEEDS)
    return (ImportKind.NEEDS,) if roles & _IMPORTERS else ()


def check_state(state: ImportState, allowed: frozenset[ImportState], what: str) -> None:
    """Refuse an act that the import's state does not allow."""
    if state not in allowed:
        raise Conflict(
            "exchange.state", f"这次导入现在是“{state.label}”，不能{what}；请刷新页面看最新状态"
        )


@dataclass(frozen=True)
class Column:
    """One thing a row can say: its label, the headers it is known by, whether it must be there."""

    key: str
    label: str
    aliases: tuple[str, ...]
    required: bool = False


_ACHIEVEMENT_COLUMNS = (
    Column(
        "title",
        "名称",
        (
            "成果名称",
            "专利名称",
            "发明名称",
            "名称",
            "题名",
            "标题",
            "项目名称",
            "成果题目",
            "title",
        ),
        required=True,
    ),
    Column(
        "solution",
        "简介（做法）",
        (
            "成果简介",
            "简介",
            "摘要",
            "技术简介",
            "成果介绍",
            "内容简介",
            "做法",
            "技术方案",
            "abstract",
        ),
    ),
    Column("problem", "要解决的问题", ("解决的问题", "要解决的问题", "技术问题", "背景")),
    Column("benefit", "好处", ("好处", "效益", "应用前景", "应用效果", "经济效益", "有益效果")),
    Column(
        "number",
        "申请号或专利号",
        (
            "申请号",
            "专利号",
            "专利申请号",
            "申请(专利)号",
            "专利(申请)号",
            "登记号",
            "号码",
            "知识产权号",
        ),
    ),
    Column("kind", "知识产权类型", ("专利类型", "知识产权类型", "类型", "专利类别")),
    Column("filed_on", "申请日", ("申请日", "申请日期")),
    Column("filed_year", "申请年", ("申请年", "申请年份")),
    Column("expires_on", "到期日", ("到期日", "失效日期", "届满日")),
    Column("legal_status", "法律状态", ("法律状态", "专利状态", "当前法律状态", "有效性")),
    Column(
        "owners",
        "权利人",
        (
            "申请(专利权)人",
            "申请人",
            "专利权人",
            "权利人",
            "当前权利人",
            "完成单位",
            "第一完成单位",
            "成果完成单位",
        ),
    ),
    Column(
        "inventors",
        "发明人",
        ("发明人", "完成人", "发明(设计)人", "设计人", "主要完成人", "成果完成人"),
    ),
    Column("ipc_main", "主分类号", ("主分类号", "ipc主分类号", "主ipc")),
    Column("ipc", "IPC 分类号", ("分类号", "ipc分类号", "ipc", "国际分类号")),
    Column("discipline", "学科", ("学科", "学科分类", "一级学科", "所属学科")),
    Column("category", "门类", ("门类", "学科门类")),
    Column("keywords", "关键词", ("关键词", "关键字", "主题词")),
    Column("field", "技术领域", ("技术领域", "领域", "所属领域")),
    Column("industry_code", "行业代码", ("行业代码", "国民经济行业代码", "应用行业代码")),
    Column("trl", "成熟度", ("成熟度", "技术成熟度", "trl")),
    Column("modes", "转化方式", ("转化方式", "合作方式", "转让方式", "拟转化方式")),
    Column("price", "期望价格", ("期望价格", "价格", "转让价", "意向价格", "转让费")),
    Column("region", "国省代码", ("国省代码", "国省", "省份", "地区")),
)

_NEED_COLUMNS = (
    Column(
        "problem",
        "需求描述",
        (
            "需求描述",
            "需求内容",
            "技术需求",
            "技术需求描述",
            "描述",
            "需求",
            "难题描述",
            "需求简介",
            "要解决的问题",
        ),
        required=True,
    ),
    Column("title", "标题", ("需求名称", "标题", "名称", "需求标题", "难题名称")),
    Column("present_solution", "现有办法与不足", ("现有办法", "现有技术", "现状", "现有方案")),
    Column("discipline", "学科", ("学科", "学科分类", "所属学科")),
    Column("field", "技术领域", ("技术领域", "领域", "所属领域")),
    Column("industry_code", "行业代码", ("行业代码", "国民经济行业代码")),
    Column("region_code", "地区代码", ("地区代码", "行政区划代码")),
    Column("modes", "合作方式", ("合作方式", "拟合作方式")),
    Column(
        "budget", "预算上限", ("预算", "投入资金", "投资预算", "预算上限", "拟投入资金", "榜额")
    ),
    Column("deadline", "截止日期", ("截止日期", "截止时间", "征集截止日期", "期限")),
    Column("expert_terms", "关键词", ("关键词", "关键字", "专业词")),
)

COLUMNS: dict[ImportKind, tuple[Column, ...]] = {
    ImportKind.ACHIEVEMENTS: _ACHIEVEMENT_COLUMNS,
    ImportKind.NEEDS: _NEED_COLUMNS,
}
# Columns that every export carries and that say nothing here.
IGNORED = frozenset({"序号", "编号", "no", "no.", "id", "行号"})

_UNIT = re.compile(r"\((?:单位[::])?(万元|元|亿元)\)")


def normal_header(text: str) -> str:
    """Reduce a header to what it is recognised by: half-width, lower case, no space or unit."""
    plain = re.sub(r"\s+", "", unicodedata.normalize("NFKC", text)).lower().strip("*:")
    return _UNIT.sub("", plain)


def unit_of(header: str) -> str:
    """Return the unit of money that a header names, 元 where it names none."""
    match = _UNIT.search(re.sub(r"\s+", "", unicodedata.normalize("NFKC", header)))
    return match.group(1) if match else "元"


def recognise(kind: ImportKind, header: Sequence[str]) -> dict[str, int]:
    """Find which column of a file says what: column key → position, the first match wins.

    A key's aliases count in their order: a file with both 申请人 and 完成单位 uses the first.
    """
    positions: dict[str, int] = {}
    for position, text in enumerate(header):
        positions.setdefault(normal_header(text), position)
    found: dict[str, int] = {}
    used: set[int] = set()
    for column in COLUMNS[kind]:
        for alias in column.aliases:
            at = positions.get(normal_header(alias))
            if at is not None and at not in used:
                found[column.key] = at
                used.add(at)
                break
    return found


def check_mapping(kind: ImportKind, header: Sequence[str], mapping: Mapping[str, int]) -> None:
    """Refuse a mapping that lacks a required column or points outside the file."""
    known = {column.key for column in COLUMNS[kind]}
    if any(key not in known or not 0 <= at < len(header) for key, at in mapping.items()):
        raise RuleBroken("exchange.mapping", "列的对应关系无效，请重新选择", "mapping")
    positions = list(mapping.values())
    if len(set(positions)) != len(positions):
        raise RuleBroken(
            "exchange.mapping_twice", "有一列被用了两次，请让每一列只对应一项", "mapping"
        )
    lacking = [c for c in COLUMNS[kind] if c.required and c.key not in mapping]
    if lacking:
        seen = "、".join(text or "（空）" for text in header[:12])
        raise RuleBroken(
            "exchange.missing_column",
            "；".join(
                f"没有找到“{column.label}”一列（可用的列名：{'、'.join(column.aliases[:6])}）"
                for column in lacking
            )
            + f"。文件里的列是：{seen}。请把列名改成其中一个再上传",
            "file",
        )
