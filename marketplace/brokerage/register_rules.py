"""The brokers' register and the filing of agencies (备案).

Pure. The conditions of a filing are dated parameters.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Conflict, Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import FEN_PER_YUAN, Fen, format_yuan
from marketplace.foundation.words import Word

EDIT_PROFILE = Permission("brokerage.edit_profile", frozenset({Role.BROKER}), verified=False)
CONFIRM_PROFILE = Permission("brokerage.confirm_profile", frozenset({Role.OPERATOR}))
APPLY_FILING = Permission(
    "brokerage.apply_filing",
    frozenset({Role.AGENCY_HEAD, Role.ORG_ADMIN, Role.OFFICER, Role.LEADER}),
)
DECIDE_FILING = Permission("brokerage.decide_filing", frozenset({Role.OPERATOR}))
END_FILING = Permission("brokerage.end_filing", frozenset({Role.OPERATOR, Role.BUREAU_REVIEWER}))
REQUEST_CONTACT = Permission(
    "brokerage.request_contact",
    frozenset({Role.ENTERPRISE, Role.ORG_ADMIN, Role.OFFICER, Role.INVENTOR}),
)
ANSWER_REQUEST = Permission("brokerage.answer_request", frozenset({Role.BROKER}))


class BrokerLevel(Word):
    """A broker's level by certificate."""

    JUNIOR = "junior", "初级技术经理人"
    INTERMEDIATE = "intermediate", "中级技术经理人"
    SENIOR = "senior", "高级技术经理人"


class FilingStatus(Word):
    """Where an agency's filing stands."""

    APPLIED = "applied", "待审核", "run"
    APPROVED = "approved", "已备案", "ok"
    DECLINED = "declined", "未通过", "danger"


class RequestStatus(Word):
    """Where a request to a broker stands."""

    OPEN = "open", "待答复", "run"
    ACCEPTED = "accepted", "已接手", "ok"
    DECLINED = "declined", "已婉拒", "neutral"


@dataclass(frozen=True)
class FilingFigures:
    """What an agency did in the year before; ``internal`` marks an office inside an institution."""

    internal: bool
    service_income_fen: Fen
    brokered_fen: Fen
    conversion_count: int


@dataclass(frozen=True)
class FilingConditions:
    """The least figures of a filing, in yuan a year."""

    service_income_yuan: int
    brokered_yuan: int
    internal_brokered_yuan: int
    internal_conversion_count: int


def filing_problems(figures: FilingFigures, conditions: FilingConditions) -> list[Problem]:
    """List which conditions the figures miss, and by how much.

    An agency needs service income and a brokered sum; an internal office a sum and conversions.
    """
    problems: list[Problem] = []
    if figures.internal:
        _least(problems, figures.brokered_fen, conditions.internal_brokered_yuan, "促成技术交易额")
        if figures.conversion_count < conditions.internal_conversion_count:
            problems.append(
                Problem(
                    "filing.conversions",
                    f"内设机构上一年应完成至少 {conditions.internal_conversion_count} 项转化，"
                    f"现为 {figures.conversion_count} 项",
                    "conversion_count",
                )
            )
    else:
        _least(problems, figures.brokered_fen, conditions.brokered_yuan, "促成技术交易额")
        income = conditions.service_income_yuan * FEN_PER_YUAN
        if figures.service_income_fen < income:
            problems.append(
                Problem(
                    "filing.income",
                    f"上一年技术服务收入应达到 {format_yuan(Fen(income))} 元，"
                    f"还差 {format_yuan(Fen(income - figures.service_income_fen))} 元",
                    "service_income_fen",
                )
            )
    return problems


def _least(problems: list[Problem], found: Fen, yuan: int, what: str) -> None:
    least = Fen(yuan * FEN_PER_YUAN)
    if found < least:
        problems.append(
            Problem(
                "filing.brokered",
                f"上一年{what}应达到 {format_yuan(least)} 元，"
                f"还差 {format_yuan(Fen(least - found))} 元",
                "brokered_fen",
            )
        )


@dataclass(frozen=True)
class BrokeredContract:
    """A registered contract as far as a filing needs it."""

    contract_id: int
    contract_no: str
    project_name: str
    seller_organisation_id: int
    buyer_organisation_id: int
    agency_organisation_id: int | None
    registered_on: date
    amount_fen: Fen


