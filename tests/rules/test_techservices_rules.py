"""What each service asks for, the steps of an order, vouchers at their caps, meetings."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.accounts.rules import OrganisationKind
from marketplace.achievements.ip_rules import expected_check_digit, number_key
from marketplace.achievements.rules import IPKind, IPRight, LegalStatus
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.techservices import ip_rules, line_rules, rules, voucher_rules
from marketplace.techservices.finance_rules import FinanceDetails
from marketplace.techservices.instrument_rules import InstrumentDetails
from marketplace.techservices.ip_rules import IPDetails
from marketplace.techservices.line_rules import LINES, Details, line_of
from marketplace.techservices.parameters import voucher_terms_on
from marketplace.techservices.park_rules import Carrier, ParkDetails, ProjectStage, stage_of
from marketplace.techservices.rules import MeetingState, OrderState, ServiceKind, VoucherKind

TODAY = date(2024, 3, 15)
NOW = datetime(2024, 3, 15, 9, 0, tzinfo=LOCAL)
INSTRUMENT = voucher_terms_on(VoucherKind.INSTRUMENT.value, TODAY)
EVENT = voucher_terms_on(VoucherKind.EVENT.value, TODAY)
NUMBER = f"ZL201910371234.{expected_check_digit('201910371234')}"
K = ServiceKind


def right(number: str = NUMBER, deadline: date | None = None) -> IPDetails:
    return IPDetails(IPKind.INVENTION, "一种低温脱硝催化剂", number, deadline)


def codes(kind: ServiceKind, details: Details) -> list[str]:
    return [problem.code for problem in line_rules.check_details(kind, details, today=TODAY)]


@pytest.mark.parametrize(
    ("kind", "details", "expected"),
    [
        (K.FILING, right(""), []),
        (K.CHANGE, right(""), ["ip.number"]),
        (K.CHANGE, right(), []),
        (K.WATCH, right("ZL201910371234.0"), ["ip.number_wrong"]),
        (K.FILING, IPDetails(IPKind.INVENTION, " "), ["ip.title"]),
        (K.ANNUAL_FEE, right(), ["ip.no_deadline"]),
        (K.ANNUAL_FEE, right(deadline=date(2024, 5, 6)), []),
        (K.ANNUAL_FEE, right(deadline=TODAY - timedelta(days=183)), []),
        (K.ANNUAL_FEE, right(deadline=TODAY - timedelta(days=184)), ["ip.lapsed"]),
        (K.EVALUATION, FinanceDetails("评价后用于质押融资"), []),
        (K.LOAN, FinanceDetails("建示范线"), ["finance.purpose", "finance.amount", "finance.term"]),
        (K.LOAN, FinanceDetails("建一条示范线", Fen(500_000_00), 36), []),
        (K.LOAN, FinanceDetails("建一条示范线", Fen(500_000_00), 121), ["finance.term_range"]),
        (K.INVESTMENT, FinanceDetails("中试放大和团队扩充"), ["finance.amount"]),
        (
            K.LANDING,
            ParkDetails(ProjectStage.LABORATORY, Carrier.INDUSTRIAL_PARK, 200, 8),
            ["park.carrier"],
        ),
        (K.LANDING, ParkDetails(ProjectStage.LABORATORY, Carrier.INCUBATOR, 200, 8, TODAY), []),
        (
            K.LANDING,
            ParkDetails(ProjectStage.PILOT, Carrier.ACCELERATOR, 0, 0, TODAY - timedelta(days=1)),
            ["park.area", "park.team", "park.visit"],
        ),
        (K.INSTRUMENT_USE, InstrumentDetails("扫描电镜", "断口形貌，三件"), []),
        (
            K.INSTRUMENT_USE,
            InstrumentDetails("", "断口", 0),
            ["instrument.name", "instrument.samples", "instrument.count"],
        ),
    ],
)
def test_each_service_says_what_it_lacks(
    kind: ServiceKind, details: Details, expected: list[str]
) -> None:
    assert codes(kind, details) == expected


def patent(filed: date | None, number: str = NUMBER, expires: date | None = None) -> IPRight:
    return IPRight(IPKind.INVENTION, number, "一种方法", LegalStatus.GRANTED, filed, expires)


@pytest.mark.parametrize(
    ("filed", "expires", "due"),
    [
        (date(2019, 3, 15), None, date(2024, 3, 15)),
        (date(2019, 3, 14), None, date(2025, 3, 14)),
        (date(2020, 2, 29), None, date(2025, 2, 28)),
        (date(2019, 5, 6), date(2024, 5, 6), None),
        (date(2004, 5, 6), None, None),
        (None, None, None),
    ],
)
def test_the_annual_fee_is_due_on_the_anniversary_of_filing(
    filed: date | None, expires: date | None, due: date | None
) -> None:
    assert ip_rules.next_fee_on(patent(filed, expires=expires), TODAY) == due


def test_fees_are_listed_once_unless_ordered_or_far_away() -> None:
    near, same = (1, patent(date(2019, 4, 1))), (2, patent(date(2019, 4, 1), f"CN{NUMBER[2:]}"))
    late = (3, patent(date(2019, 5, 15), "ZL1"))
    soon = (4, patent(date(2019, 5, 14), "ZL2"))

    def due(ordered: set[tuple[str, date]]) -> list[int]:
        fees = ip_rules.fees_due([near, same, late, soon], ordered, today=TODAY, within_days=60)
        return [fee.achievement_id for fee in fees]

    assert due(set()) == [1, 4]
    assert due({(number_key(NUMBER), date(2024, 4, 1))}) == [4]
    assert due({(number_key(NUMBER), date(2023, 4, 1))}) == [1, 4]


def test_details_of_another_line_are_refused() -> None:
    with pytest.raises(RuleBroken, match="不符"):
        line_rules.check_details(K.LOAN, right(), today=TODAY)


def test_every_kind_belongs_to_one_line() -> None:
    assert [kind for line in LINES.values() for kind in line.kinds] == list(ServiceKind)
    assert line_of(K.RECORDAL).provider_subkind is not None


@pytest.mark.parametrize(
    ("trl", "stage"),
    [
        (None, None),
        (1, ProjectStage.LABORATORY),
        (4, ProjectStage.LABORATORY),
        (5, ProjectStage.PILOT),
        (7, ProjectStage.PILOT),
        (8, ProjectStage.PRODUCTION),
    ],
)
def test_readiness_tells_the_stage(trl: int | None, stage: ProjectStage | None) -> None:
    assert stage_of(trl) is stage


@pytest.mark.parametrize("state", list(OrderState))
def test_only_the_named_steps_exist(state: OrderState) -> None:
    for to in OrderState:
        if to in rules.TRANSITIONS[state]:
            assert rules.move(state, to) is to
        else:
            with pytest.raises(Conflict):
                rules.move(state, to)


@pytest.mark.parametrize(
    ("fee", "used", "expected"),
    [
        (10_000_00, 0, 4_000_00),
        (1, 0, 0),
        (99, 0, 39),  # 0.396 yuan, floored
        (10_000_00, 499_000_00, 1_000_00),
        (10_000_00, 500_000_00, 0),
        (2_000_000_00, 0, 500_000_00),
    ],
)
def test_the_instrument_voucher_stays_within_share_and_year(
    fee: int, used: int, expected: int
) -> None:
    cap = voucher_rules.instrument_cap(INSTRUMENT, OrganisationKind.ENTERPRISE)
    assert cap == 500_000_00
    amount = voucher_rules.instrument_amount(
        INSTRUMENT, fee_fen=Fen(fee), cap_fen=cap, used_fen=Fen(used)
    )
    assert amount == expected


@pytest.mark.parametrize("kind", [k for k in OrganisationKind if k.value != "enterprise"])
def test_only_enterprises_hold_instrument_vouchers_here(kind: OrganisationKind) -> None:
    with pytest.raises(RuleBroken, match="企业和创客团队"):
        voucher_rules.instrument_cap(INSTRUMENT, kind)


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_settled_vouchers_never_exceed_their_share_of_the_whole(reserved: int, paid: int) -> None:
    settled = voucher_rules.settled_amount(
        INSTRUMENT, reserved_fen=Fen(reserved), paid_fen=Fen(paid)
    )
    assert 0 <= settled <= reserved
    assert settled * 5 <= (paid + settled) * 2


def test_who_pays_as_agreed_keeps_the_whole_voucher() -> None:
    settled = voucher_rules.settled_amount(
        INSTRUMENT, reserved_fen=Fen(4_000_00), paid_fen=Fen(6_000_00)
    )
    assert settled == 4_000_00
    less = voucher_rules.settled_amount(
        INSTRUMENT, reserved_fen=Fen(4_000_00), paid_fen=Fen(3_000_00)
    )
    assert less == 2_000_00


@pytest.mark.parametrize(
    ("given_count", "used", "expected"),
    [
        (0, 0, 50_00),
        (199, 0, 50_00),
        (200, 0, 0),
        (0, 99_950_00, 50_00),
        (0, 99_950_01, 0),
        (0, 100_000_00, 0),
    ],
)
def test_event_vouchers_stay_within_event_and_year(
    given_count: int, used: int, expected: int
) -> None:
    amount = voucher_rules.event_amount(EVENT, given_count=given_count, used_fen=Fen(used))
    assert amount == expected


def test_vouchers_need_their_document_in_force() -> None:
    with pytest.raises(RuleBroken, match="没有施行"):
        voucher_terms_on("instrument", date(2019, 12, 8))
    assert voucher_terms_on("instrument", date(2019, 12, 9)).label == "大型仪器共享券"


@pytest.mark.parametrize(
    ("cancelled", "ends", "seats", "expected"),
    [
        (False, NOW + timedelta(seconds=1), 1, MeetingState.OPEN),
        (False, NOW + timedelta(seconds=1), 0, MeetingState.FULL),
        (False, NOW, 5, MeetingState.OVER),
        (True, NOW, 5, MeetingState.CANCELLED),
    ],
)
def test_a_meeting_stands_where_time_and_seats_put_it(
    cancelled: bool, ends: datetime, seats: int, expected: MeetingState
) -> None:
    state = rules.meeting_state(cancelled=cancelled, ends_at=ends, seats_left=seats, now=NOW)
    assert state is expected
    if expected is MeetingState.OPEN:
        rules.check_sign_up(state)
    else:
        with pytest.raises(RuleBroken):
            rules.check_sign_up(state)


def test_an_impossible_meeting_is_refused_with_every_reason() -> None:
    with pytest.raises(RuleBroken) as refusal:
        rules.check_meeting(title="会", place=" ", starts_at=NOW, ends_at=NOW, capacity=0, now=NOW)
    assert [problem.field for problem in refusal.value.problems] == [
        "title",
        "place",
        "ends_at",
        "held_on",
        "capacity",
    ]


def test_check_in_begins_on_the_day() -> None:
    rules.check_check_in(starts_on=TODAY, today=TODAY, cancelled=False)
    with pytest.raises(RuleBroken, match="当天"):
        rules.check_check_in(starts_on=TODAY + timedelta(days=1), today=TODAY, cancelled=False)
    with pytest.raises(RuleBroken, match="取消"):
        rules.check_check_in(starts_on=TODAY, today=TODAY, cancelled=True)
