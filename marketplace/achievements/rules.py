"""What an achievement is and what may happen to it: words, permissions, states.

Pure: values in, values and problems out. What a complete record needs is in
``completeness_rules``, who sees which part in ``visibility_rules``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.trade import TechnologyField, TradingMode
from marketplace.foundation.words import Word

# Shares are counted in ten-thousandths, so that 33.33 % + 33.33 % + 33.34 % is exactly the whole.
WHOLE_SHARE = 10_000


class AchievementState(Word):
    """Where an achievement stands; one-way except where ``TRANSITIONS`` says so."""

    DRAFT = "draft", "草稿", "neutral"
    INTERNAL_REVIEW = "internal_review", "单位审批中", "run"
    PUBLISHED = "published", "已发布", "ok"
    LISTED = "listed", "挂牌中", "ok"
    IN_DEAL = "in_deal", "撮合中", "run"
    TRANSFERRED = "transferred", "已转化", "ok"
    WITHDRAWN = "withdrawn", "已撤下", "neutral"
    EXPIRED = "expired", "已到期", "neutral"


_S = AchievementState

# A return for correction leads back to draft; an ended listing or deal back to published; what
# was withdrawn or expired can be taken up again as a draft. A registered contract is a fact: it
# transfers also what its owner had already taken off the market.
TRANSITIONS: dict[AchievementState, frozenset[AchievementState]] = {
    _S.DRAFT: frozenset({_S.INTERNAL_REVIEW, _S.PUBLISHED, _S.WITHDRAWN}),
    _S.INTERNAL_REVIEW: frozenset({_S.PUBLISHED, _S.DRAFT}),
    _S.PUBLISHED: frozenset({_S.LISTED, _S.IN_DEAL, _S.TRANSFERRED, _S.WITHDRAWN, _S.EXPIRED}),
    _S.LISTED: frozenset({_S.PUBLISHED, _S.IN_DEAL, _S.TRANSFERRED}),
    _S.IN_DEAL: frozenset({_S.PUBLISHED, _S.LISTED, _S.TRANSFERRED}),
    # A licence leaves the right with its owner, who may offer it again.
    _S.TRANSFERRED: frozenset({_S.PUBLISHED}),
    _S.WITHDRAWN: frozenset({_S.DRAFT, _S.TRANSFERRED}),
    _S.EXPIRED: frozenset({_S.DRAFT, _S.TRANSFERRED}),
}

VISIBLE_STATES = frozenset({_S.PUBLISHED, _S.LISTED, _S.IN_DEAL})
"""States in which others find an achievement."""

SHOWN_STATES = VISIBLE_STATES | {_S.TRANSFERRED}
"""States in which the public page still opens: a transferred one stays as a record."""

# After these the right, or at least the chance of another licence, stays with its owner.
REPEATABLE_MODES = frozenset(
    {
        TradingMode.LICENCE_ORDINARY,
        TradingMode.OPEN_LICENCE,
        TradingMode.DEVELOPMENT,
        TradingMode.SERVICE,
        TradingMode.TRIAL,
    }
)


class Visibility(Word):
    """From whom on a part of the record can be read."""

    PUBLIC = "public", "所有人"
    MEMBERS = "members", "核验过的会员"
    AGREEMENT = "agreement", "签保密协议之后"


class FieldGroup(Word):
    """Parts of the record whose visibility the owner chooses."""

    SOLUTION = "solution", "做法"
    COMPARISON = "comparison", "对比数据"
    MATURITY = "maturity", "成熟度证据"
    IP_RIGHTS = "ip_rights", "知识产权明细"
    INVENTORS = "inventors", "发明人"
    PRICE = "price", "期望价格"
    CONFIDENTIAL = "confidential", "保密内容"


DEFAULT_VISIBILITY: dict[FieldGroup, Visibility] = {
    group: Visibility.AGREEMENT if group is FieldGroup.CONFIDENTIAL else Visibility.PUBLIC
    for group in FieldGroup
}


class IPKind(Word):
    """Kinds of intellectual property right (知识产权)."""

    INVENTION = "invention", "发明专利"
    UTILITY_MODEL = "utility_model", "实用新型"
    DESIGN = "design", "外观设计"
    SECRET = "secret", "技术秘密"
    SOFTWARE = "software", "软件著作权"
    LAYOUT = "layout", "集成电路布图设计"
    PLANT_VARIETY = "plant_variety", "植物新品种"
    BIOMEDICAL = "biomedical", "生物医药新品种"


PATENTS = frozenset({IPKind.INVENTION, IPKind.UTILITY_MODEL, IPKind.DESIGN})


class LegalStatus(Word):
    """Legal status of an IP right."""

    GRANTED = "granted", "授权有效", "ok"
    REGISTERED = "registered", "已登记", "ok"
    EXAMINATION = "examination", "实质审查", "run"
    FILED = "filed", "已受理", "run"
    SECRET = "secret", "未公开", "neutral"
    LAPSED = "lapsed", "已失效", "danger"
    UNKNOWN = "unknown", "待核实", "warn"


class EvidenceClass(Word):
    """Who measured a figure of the comparison."""

    SELF = "self", "自测"
    THIRD_PARTY = "third_party", "第三方检测"
    USER = "user", "用户使用"


class ReviewOutcome(Word):
    """What became of one step of the internal review."""

    PENDING = "pending", "待审批", "neutral"
    APPROVED = "approved", "同意", "ok"
    RETURNED = "returned", "退回", "warn"


TRL_MEANING: dict[int, str] = {
    1: "发现基本原理",
    2: "形成技术方案",
    3: "关键功能得到验证",
    4: "实验室环境下验证",
    5: "相关环境下验证",
    6: "样机在相关环境下演示",
    7: "系统样机在使用环境下验证",
    8: "实际系统完成并通过试验",
    9: "实际系统成功应用",
}
"""Technology readiness levels, after GB/T 22900-2022."""

# The officer's work; an inventor works on the results on which he is named.
EDIT = Permission("achievements.edit", frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.INVENTOR}))
DRAFT = Permission(
    "achievements.draft",
    frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.INVENTOR}),
    verified=False,
)
MANAGE = Permission("achievements.manage", frozenset({Role.OFFICER, Role.ORG_ADMIN}))
REVIEW = Permission(
    "achievements.review",
    frozenset({Role.COLLEGE_APPROVER, Role.OFFICER, Role.ORG_ADMIN, Role.LEADER}),
)
OWN = Permission(
    "achievements.own",
    frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.INVENTOR, Role.COLLEGE_APPROVER, Role.LEADER}),
    verified=False,
)
OPERATE = Permission("achievements.operate", frozenset({Role.OPERATOR}))

# Those who see every part of their own organisation's records.
INSIDERS = frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.COLLEGE_APPROVER, Role.LEADER})


def move(state: AchievementState, to: AchievementState) -> AchievementState:
    """Return the new state, or refuse with ``Conflict`` when the step does not exist."""
    if to not in TRANSITIONS[state]:
        raise Conflict(
            "achievements.state",
            f"这项成果现在是“{state.label}”，不能变为“{to.label}”；请刷新页面看最新状态",
        )
    return to


_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?")


def difference(line: Comparison) -> str:
    """Say by how much the offer's value differs from the alternative's, or "" when not numbers.

    In percent of the alternative, in points where the unit is percent. It does not say which is
    better: for a loss the lower value is.
    """
    found = [_NUMBER.search(text.replace(",", "")) for text in (line.value, line.alternative_value)]
    if found[0] is None or found[1] is None:
        return ""
    own, other = Decimal(found[0].group()), Decimal(found[1].group())
    if own == other:
        return "相同"
    word = "高" if own > other else "低"
    if line.unit in ("%", "％", "百分点"):
        return f"{word} {_plain(abs(own - other))} 个百分点"
    if other == 0:
        return f"{word} {_plain(abs(own - other))} {line.unit}".rstrip()
    share = abs(own - other) * 100 / abs(other)
    return f"{word} {_plain(share.quantize(Decimal(1)))} %"


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


@dataclass(frozen=True)
class Comparison:
    """One line of the table against the best alternative; values as the owner writes them."""

    indicator: str
    value: str
    unit: str
    alternative: str
    alternative_value: str
    evidence: EvidenceClass | None

    @property
    def difference(self) -> str:
        """Return in words by how much the values differ."""
        return difference(self)


@dataclass(frozen=True)
class IPRight:
    """One right; ``filed_year`` stands where only the year of filing is known."""

    kind: IPKind | None
    number: str = ""
    title: str = ""
    legal_status: LegalStatus = LegalStatus.UNKNOWN
    filed_on: date | None = None
    expires_on: date | None = None
    filed_year: int | None = None
    # 专利法 art. 50: the owner has declared an open licence, and the declaration stands.
    open_licensed: bool = False


def percent(share: int) -> str:
    """Write ten-thousandths as a percentage without needless zeros."""
    whole, rest = divmod(share, 100)
    return f"{whole}.{rest:02d}".rstrip("0").rstrip(".") + " %"


@dataclass(frozen=True)
class Owner:
    """One owner; ``share`` in ten-thousandths, None where it is not known yet."""

    name: str
    share: int | None
    organisation_id: int | None = None

    @property
    def share_text(self) -> str:
        """Return the share as a percentage, or "" while it is unknown."""
        return "" if self.share is None else percent(self.share)


@dataclass(frozen=True)
class Inventor:
    """One inventor; ``user_id`` where the person is a member of the platform."""

    name: str
    user_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class AchievementContent:
    """Everything the form holds; empty where nothing is known yet."""

    title: str = ""
    problem: str = ""
    solution: str = ""
    benefit: str = ""
    comparison: tuple[Comparison, ...] = ()
    field: TechnologyField | None = None
    industry_code: str = ""
    industry_name: str = ""
    ipc: tuple[str, ...] = ()
    discipline: str = ""
    trl: int | None = None
    trl_evidence: str = ""
    ip_rights: tuple[IPRight, ...] = ()
    owners: tuple[Owner, ...] = ()
    inventors: tuple[Inventor, ...] = ()
    fiscal_funded: bool | None = None
    fiscal_source: str = ""
    modes: tuple[TradingMode, ...] = ()
    negotiable: bool = False
    price_fen: Fen | None = None
    visibility: dict[FieldGroup, Visibility] | None = None
    keywords: tuple[str, ...] = ()
    confidential: str = ""


# While a listing or a deal rests on it, what was announced stands still.
LOCKED_PARTS: dict[str, str] = {
    "title": "成果名称",
    "owners": "权利人与份额",
    "ip_rights": "知识产权",
    "modes": "转化方式",
    "price_fen": "期望价格",
    "negotiable": "价格面议",
    "fiscal_funded": "财政资金资助",
}

REOPENABLE_STATES = frozenset({_S.WITHDRAWN, _S.EXPIRED})


def check_reopened(state: AchievementState) -> None:
    """Refuse to take up again what has not ended; a review ends by its reviewers' return."""
    if state not in REOPENABLE_STATES:
        raise Conflict(
            "achievements.not_ended",
            f"这项成果现在是“{state.label}”，只有已撤下或已到期的成果可以恢复为草稿；请刷新页面",
        )


