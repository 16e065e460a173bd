"""The forms of needs: what people type, and the typed content it becomes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED, MOST_KEPT, FileVisibility
from marketplace.foundation.classifications import industry_name
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.needs.rules import TEXT_MAX, TITLE_MAX, Indicator, NeedContent

_SENTENCE_END = re.compile(r"[。！？!?；;\n]+")
_MARKS = re.compile(r"[、，,；;\r\n]+")
_SPACES = re.compile(r"\s+")


def split_words(text: str) -> tuple[str, ...]:
    """Split what was typed at commas, 顿号 and semicolons; each word once, in order.

    Spaces part words only where none of these marks stands: SiC MOSFET is one term.
    """
    pieces = _MARKS.split(text) if _MARKS.search(text) else _SPACES.split(text)
    return tuple(dict.fromkeys(word for piece in pieces if (word := " ".join(piece.split()))))


def join_words(words: Sequence[str]) -> str:
    """Write words so that splitting returns them."""
    joined = "、".join(words)
    return f"{joined}、" if len(words) == 1 and " " in joined else joined


class IndicatorFields(web.RowForm):
    """One target indicator."""

    name = web.TextField("指标", longest=100)
    present = web.TextField("现在", longest=60)
    target = web.TextField("要达到", longest=60)
    unit = web.TextField("单位", longest=30)


class NeedForm(web.Form):
    """The whole form of a need; nothing is required to keep a draft."""

    title = web.TextField("标题", longest=TITLE_MAX, hint="一行写清要解决什么、要到什么程度")
    problem = web.LongTextField(
        "要解决的问题",
        longest=TEXT_MAX,
        rows=6,
        hint="用车间里的话写就行：什么现象、什么条件下、损失多大；公司介绍不用写",
    )
    present_solution = web.LongTextField(
        "现有办法与不足", longest=TEXT_MAX, hint="试过什么，为什么不够好"
    )
    indicators = web.RowsField("目标指标", IndicatorFields, spare=2, hint="写数字和单位")
    field = web.ChoiceField("技术领域", TechnologyField)
    industry_code = web.TextField(
        "所属行业代码",
        longest=5,
        hint="GB/T 4754，一个字母加 2 到 4 位数字，如 C3392",
        render_kw={"list": "industries"},
    )
    industry_name = web.TextField("所属行业名称", longest=60)
    region_code = web.TextField("地区代码", longest=6, hint="GB/T 2260，6 位；留空取单位所在地")
    modes = web.ChoicesField("合作方式", TradingMode)
    budget_min = web.YuanField("预算下限")
    budget_max = web.YuanField("预算上限")
    budget_negotiable = web.FlagField("预算面议")
    deadline = web.DateField("征集截止日期", hint="过了这一天自动停止征集")
    expert_terms = web.TextField(
        "专业词", longest=300, hint="专家会怎样叫它，用顿号或空格隔开；检索和匹配时一并使用"
    )
    challenge = web.FlagField("揭榜挂帅", hint="公布榜额，向社会公开征集解决方案")
    anonymous = web.FlagField("匿名发布", hint="公开页面不显示单位名称，只有您愿意洽谈的对方看得到")
    confidential = web.LongTextField(
        "保密内容", longest=TEXT_MAX, hint="只给您愿意洽谈的对方看；检索和摘要里都不会出现"
    )

    def to_content(self) -> NeedContent:
        """Return what was typed as content."""
        code = (self.industry_code.data or "").upper()
        return NeedContent(
            title=self.title.data or "",
            problem=self.problem.data or "",
            present_solution=self.present_solution.data or "",
            indicators=tuple(Indicator(**row) for row in self.indicators.filled()),
            budget_min_fen=self.budget_min.data,
            budget_max_fen=self.budget_max.data,
            budget_negotiable=bool(self.budget_negotiable.data),
            deadline=self.deadline.data,
            modes=tuple(self.modes.data or ()),
            field=self.field.data,
            industry_code=code,
            industry_name=self.industry_name.data or industry_name(code),
            region_code=self.region_code.data or "",
            anonymous=bool(self.anonymous.data),
            challenge=bool(self.challenge.data),
            expert_terms=split_words(self.expert_terms.data or ""),
            confidential=self.confidential.data or "",
        )


def stored(content: NeedContent, *, version: int) -> dict[str, Any]:
    """Return stored content as the form's values."""
    return {
        "version": version,
        "title": content.title,
        "problem": content.problem,
        "present_solution": content.present_solution,
        "indicators": [vars(line) for line in content.indicators],
        "field": content.field,
        "industry_code": content.industry_code,
        "industry_name": content.industry_name,
        "region_code": content.region_code,
        "modes": list(content.modes),
        "budget_min": content.budget_min_fen,
        "budget_max": content.budget_max_fen,
        "budget_negotiable": content.budget_negotiable,
        "deadline": content.deadline,
        "expert_terms": join_words(content.expert_terms),
        "challenge": content.challenge,
        "anonymous": content.anonymous,
        "confidential": content.confidential,
    }


class NeedStartForm(web.Form):
    """The first lines of a new need; a text that was searched for stands in them already."""

    title = web.TextField("标题", longest=TITLE_MAX, hint="一行写清要解决什么、要到什么程度")
    problem = web.LongTextField(
        "要解决的问题", longest=TEXT_MAX, rows=5, hint="可以先空着，下一页再写"
    )


def begun(text: str) -> dict[str, str]:
    """Return a text as the first lines of a need: what fits is the title, a longer one the problem.

    The title of a long text is its first sentence or, where that is long too, its beginning.
    """
    whole = text.strip()
    if len(whole) <= TITLE_MAX:
        return {"title": whole, "problem": ""}
    first = _SENTENCE_END.split(whole, maxsplit=1)[0]
    return {"title": first if len(first) <= TITLE_MAX else whole[:TITLE_MAX], "problem": whole}


class FilesForm(web.Form):
    """Files to attach, with the layer from which on they open."""

    attachments = web.FilesField(
        "选择文件",
        required=True,
        hint=f"{ACCEPTED}，每个不超过 15 MB，一共最多 {MOST_KEPT} 个",
    )
    visibility = web.ChoiceField(
        "谁能打开",
        [
            (FileVisibility.PUBLIC.value, "所有人"),
            (FileVisibility.AGREEMENT.value, "我愿意洽谈的对方"),
            (FileVisibility.OWNER.value, "只有本单位"),
        ],
        empty="所有人",
    )


class ReasonForm(web.Form):
    """A reason that somebody else will read."""

    reason = web.LongTextField("原因", longest=1000, required=True, rows=4)


class AnswerForm(web.Form):
    """我能解决: what the answering organisation proposes."""

    text = web.LongTextField(
        "怎么解决", longest=3000, rows=6, hint="用什么办法、做到什么程度、要多久；联系方式不用写"
    )
    achievement_id = web.ChoiceField("依据本单位哪项成果", [], empty="不指定")

    def offer(self, achievements: Sequence[tuple[int, str]]) -> None:
        """Offer the organisation's published achievements to choose from."""
        self.achievement_id.offer(
            [
                ("", "不指定"),
                *((str(number), title) for number, title in achievements),
            ]
        )
