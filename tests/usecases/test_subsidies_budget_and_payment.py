"""From the budget over the public notice to the money: cut alike, objected to, paid once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime

import pytest
from sqlalchemy import func, select

from marketplace.accounts.rules import District, OrganisationSubkind
from marketplace.foundation.access import Role
from marketplace.foundation.errors import Conflict, DomainError, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.publicity import queries as publicity_queries
from marketplace.publicity import service as publicity
from marketplace.subsidies import queries, service
from marketplace.subsidies.models import Payment
from marketplace.subsidies.rules import ClaimStatus, ReviewStep
from marketplace.subsidies.word_rules import ClaimItem, Item
from tests.subsidies import SubsidyYear, names_of
from tests.world import World

S = ClaimStatus


@pytest.fixture
def year(world: World, now: datetime) -> SubsidyYear:
    return SubsidyYear(world, now)


def test_only_what_was_paid_can_be_clawed_back(year: SubsidyYear) -> None:
    claim_id = year.applied()
    with pytest.raises(Conflict, match="只有已支付"):
        year.clawed_back(claim_id, amount_fen=Fen(100))


def test_a_short_budget_scales_all_by_one_factor(year: SubsidyYear) -> None:
    round_id = year.open_round(40_950)  # half of 3,900 + 78,000
    year.register()
    year.office(Role.DISTRICT_REVIEWER, OrganisationSubkind.DISTRICT, District.LIXIA)
    seller = year.applied(round_id=round_id)
    buyer = year.applied(round_id=round_id, item=ClaimItem.BUYER)
    year.settled(seller)
    with pytest.raises(RuleBroken, match="须等全部审结"):
        year.do(service.publicise, actor=year.bureau, round_id=round_id)
    year.review(
        buyer,
        ReviewStep.DISTRICT,
        actor=year.office(Role.DISTRICT_REVIEWER, OrganisationSubkind.DISTRICT, District.LIXIA),
    )
    for step in (ReviewStep.CENTRE, ReviewStep.BUREAU, ReviewStep.EXPERT):
        year.review(buyer, step)
    assert year.do(service.publicise, actor=year.bureau, round_id=round_id) == 2
    assert year.claim(seller).payable_fen == 1_950_00
    assert year.claim(buyer).payable_fen == 39_000_00
    assert year.claim(seller).factor == year.claim(buyer).factor == "1/2"
    with year.database.reading() as session:
        notice = publicity_queries.get_notice(session, year.claim(seller).publicity_id or 0)
    assert "按同一比例缩减" in notice.body
    assert "1,950.00 元" in notice.body
    # What the budget cut is not claimed again.
    with year.database.reading() as session:
        found = queries.claimable(session, year.university.id, 2024)
    assert found[Item.SELLER].claimable_fen == 0


def test_nothing_is_publicised_out_of_an_empty_budget(year: SubsidyYear) -> None:
    year.register()
    round_id = year.open_round(3_900)
    first = year.applied(round_id=round_id)
    year.publicised(first)
    year.register(1_000_000, on=date(2024, 3, 20))
    second = year.prepared(round_id)
    year.apply(second)
    year.settled(second)
    with pytest.raises(RuleBroken, match="预算已经用完"):
        year.do(service.publicise, actor=year.bureau, round_id=round_id)
    assert year.status(second) is S.SETTLING


def test_the_notice_stands_five_working_days(year: SubsidyYear) -> None:
    notice_id = year.publicised(year.applied())
    with year.database.reading() as session:
        notice = publicity_queries.get_notice(session, notice_id)
    assert notice.ends_on == date(2024, 3, 22)
    assert notice.subject.startswith("claim:")


def test_an_upheld_objection_sends_the_claim_back_with_its_answer(year: SubsidyYear) -> None:
    claim_id = year.applied()
    notice_id = year.publicised(claim_id)
    objection_id = year.do(
        publicity.raise_objection,
        actor=year.buyer,
        publicity_id=notice_id,
        text="合同金额与实际付款不一致，请核查付款凭证",
    )
    year.do(
        publicity.decide_objection,
        actor=year.bureau,
        objection_id=objection_id,
        upheld=True,
        answer="经核查，第二笔款项没有支付，应减少基数",
    )
    for _ in range(2):
        year.do(service.take_publicity, claim_id=claim_id, publicity_id=notice_id, upheld=True)
    claim = year.claim(claim_id)
    assert claim.status is S.RETURNED
    assert "第二笔款项没有支付" in claim.reason
    assert claim.payable_fen is None
    with year.database.reading() as session:
        assert names_of(session).count("subsidies.ClaimReturned") == 1


def test_listing_and_paying_need_two_persons(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.approved(claim_id)
    both = replace(year.bureau, roles=frozenset({Role.BUREAU_REVIEWER, Role.TREASURER}))
    list_id = year.do(service.list_payments, actor=both, claim_ids=[claim_id])
    with year.database.reading() as session:
        payment_id = queries.get_payment_list(session, list_id).rows[0].payment.id
    with pytest.raises(NotAllowed, match="编制支付清单的人不能确认支付"):
        year.do(
            service.confirm_payment, actor=both, payment_id=payment_id, reference="JNCZ20240001"
        )
    with pytest.raises(NotAllowed):
        year.do(
            service.confirm_payment,
            actor=year.bureau,
            payment_id=payment_id,
            reference="JNCZ20240001",
        )
    with pytest.raises(RuleBroken, match="凭证号"):
        year.do(service.confirm_payment, actor=year.treasurer, payment_id=payment_id, reference=" ")
    assert year.status(claim_id) is S.APPROVED


def test_only_an_approved_claim_is_listed_and_once(year: SubsidyYear) -> None:
    claim_id = year.applied()
    with pytest.raises(Conflict, match="不能列入支付清单"):
        year.do(service.list_payments, actor=year.bureau, claim_ids=[claim_id])
    year.approved(claim_id)
    year.listed(claim_id)
    with pytest.raises(Conflict, match="已经在支付清单上"):
        year.do(service.list_payments, actor=year.bureau, claim_ids=[claim_id])
    with pytest.raises(NotFound):
        year.do(service.list_payments, actor=year.bureau, claim_ids=[claim_id + 1])
    with pytest.raises(RuleBroken, match="至少选择一件"):
        year.do(service.list_payments, actor=year.bureau, claim_ids=[])


def test_fifty_confirmations_pay_once(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.approved(claim_id)
    payment_id, treasurer = year.listed(claim_id), year.treasurer

    def confirm(n: int) -> bool:
        try:
            year.do(
                service.confirm_payment,
                actor=treasurer,
                payment_id=payment_id,
                reference=f"JNCZ{n:06d}",
            )
        except DomainError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(confirm, range(50))) == 1
    with year.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Payment)) == 1
        assert names_of(session).count("subsidies.ClaimPaid") == 1
