"""Words, permissions and states of an assessment; conflicts of interest; the experts' scores.

Rests on GB/T 44731-2024 (five indicators). The computed first score is in
``scoring_rules``, the value range in ``valuation_rules``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.words import Word


class AssessmentState(Word):
    """Where an assessment stands; one-way, but a declined order waits for another assessor."""

    REQUESTED = "requested", "已申请", "neutral"
    PRE_ASSESSED = "pre_assessed", "已预评估", "run"
    ASSIGNED = "assigned", "待机构接受", "run"
    ACCEPTED = "accepted", "机构已接受", "run"
    SCORING = "scoring", "评估中", "run"
    REPORT = "report", "报告已出具", "run"
    FILED = "filed", "已备案", "ok"
    REJECTED = "rejected", "已终止", "danger"


_S = AssessmentState

TRANSITIONS: dict[AssessmentState, frozenset[AssessmentState]] = {
    _S.REQUESTED: frozenset({_S.PRE_ASSESSED}),
    _S.PRE_ASSESSED: frozenset({_S.ASSIGNED, _S.REJECTED}),
    # Declined: back to where another assessor can be chosen.
    _S.ASSIGNED: frozenset({_S.ACCEPTED, _S.PRE_ASSESSED, _S.REJECTED}),
    _S.ACCEPTED: frozenset({_S.SCORING, _S.REJECTED}),
    _S.SCORING: frozenset({_S.SCORING, _S.REPORT, _S.REJECTED}),
    _S.REPORT: frozenset({_S.FILED, _S.REJECTED}),
    _S.FILED: frozenset(),
    _S.REJECTED: frozenset(),
}

OPEN_STATES = tuple(state for state in AssessmentState if TRANSITIONS[state])
"""States in which something is still to be done; an achievement has one such assessment."""

WORKING_STATES = frozenset({_S.ACCEPTED, _S.SCORING})
"""States in which the assessor writes its scores and its valuation."""


class Indicator(Word):
    """The five indicators of GB/T 44731-2024."""

    SCIENTIFIC = "scientific", "科学价值"
    TECHNICAL = "technical", "技术价值"
    ECONOMIC = "economic", "经济价值"
    SOCIAL = "social", "社会和文化价值"
    TRANSFER = "transfer", "转化推广潜力"


INDICATOR_MEANING: dict[Indicator, str] = {
    Indicator.SCIENTIFIC: "新发现、新原理、新方法的独创性与影响",
    Indicator.TECHNICAL: "成熟度、创新度、先进度",
    Indicator.ECONOMIC: "已有和预期的经济效益与市场前景",
    Indicator.SOCIAL: "对健康、环境、安全、公共服务与文化的作用",
    Indicator.TRANSFER: "权属清晰、方式可行、条件具备的程度",
}


class ValuationMethod(Word):
    """How a value is found (资产评估的三种基本方法)."""

    INCOME = "income", "收益法"
    MARKET = "market", "市场法"
    COST = "cost", "成本法"


class ConflictKind(Word):
    """A tie between the assessor and the achievement that the platform's own data show."""

    SAME_ORGANISATION = "same_organisation", "评估机构就是委托单位"
    OWNER = "owner", "评估机构是成果的权利人"
    SAME_REPRESENTATIVE = "same_representative", "评估机构与委托单位的法定代表人同名"
    INVENTOR_MEMBER = "inventor_member", "成果的发明人是评估机构的成员"
    SHARED_MEMBER = "shared_member", "有人同时是委托单位和评估机构的成员"
    EXPERT_NAMED = "expert_named", "经办的评估师是成果的发明人"
    EXPERT_INVENTOR = "expert_inventor", "专家是成果的发明人"
    SAME_NAME = "same_name", "专家与成果的发明人同名"
    CO_INVENTOR = "co_inventor", "专家与成果的发明人共同完成过其他成果"
    SAME_EMPLOYER = "same_employer", "专家任职于委托单位或权利人"
    SAME_HOUSE = "same_house", "专家任职于承办的评估机构"
    PAST_DEAL = "past_deal", "三年内与委托单位或权利人有技术交易"
    OWNERSHIP = "ownership", "与委托单位或权利人有股权关系"