EDITABLE_STATES = frozenset({_S.DRAFT, _S.PUBLISHED, _S.LISTED, _S.IN_DEAL})


def check_edit(
    state: AchievementState, before: AchievementContent, after: AchievementContent
) -> None:
    """Refuse changes that the state does not allow.

    Under internal review and after the end nothing changes; while listed or in a deal the parts
    that a notice has announced stay (a material change needs a new version of the notice).
    """
    if state not in EDITABLE_STATES:
        raise Conflict(
            "achievements.not_editable",
            f"这项成果现在是“{state.label}”，内容不能修改；审批中的请先退回，已撤下的请先恢复为草稿",
        )
    if state in (_S.LISTED, _S.IN_DEAL):
        changed = [
            label
            for part, label in LOCKED_PARTS.items()
            if getattr(before, part) != getattr(after, part)
        ]
        if changed:
            raise RuleBroken(
                "achievements.locked",
                f"成果正在{state.label}，{'、'.join(changed)}已经公告，不能在这里改；"
                "请先在挂牌页面变更公告或结束撮合",
                next(part for part, label in LOCKED_PARTS.items() if label == changed[0]),
            )


@dataclass(frozen=True)
class ReviewStep:
    """One step of an organisation's own approval: who, and from which amount on."""

    role: Role
    from_fen: Fen


