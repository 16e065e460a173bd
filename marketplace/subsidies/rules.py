"""Claims: their words and states, who may do what, what a notice and an application ask. Pure.

The way of a claim is 济科发〔2021〕27号 第十六条: notice, application, first review by the
district, review by 创新促进中心 and 市科技局, experts, publicity of five working days, payment.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word
from marketplace.subsidies.word_rules import ClaimItem

_APPLICANTS = frozenset(
    {
        Role.ORG_ADMIN,
        Role.OFFICER,
        Role.LEADER,
        Role.ENTERPRISE,
        Role.AGENCY_HEAD,
        Role.REGISTRAR,
    }
)
_REVIEWERS = frozenset(
    {Role.DISTRICT_REVIEWER, Role.CENTRE_REVIEWER, Role.BUREAU_REVIEWER, Role.EXPERT}
)

CLAIM = Permission("subsidies.claim", _APPLICANTS)
REVIEW = Permission("subsidies.review", _REVIEWERS)
SEE_DESK = Permission("subsidies.see_desk", _REVIEWERS | {Role.TREASURER})
# An expert judges the claim and pays nobody.
UNMASK = Permission("subsidies.unmask", (_REVIEWERS | {Role.TREASURER}) - {Role.EXPERT})
OPEN_ROUND = Permission("subsidies.open_round", frozenset({Role.BUREAU_REVIEWER}))
LIST_PAYMENTS = Permission("subsidies.list_payments", frozenset({Role.BUREAU_REVIEWER}))
SEE_PAYMENTS = Permission(
    "subsidies.see_payments", frozenset({Role.BUREAU_REVIEWER, Role.TREASURER})
)
UNMASK_PAYMENTS = Permission("subsidies.unmask_payments", SEE_PAYMENTS.roles)
CONFIRM_PAYMENT = Permission("subsidies.confirm_payment", frozenset({Role.TREASURER}))
SEND_BACK = Permission("subsidies.send_back", frozenset({Role.BUREAU_REVIEWER}))
CLAW_BACK = Permission("subsidies.claw_back", frozenset({Role.BUREAU_REVIEWER}))
CONFIRM_RECEIPT = Permission("subsidies.confirm_receipt", frozenset({Role.TREASURER}))


class ClaimStatus(Word):
    """Where a claim stands."""

    ESTIMATED = "estimated", "待确认", "neutral"
    DISTRICT_REVIEW = "district_review", "区县初审", "run"
    CENTRE_REVIEW = "centre_review", "促进中心审核", "run"
    BUREAU_REVIEW = "bureau_review", "市级复核", "run"
    EXPERT_REVIEW = "expert_review", "专家评审", "run"
    SETTLING = "settling", "待公示", "run"
    PUBLICITY = "publicity", "公示中", "run"
    APPROVED = "approved", "已通过，待支付", "ok"
    PAID = "paid", "已支付", "ok"
    RETURNED = "returned", "退回补正", "warn"
    REFUSED = "refused", "不予支持", "danger"
    RECLAIMING = "reclaiming", "追回中", "danger"
    CLAWED_BACK = "clawed_back", "已追回", "danger"


class ReviewStep(Word):
    """The four reviews, in order."""

    DISTRICT = "district", "区县初审"
    CENTRE = "centre", "促进中心审核"
    BUREAU = "bureau", "市级复核"
    EXPERT = "expert", "专家评审"


class ReviewDecision(Word):
    """What a reviewer decides."""

    PASS = "pass", "通过", "ok"
    RETURN = "return", "退回补正", "warn"
    REFUSE = "refuse", "不予支持", "danger"


class PaymentStatus(Word):
    """Where a payment stands between the bureau that lists it and the treasurer who pays."""

    LISTED = "listed", "待支付", "run"
    PAID = "paid", "已支付", "ok"


S = ClaimStatus

STEP_OF: dict[ClaimStatus, ReviewStep] = {
    S.DISTRICT_REVIEW: ReviewStep.DISTRICT,
    S.CENTRE_REVIEW: ReviewStep.CENTRE,
    S.BUREAU_REVIEW: ReviewStep.BUREAU,
    S.EXPERT_REVIEW: ReviewStep.EXPERT,
}
STATUS_OF: dict[ReviewStep, ClaimStatus] = {step: status for status, step in STEP_OF.items()}
AFTER: dict[ReviewStep, ClaimStatus] = {
    ReviewStep.DISTRICT: S.CENTRE_REVIEW,
    ReviewStep.CENTRE: S.BUREAU_REVIEW,
    ReviewStep.BUREAU: S.EXPERT_REVIEW,
    ReviewStep.EXPERT: S.SETTLING,
}
ROLE_OF: dict[ReviewStep, Role] = {
    ReviewStep.DISTRICT: Role.DISTRICT_REVIEWER,
    ReviewStep.CENTRE: Role.CENTRE_REVIEWER,
    ReviewStep.BUREAU: Role.BUREAU_REVIEWER,
    ReviewStep.EXPERT: Role.EXPERT,
}
IN_REVIEW = tuple(STEP_OF)
# What is still on its way to the budget: while one is, nobody's share of a short budget is known.
UNDECIDED = (*IN_REVIEW, S.SETTLING)
# A claim in any of these has taken its contracts and its amount for good, also where it was
# refused or clawed back: what was judged once is not claimed again through another round.
# What its applicant still works on: it can be entered, and sent for the first time or again.
WITH_APPLICANT = (S.ESTIMATED, S.RETURNED)
COUNTS = tuple(status for status in ClaimStatus if status is not S.ESTIMATED)

# What has taken its part of the budget; what is clawed back goes to the treasury, not back to it.
GRANTED = (S.PUBLICITY, S.APPROVED, S.PAID, S.RECLAIMING, S.CLAWED_BACK)

# The items on contracts, of which every notice before this could only speak.
CONTRACT_ITEMS = tuple(item for item in ClaimItem if item.contracts is not None)
TAKEN_BACK = (S.RECLAIMING, S.CLAWED_BACK)
MOST_EXPERTS = 9


@dataclass(frozen=True)
class RoundTerms:
    """What a notice lays down: year, dates, budget, items, who may claim, what to hand in.

    ``expert_count`` is how many experts judge each claim, each for themselves.
    """

    year: int
    title: str
    opens_on: date
    closes_on: date
    budget_fen: Fen
    items: tuple[ClaimItem, ...] = CONTRACT_ITEMS
    eligible: str = ""
    documents: str = ""
    expert_count: int = 3


def check_round(terms: RoundTerms, *, today: date) -> None:
    """Refuse a notice whose dates are turned, whose year lies ahead, or that has no budget."""
    problems = []
    if not terms.title.strip():
        problems.append(Problem("rounds.title", "请填写通知标题，它会公开", "title"))
    if terms.closes_on < terms.opens_on:
        problems.append(
            Problem("rounds.dates", "截止日期早于开始日期，请改正其中一个", "closes_on")
        )
    if terms.closes_on < today:
        problems.append(
            Problem("rounds.past", "截止日期已过，申报单位来不及申报，请改到今天以后", "closes_on")
        )
    if terms.year > today.year:
        problems.append(
            Problem("rounds.year", f"{terms.year} 年还没有开始，没有可以申报的合同", "year")
        )
    if terms.budget_fen <= 0:
        problems.append(Problem("rounds.budget", "请填写本批预算，必须大于 0", "budget"))
    if not terms.items:
        problems.append(Problem("rounds.items", "请至少选择一项，没有项目就没有可申报的", "items"))
    if len(terms.eligible.strip()) < 4:
        problems.append(Problem("rounds.eligible", "请写明哪些单位可以申报", "eligible"))
    if len(terms.documents.strip()) < 4:
        problems.append(
            Problem("rounds.documents", "请写明要提交哪些材料，没有也要写“不需要”", "documents")
        )
    if not 1 <= terms.expert_count <= MOST_EXPERTS:
        problems.append(
            Problem("rounds.experts", f"每件由 1 到 {MOST_EXPERTS} 名专家评审", "expert_count")
        )
    raise_if_any(problems)


def check_round_open(*, opens_on: date, closes_on: date, today: date) -> None:
    """Refuse an application before a round opens or after it closed; both ends are included."""
    if today < opens_on:
        raise RuleBroken("claims.not_open", f"本批自 {opens_on.isoformat()} 起受理，现在还不能申报")
    if today > closes_on:
        raise RuleBroken(
            "claims.closed",
            f"本批已于 {closes_on.isoformat()} 截止受理；请等下一批通知，合同不会因此失效",
        )


def check_offered(item: ClaimItem, offered: Collection[ClaimItem]) -> None:
    """Refuse an item that a round's notice does not name."""
    if item not in offered:
        named = "、".join(one.label for one in offered)
        raise RuleBroken("claims.not_offered", f"本批不受理{item.label}；本批受理：{named}")