VIEW = Permission(
    "assessments.view",
    frozenset(
        {
            Role.OFFICER,
            Role.ORG_ADMIN,
            Role.INVENTOR,
            Role.COLLEGE_APPROVER,
            Role.LEADER,
            Role.ASSESSOR,
            Role.PROVIDER,
            Role.EXPERT,
            Role.OPERATOR,
        }
    ),
    verified=False,
)
REQUEST = Permission("assessments.request", frozenset({Role.OFFICER, Role.ORG_ADMIN}))
ACCEPT = Permission("assessments.accept", frozenset({Role.ASSESSOR, Role.PROVIDER}))
WORK = Permission("assessments.work", frozenset({Role.ASSESSOR}))
SIT = Permission("assessments.sit", frozenset({Role.ASSESSOR, Role.EXPERT}), verified=False)
KEEP_LIBRARY = Permission("assessments.keep_library", frozenset({Role.OPERATOR}))
ISSUE = Permission("assessments.issue", frozenset({Role.ASSESSOR}))
FILE = Permission("assessments.file", frozenset({Role.OPERATOR}))
# Whose turn it is to end one depends on its state; the service asks for that role.
END = Permission(
    "assessments.end",
    frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.ASSESSOR, Role.OPERATOR}),
)

REASON_MIN = 6


def move(state: AssessmentState, to: AssessmentState) -> AssessmentState:
    """Return the new state, or refuse with ``Conflict`` when the step does not exist."""
    if to not in TRANSITIONS[state]:
        raise Conflict(
            "assessments.state",
            f"这项评估现在是“{state.label}”，不能变为“{to.label}”；请刷新页面看最新状态",
        )
    return to


def check_offered(state: AssessmentState) -> None:
    """Refuse to decline an order that does not wait for its assessor."""
    if state is not AssessmentState.ASSIGNED:
        raise Conflict(
            "assessments.not_offered",
            f"这项评估现在是“{state.label}”，没有等您接受的委托；请刷新页面看最新状态",
        )


def check_reason(reason: str, what: str, *, field: str = "reason") -> str:
    """Return the trimmed reason; refuse one too short to act on."""
    text = reason.strip()
    if len(text) < REASON_MIN:
        raise RuleBroken(
            "assessments.reason",
            f"请写明{what}，至少 {REASON_MIN} 个字；对方要据此决定下一步",
            field,
        )
    return text


@dataclass(frozen=True)
class PartyFacts:
    """What the platform knows of one side: members, legal representative, ties to others.

    ``traded_with`` and ``owned_with`` are organisations with which it has dealt lately, or holds
    or shares capital.
    """

    organisation_id: int
    name: str
    representative: str
    member_ids: frozenset[int]
    traded_with: frozenset[int] = frozenset()
    owned_with: frozenset[int] = frozenset()


@dataclass(frozen=True)
class SubjectFacts:
    """Who owns the achievement and who made it."""

    owner_ids: frozenset[int]
    owner_names: frozenset[str]
    inventor_ids: frozenset[int]
    inventor_names: frozenset[str] = frozenset()


@dataclass(frozen=True)
class ExpertFacts:
    """What the platform knows of an expert: employers, joint work, and the employers' ties."""

    user_id: int
    name: str
    organisation_ids: frozenset[int]
    worked_with: frozenset[int]
    traded_with: frozenset[int] = frozenset()
    owned_with: frozenset[int] = frozenset()


