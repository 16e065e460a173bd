"""What a technology contract is and what may happen to it: words, permissions, states, terms.

Pure. What contradicts itself in a form is in ``content_rules``, what a complete form needs in
``precheck_rules``, what makes a registrar look twice in ``sham_rules``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.achievements.rules import IPKind
from marketplace.contracts.payment_rules import Instalment
from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.foundation.trade import PaymentMode, TechnologyField, TradingMode
from marketplace.foundation.words import Word


class ContractType(Word):
    """The five types of technology contract (民法典 843–887)."""

    DEVELOPMENT = "development", "技术开发"
    TRANSFER = "transfer", "技术转让"
    LICENCE = "licence", "技术许可"
    CONSULTING = "consulting", "技术咨询"
    SERVICE = "service", "技术服务"


class ContractSubtype(Word):
    """What kind of contract it is within its type."""

    COMMISSIONED = "commissioned", "委托开发"
    COOPERATIVE = "cooperative", "合作开发"
    PATENT = "patent", "专利权转让"
    PATENT_APPLICATION = "patent_application", "专利申请权转让"
    KNOW_HOW = "know_how", "技术秘密转让"
    SOFTWARE = "software", "计算机软件著作权转让"
    LAYOUT = "layout", "集成电路布图设计专有权转让"
    PLANT_VARIETY = "plant_variety", "植物新品种权转让"
    BIOMEDICAL = "biomedical", "生物、医药新品种权转让"
    EXCLUSIVE = "exclusive", "独占许可"
    SOLE = "sole", "排他许可"
    ORDINARY = "ordinary", "普通许可"
    OPEN = "open", "开放许可"
    FEASIBILITY = "feasibility", "可行性论证"
    FORECAST = "forecast", "技术预测"
    INVESTIGATION = "investigation", "专题技术调查"
    EVALUATION = "evaluation", "分析评价报告"
    GENERAL = "general", "一般技术服务"
    INTERMEDIARY = "intermediary", "技术中介"
    TRAINING = "training", "技术培训"


_T, _S = ContractType, ContractSubtype

# 民法典 851 (development), 863 and 864 (transfer and licence), 878 (consulting, service), 887.
SUBTYPES: dict[ContractType, tuple[ContractSubtype, ...]] = {
    _T.DEVELOPMENT: (_S.COMMISSIONED, _S.COOPERATIVE),
    _T.TRANSFER: (
        _S.PATENT,
        _S.PATENT_APPLICATION,
        _S.KNOW_HOW,
        _S.SOFTWARE,
        _S.LAYOUT,
        _S.PLANT_VARIETY,
        _S.BIOMEDICAL,
    ),
    _T.LICENCE: (_S.EXCLUSIVE, _S.SOLE, _S.ORDINARY, _S.OPEN),
    _T.CONSULTING: (_S.FEASIBILITY, _S.FORECAST, _S.INVESTIGATION, _S.EVALUATION),
    _T.SERVICE: (_S.GENERAL, _S.INTERMEDIARY, _S.TRAINING),
}

# What a transferred right must be for the contract's name to agree with its subject.
IP_OF_SUBTYPE: dict[ContractSubtype, frozenset[IPKind]] = {
    _S.PATENT: frozenset({IPKind.INVENTION, IPKind.UTILITY_MODEL, IPKind.DESIGN}),
    _S.PATENT_APPLICATION: frozenset({IPKind.INVENTION, IPKind.UTILITY_MODEL, IPKind.DESIGN}),
    _S.KNOW_HOW: frozenset({IPKind.SECRET}),
    _S.SOFTWARE: frozenset({IPKind.SOFTWARE}),
    _S.LAYOUT: frozenset({IPKind.LAYOUT}),
    _S.PLANT_VARIETY: frozenset({IPKind.PLANT_VARIETY}),
    _S.BIOMEDICAL: frozenset({IPKind.BIOMEDICAL}),
}

TYPE_OF_MODE: dict[TradingMode, tuple[ContractType, ContractSubtype | None]] = {
    TradingMode.TRANSFER: (_T.TRANSFER, None),
    TradingMode.LICENCE_EXCLUSIVE: (_T.LICENCE, _S.EXCLUSIVE),
    TradingMode.LICENCE_SOLE: (_T.LICENCE, _S.SOLE),
    TradingMode.LICENCE_ORDINARY: (_T.LICENCE, _S.ORDINARY),
    TradingMode.OPEN_LICENCE: (_T.LICENCE, _S.OPEN),
    TradingMode.EQUITY: (_T.TRANSFER, None),
    TradingMode.DEVELOPMENT: (_T.DEVELOPMENT, _S.COMMISSIONED),
    TradingMode.SERVICE: (_T.SERVICE, _S.GENERAL),
    TradingMode.TRIAL: (_T.LICENCE, _S.ORDINARY),
}
"""The type that a deal's trading mode leads to, and the subtype where the mode fixes it."""

