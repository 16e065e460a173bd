"""What a complete achievement needs, what can never be right, and which words claim too much.

``contradictions`` holds for a draft too; ``missing`` for submission and for what is published.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from marketplace.achievements.ip_rules import number_problem
from marketplace.achievements.rules import (
    WHOLE_SHARE,
    AchievementContent,
    Comparison,
    FieldGroup,
    IPKind,
    IPRight,
    Owner,
    Visibility,
    percent,
)
from marketplace.foundation.errors import Problem

TITLE_MIN, TITLE_MAX = 8, 100
TEXT_MIN, TEXT_MAX = 20, 4000
BENEFIT_MIN = 8
ROWS_MAX = 40
KEYWORDS_MAX = 20

_IPC = re.compile(r"[A-H]\d{2}[A-Z](\d{1,4}/\d{2,6})?")
_INDUSTRY = re.compile(r"[A-T]\d{2,4}")

# Claims that say nothing until a number stands beside them.
EMPTY_CLAIMS = (
    "国际领先",
    "国内领先",
    "国际先进",
    "国内先进",
    "世界一流",
    "填补空白",
    "填补国内",
    "行业领先",
    "性能优越",
    "性能优异",
    "显著提高",
    "大幅提高",
    "大大提高",
    "大幅降低",
    "显著降低",
    "效果显著",
    "前景广阔",
    "技术先进",
    "成本低廉",
)


def normal_ipc(code: str) -> str:
    """Write an IPC symbol without spaces and in capitals, ``G05B19/404``."""
    return re.sub(r"\s", "", unicodedata.normalize("NFKC", code)).upper()


def is_ipc(code: str) -> bool:
    """Tell whether a normalised symbol has the shape of an IPC subclass or group."""
    return _IPC.fullmatch(code) is not None


def contradictions(content: AchievementContent) -> list[Problem]:
    """List what can never be right, whether a draft or not."""
    found: list[Problem] = []
    if len(content.title) > TITLE_MAX:
        found.append(
            _problem(
                "title_long",
                f"名称有 {len(content.title)} 个字，最多 {TITLE_MAX} 个；细节写进“做法”",
                "title",
            )
        )
    for name, label in (
        ("problem", "要解决的问题"),
        ("solution", "做法"),
        ("benefit", "好处"),
        ("trl_evidence", "成熟度证据"),
        ("confidential", "保密内容"),
    ):
        length = len(getattr(content, name))
        if length > TEXT_MAX:
            found.append(
                _problem("text_long", f"“{label}”有 {length} 个字，最多 {TEXT_MAX} 个", name)
            )
    if content.trl is not None and not 1 <= content.trl <= 9:
        found.append(_problem("trl", "成熟度只有 1 到 9 级，请重新选择", "trl"))
    for code in content.ipc:
        if not is_ipc(code):
            found.append(
                _problem("ipc", f"“{code}”不是 IPC 分类号；写法如 B01D53/86 或 B01D", "ipc")
            )
    if content.industry_code and not _INDUSTRY.fullmatch(content.industry_code):
        found.append(
            _problem(
                "industry",
                "行业代码按 GB/T 4754 填写：一个大写字母加 2 到 4 位数字，如 C3421",
                "industry_code",
            )
        )
    if len(content.keywords) > KEYWORDS_MAX:
        found.append(_problem("keywords", f"关键词最多 {KEYWORDS_MAX} 个", "keywords"))
    found += _row_count(content)
    found += _rights_contradict(content.ip_rights)
    found += _owners_contradict(content.owners)
    if (content.visibility or {}).get(FieldGroup.CONFIDENTIAL, Visibility.AGREEMENT) is not (
        Visibility.AGREEMENT
    ):
        found.append(
            _problem("confidential_open", "保密内容只能在签保密协议之后可见", "visibility")
        )
    return found


def _row_count(content: AchievementContent) -> list[Problem]:
    return [
        _problem("rows", f"“{label}”最多 {ROWS_MAX} 行", name)
        for name, label in (
            ("comparison", "对比数据"),
            ("ip_rights", "知识产权"),
            ("owners", "权利人"),
            ("inventors", "发明人"),
        )
        if len(getattr(content, name)) > ROWS_MAX
    ]


def _rights_contradict(rights: Sequence[IPRight]) -> list[Problem]:
    found = []
    for row, right in enumerate(rights, 1):
        wrong = number_problem(right)
        if wrong:
            found.append(_problem("ip_number", f"知识产权第 {row} 行：{wrong}", "ip_rights"))
        if right.filed_on and right.expires_on and right.expires_on <= right.filed_on:
            found.append(
                _problem(
                    "ip_dates",
                    f"知识产权第 {row} 行：到期日 {right.expires_on} 不晚于申请日 "
                    f"{right.filed_on}，请检查两个日期",
                    "ip_rights",
                )
            )
    return found


def _owners_contradict(owners: Sequence[Owner]) -> list[Problem]:
    found = []
    for row, owner in enumerate(owners, 1):
        if owner.share is not None and not 0 < owner.share <= WHOLE_SHARE:
            found.append(
                _problem("share", f"权利人第 {row} 行：份额要大于 0 %，且不超过 100 %", "owners")
            )
    known = sum(owner.share or 0 for owner in owners)
    if known > WHOLE_SHARE:
        found.append(
            _problem(
                "shares_over",
                f"权利人份额合计 {percent(known)}，超过了 100 %；请核对每个权利人的份额",
                "owners",
            )
        )
    names = [owner.name for owner in owners if owner.name]
    if len(set(names)) != len(names):
        found.append(_problem("owner_twice", "同一个权利人出现了两次，请合并成一行", "owners"))
    return found


def missing(content: AchievementContent, *, own_organisation_id: int | None) -> list[Problem]:
    """List everything a submission still needs, in the order of the form."""
    found: list[Problem] = []
    if not content.title:
        found.append(_problem("need_title", "还没有名称；用一行写出它是什么、好在哪里", "title"))
    elif len(content.title) < TITLE_MIN:
        found.append(
            _problem(
                "short_title",
                f"名称只有 {len(content.title)} 个字，请把好处也写进去，例如“低温脱硝催化剂："
                "180 ℃ 去除率 92 %”",
                "title",
            )
        )
    found += _texts_missing(content)
    found += _comparison_missing(content.comparison)
    if content.field is None:
        found.append(_problem("need_field", "请选择技术领域", "field"))
    if not content.industry_code:
        found.append(
            _problem("need_industry", "请填写应用行业的代码（GB/T 4754）", "industry_code")
        )
    if content.trl is None:
        found.append(_problem("need_trl", "请选择成熟度（1–9 级）", "trl"))
    elif not content.trl_evidence:
        found.append(
            _problem(
                "need_evidence",
                f"请写明 {content.trl} 级的证据：在哪里、用什么、运行了多久",
                "trl_evidence",
            )
        )
    found += _rights_missing(content.ip_rights)
    found += _owners_missing(content.owners, own_organisation_id)
    if not any(inventor.name for inventor in content.inventors):
        found.append(_problem("need_inventor", "请至少填写一位发明人（完成人）", "inventors"))
    if content.fiscal_funded is None:
        found.append(_problem("need_funding", "请说明是否由财政资金资助", "fiscal_funded"))
    if not content.modes:
        found.append(_problem("need_modes", "请至少选择一种转化方式", "modes"))
    if content.price_fen is None and not content.negotiable:
        found.append(_problem("need_price", "请填写期望价格，或勾选“面议”", "price"))
    if content.price_fen is not None and content.negotiable:
        found.append(_problem("two_prices", "已勾选“面议”，就不要再填价格；请二选一", "price"))
    if not content.keywords:
        found.append(_problem("need_keywords", "请填写关键词，用顿号或空格隔开", "keywords"))
    return found


def _texts_missing(content: AchievementContent) -> list[Problem]:
    found = []
    for name, label, least, hint in (
        ("problem", "要解决的问题", TEXT_MIN, "写清现状、代价和指标"),
        ("solution", "做法", TEXT_MIN, "写清用了什么办法，与别人有什么不同"),
        ("benefit", "好处", BENEFIT_MIN, "用户得到什么，能省多少、快多少"),
    ):
        text = getattr(content, name)
        if not text:
            found.append(_problem(f"need_{name}", f"还没有写“{label}”：{hint}", name))
        elif len(text) < least:
            found.append(_problem(f"short_{name}", f"“{label}”只有 {len(text)} 个字：{hint}", name))
    return found


def _comparison_missing(rows: Sequence[Comparison]) -> list[Problem]:
    if not rows:
        return [
            _problem(
                "need_comparison",
                "请至少填一行对比数据：指标、本成果的值、最优替代方案和它的值",
                "comparison",
            )
        ]
    found = []
    for number, row in enumerate(rows, 1):
        blank = [
            label
            for label, value in (
                ("指标", row.indicator),
                ("本成果的值", row.value),
                ("替代方案", row.alternative),
                ("替代方案的值", row.alternative_value),
                ("证据", row.evidence),
            )
            if not value
        ]
        if blank:
            found.append(
                _problem(
                    "comparison_blank",
                    f"对比数据第 {number} 行还缺：{'、'.join(blank)}",
                    "comparison",
                )
            )
        elif not any(c.isdigit() for c in row.value):
            found.append(
                _problem(
                    "comparison_words",
                    f"对比数据第 {number} 行的值“{row.value}”不是数字；请写测得的数",
                    "comparison",
                )
            )
    return found


def _rights_missing(rights: Sequence[IPRight]) -> list[Problem]:
    if not rights:
        return [
            _problem(
                "need_right",
                "请至少填一项知识产权；没有专利的，填“技术秘密”",
                "ip_rights",
            )
        ]
    found = []
    for number, right in enumerate(rights, 1):
        blank = []
        if right.kind is None:
            blank.append("类型")
        if not right.title:
            blank.append("名称")
        if not right.number and right.kind is not IPKind.SECRET:
            blank.append("号码")
        if blank:
            found.append(
                _problem(
                    "right_blank", f"知识产权第 {number} 行还缺：{'、'.join(blank)}", "ip_rights"
                )
            )
    return found


def _owners_missing(owners: Sequence[Owner], own_organisation_id: int | None) -> list[Problem]:
    if not owners:
        return [_problem("need_owner", "请填写权利人和份额", "owners")]
    found = []
    for number, owner in enumerate(owners, 1):
        if not owner.name:
            found.append(_problem("owner_name", f"权利人第 {number} 行还缺名称", "owners"))
    if any(owner.share is None for owner in owners):
        found.append(_problem("share_blank", "每个权利人都要填份额", "owners"))
    else:
        total = sum(owner.share or 0 for owner in owners)
        if total < WHOLE_SHARE:
            found.append(
                _problem(
                    "shares_under",
                    f"权利人份额合计 {percent(total)}，应当正好是 100 %，还差 "
                    f"{percent(WHOLE_SHARE - total)}",
                    "owners",
                )
            )
    if own_organisation_id is not None and all(
        owner.organisation_id != own_organisation_id for owner in owners
    ):
        found.append(
            _problem("not_own", "权利人里没有本单位；不属于本单位的成果不能由本单位提交", "owners")
        )
    return found


def empty_claims(*texts: str) -> list[str]:
    """Name the claims that stand in a sentence without any number, in order, once each."""
    found: dict[str, None] = {}
    for text in texts:
        for sentence in re.split(r"[。；;！!\n]", text):
            if any(c.isdigit() for c in sentence):
                continue
            for claim in EMPTY_CLAIMS:
                if claim in sentence:
                    found[claim] = None
    return list(found)


def _problem(code: str, message: str, field: str) -> Problem:
    return Problem(f"achievements.{code}", message, field)