def conflicts(
    assessor: PartyFacts, client: PartyFacts, subject: SubjectFacts, *, expert_id: int | None = None
) -> list[ConflictKind]:
    """List the ties that forbid this assessor this order; an empty list allows it.

    ``expert_id`` is the assessor's person who signs, where one is known already. A representative
    is compared by name only: the platform holds no more, and a wrong hit costs another choice.
    """
    found = []
    if assessor.organisation_id == client.organisation_id:
        found.append(ConflictKind.SAME_ORGANISATION)
    if assessor.organisation_id in subject.owner_ids or assessor.name in subject.owner_names:
        found.append(ConflictKind.OWNER)
    named = assessor.representative.strip()
    if named and named == client.representative.strip():
        found.append(ConflictKind.SAME_REPRESENTATIVE)
    if assessor.member_ids & subject.inventor_ids:
        found.append(ConflictKind.INVENTOR_MEMBER)
    if assessor.member_ids & client.member_ids:
        found.append(ConflictKind.SHARED_MEMBER)
    if expert_id is not None and expert_id in subject.inventor_ids:
        found.append(ConflictKind.EXPERT_NAMED)
    interested = {client.organisation_id, *subject.owner_ids}
    if assessor.traded_with & interested:
        found.append(ConflictKind.PAST_DEAL)
    if assessor.owned_with & interested:
        found.append(ConflictKind.OWNERSHIP)
    return found


def expert_conflicts(
    expert: ExpertFacts, client_id: int, house_id: int, subject: SubjectFacts
) -> list[ConflictKind]:
    """List the ties that forbid an expert a seat on a panel; an empty list allows it.

    Inventors without an account are compared by name: a wrong hit costs another choice.
    """
    found = []
    interested = {client_id, *subject.owner_ids}
    if expert.user_id in subject.inventor_ids:
        found.append(ConflictKind.EXPERT_INVENTOR)
    elif expert.name in subject.inventor_names:
        found.append(ConflictKind.SAME_NAME)
    if expert.worked_with & subject.inventor_ids:
        found.append(ConflictKind.CO_INVENTOR)
    if expert.organisation_ids & interested:
        found.append(ConflictKind.SAME_EMPLOYER)
    if house_id in expert.organisation_ids:
        found.append(ConflictKind.SAME_HOUSE)
    if expert.traded_with & interested:
        found.append(ConflictKind.PAST_DEAL)
    if expert.owned_with & interested:
        found.append(ConflictKind.OWNERSHIP)
    return found


def check_no_conflict(found: Sequence[ConflictKind], *, who: str = "assessor") -> None:
    """Refuse when a tie is known; it cannot be declared away. ``who`` is assessor or expert."""
    if not found:
        return
    what = "、".join(kind.label for kind in found)
    instead = (
        "不能承接这项评估；请委托方另选一家评估机构"
        if who == "assessor"
        else "不能参加这项评估的专家组；请选择回避，由评估机构换人"
    )
    raise RuleBroken("assessments.conflict", f"{what}，存在利益冲突，{instead}", who)


def check_statement(*, declared: bool, statement: str) -> str:
    """Return the conflict-of-interest statement; refuse to accept an order without one."""
    if not declared:
        raise RuleBroken(
            "assessments.no_statement",
            "接受委托前须声明与委托方、权利人、发明人没有利益关系；有利益关系的请选择“不接受”",
            "declared",
        )
    return check_reason(statement, "核对了哪些关系", field="statement")


@dataclass(frozen=True)
class ExpertScore:
    """One indicator of one sheet: points 0–100 and why."""

    indicator: Indicator
    points: int
    reason: str


def weighted_tenths(points: Mapping[Indicator, int], weights: Mapping[Indicator, int]) -> int:
    """Return the weighted score in tenths of a point, rounded half up; weights are per mille."""
    total = sum(points[indicator] * weights[indicator] for indicator in Indicator)
    return (total * 10 + 500) // 1000


def weighted_of_tenths(tenths: Mapping[Indicator, int], weights: Mapping[Indicator, int]) -> int:
    """Return the weighted score of values already in tenths, in tenths, rounded half up."""
    total = sum(tenths[indicator] * weights[indicator] for indicator in Indicator)
    return (total + 500) // 1000


def score_text(tenths: int) -> str:
    """Write tenths of a point, ``73.5``."""
    whole, rest = divmod(tenths, 10)
    return f"{whole}.{rest}"
