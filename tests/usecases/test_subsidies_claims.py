"""What can be claimed and applied for, by whom and once, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.accounts.rules import District, OrganisationSubkind
from marketplace.brokerage.models import Filing
from marketplace.brokerage.register_rules import FilingStatus
from marketplace.contracts.events import ContractCancelled, ContractChanged
from marketplace.contracts.rules import ContractType
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.integrity import queries as integrity
from marketplace.subsidies import queries, service
from marketplace.subsidies.models import Claim, ClaimLine, ContractFact, Payment, Review
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus, ReviewStep, RoundTerms
from marketplace.subsidies.service import Payee
from marketplace.subsidies.word_rules import ClaimItem, Item
from tests.subsidies import PAYEE, SubsidyYear, names_of
from tests.world import World

S = ClaimStatus


@pytest.fixture
def year(world: World, now: datetime) -> SubsidyYear:
    return SubsidyYear(world, now)


def test_a_registered_contract_can_be_claimed_at_once_and_is_paid(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.paid(claim_id)
    claim = year.claim(claim_id)
    assert claim.status is S.PAID
    assert claim.claimed_fen == claim.approved_fen == claim.payable_fen == 3_900_00
    assert [line.base_fen for line in claim.lines] == [2_600_000_00]
    with year.database.reading() as session:
        payment = session.scalars(select(Payment)).one()
        assert (payment.amount_fen, payment.status) == (3_900_00, PaymentStatus.PAID)
        assert payment.confirmed_by_id != payment.prepared_by_id
        steps = [row.step for row in session.scalars(select(Review).order_by(Review.id))]
        assert steps == list(ReviewStep)
        assert [name for name in names_of(session) if name.startswith("subsidies.")] == [
            "subsidies.RoundOpened",
            "subsidies.ClaimApplied",
            *["subsidies.ClaimReviewed"] * 4,
            "subsidies.ClaimPublicised",
            "subsidies.ClaimApproved",
            "subsidies.ClaimPaid",
        ]
        acts = [entry.what for entry in queries.timeline(session, claim_id, with_names=True)]
        assert acts == [
            "按登记数据生成申报",
            "提交申报",
            "区县初审",
            "促进中心审核",
            "市级复核",
            "专家评审",
            "开始公示",
            "公示结束",
            "列入支付清单",
            "支付",
        ]
        count, broken = audit.verify(session)
        assert broken is None
        assert count > 10


def test_the_buyer_claims_the_same_contract_for_its_own_item(year: SubsidyYear) -> None:
    year.office(Role.DISTRICT_REVIEWER, OrganisationSubkind.DISTRICT, District.LIXIA)
    round_id = year.open_round()
    year.register()
    seller = year.applied(round_id=round_id)
    buyer = year.applied(round_id=round_id, item=ClaimItem.BUYER)
    assert year.claim(seller).claimed_fen == 3_900_00
    assert year.claim(buyer).claimed_fen == 78_000_00
    assert year.claim(buyer).district == "lixia"


def test_an_event_that_arrives_twice_makes_one_fact(year: SubsidyYear) -> None:
    event = year.register()
    with year.database.transaction() as session:
        service.keep_registered(session, event, now=year.now)
    with year.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ContractFact)) == 1


def test_a_cancelled_contract_cannot_be_claimed(year: SubsidyYear) -> None:
    event = year.register()
    round_id = year.open_round()
    _cancel(year, event.contract_id, event.contract_no)
    with pytest.raises(RuleBroken, match="没有登记过相应的合同"):
        year.prepared(round_id)


def test_a_cancellation_before_its_registration_is_tried_again(year: SubsidyYear) -> None:
    event = year.register()
    with pytest.raises(LookupError):
        _cancel(year, event.contract_id + 1, "未到")


def test_a_cancellation_under_review_is_shown_and_never_paid(year: SubsidyYear) -> None:
    kept, event = year.register(1_000_000), year.register(2_600_000)
    claim_id = year.applied()
    assert year.claim(claim_id).claimed_fen == 5_400_00
    _cancel(year, event.contract_id, event.contract_no)
    with year.database.reading() as session:
        view = queries.get_claim_for_review(session, year.district, claim_id)
        computed = queries.computed_now(session, view, now=year.now)
        assert computed is not None
        assert computed.claimable_fen == 1_500_00
        assert list(computed.bases) == [kept.contract_id]
    year.settled(claim_id)
    assert year.claim(claim_id).approved_fen == 1_500_00


def test_a_claim_whose_only_contract_was_cancelled_cannot_pass_the_bureau(
    year: SubsidyYear,
) -> None:
    event = year.register()
    claim_id = year.applied()
    year.review(claim_id, ReviewStep.DISTRICT)
    year.review(claim_id, ReviewStep.CENTRE)
    _cancel(year, event.contract_id, event.contract_no)
    with pytest.raises(RuleBroken, match="已没有可支付的金额"):
        year.review(claim_id, ReviewStep.BUREAU)
    assert year.status(claim_id) is S.BUREAU_REVIEW


def test_a_changed_amount_shows_at_the_next_calculation(year: SubsidyYear) -> None:
    event = year.register()
    change = ContractChanged(
        contract_id=event.contract_id,
        contract_no=event.contract_no,
        project_name=event.project_name,
        seller_organisation_id=event.seller_organisation_id,
        buyer_organisation_id=event.buyer_organisation_id,
        amount_fen=1_000_000_00,
        technology_amount_fen=900_000_00,
        changed_on=date(2024, 3, 14),
        reason="金额变更",
    )
    for _ in range(2):
        year.do(lambda session, now: service.keep_changed(session, change, now=now))
    claim_id = year.prepared(year.open_round())
    assert year.claim(claim_id).claimed_fen == 1_500_00


def test_preparing_twice_leads_to_the_same_claim(year: SubsidyYear) -> None:
    year.register()
    round_id = year.open_round()
    assert year.prepared(round_id) == year.prepared(round_id)


def test_a_contract_is_claimed_once_and_a_later_one_brings_the_difference(
    year: SubsidyYear,
) -> None:
    year.register(2_600_000)
    round_id = year.open_round()
    first = year.applied(round_id=round_id)
    with pytest.raises(RuleBroken, match="都已经申报过"):
        year.prepared(round_id)
    year.register(1_000_000, on=date(2024, 3, 20))
    second = year.prepared(round_id)
    year.apply(second)
    claim = year.claim(second)
    assert second != first
    assert (claim.claimed_fen, claim.earlier_fen) == (1_500_00, 3_900_00)
    assert [line.base_fen for line in claim.lines] == [1_000_000_00]


def test_the_cap_of_the_year_holds_across_two_claims(year: SubsidyYear) -> None:
    year.register(500_000_000)
    round_id = year.open_round()
    year.applied(round_id=round_id)
    year.register(500_000_000, on=date(2024, 3, 20))
    second = year.prepared(round_id)
    assert year.claim(second).claimed_fen == 50_000_00
    with year.database.reading() as session:
        explanation = queries.claimable(session, year.university.id, 2024)[Item.SELLER].explanation
    assert explanation.amount_fen == 800_000_00


def test_the_last_day_of_the_document_counts_and_the_next_does_not(year: SubsidyYear) -> None:
    year.now = datetime(2024, 5, 6, 9, tzinfo=year.now.tzinfo)
    year.register(1_000_000, on=date(2024, 4, 26))
    year.register(1_000_000, on=date(2024, 4, 27))
    claim_id = year.applied()
    assert year.claim(claim_id).claimed_fen == 1_500_00
    parts = {part["contract_no"]: part for part in year.claim(claim_id).calculation["parts"]}
    assert [part["counted"] for part in parts.values()] == [True, False]
    assert "已于 2024-04-26 到期" in [part["text"] for part in parts.values()][1]


def test_roles_claimed_once_stay(year: SubsidyYear) -> None:
    with year.database.transaction() as session:
        session.add(_filing(year.university.id))
        audit.record(session, actor=SYSTEM, action="test", subject="filing:1", now=year.now)
    year.register(2_000_000, agency=year.university)
    round_id = year.open_round()
    claim_id = year.applied(round_id=round_id)
    assert year.claim(claim_id).claimed_fen == 3_000_00
    year.register(2_000_000, agency=year.university, on=date(2024, 3, 20))
    with year.database.reading() as session:
        found = queries.claimable(session, year.university.id, 2024)
    # As agency both together would bring 60,000; the first was already claimed as seller.
    assert found[Item.AGENCY].result.amount_fen == 0
    assert found[Item.SELLER].claimable_fen == 3_000_00


def test_an_organisation_on_the_integrity_record_gets_nothing(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.paid(claim_id)
    year.clawed_back(claim_id)
    assert year.status(claim_id) is S.RECLAIMING
    with year.database.reading() as session:
        record = integrity.dishonesty_on(session, year.university.id, date(2024, 12, 31))
        assert record is not None
        assert "BZ-2024-0001" in record.reason
        assert names_of(session)[-1] == "subsidies.ClaimClawedBack"
    year.register(1_000_000, on=date(2024, 4, 2))
    with pytest.raises(RuleBroken, match="一票否决"):
        year.prepared(year.open_round())


def test_a_round_that_is_over_takes_no_application(year: SubsidyYear) -> None:
    year.register()
    round_id = year.open_round()
    claim_id = year.prepared(round_id)
    year.now += timedelta(days=30)
    year.prepared(round_id)  # the last day still counts
    year.now += timedelta(days=1)
    with pytest.raises(RuleBroken, match="已于 2024-04-14 截止受理"):
        year.apply(claim_id)
    assert year.status(claim_id) is S.ESTIMATED


def test_the_amount_cannot_be_changed_in_the_form(year: SubsidyYear) -> None:
    year.register()
    claim_id = year.prepared(year.open_round())
    for confirmed in (Fen(9_900_00), Fen(0), None):
        with pytest.raises(Conflict, match="金额由平台计算，不能修改"):
            year.apply(claim_id, confirmed_fen=confirmed)
    assert year.status(claim_id) is S.ESTIMATED


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"bank_account": "abc"}, "bank_account"),
        ({"bank_account": "1234567"}, "bank_account"),
        ({"bank_name": "行"}, "bank_name"),
        ({"contact_name": " "}, "contact_name"),
        ({"contact_phone": "110"}, "contact_phone"),
    ],
)
def test_an_application_needs_an_account_and_a_person(
    year: SubsidyYear, changed: dict[str, str], field: str
) -> None:
    year.register()
    claim_id = year.prepared(year.open_round())
    payee: Payee = replace(PAYEE, **changed)
    with pytest.raises(RuleBroken) as refused:
        year.apply(claim_id, payee=payee)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_an_application_needs_the_declaration(year: SubsidyYear) -> None:
    year.register()
    claim_id = year.prepared(year.open_round())
    with pytest.raises(RuleBroken, match="真实性承诺"):
        year.apply(claim_id, declared=False)


def test_nobody_reaches_anothers_claim(year: SubsidyYear) -> None:
    year.register()
    claim_id = year.prepared(year.open_round())
    with pytest.raises(NotFound):
        year.do(
            service.apply,
            actor=year.buyer,
            claim_id=claim_id,
            confirmed_fen=Fen(3_900_00),
            declared=True,
            payee=PAYEE,
        )
    with year.database.reading() as session:
        with pytest.raises(NotFound):
            queries.get_own_claim(session, year.buyer, claim_id)
        with pytest.raises(NotFound):  # a draft is no reviewer's business yet
            queries.get_claim_for_review(session, year.bureau, claim_id)


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": " "}, "title"),
        ({"closes_on": date(2024, 3, 1), "opens_on": date(2024, 3, 2)}, "closes_on"),
        ({"closes_on": date(2024, 3, 14), "opens_on": date(2024, 3, 1)}, "closes_on"),
        ({"year": 2025}, "year"),
        ({"budget_fen": Fen(0)}, "budget"),
        ({"items": ()}, "items"),
        ({"eligible": " "}, "eligible"),
        ({"documents": ""}, "documents"),
        ({"expert_count": 0}, "expert_count"),
        ({"expert_count": 10}, "expert_count"),
    ],
)
def test_a_round_needs_sense(year: SubsidyYear, changed: dict[str, Any], field: str) -> None:
    terms = RoundTerms(
        2024,
        "通知",
        date(2024, 3, 15),
        date(2024, 4, 15),
        Fen(100),
        eligible="在济南的单位",
        documents="支付凭证",
    )
    with pytest.raises(RuleBroken) as refused:
        year.do(service.open_round, actor=year.bureau, terms=replace(terms, **changed))
    assert field in [problem.field for problem in refused.value.problems]


def test_only_the_bureau_opens_a_round(year: SubsidyYear) -> None:
    terms = RoundTerms(
        2024,
        "通知",
        date(2024, 3, 15),
        date(2024, 4, 15),
        Fen(100),
        eligible="在济南的单位",
        documents="支付凭证",
    )
    for actor in (year.officer, year.centre, year.treasurer):
        with pytest.raises(NotAllowed):
            year.do(service.open_round, actor=actor, terms=terms)


def test_fifty_windows_prepare_and_apply_for_one_claim(year: SubsidyYear) -> None:
    year.register()
    _offices = year.district, year.officer
    round_id = year.open_round()

    def prepare(_n: int) -> int:
        return year.prepared(round_id)

    with ThreadPoolExecutor(16) as pool:
        ids = set(pool.map(prepare, range(50)))
    assert len(ids) == 1
    claim_id = ids.pop()

    def apply(_n: int) -> bool:
        try:
            year.do(
                service.apply,
                actor=year.officer,
                claim_id=claim_id,
                confirmed_fen=Fen(3_900_00),
                declared=True,
                payee=PAYEE,
            )
        except DomainError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(apply, range(50))) == 1
    with year.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ClaimLine)) == 1
        assert session.scalar(select(func.count()).select_from(Claim)) == 1
        assert names_of(session).count("subsidies.ClaimApplied") == 1


def test_two_rounds_of_one_year_never_take_the_same_contract(year: SubsidyYear) -> None:
    year.register()
    _offices = year.district, year.officer
    drafts = [year.prepared(year.open_round()) for _ in range(2)]

    def apply(claim_id: int) -> bool:
        try:
            year.do(
                service.apply,
                actor=year.officer,
                claim_id=claim_id,
                confirmed_fen=Fen(3_900_00),
                declared=True,
                payee=PAYEE,
            )
        except DomainError:
            return False
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(apply, drafts)) == [False, True]
    with year.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ClaimLine)) == 1


def test_an_estimate_counts_with_the_years_other_contracts(year: SubsidyYear) -> None:
    year.register(500_000_000)
    with year.database.reading() as session:
        found = queries.estimate_for(
            session,
            contract_type=ContractType.TRANSFER,
            registered_on=date(2024, 3, 20),
            amount_fen=Fen(100_000_000_00),
            seller_organisation_id=year.university.id,
            buyer_organisation_id=year.company.id,
        )
        seller, buyer = found.of(Item.SELLER), found.of(Item.BUYER)
        assert seller is not None
        assert buyer is not None
        assert (seller.before_fen, seller.added_fen) == (750_000_00, 50_000_00)
        assert (buyer.before_fen, buyer.added_fen) == (1_000_000_00, 0)
        later = queries.estimate_for(
            session,
            contract_type=ContractType.TRANSFER,
            registered_on=date(2025, 3, 20),
            amount_fen=Fen(100_000_000_00),
            seller_organisation_id=year.university.id,
            buyer_organisation_id=year.company.id,
        )
        gone = later.of(Item.SELLER)
        assert gone is not None
        assert later.total_fen == 0
        assert "济科发〔2021〕27号已于 2024-04-26 到期" in gone.ran_out[0]


def _cancel(year: SubsidyYear, contract_id: int, contract_no: str) -> None:
    event = ContractCancelled(
        contract_id=contract_id,
        contract_no=contract_no,
        project_name="",
        seller_organisation_id=year.university.id,
        buyer_organisation_id=year.company.id,
        agency_organisation_id=None,
        registrar_organisation_id=year.registrar.id,
        cancelled_on=date(2024, 3, 14),
        reason="双方解除合同",
    )
    year.do(lambda session, now: service.keep_cancelled(session, event, now=now))


def _filing(organisation_id: int) -> Filing:
    return Filing(
        organisation_id=organisation_id,
        internal=True,
        figures_year=2023,
        service_income_fen=Fen(0),
        brokered_fen=Fen(5_000_000_00),
        conversion_count=5,
        status=FilingStatus.APPROVED,
        applied_at=datetime.fromisoformat("2024-01-02T09:00+08:00"),
        decided_at=datetime.fromisoformat("2024-01-03T09:00+08:00"),
        valid_from=date(2024, 1, 4),
        valid_to=date(2025, 1, 3),
    )