MODE_OF_SUBTYPE: dict[ContractSubtype, TradingMode] = {
    _S.EXCLUSIVE: TradingMode.LICENCE_EXCLUSIVE,
    _S.SOLE: TradingMode.LICENCE_SOLE,
    _S.ORDINARY: TradingMode.LICENCE_ORDINARY,
    _S.OPEN: TradingMode.OPEN_LICENCE,
}


def mode_of(contract_type: ContractType, subtype: ContractSubtype | None) -> TradingMode:
    """Return how the technology changed hands, for the achievement it came from."""
    if contract_type is _T.TRANSFER:
        return TradingMode.TRANSFER
    if contract_type is _T.LICENCE:
        return MODE_OF_SUBTYPE.get(subtype or _S.ORDINARY, TradingMode.LICENCE_ORDINARY)
    if contract_type is _T.DEVELOPMENT:
        return TradingMode.DEVELOPMENT
    return TradingMode.SERVICE


class PlanSource(Word):
    """Which plan the project comes from (计划来源), as the registration form lists them."""

    NATIONAL_MEGAPROJECT = "national_megaproject", "国家科技重大专项"
    NATIONAL_KEY = "national_key", "国家重点研发计划"
    NATIONAL_FUND = "national_fund", "国家自然科学基金"
    NATIONAL_GUIDANCE = "national_guidance", "技术创新引导专项（基金）"
    NATIONAL_BASE = "national_base", "基地和人才专项"
    MINISTRY = "ministry", "部门计划"
    PROVINCE = "province", "省级计划"
    CITY = "city", "市县计划"
    NONE = "none", "计划外"


class ContractStatus(Word):
    """Where a contract stands on its way into the register."""

    DRAFT = "draft", "草稿", "neutral"
    SUBMITTED = "submitted", "待审核", "run"
    REVIEW = "review", "审核中", "run"
    CORRECTION = "correction", "待补正", "warn"
    REGISTERED = "registered", "已登记", "ok"
    REFUSED = "refused", "不予登记", "danger"
    CHANGED = "changed", "已变更登记", "ok"
    CANCELLED = "cancelled", "已撤销登记", "danger"


_C = ContractStatus

TRANSITIONS: dict[ContractStatus, frozenset[ContractStatus]] = {
    _C.DRAFT: frozenset({_C.SUBMITTED}),
    _C.SUBMITTED: frozenset({_C.REVIEW, _C.CORRECTION, _C.REGISTERED, _C.REFUSED}),
    _C.REVIEW: frozenset({_C.CORRECTION, _C.REGISTERED, _C.REFUSED}),
    _C.CORRECTION: frozenset({_C.SUBMITTED}),
    _C.REGISTERED: frozenset({_C.CHANGED, _C.CANCELLED}),
    # A registered contract may be amended more than once.
    _C.CHANGED: frozenset({_C.CHANGED, _C.CANCELLED}),
    _C.REFUSED: frozenset(),
    _C.CANCELLED: frozenset(),
}

EDITABLE = frozenset({_C.DRAFT, _C.CORRECTION})
WITH_REGISTRAR = frozenset({_C.SUBMITTED, _C.REVIEW})
IN_REGISTER = frozenset({_C.REGISTERED, _C.CHANGED})
LIVE = frozenset({_C.DRAFT, _C.SUBMITTED, _C.REVIEW, _C.CORRECTION, _C.REGISTERED, _C.CHANGED})
"""States of which a deal has at most one contract."""


class RefusalReason(Word):
    """Why a contract is not registered (不予登记), by the code the applicant is told."""

    NOT_EFFECTIVE = "not_effective", "合同未成立、未生效或无效"
    NOT_TECHNOLOGY = "not_technology", "不属于技术合同"
    UNCLEAR = "unclear", "当事人、标的或价款不明确"
    NO_APPROVAL = "no_approval", "缺少应有的批准文件"
    NAME_AND_DUTIES = "name_and_duties", "合同名称与权利义务不一致"
    MONOPOLY = "monopoly", "含有垄断技术、妨碍技术进步的条款"
    NO_PROOF = "no_proof", "证明材料不全"
    SEALS = "seals", "印章不全或与当事人不符"
    OTHER = "other", "其他"


