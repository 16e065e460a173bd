"""What each line of service consists of: its kinds, its providers, the check of its details."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.accounts.rules import SELLER_KINDS, OrganisationKind, OrganisationSubkind
from marketplace.foundation.errors import Problem, RuleBroken
from marketplace.techservices import finance_rules, instrument_rules, ip_rules, park_rules
from marketplace.techservices.finance_rules import FinanceDetails
from marketplace.techservices.instrument_rules import InstrumentDetails
from marketplace.techservices.ip_rules import IPDetails
from marketplace.techservices.park_rules import ParkDetails
from marketplace.techservices.rules import ServiceKind, ServiceLine, VoucherKind

Details = IPDetails | FinanceDetails | ParkDetails | InstrumentDetails


@dataclass(frozen=True)
class Line:
    """One line of service."""

    line: ServiceLine
    summary: str
    kinds: tuple[ServiceKind, ...]
    provider_subkind: OrganisationSubkind | None
    provider_kinds: frozenset[OrganisationKind]
    details: type[Details]
    voucher: VoucherKind | None = None


_SERVICE = frozenset({OrganisationKind.SERVICE_INSTITUTION})
_K = ServiceKind

LINES: dict[ServiceLine, Line] = {
    ServiceLine.IP: Line(
        ServiceLine.IP,
        "申请、变更、备案、年费和监控，由知识产权服务机构办理；失效的专利不能挂牌。",
        (_K.FILING, _K.CHANGE, _K.RECORDAL, _K.ANNUAL_FEE, _K.WATCH),
        OrganisationSubkind.IP_FIRM,
        _SERVICE,
        IPDetails,
    ),
    ServiceLine.FINANCE: Line(
        ServiceLine.FINANCE,
        "“评、保、贷、投、易”：评价、担保、贷款、投资、转让，金融机构在平台上答复。",
        (_K.EVALUATION, _K.GUARANTEE, _K.LOAN, _K.INVESTMENT, _K.EXCHANGE),
        OrganisationSubkind.FINANCE,
        _SERVICE,
        FinanceDetails,
    ),
    ServiceLine.PARK: Line(
        ServiceLine.PARK,
        "小试项目进孵化器，中试项目进加速器与产业园：提出、考察、签约。",
        (_K.LANDING,),
        OrganisationSubkind.PARK,
        _SERVICE,
        ParkDetails,
    ),
    ServiceLine.INSTRUMENT: Line(
        ServiceLine.INSTRUMENT,
        "高校院所的大型仪器对企业开放，共享券可以抵一部分服务费。",
        (_K.INSTRUMENT_USE,),
        None,
        SELLER_KINDS,
        InstrumentDetails,
        VoucherKind.INSTRUMENT,
    ),
}


def line_of(kind: ServiceKind) -> Line:
    """Return the line that a kind of service belongs to."""
    return next(line for line in LINES.values() if kind in line.kinds)


def check_details(kind: ServiceKind, details: Details, *, today: date) -> list[Problem]:
    """List what is missing or cannot be in the details of a kind of service."""
    if not isinstance(details, line_of(kind).details):
        raise RuleBroken("techservices.details", "填写的内容与服务种类不符，请重新选择服务")
    match details:
        case IPDetails():
            return ip_rules.check(kind, details, today=today)
        case FinanceDetails():
            return finance_rules.check(kind, details)
        case ParkDetails():
            return park_rules.check(details, today=today)
        case InstrumentDetails():
            return instrument_rules.check(details)


def facts(details: Details) -> list[tuple[str, str]]:
    """List the details for the page, what is empty left out."""
    match details:
        case IPDetails():
            pairs = ip_rules.facts(details)
        case FinanceDetails():
            pairs = finance_rules.facts(details)
        case ParkDetails():
            pairs = park_rules.facts(details)
        case InstrumentDetails():
            pairs = instrument_rules.facts(details)
    return [(label, value) for label, value in pairs if value]
