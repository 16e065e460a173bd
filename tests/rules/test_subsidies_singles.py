"""Single payments, fees and vouchers: what each document pays, around every date and cap."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.subsidies.parameters import policies, read_policy, select_policies
from marketplace.subsidies.single_explanation_rules import explain
from marketplace.subsidies.single_rules import Ground, SingleResult, assess
from marketplace.subsidies.trace_rules import Dishonesty, Party, Period
from marketplace.subsidies.word_rules import ClaimItem, PartyKind, PolicyStatus

UNIVERSITY = Party("1", "泉城理工大学", PartyKind.UNIVERSITY, in_city=True, sme=False)
DAY = timedelta(days=1)


def _assessed(
    item: ClaimItem, *grounds: Ground, party: Party = UNIVERSITY, year: int = 2024
) -> SingleResult:
    return assess(item, party=party, year=year, grounds=grounds, policies=select_policies())


def _recognised(on: date, *, excellent: bool = False) -> Ground:
    return Ground("organisation:1", "认定", "文号", on, excellent=excellent)


@pytest.mark.parametrize(
    ("on", "policy"),
    [
        (date(2020, 3, 29), None),
        (date(2020, 3, 30), "jkf-2020-10"),
        (date(2021, 4, 26), "jkf-2020-10"),
        (date(2021, 4, 27), "jkf-2021-27"),
        (date(2021, 8, 29), "jzf-2021-14"),
        (date(2024, 4, 26), "jzf-2021-14"),
        (date(2025, 12, 31), "jzf-2021-14"),
        (date(2026, 1, 1), None),
    ],
)
def test_a_national_institution_gets_a_million_by_the_latest_document_in_force(
    on: date, policy: str | None
) -> None:
    found = _assessed(ClaimItem.NATIONAL_INSTITUTION, _recognised(on), year=on.year)
    assert found.amount_fen == (1_000_000_00 if policy else 0)
    assert (found.paying.policy.id if found.paying else None) == policy


@pytest.mark.parametrize(
    ("on", "excellent", "amount"),
    [
        (date(2021, 4, 26), False, 500_000_00),
        (date(2021, 4, 27), False, 0),  # from the later document on only an excellent one
        (date(2021, 4, 27), True, 500_000_00),
        (date(2022, 12, 31), False, 0),
        (date(2025, 12, 31), True, 500_000_00),
        (date(2026, 1, 1), True, 0),
    ],
)
def test_a_provincial_institution_must_be_excellent_since_the_second_document(
    on: date, excellent: bool, amount: int
) -> None:
    ground = _recognised(on, excellent=excellent)
    found = _assessed(ClaimItem.PROVINCIAL_INSTITUTION, ground, year=on.year)
    assert found.amount_fen == amount
    if not amount and on.year < 2026:
        assert "优秀" in "".join(document.verdict for document in explain(found).documents)


def test_a_recognition_pays_once_however_often_it_stands_there() -> None:
    twice = (
        _recognised(date(2024, 1, 2)),
        replace(_recognised(date(2024, 2, 2)), proof="另一文号"),
    )
    found = _assessed(ClaimItem.NATIONAL_INSTITUTION, *twice)
    assert found.amount_fen == 1_000_000_00
    assert found.paying is not None
    assert [part.text for part in found.paying.parts] == ["计入", "只奖励一次"]


def _fee(amount: int, on: date = date(2024, 3, 1), key: str = "assessment:1") -> Ground:
    return Ground(key, "评估", "PG-1", on, paid_fen=Fen(amount))


@pytest.mark.parametrize(
    ("on", "amount"),
    [
        (date(2021, 10, 14), 0),
        (date(2021, 10, 15), 1_234_567),
        (date(2024, 10, 14), 1_234_567),
        (date(2024, 10, 15), 0),
    ],
)
@pytest.mark.parametrize("item", [ClaimItem.ASSESSMENT_FEE, ClaimItem.TRAINING_FEE])
def test_a_fee_is_paid_back_in_full_while_the_document_is_in_force(
    item: ClaimItem, on: date, amount: int
) -> None:
    assert _assessed(item, _fee(1_234_567, on), year=on.year).amount_fen == amount


@pytest.mark.parametrize("kind", list(PartyKind))
def test_fees_are_for_universities_and_institutes(kind: PartyKind) -> None:
    found = _assessed(ClaimItem.ASSESSMENT_FEE, _fee(100), party=replace(UNIVERSITY, kind=kind))
    paid = kind in (PartyKind.UNIVERSITY, PartyKind.RESEARCH_INSTITUTE)
    assert found.amount_fen == (100 if paid else 0)
    assert ("只面向高校、科研院所" in explain(found).missing) is not paid


def test_nobody_outside_the_city_and_nobody_dishonest_at_the_years_end() -> None:
    away = replace(UNIVERSITY, in_city=False)
    assert _assessed(ClaimItem.ASSESSMENT_FEE, _fee(100), party=away).amount_fen == 0
    for last, amount in ((date(2024, 12, 30), 100), (date(2024, 12, 31), 0)):
        record = Dishonesty(Period(date(2024, 1, 1), last), "伪造凭证")
        found = _assessed(
            ClaimItem.ASSESSMENT_FEE, _fee(100), party=replace(UNIVERSITY, dishonesty=(record,))
        )
        assert found.amount_fen == amount
        assert ("一票否决：伪造凭证" in explain(found).missing) is (amount == 0)


def _order(fee: int, used: int, *, holder: str = "9", key: str = "order:1") -> Ground:
    return Ground(
        key, "测试", "FW-1", date(2024, 3, 1), paid_fen=Fen(fee), used_fen=Fen(used), holder=holder
    )


@pytest.mark.parametrize(
    ("fee", "used", "counted"),
    [(1000, 399, 399), (1000, 400, 400), (1000, 401, 400), (1001, 401, 400), (1002, 401, 400)],
)
def test_an_instrument_voucher_carries_two_fifths_at_most(
    fee: int, used: int, counted: int
) -> None:
    assert _assessed(ClaimItem.INSTRUMENT_VOUCHER, _order(fee, used)).amount_fen == counted


def test_one_customers_vouchers_of_a_year_end_at_half_a_million() -> None:
    cap = 500_000_00
    grounds = [
        _order(cap * 5, cap - 1, key="order:1"),
        _order(cap * 5, 5, key="order:2"),
        _order(cap * 5, 7, key="order:3", holder="8"),
    ]
    found = _assessed(ClaimItem.INSTRUMENT_VOUCHER, *grounds)
    assert found.paying is not None
    assert [part.counted_fen for part in found.paying.parts] == [cap - 1, 1, 7]
    assert "全年上限" in found.paying.parts[1].text


def _meeting(heads: int, key: str = "meeting:1") -> Ground:
    used = Fen(heads * 50_00)
    return Ground(key, "对接会", "签到", date(2024, 3, 1), used_fen=used, holder="1", count=heads)


@pytest.mark.parametrize(
    ("heads", "counted"), [(1, 50_00), (199, 9_950_00), (200, 10_000_00), (201, 10_000_00)]
)
def test_an_event_takes_two_hundred_vouchers_at_most(heads: int, counted: int) -> None:
    assert _assessed(ClaimItem.EVENT_VOUCHER, _meeting(heads)).amount_fen == counted


def test_a_years_events_end_at_a_hundred_thousand() -> None:
    grounds = [_meeting(200, f"meeting:{n}") for n in range(11)]
    assert _assessed(ClaimItem.EVENT_VOUCHER, *grounds).amount_fen == 100_000_00


def test_a_draft_never_pays() -> None:
    issued = [policy for policy in select_policies() if policy.single_payments]
    as_drafts = [policy.model_copy(update={"status": PolicyStatus.DRAFT}) for policy in issued]
    ground = _recognised(date(2024, 3, 1))
    for documents, amount in ((issued, 1_000_000_00), (as_drafts, 0)):
        found = assess(
            ClaimItem.NATIONAL_INSTITUTION,
            party=UNIVERSITY,
            year=2024,
            grounds=[ground],
            policies=documents,
        )
        assert found.amount_fen == amount
    drafts = [policy for policy in policies() if policy.draft]
    assert any(payment.key == "agency_review_excellent" for payment in drafts[0].single_payments)
    keys = {
        payment.key
        for policy in policies()
        if not policy.draft
        for payment in policy.single_payments
    }
    assert keys <= {item.value for item in ClaimItem}


@given(
    orders=st.lists(
        st.tuples(st.integers(0, 10**9), st.integers(0, 10**9), st.sampled_from("789")), max_size=8
    )
)
def test_no_voucher_pays_more_than_was_used_than_its_share_or_the_cap(
    orders: list[tuple[int, int, str]],
) -> None:
    grounds = [
        _order(fee, used, holder=holder, key=f"order:{place}")
        for place, (fee, used, holder) in enumerate(orders)
    ]
    found = _assessed(ClaimItem.INSTRUMENT_VOUCHER, *grounds)
    by_holder: dict[str, int] = {}
    for part in found.offers[0].parts:
        ground = part.ground
        assert 0 <= part.counted_fen <= min(ground.used_fen, ground.paid_fen * 2 // 5)
        by_holder[ground.holder] = by_holder.get(ground.holder, 0) + part.counted_fen
    assert all(total <= 500_000_00 for total in by_holder.values())
    turned = _assessed(ClaimItem.INSTRUMENT_VOUCHER, *reversed(grounds))
    assert turned.amount_fen == found.amount_fen


def test_the_explanation_names_amount_article_and_what_is_missing() -> None:
    told = explain(_assessed(ClaimItem.ASSESSMENT_FEE, _fee(1_800_000), _fee(260, key="a:2")))
    assert told.formulas == ("18,002.60 × 100\u00a0% = 18,002.60",)
    assert (told.document_no, told.article) == ("济政发〔2021〕15号", "第十二条")
    assert "全额补助" in "".join(told.sentences)
    assert told.readings
    assert told.base_fen == told.amount_fen == 1_800_260
    nothing = explain(_assessed(ClaimItem.NATIONAL_INSTITUTION))
    assert nothing.amount_fen == 0
    assert "填写认定文件" in nothing.missing
    late = explain(_assessed(ClaimItem.ASSESSMENT_FEE, _fee(100, date(2024, 10, 15))))
    assert "已于 2024-10-14 到期" in late.parts[0].text
    assert late.documents[0].verdict.startswith("不支付")


def test_a_clause_that_ends_early_says_why() -> None:
    content = {
        "id": "abc-2020-1",
        "document_no": "某〔2020〕1号",
        "title": "某",
        "short": "某",
        "issuer": "某",
        "status": "in_force",
        "in_force": {"from": date(2020, 1, 1), "to": None},
        "confirmed_on": date(2024, 1, 1),
        "items": [],
        "single_payments": [
            {
                "key": "national_institution",
                "label": "某",
                "article": "一",
                "amount_yuan": 1,
                "frequency": "once",
                "until": date(2020, 6, 1),
            }
        ],
    }
    with pytest.raises(RuleBroken, match="reading"):
        read_policy("abc-2020-1", content)
