"""What a need is and what may happen to it: words, permissions, states, completeness. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, Problem, RuleBroken
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.foundation.words import Word

TITLE_MIN, TITLE_MAX = 6, 100
TEXT_MIN, TEXT_MAX = 20, 4000
INDICATORS_MAX = 40
TERMS_MAX = 20
ANSWER_MIN, ANSWER_MAX = 20, 3000
# Within how many working days reviews and answers are expected (a rule of the platform).
REVIEW_WORKDAYS = 3


class NeedState(Word):
    """Where a need stands."""

    DRAFT = "draft", "草稿", "neutral"
    REVIEW = "review", "审核中", "run"
    OPEN = "open", "征集中", "run"
    MATCHED = "matched", "撮合中", "run"
    CONTRACTED = "contracted", "已签约", "ok"
    CLOSED = "closed", "已关闭", "neutral"
    EXPIRED = "expired", "已截止", "neutral"


_S = NeedState

# A returned need goes back to draft; a deal that came to nothing opens it again; what was closed
# or has run out can be taken up again as a draft. A registered contract is a fact.
TRANSITIONS: dict[NeedState, frozenset[NeedState]] = {
    _S.DRAFT: frozenset({_S.REVIEW, _S.OPEN, _S.CLOSED}),
    _S.REVIEW: frozenset({_S.OPEN, _S.DRAFT, _S.CLOSED}),
    _S.OPEN: frozenset({_S.MATCHED, _S.CONTRACTED, _S.CLOSED, _S.EXPIRED, _S.DRAFT}),
    _S.MATCHED: frozenset({_S.OPEN, _S.CONTRACTED, _S.CLOSED}),
    _S.CONTRACTED: frozenset(),
    _S.CLOSED: frozenset({_S.DRAFT, _S.CONTRACTED}),
    _S.EXPIRED: frozenset({_S.DRAFT, _S.CONTRACTED}),
}

VISIBLE_STATES = frozenset({_S.OPEN, _S.MATCHED})
"""States in which others find a need."""

SHOWN_STATES = VISIBLE_STATES | {_S.CONTRACTED, _S.EXPIRED}
"""States in which the public page still opens."""


class AnswerState(Word):
    """What became of an answer 我能解决."""

    SENT = "sent", "待答复", "run"
    ACCEPTED = "accepted", "愿意洽谈", "ok"
    DECLINED = "declined", "未采纳", "neutral"


_BUYERS = frozenset(
    {Role.ENTERPRISE, Role.ORG_ADMIN, Role.OFFICER, Role.AGENCY_HEAD, Role.PROVIDER}
)
DRAFT = Permission("needs.draft", _BUYERS, verified=False)
EDIT = Permission("needs.edit", _BUYERS)
OWN = Permission("needs.own", _BUYERS, verified=False)
OPERATE = Permission("needs.operate", frozenset({Role.OPERATOR}))
ANSWER = Permission(
    "needs.answer",
    frozenset(
        {
            Role.OFFICER,
            Role.ORG_ADMIN,
            Role.INVENTOR,
            Role.ENTERPRISE,
            Role.BROKER,
            Role.AGENCY_HEAD,
            Role.PROVIDER,
        }
    ),
)


@dataclass(frozen=True)
class Indicator:
    """One target: what is measured, what is reached today, what is asked for, and its unit."""

    name: str
    present: str
    target: str
    unit: str


@dataclass(frozen=True, kw_only=True)
class NeedContent:
    """Everything the form holds; empty where nothing is known yet."""

    title: str = ""
    problem: str = ""
    present_solution: str = ""
    indicators: tuple[Indicator, ...] = ()
    budget_min_fen: Fen | None = None
    budget_max_fen: Fen | None = None
    budget_negotiable: bool = False
    deadline: date | None = None
    modes: tuple[TradingMode, ...] = ()
    field: TechnologyField | None = None
    industry_code: str = ""
    industry_name: str = ""
    discipline: str = ""
    region_code: str = ""
    anonymous: bool = False
    challenge: bool = False
    expert_terms: tuple[str, ...] = ()
    confidential: str = ""


def move(state: NeedState, to: NeedState) -> NeedState:
    """Return the new state, or refuse with ``Conflict`` when the step does not exist."""
    if to not in TRANSITIONS[state]:
        raise Conflict(
            "needs.state",
            f"这条需求现在是“{state.label}”，不能变为“{to.label}”；请刷新页面看最新状态",
        )
    return to


REOPENABLE_STATES = frozenset({_S.CLOSED, _S.EXPIRED})


def check_reopened(state: NeedState) -> None:
    """Refuse to take up again what has not ended: a review is recalled, an open need is closed."""
    if state not in REOPENABLE_STATES:
        raise Conflict(
            "needs.not_ended",
            f"这条需求现在是“{state.label}”，只有已关闭或已截止的需求可以恢复为草稿；请刷新页面",
        )


EDITABLE_STATES = frozenset({_S.DRAFT, _S.OPEN})


def check_editable(state: NeedState) -> None:
    """Refuse to change a need under review, in a deal, or at its end."""
    if state not in EDITABLE_STATES:
        raise Conflict(
            "needs.not_editable",
            f"这条需求现在是“{state.label}”，内容不能修改；审核中的可先撤回，已截止的可恢复为草稿",
        )


_INDUSTRY = re.compile(r"[A-T]\d{2,4}")
_REGION = re.compile(r"\d{6}")


def contradictions(content: NeedContent, *, today: date) -> list[Problem]:
    """List what can never be right, whether a draft or not."""
    found: list[Problem] = []
    if len(content.title) > TITLE_MAX:
        found.append(_problem("title_long", f"标题最多 {TITLE_MAX} 个字", "title"))
    for name, label in (
        ("problem", "要解决的问题"),
        ("present_solution", "现有办法与不足"),
        ("confidential", "保密内容"),
    ):
        length = len(getattr(content, name))
        if length > TEXT_MAX:
            found.append(
                _problem("text_long", f"“{label}”有 {length} 个字，最多 {TEXT_MAX} 个", name)
            )
    low, high = content.budget_min_fen, content.budget_max_fen
    if low is not None and high is not None and low > high:
        found.append(
            _problem(
                "budget_reversed",
                f"预算下限 {format_yuan(low)} 元大于上限 {format_yuan(high)} 元，请对调或改正",
                "budget_max",
            )
        )
    if content.budget_negotiable and (low is not None or high is not None):
        found.append(
            _problem("two_budgets", "已勾选“预算面议”，就不要再填金额；请二选一", "budget_max")
        )
    if content.deadline is not None and content.deadline < today:
        found.append(
            _problem(
                "deadline_past",
                f"截止日期 {content.deadline} 已经过去，今天是 {today}；请改为以后的日期",
                "deadline",
            )
        )
    if content.industry_code and not _INDUSTRY.fullmatch(content.industry_code):
        found.append(
            _problem(
                "industry",
                "行业代码按 GB/T 4754 填写：一个大写字母加 2 到 4 位数字，如 C3421",
                "industry_code",
            )
        )
    if content.region_code and not _REGION.fullmatch(content.region_code):
        found.append(_problem("region", "地区代码是 6 位数字（GB/T 2260）", "region_code"))
    if len(content.indicators) > INDICATORS_MAX:
        found.append(_problem("rows", f"目标指标最多 {INDICATORS_MAX} 行", "indicators"))
    if len(content.expert_terms) > TERMS_MAX:
        found.append(_problem("terms", f"专业词最多 {TERMS_MAX} 个", "expert_terms"))
    return found


def missing(content: NeedContent) -> list[Problem]:
    """List everything a submission still needs, in the order of the form."""
    found: list[Problem] = []
    if len(content.title) < TITLE_MIN:
        found.append(
            _problem(
                "need_title",
                "请写标题：一行说清要解决什么、到什么程度，例如“薄壁铝压铸件气孔率降到 2 % 以下”",
                "title",
            )
        )
    if len(content.problem) < TEXT_MIN:
        found.append(
            _problem("need_problem", "请写清要解决的问题：现象、代价、在什么条件下", "problem")
        )
    if not content.indicators:
        found.append(
            _problem("need_indicator", "请至少填一行目标指标：指标、目标值和单位", "indicators")
        )
    for number, row in enumerate(content.indicators, 1):
        blank = [
            label for label, value in (("指标", row.name), ("目标值", row.target)) if not value
        ]
        if blank:
            found.append(
                _problem(
                    "indicator_blank",
                    f"目标指标第 {number} 行还缺：{'、'.join(blank)}",
                    "indicators",
                )
            )
    if content.budget_max_fen is None and not content.budget_negotiable:
        found.append(_problem("need_budget", "请填写预算上限，或勾选“预算面议”", "budget_max"))
    if content.deadline is None:
        found.append(_problem("need_deadline", "请填写征集截止日期", "deadline"))
    if not content.modes:
        found.append(_problem("need_modes", "请至少选择一种合作方式", "modes"))
    if content.field is None:
        found.append(_problem("need_field", "请选择技术领域", "field"))
    if content.challenge and content.budget_max_fen is None:
        found.append(
            _problem(
                "challenge_budget", "揭榜挂帅要公布榜额，请填写预算上限，不能面议", "budget_max"
            )
        )
    return found


def check_answer(text: str) -> str:
    """Return the trimmed answer; refuse one that says nothing."""
    trimmed = text.strip()
    if len(trimmed) < ANSWER_MIN:
        raise RuleBroken(
            "needs.answer_short",
            f"请写清您打算怎么解决（至少 {ANSWER_MIN} 个字）：用什么办法、做到什么程度、要多久",
            "text",
        )
    if len(trimmed) > ANSWER_MAX:
        raise RuleBroken("needs.answer_long", f"最多 {ANSWER_MAX} 个字，细节请在洽谈时提供", "text")
    return trimmed


def check_reason(reason: str, what: str) -> str:
    """Return the trimmed reason; refuse an empty one, since it goes to those who are told no."""
    text = reason.strip()
    if len(text) < 4:
        raise RuleBroken(
            "needs.reason", f"请写明{what}的原因（至少 4 个字），对方要据此修改", "reason"
        )
    return text


def _problem(code: str, message: str, field: str) -> Problem:
    return Problem(f"needs.{code}", message, field)