# Who does what; ownership is checked besides.
_PARTY = frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.LEADER, Role.INVENTOR, Role.ENTERPRISE})
DRAW_UP = Permission(
    "contracts.draw_up", frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.ENTERPRISE})
)
SUBMIT = Permission("contracts.submit", frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.ENTERPRISE}))
READ = Permission(
    "contracts.read",
    _PARTY | {Role.BROKER, Role.AGENCY_HEAD, Role.REGISTRAR, Role.OPERATOR},
    verified=False,
)
UNMASK = Permission("contracts.unmask", READ.roles)
REVIEW = Permission("contracts.review", frozenset({Role.REGISTRAR}))
SEE_YEAR = Permission(
    "contracts.see_year",
    frozenset({Role.REGISTRAR, Role.OPERATOR, Role.BUREAU_REVIEWER, Role.CENTRE_REVIEWER}),
)


@dataclass(frozen=True)
class ReviewTerms:
    """The registrar's terms in working days; the long one holds from a technology amount on."""

    normal: int
    large: int
    large_from_yuan: int


def review_workdays(terms: ReviewTerms, technology_amount_fen: Fen, *, disputed: bool) -> int:
    """Return the working days a registrar has: the long term for large or disputed contracts."""
    large = technology_amount_fen >= terms.large_from_yuan * FEN_PER_YUAN
    return terms.large if large or disputed else terms.normal


def move(status: ContractStatus, to: ContractStatus) -> ContractStatus:
    """Return the new status, or refuse with ``Conflict`` when the step does not exist."""
    if to not in TRANSITIONS[status]:
        raise Conflict(
            "contracts.status",
            f"这份合同现在是“{status.label}”，不能变为“{to.label}”；请刷新页面看最新状态",
        )
    return to


@dataclass(frozen=True)
class Item:
    """A part of the price that pays for no technology, such as equipment (司法解释 14)."""

    label: str
    amount_fen: Fen


@dataclass(frozen=True)
class Contact:
    """Who represents a party and who answers the registrar."""

    representative: str = ""
    name: str = ""
    phone: str = ""


@dataclass(frozen=True, kw_only=True)
class ContractContent:
    """Everything the registration form holds; empty where nothing is known yet."""

    project_name: str = ""
    contract_type: ContractType | None = None
    subtype: ContractSubtype | None = None
    seller_organisation_id: int | None = None
    buyer_organisation_id: int | None = None
    agency_organisation_id: int | None = None
    registrar_organisation_id: int | None = None
    signed_on: date | None = None
    effective_on: date | None = None
    ends_on: date | None = None
    amount_fen: Fen | None = None
    technology_amount_fen: Fen | None = None
    items: tuple[Item, ...] = ()
    tax_exempt_amount_fen: Fen | None = None
    payment_mode: PaymentMode | None = None
    payment_terms: str = ""
    schedule: tuple[Instalment, ...] = ()
    related_parties: bool | None = None
    related_explanation: str = ""
    plan_source: PlanSource | None = None
    ip_kind: IPKind | None = None
    no_ip: bool = False
    technology_field: TechnologyField | None = None
    objective_code: str = ""
    industry_code: str = ""
    fiscal_funds: bool | None = None
    project_id: str = ""
    activity_id: str = ""
    seller_contact: Contact = Contact()
    buyer_contact: Contact = Contact()


def check_reason(reason: str, what: str) -> str:
    """Return the trimmed reason; refuse one too short to act on."""
    text = reason.strip()
    if len(text) < 5:
        raise RuleBroken(
            "contracts.reason",
            f"请写明{what}的理由（至少 5 个字），申请人要据此修改或申诉",
            "reason",
        )
    return text


def decide_type(
    applied: tuple[ContractType, ContractSubtype],
    contract_type: ContractType | None,
    subtype: ContractSubtype | None,
    *,
    ip_kind: IPKind | None,
) -> tuple[ContractType, ContractSubtype]:
    """Return the type and subtype that a registrar decides on; without a choice the applicant's.

    A chosen subtype must belong to the chosen type and agree with the right that changes hands.
    """
    decided = contract_type or applied[0]
    kind = subtype or (applied[1] if decided is applied[0] else None)
    if kind is None or kind not in SUBTYPES[decided]:
        allowed = "、".join(each.label for each in SUBTYPES[decided])
        raise RuleBroken(
            "contracts.subtype",
            f"登记为{decided.label}的，合同种类应是：{allowed}",
            "subtype",
        )
    expected = IP_OF_SUBTYPE.get(kind)
    if expected and ip_kind not in expected:
        kinds = "、".join(sorted(each.label for each in expected))
        raise RuleBroken(
            "contracts.ip_differs",
            f"登记为{kind.label}的，登记表的知识产权类型应是：{kinds}；请先退回补正",
            "subtype",
        )
    return decided, kind


def check_reviewer(organisation_id: int | None, parties: Sequence[int | None]) -> None:
    """Refuse that a registrar decides on a contract of its own organisation."""
    if organisation_id is not None and organisation_id in parties:
        raise RuleBroken(
            "contracts.own_contract",
            "登记机构不能登记本单位作为当事人的合同，请申请人改选其他登记机构",
        )
