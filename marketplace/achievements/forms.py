"""The forms of achievements: what people type, and the typed content it becomes."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from marketplace.achievements.completeness_rules import (
    TEXT_MAX,
    TITLE_MAX,
    normal_ipc,
)
from marketplace.achievements.rules import (
    DEFAULT_VISIBILITY,
    REVIEW_ROLES,
    STEP_LABELS,
    TRL_MEANING,
    AchievementContent,
    Comparison,
    EvidenceClass,
    FieldGroup,
    Inventor,
    IPKind,
    IPRight,
    LegalStatus,
    Owner,
    ReviewStep,
    Visibility,
)
from marketplace.foundation import web
from marketplace.foundation.attachments import ACCEPTED, MOST_KEPT, FileVisibility
from marketplace.foundation.classifications import industry_name
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField, TradingMode

_SEPARATORS = re.compile(r"[、，,；;\s]+")
_YES_NO = [("yes", "是"), ("no", "否")]
_TRL = [(str(level), f"{level} 级，{meaning}") for level, meaning in TRL_MEANING.items()]

# The groups whose layer the owner chooses; the confidential part is always behind an agreement.
CHOSEN_GROUPS = tuple(group for group in FieldGroup if group is not FieldGroup.CONFIDENTIAL)


def split_words(text: str) -> tuple[str, ...]:
    """Split what was typed at commas, 顿号, semicolons and spaces; each word once, in order."""
    return tuple(dict.fromkeys(word for word in _SEPARATORS.split(text) if word))


def split_ipc(text: str) -> tuple[str, ...]:
    """Split IPC symbols; a space inside a symbol (B23Q 11/00) does not part it."""
    joined = re.sub(r"(?<=[A-Ha-h]\d\d[A-Za-z])\s+(?=\d)", "", text)
    return tuple(dict.fromkeys(normal_ipc(code) for code in split_words(joined)))


class ComparisonFields(web.RowForm):
    """One line of the comparison."""

    indicator = web.TextField("指标", longest=100)
    value = web.TextField("本成果", longest=60)
    unit = web.TextField("单位", longest=30)
    alternative = web.TextField("最优替代方案", longest=100)
    alternative_value = web.TextField("替代方案的值", longest=60)
    evidence = web.ChoiceField("证据", EvidenceClass)


class IPRightFields(web.RowForm):
    """One IP right."""

    kind = web.ChoiceField("类型", IPKind)
    title = web.TextField("名称", longest=200)
    number = web.TextField("号码", longest=60, placeholder="ZL2019…")
    legal_status = web.ChoiceField("法律状态", LegalStatus, empty="待核实")
    filed_on = web.DateField("申请日")
    expires_on = web.DateField("到期日")
    open_licensed = web.FlagField("已声明开放许可")


class OwnerFields(web.RowForm):
    """One owner."""

    name = web.TextField("权利人（单位或个人全称）", longest=100)
    share = web.PercentField("份额")


class InventorFields(web.RowForm):
    """One inventor."""

    name = web.TextField("姓名", longest=50)


class AchievementForm(web.Form):
    """The whole form of an achievement; nothing is required to keep a draft."""

    title = web.TextField(
        "名称", longest=TITLE_MAX, hint="一行写出它是什么、好在哪里，最好带一个数字"
    )
    field = web.ChoiceField("技术领域", TechnologyField)
    industry_code = web.TextField(
        "应用行业代码",
        longest=5,
        hint="GB/T 4754，一个字母加 2 到 4 位数字，如 C3421",
        render_kw={"list": "industries"},
    )
    industry_name = web.TextField("应用行业名称", longest=60)
    discipline = web.TextField("学科", longest=60, hint="可不填，如 材料科学与工程")
    ipc = web.TextField(
        "IPC 分类号", longest=400, hint="多个用顿号或分号隔开，如 B23Q11/00、G05B19/404"
    )
    keywords = web.TextField("关键词", longest=300, hint="用户会用来找它的词，用顿号或空格隔开")

    problem = web.LongTextField("要解决的问题", longest=TEXT_MAX, hint="现状怎样，代价多大")
    solution = web.LongTextField(
        "做法", longest=TEXT_MAX, hint="用了什么办法，与别人有什么不同；不想公开的细节写进保密内容"
    )
    benefit = web.LongTextField(
        "好处", longest=TEXT_MAX, rows=3, hint="用户得到什么；“先进”“领先”之类的词请换成数字"
    )
    comparison = web.RowsField(
        "与最优替代方案比较",
        ComparisonFields,
        spare=2,
        hint="不及替代方案的指标也写上，买方会因此更相信其余的数",
    )

    trl = web.ChoiceField("成熟度", _TRL)
    trl_evidence = web.LongTextField(
        "成熟度证据", longest=TEXT_MAX, rows=3, hint="在哪里、什么设备上、运行了多久"
    )

    ip_rights = web.RowsField(
        "知识产权", IPRightFields, hint="没有专利的，类型选“技术秘密”，号码留空"
    )
    owners = web.RowsField("权利人与份额", OwnerFields, hint="份额合计应正好是 100 %")
    inventors = web.RowsField(
        "发明人（完成人）", InventorFields, hint="与本单位成员同名的，会在平台上收到这项成果的进展"
    )
    fiscal_funded = web.ChoiceField("是否由财政资金资助", _YES_NO, radio=True)
    fiscal_source = web.TextField("资助计划", longest=100, hint="如 市重点研发计划 2019")

    modes = web.ChoicesField("愿意采用的转化方式", TradingMode)
    price = web.YuanField("期望价格")
    negotiable = web.FlagField("面议")

    visibility_solution = web.ChoiceField("做法", Visibility, empty="所有人")
    visibility_comparison = web.ChoiceField("对比数据", Visibility, empty="所有人")
    visibility_maturity = web.ChoiceField("成熟度证据", Visibility, empty="所有人")
    visibility_ip_rights = web.ChoiceField("知识产权明细", Visibility, empty="所有人")
    visibility_inventors = web.ChoiceField("发明人", Visibility, empty="所有人")
    visibility_price = web.ChoiceField("期望价格", Visibility, empty="所有人")
    confidential = web.LongTextField(
        "保密内容", longest=TEXT_MAX, hint="只给签过保密协议的单位看；检索、摘要和推荐里都不会出现"
    )

    def to_content(self) -> AchievementContent:
        """Return what was typed as content."""
        return AchievementContent(
            title=self.title.data or "",
            problem=self.problem.data or "",
            solution=self.solution.data or "",
            benefit=self.benefit.data or "",
            comparison=tuple(Comparison(**row) for row in self.comparison.filled()),
            field=self.field.data,
            industry_code=(self.industry_code.data or "").upper(),
            industry_name=self.industry_name.data
            or industry_name((self.industry_code.data or "").upper()),
            discipline=self.discipline.data or "",
            ipc=split_ipc(self.ipc.data or ""),
            trl=int(self.trl.data) if self.trl.data else None,
            trl_evidence=self.trl_evidence.data or "",
            ip_rights=tuple(
                IPRight(**{**row, "legal_status": row["legal_status"] or LegalStatus.UNKNOWN})
                for row in self.ip_rights.filled()
            ),
            owners=tuple(Owner(row["name"], _share(row["share"])) for row in self.owners.filled()),
            inventors=tuple(Inventor(row["name"]) for row in self.inventors.filled()),
            fiscal_funded={"yes": True, "no": False}.get(self.fiscal_funded.data or ""),
            fiscal_source=self.fiscal_source.data or "",
            modes=tuple(self.modes.data or ()),
            negotiable=bool(self.negotiable.data),
            price_fen=self.price.data,
            visibility={
                group: self[f"visibility_{group.value}"].data or DEFAULT_VISIBILITY[group]
                for group in CHOSEN_GROUPS
            },
            keywords=split_words(self.keywords.data or ""),
            confidential=self.confidential.data or "",
        )


def _share(percent: Decimal | None) -> int | None:
    return None if percent is None else round(percent * 100)


def stored(content: AchievementContent, *, version: int) -> dict[str, Any]:
    """Return stored content as the form's values."""
    layers = content.visibility or {}
    return {
        "version": version,
        "title": content.title,
        "problem": content.problem,
        "solution": content.solution,
        "benefit": content.benefit,
        "comparison": [vars(line) for line in content.comparison],
        "field": content.field,
        "industry_code": content.industry_code,
        "industry_name": content.industry_name,
        "discipline": content.discipline,
        "ipc": "、".join(content.ipc),
        "trl": None if content.trl is None else str(content.trl),
        "trl_evidence": content.trl_evidence,
        "ip_rights": [vars(right) for right in content.ip_rights],
        "owners": [
            {
                "name": owner.name,
                "share": None if owner.share is None else Decimal(owner.share) / 100,
            }
            for owner in content.owners
        ],
        "inventors": [{"name": inventor.name} for inventor in content.inventors],
        "fiscal_funded": {True: "yes", False: "no", None: None}[content.fiscal_funded],
        "fiscal_source": content.fiscal_source,
        "modes": list(content.modes),
        "negotiable": content.negotiable,
        "price": content.price_fen,
        "keywords": "、".join(content.keywords),
        "confidential": content.confidential,
        **{
            f"visibility_{group.value}": layers.get(group, DEFAULT_VISIBILITY[group])
            for group in CHOSEN_GROUPS
        },
    }