REVIEW_ROLES = (Role.COLLEGE_APPROVER, Role.OFFICER, Role.LEADER)
STEP_LABELS: dict[Role, str] = {
    Role.COLLEGE_APPROVER: "学院审批",
    Role.OFFICER: "科研管理部门审批",
    Role.LEADER: "单位领导审批",
}
# What holds for an organisation that has set nothing: the office decides.
DEFAULT_CHAIN = (ReviewStep(Role.OFFICER, Fen(0)),)


def steps_for(
    chain: Sequence[ReviewStep], *, price_fen: Fen | None, negotiable: bool
) -> tuple[ReviewStep, ...]:
    """Choose the steps a submission passes, in the order college, office, leader.

    A step with an amount is left out below it. A price still to be negotiated passes every step,
    since nobody knows yet how high it will be.
    """
    open_price = negotiable or price_fen is None
    chosen = [step for step in chain if open_price or (price_fen or 0) >= step.from_fen]
    return tuple(sorted(chosen, key=lambda step: REVIEW_ROLES.index(step.role)))


def check_chain(steps: Sequence[ReviewStep]) -> None:
    """Refuse a chain without a step, with a role twice, or whose first step has a threshold."""
    if not steps:
        raise RuleBroken("achievements.chain_empty", "审批链至少要有一步，请勾选一个环节", "steps")
    roles = [step.role for step in steps]
    if len(set(roles)) != len(roles):
        raise RuleBroken("achievements.chain_twice", "同一个环节出现了两次，请删去一个", "steps")
    if all(step.from_fen > 0 for step in steps):
        raise RuleBroken(
            "achievements.chain_gap",
            "每一步都设了起始金额，低于它的成果就没有人审批；请把至少一步的起始金额设为 0",
            "steps",
        )


def decides(step: Role, roles: frozenset[Role]) -> bool:
    """Tell whether a member with these roles decides a step; the administrator stands in."""
    if step is Role.OFFICER:
        return not roles.isdisjoint({Role.OFFICER, Role.ORG_ADMIN})
    return step in roles


def check_reason(reason: str, what: str) -> str:
    """Return the trimmed reason; refuse an empty one, since it goes to those who are told no."""
    text = reason.strip()
    if len(text) < 4:
        raise RuleBroken(
            "achievements.reason", f"请写明{what}的原因（至少 4 个字），对方要据此修改", "reason"
        )
    return text
