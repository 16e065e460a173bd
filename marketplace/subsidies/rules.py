"""Claims: their words and states, who may do what, and what each step asks for. Pure.

The way of a claim is 济科发〔2021〕27号 第十六条: notice, application, first review by the
district, review by 创新促进中心 and 市科技局, experts, publicity of five working days, payment.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from marketplace.foundation.access import Actor, Permission, Role
from marketplace.foundation.errors import Conflict, NotAllowed, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word
from marketplace.subsidies.calculation_rules import scale_to_budget

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
OPEN_ROUND = Permission("subsidies.open_round", frozenset({Role.BUREAU_REVIEWER}))
LIST_PAYMENTS = Permission("subsidies.list_payments", frozenset({Role.BUREAU_REVIEWER}))
SEE_PAYMENTS = Permission(
    "subsidies.see_payments", frozenset({Role.BUREAU_REVIEWER, Role.TREASURER})
)
CONFIRM_PAYMENT = Permission("subsidies.confirm_payment", frozenset({Role.TREASURER}))
CLAW_BACK = Permission("subsidies.claw_back", frozenset({Role.BUREAU_REVIEWER}))


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
COUNTS = tuple(status for status in ClaimStatus if status is not S.ESTIMATED)

LEAST_EXPERT_SCORE = 60


@dataclass(frozen=True)
class RoundTerms:
    """What a notice lays down: the year, from when to when one may apply, and the budget."""

    year: int
    title: str
    opens_on: date
    closes_on: date
    budget_fen: Fen


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


def check_application(
    *, status: ClaimStatus, confirmed_fen: int | None, computed_fen: Fen, declared: bool
) -> None:
    """Refuse an application that was sent before, whose amount changed, or without a declaration.

    The amount is computed, never typed: ``confirmed_fen`` is what the applicant saw.
    """
    if status not in (S.ESTIMATED, S.RETURNED):
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


def check_reviewer(
    actor: Actor,
    *,
    step: ReviewStep,
    district: str | None,
    reviewer_district: str | None,
    organisation_id: int,
    party_ids: Collection[int],
) -> None:
    """Refuse a review by another role, by another district, or by anybody who is concerned.

    Where a claimant's district has no office on the platform (``district`` None), the promotion
    centre makes the first review in its place.
    """
    role = ROLE_OF[step]
    if step is ReviewStep.DISTRICT and district is None:
        role = Role.CENTRE_REVIEWER
    if not actor.has(role):
        raise NotAllowed("claims.not_reviewer", f"这一步由{role.label}办理")
    if step is ReviewStep.DISTRICT and district is not None and district != reviewer_district:
        raise NotAllowed("claims.other_district", "这家单位在别的区县，由那里的科技主管部门初审")
    if actor.organisation_id == organisation_id:
        raise NotAllowed("claims.own", "不能审核本单位的申报，请由其他单位的人员办理")
    if actor.organisation_id in party_ids:
        raise NotAllowed("claims.concerned", "您的单位是所涉合同的一方，须回避，请由其他人员办理")


def check_review(
    *,
    status: ClaimStatus,
    step: ReviewStep,
    decision: ReviewDecision,
    opinion: str,
    score: int | None,
    unconcerned: bool,
) -> None:
    """Refuse a review of another step, without grounds, or an expert's without score."""
    if STEP_OF.get(status) is not step:
        raise Conflict(
            "claims.moved_on", f"这份申报现在是“{status.label}”，不在这一步，请刷新后再看"
        )
    problems = []
    if decision is not ReviewDecision.PASS and len(opinion.strip()) < 10:
        problems.append(
            Problem(
                "claims.no_grounds",
                "退回或不予支持要写明理由和需要补正的内容，至少 10 个字；申报单位会看到",
                "opinion",
            )
        )
    if step is ReviewStep.EXPERT:
        if score is None:
            problems.append(Problem("claims.no_score", "请给出 0 到 100 的评分", "score"))
        elif decision is ReviewDecision.PASS and score < LEAST_EXPERT_SCORE:
            problems.append(
                Problem(
                    "claims.low_score",
                    f"评分低于 {LEAST_EXPERT_SCORE} 分不能通过，请修改评分或结论",
                    "score",
                )
            )
        if not unconcerned:
            problems.append(
                Problem("claims.no_statement", "请勾选与申报单位没有利害关系的声明", "unconcerned")
            )
    raise_if_any(problems)


@dataclass(frozen=True)
class Shares:
    """What each settled claim is paid out of what is left of the budget."""

    factor: Fraction
    left_fen: Fen
    wanted_fen: Fen
    amounts: tuple[Fen, ...]

    @property
    def scaled(self) -> bool:
        """Tell whether the budget was too small for all."""
        return self.factor < 1


def share_budget(
    wanted: Sequence[Fen], *, budget: Fen, granted: Iterable[Fen], undecided: Iterable[Fen]
) -> Shares:
    """Share what is left of a round's budget; scale all by one factor where it is too small.

    Refuse while claims under review could still change that factor.
    """
    left = Fen(max(0, budget - sum(granted)))
    total = Fen(sum(wanted))
    waiting = list(undecided)
    if waiting and total + sum(waiting) > left:
        raise RuleBroken(
            "rounds.undecided",
            f"预算余额 {format_yuan(left)} 元不够支付全部申报，还有 {len(waiting)} 件在审；"
            "须等全部审结后按同一比例缩减，再一并公示",
        )
    scaling = scale_to_budget(wanted, left)
    return Shares(scaling.factor, left, total, scaling.amounts)


def check_two_persons(*, prepared_by_id: int | None, actor: Actor) -> None:
    """Refuse the same person to list a payment and to confirm it."""
    if actor.user_id is None or actor.user_id == prepared_by_id:
        raise NotAllowed(
            "payments.same_person", "编制支付清单的人不能确认支付，请由财政局的另一名经办人办理"
        )


def check_payment(
    *, status: PaymentStatus, claim: ClaimStatus, amount_fen: Fen, payable_fen: Fen, reference: str
) -> None:
    """Refuse a second payment, one above the approved amount, or one without a bank reference."""
    if status is PaymentStatus.PAID:
        raise Conflict("payments.paid", "这一笔已经确认支付，不能重复支付")
    if claim is not ClaimStatus.APPROVED:
        raise Conflict("payments.claim", f"这份申报现在是“{claim.label}”，不能支付")
    if amount_fen > payable_fen:
        raise RuleBroken("payments.above", "支付金额超过公示通过的金额，不能支付")
    if len(reference.strip()) < 4:
        raise RuleBroken("payments.reference", "请填写国库支付凭证号，与银行回单一致", "reference")


def check_claw_back(*, status: ClaimStatus, reason: str, document: str) -> None:
    """Refuse to claw back what was not paid, or without facts and a decision."""
    if status is not ClaimStatus.PAID:
        raise Conflict("claims.not_paid", f"只有已支付的补助可以追回，这份现在是“{status.label}”")
    problems = []
    if len(reason.strip()) < 10:
        problems.append(
            Problem(
                "claims.no_reason", "请写明追回的事实，至少 10 个字；会记入科研诚信记录", "reason"
            )
        )
    if len(document.strip()) < 4:
        problems.append(Problem("claims.no_document", "请填写处理决定的文号", "document"))
    raise_if_any(problems)
