"""What protects a broker and a secret: introductions, commission, confidentiality agreements.

Pure. Commission rests on 技术合同司法解释 38–41: no contract, no commission.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, date, datetime

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word

# Rates are whole ten-thousandths of the price: 3.25 % is 325.
WHOLE_RATE = 10_000

INTRODUCE = Permission("brokerage.introduce", frozenset({Role.BROKER}))
ACKNOWLEDGE = Permission(
    "brokerage.acknowledge",
    frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.LEADER, Role.INVENTOR, Role.ENTERPRISE}),
)
PROPOSE_COMMISSION = Permission("brokerage.propose_commission", frozenset({Role.BROKER}))
CONFIRM_COMMISSION = Permission(
    "brokerage.confirm_commission",
    frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.LEADER, Role.ENTERPRISE}),
)
RECEIVE_COMMISSION = Permission(
    "brokerage.receive_commission", frozenset({Role.BROKER, Role.AGENCY_HEAD})
)
OFFER_AGREEMENT = Permission(
    "brokerage.offer_agreement", frozenset({Role.OFFICER, Role.ORG_ADMIN, Role.LEADER})
)
ACCEPT_AGREEMENT = Permission(
    "brokerage.accept_agreement", frozenset({Role.ENTERPRISE, Role.ORG_ADMIN, Role.OFFICER})
)


def introduction_digest(
    *, seller_uscc: str, buyer_uscc: str, subject: str, introduced_at: datetime
) -> str:
    """Return the SHA-256 over the two parties, the subject and the moment in UTC.

    Anyone who knows the four can compute it again and so prove when the introduction was made.
    """
    facts = {
        "buyer": buyer_uscc,
        "introduced_at": introduced_at.astimezone(UTC).isoformat(timespec="microseconds"),
        "seller": seller_uscc,
        "subject": subject,
    }
    packed = json.dumps(facts, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(packed.encode()).hexdigest()


def check_introduction(
    *, seller_organisation_id: int, buyer_organisation_id: int, agency_organisation_id: int | None
) -> None:
    """Refuse to introduce a party to itself, or a broker's own organisation as a party."""
    if seller_organisation_id == buyer_organisation_id:
        raise RuleBroken("introduction.same_party", "不能把一个机构介绍给它自己，请检查供需双方")
    if agency_organisation_id in (seller_organisation_id, buyer_organisation_id):
        raise RuleBroken(
            "introduction.own_party",
            "您所在的机构就是当事一方，这不是居间介绍，不能存证",
        )


class CommissionBasis(Word):
    """How a commission is computed."""

    RATE = "rate", "按成交额比例"
    FIXED = "fixed", "固定金额"


class CommissionStatus(Word):
    """Where a commission stands; without a contract none is owed."""

    PROPOSED = "proposed", "待对方确认", "neutral"
    AGREED = "agreed", "已约定", "run"
    DUE = "due", "应付", "warn"
    INVOICED = "invoiced", "已开票", "run"
    RECEIVED = "received", "已到账", "ok"
    VOID = "void", "不成立", "neutral"


class CommissionPayer(Word):
    """Which party owes the commission."""

    SELLER = "seller", "成果方"
    BUYER = "buyer", "需求方"


class DueWhen(Word):
    """What makes a commission due."""

    REGISTRATION = "registration", "合同登记时一次应付"
    PAYMENT = "payment", "随合同款到账分次应付"


@dataclass(frozen=True)
class CommissionTerms:
    """A rate in ten-thousandths of the price or a fixed amount; exactly one of them.

    ``minimum_fen`` is the least that a rate comes to; the price still caps it.
    """

    basis: CommissionBasis
    rate_per_myriad: int | None
    fixed_fen: Fen | None
    minimum_fen: Fen | None = None
    due_when: DueWhen = DueWhen.REGISTRATION