def contract_problems(
    numbers: Sequence[str],
    found: Mapping[str, BrokeredContract],
    *,
    organisation_id: int,
    internal: bool,
    year: int,
) -> list[Problem]:
    """List which of the contracts named in an application are not its own, or not of that year.

    An agency's own are those it brokered; an internal office counts those its institution sold.
    """
    problems: list[Problem] = []
    for number in numbers:
        contract = found.get(number)
        if contract is None:
            wrong = "登记系统中没有，或登记已撤销"
        elif contract.agency_organisation_id != organisation_id and not (
            internal and contract.seller_organisation_id == organisation_id
        ):
            wrong = "不是贵单位促成的合同"
        elif contract.registered_on.year != year:
            wrong = f"登记于 {contract.registered_on.year} 年，不属于填报的年度"
        else:
            continue
        problems.append(
            Problem("filing.contract", f"合同 {number} {wrong}，请核对编号", "contract_nos")
        )
    return problems


def may_file(kind: OrganisationKind, *, is_agency: bool) -> bool:
    """Tell whether an organisation may be filed: an agency, or the office of an institution."""
    institutions = {
        OrganisationKind.UNIVERSITY,
        OrganisationKind.RESEARCH_INSTITUTE,
        OrganisationKind.NEW_RD_INSTITUTION,
        OrganisationKind.INNOVATION_COMMUNITY,
    }
    return is_agency or kind in institutions


def check_validity(valid_from: date, valid_to: date) -> None:
    """Refuse a filing that ends before it begins or runs longer than five years."""
    if valid_to < valid_from:
        raise RuleBroken("filing.dates", "备案截止日期早于开始日期，请核对两个日期", "valid_to")
    if valid_to.year - valid_from.year > 5:
        raise RuleBroken("filing.too_long", "备案有效期最长 5 年，请缩短截止日期", "valid_to")


def decide_filing(status: FilingStatus, to: FilingStatus) -> FilingStatus:
    """Return the decision, or refuse when the filing was already decided."""
    if status is not FilingStatus.APPLIED:
        raise Conflict("filing.decided", f"这项备案申请已经是“{status.label}”，不能再次决定")
    return to


def check_answer(answer: str) -> str:
    """Return the trimmed answer to an organisation's request."""
    text = answer.strip()
    if len(text) < 5:
        raise RuleBroken(
            "request.answer", "请写几句答复（至少 5 个字），对方在等您的回音", "answer"
        )
    return text


@dataclass(frozen=True)
class Certificate:
    """A broker's certificate as he states it; the operator confirms it against the original."""

    level: BrokerLevel | None
    number: str
    issuer: str
    valid_to: date | None


def check_certificate(certificate: Certificate, *, today: date) -> None:
    """Refuse a level without its certificate, and a certificate that has run out."""
    problems: list[Problem] = []
    if certificate.level is not None:
        if not certificate.number:
            problems.append(
                Problem("broker.certificate", "写了级别就要填证书编号", "certificate_no")
            )
        if not certificate.issuer:
            problems.append(Problem("broker.issuer", "请填写发证机构", "certificate_issuer"))
    if certificate.valid_to is not None and certificate.valid_to < today:
        problems.append(
            Problem(
                "broker.certificate_over",
                f"证书已于 {certificate.valid_to.isoformat()} 到期，请换证后再填写",
                "certificate_valid_to",
            )
        )
    raise_if_any(problems)


def replaces(
    new: Certificate, level: BrokerLevel | None, valid_to: date | None, *, today: date
) -> bool:
    """Tell whether a new certificate takes the place of the one in the register.

    One that has run out gives way to any. Else a lower level does not displace a higher one, nor
    one of the same level that holds longer.
    """
    order = list(BrokerLevel)
    if level is None or new.level is None or expired(valid_to, today=today):
        return new.level is not None
    if new.level is level:
        return (new.valid_to or date.max) > (valid_to or date.max)
    return order.index(new.level) > order.index(level)


def expired(valid_to: date | None, *, today: date) -> bool:
    """Tell whether a certificate has run out; one without an end never does."""
    return valid_to is not None and valid_to < today


def check_still_certified(valid_to: date | None, *, name: str, today: date) -> None:
    """Refuse the acts of a broker whose stated certificate has run out."""
    if valid_to is not None and valid_to < today:
        raise RuleBroken(
            "broker.certificate_expired",
            f"{name}的技术经理人证书只到 {valid_to.isoformat()} 有效；"
            "请换证并在名录资料里更新后再办理",
        )