class AchievementStartForm(web.Form):
    """The first line of a new achievement."""

    title = web.TextField(
        "名称", longest=TITLE_MAX, hint="一行写出它是什么、好在哪里，最好带一个数字"
    )


class FilesForm(web.Form):
    """Files to attach, with the layer from which on they open."""

    attachments = web.FilesField(
        "选择文件",
        required=True,
        hint=f"{ACCEPTED}，每个不超过 15 MB，一共最多 {MOST_KEPT} 个",
    )
    visibility = web.ChoiceField("谁能打开", FileVisibility, empty="所有人")


class ReasonForm(web.Form):
    """A reason that somebody else will read."""

    reason = web.LongTextField("原因", longest=1000, required=True, rows=4)


class ChainForm(web.Form):
    """An organisation's review chain: which steps, each from which amount on."""

    steps = web.ChoicesField(
        "审批环节",
        [(role.value, STEP_LABELS[role]) for role in REVIEW_ROLES],
        hint="按学院、科研管理部门、单位领导的顺序办理；最后一个环节同意后自动发布",
    )
    from_college_approver = web.YuanField("学院审批的起始金额", hint="留空表示不论金额")
    from_officer = web.YuanField("科研管理部门审批的起始金额", hint="留空表示不论金额")
    from_leader = web.YuanField(
        "单位领导审批的起始金额", hint="例如 500,000：期望价格达到 50 万元才需要；面议的一律需要"
    )

    def to_steps(self) -> list[ReviewStep]:
        """Return the chosen steps."""
        chosen = set(self.steps.data or ())
        return [
            ReviewStep(role, self[f"from_{role.value}"].data or Fen(0))
            for role in REVIEW_ROLES
            if role.value in chosen
        ]


def stored_chain(steps: Iterable[ReviewStep]) -> dict[str, Any]:
    """Return a stored chain as the form's values."""
    listed = list(steps)
    return {
        "steps": [step.role.value for step in listed],
        **{f"from_{step.role.value}": step.from_fen or None for step in listed},
    }