def check_commission(terms: CommissionTerms, *, price_fen: Fen | None) -> None:
    """Refuse terms that are incomplete, or that come to more than the price."""
    problems: list[Problem] = []
    if terms.basis is CommissionBasis.RATE:
        rate = terms.rate_per_myriad
        if rate is None or rate <= 0:
            problems.append(
                Problem("commission.no_rate", "请填写大于 0 的佣金比例", "rate_percent")
            )
        elif rate > WHOLE_RATE:
            problems.append(
                Problem("commission.rate", "佣金比例不能超过成交额的 100 %", "rate_percent")
            )
        if terms.fixed_fen is not None:
            problems.append(
                Problem(
                    "commission.both",
                    "已选择按比例，就不要再填固定金额；请删去其中一项",
                    "fixed_fen",
                )
            )
    else:
        fixed = terms.fixed_fen
        if fixed is None or fixed <= 0:
            problems.append(Problem("commission.no_amount", "请填写大于 0 的固定佣金", "fixed_fen"))
        elif price_fen is not None and fixed > price_fen:
            problems.append(
                Problem(
                    "commission.above_price",
                    f"佣金 {format_yuan(fixed)} 元超过了成交价 {format_yuan(price_fen)} 元，"
                    "请检查是否多输了一个 0",
                    "fixed_fen",
                )
            )
        if terms.rate_per_myriad is not None:
            problems.append(
                Problem(
                    "commission.both",
                    "已选择固定金额，就不要再填比例；请删去其中一项",
                    "rate_percent",
                )
            )
    problems += _minimum_problems(terms, price_fen)
    raise_if_any(problems)


def _minimum_problems(terms: CommissionTerms, price_fen: Fen | None) -> list[Problem]:
    least = terms.minimum_fen
    if least is None:
        return []
    if terms.basis is CommissionBasis.FIXED:
        return [
            Problem(
                "commission.minimum_of_fixed",
                "固定金额不需要保底；请删去保底金额，或改为按比例",
                "minimum_fen",
            )
        ]
    if least <= 0:
        return [Problem("commission.minimum", "保底金额应大于 0；没有保底就留空", "minimum_fen")]
    if price_fen is not None and least > price_fen:
        return [
            Problem(
                "commission.minimum_above_price",
                f"保底 {format_yuan(least)} 元超过了成交价 {format_yuan(price_fen)} 元，"
                "请检查是否多输了一个 0",
                "minimum_fen",
            )
        ]
    return []


def commission_on(terms: CommissionTerms, price_fen: Fen) -> Fen:
    """Compute a commission in fen, floored; it never exceeds the price."""
    if terms.basis is CommissionBasis.FIXED:
        return Fen(min(terms.fixed_fen or 0, price_fen))
    by_rate = price_fen * (terms.rate_per_myriad or 0) // WHOLE_RATE
    return Fen(min(max(by_rate, terms.minimum_fen or 0), price_fen))


COMMISSION_STEPS: dict[CommissionStatus, frozenset[CommissionStatus]] = {
    CommissionStatus.PROPOSED: frozenset({CommissionStatus.AGREED, CommissionStatus.VOID}),
    CommissionStatus.AGREED: frozenset({CommissionStatus.DUE, CommissionStatus.VOID}),
    CommissionStatus.DUE: frozenset({CommissionStatus.INVOICED, CommissionStatus.RECEIVED}),
    CommissionStatus.INVOICED: frozenset({CommissionStatus.RECEIVED}),
    CommissionStatus.RECEIVED: frozenset(),
    CommissionStatus.VOID: frozenset(),
}


def move_commission(status: CommissionStatus, to: CommissionStatus) -> CommissionStatus:
    """Return the new status, or refuse with ``Conflict`` when the step does not exist."""
    if to not in COMMISSION_STEPS[status]:
        raise Conflict(
            "commission.status",
            f"佣金约定现在是“{status.label}”，不能变为“{to.label}”；请刷新页面看最新状态",
        )
    return to


class AgreementStatus(Word):
    """Where a confidentiality agreement stands."""

    OFFERED = "offered", "待买方接受", "neutral"
    ACCEPTED = "accepted", "已生效", "ok"
    REVOKED = "revoked", "已收回", "danger"


def agreement_holds(
    status: AgreementStatus, *, accepted_on: date | None, valid_to: date | None, on: date
) -> bool:
    """Tell whether an agreement is in force on a day, both ends included."""
    if status is not AgreementStatus.ACCEPTED or accepted_on is None:
        return False
    return accepted_on <= on and (valid_to is None or on <= valid_to)


def check_revocation(reason: str) -> str:
    """Return the trimmed reason for closing the confidential layer again."""
    text = reason.strip()
    if len(text) < 5:
        raise RuleBroken(
            "agreement.reason", "请写明收回的理由（至少 5 个字），对方会看到", "reason"
        )
    return text