def check_honest(*, reason: str | None, until: date | None) -> None:
    """Refuse support while an organisation stands on the integrity record; None is no record.

    济科发〔2020〕58号 第12条: 一票否决. What counts for the amount is the year's last day (Reading
    I); this bars application and payment on the day itself.
    """
    if reason is not None and until is not None:
        raise RuleBroken(
            "claims.dishonest",
            f"单位在科研失信记录期内（到 {until.isoformat()}），一票否决，不能申报和支付补助"
            f"（济科发〔2020〕58号第十二条）。记录的事实：{reason}。期满或信用修复后可以再办",
        )


def check_application(
    *, status: ClaimStatus, confirmed_fen: int | None, computed_fen: Fen, declared: bool
) -> None:
    """Refuse an application that was sent before, whose amount changed, or without a declaration.

    The amount is computed, never typed: ``confirmed_fen`` is what the applicant saw.
    """
    if status not in WITH_APPLICANT:
        raise Conflict("claims.applied", f"这份申报已经提交，现在是“{status.label}”，不能再次提交")
    if computed_fen <= 0:
        raise RuleBroken("claims.nothing", "按登记的合同计算，这一项目前没有可以申报的金额")
    if confirmed_fen is None or confirmed_fen != computed_fen:
        raise Conflict(
            "claims.amount_changed",
            f"按最新登记数据计算的金额是 {format_yuan(computed_fen)} 元，与您打开页面时不同"
            "（金额由平台计算，不能修改）；请核对新的计算后再提交",
        )
    if not declared:
        raise RuleBroken("claims.undeclared", "请勾选真实性承诺后再提交", "declared")


def check_payee(
    *, bank_name: str, bank_account: str, contact_name: str, contact_phone: str
) -> None:
    """Refuse an application without an account to pay to or a person to ask."""
    problems = []
    if len(bank_name.strip()) < 4:
        problems.append(Problem("claims.bank", "请填写开户银行全称，要写到支行", "bank_name"))
    digits = bank_account.replace(" ", "")
    if not (digits.isdigit() and digits.isascii() and 8 <= len(digits) <= 32):
        problems.append(
            Problem(
                "claims.account", "银行账号应为 8 到 32 位数字，请对照开户许可证", "bank_account"
            )
        )
    if not contact_name.strip():
        problems.append(Problem("claims.contact", "请填写经办人姓名", "contact_name"))
    if len(contact_phone.strip()) < 7:
        problems.append(
            Problem("claims.phone", "请填写经办人电话，审核有疑问时要联系", "contact_phone")
        )
    raise_if_any(problems)
