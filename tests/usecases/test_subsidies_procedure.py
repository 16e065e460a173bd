"""The road of a claim beside its reviews: panels, deadlines, honesty, sending and clawing back."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from marketplace.contracts.events import ContractCancelled
from marketplace.foundation.access import Role
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.integrity import queries as integrity
from marketplace.integrity import service as integrity_service
from marketplace.integrity.rules import DishonestyGround
from marketplace.publicity import service as publicity
from marketplace.subsidies import due, queries, service
from marketplace.subsidies.clawback_rules import ClawBackGround
from marketplace.subsidies.review_rules import Agreement
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep
from marketplace.subsidies.service import Verdict
from marketplace.subsidies.word_rules import ClaimItem
from tests.subsidies import PAYEE, SubsidyYear, names_of
from tests.world import World

S = ClaimStatus
BEFORE_EXPERTS = (ReviewStep.DISTRICT, ReviewStep.CENTRE, ReviewStep.BUREAU)


@pytest.fixture
def year(world: World, now: Any) -> SubsidyYear:
    return SubsidyYear(world, now)


def at_experts(year: SubsidyYear, count: int = 3) -> int:
    claim_id = year.applied(round_id=year.open_round(expert_count=count))
    for step in BEFORE_EXPERTS:
        year.review(claim_id, step)
    return claim_id


def judge(year: SubsidyYear, claim_id: int, number: int, score: int, **more: Any) -> None:
    decision = more.get("decision", ReviewDecision.PASS)
    verdict = Verdict(decision, more.get("opinion", ""), score, unconcerned=True)
    year.review(claim_id, ReviewStep.EXPERT, verdict, actor=year.another_expert(number))


def dishonest(year: SubsidyYear, *, until: date = date(2024, 12, 31)) -> int:
    record_id: int = year.do(
        integrity_service.record,
        actor=year.bureau,
        organisation_id=year.university.id,
        ground=DishonestyGround.SHAM_CONTRACT,
        reason="以未履行的合同申报补助",
        document="济科处〔2024〕1号",
        starts_on=date(2024, 3, 1),
        ends_on=until,
    )
    return record_id


def test_a_claim_leaves_its_panel_when_every_seat_has_spoken(year: SubsidyYear) -> None:
    claim_id = at_experts(year)
    judge(year, claim_id, 1, 90)
    judge(year, claim_id, 2, 80)
    assert year.status(claim_id) is S.EXPERT_REVIEW
    with pytest.raises(Conflict, match="您已经评审过"):
        judge(year, claim_id, 2, 60)
    judge(year, claim_id, 3, 66)
    assert year.status(claim_id) is S.SETTLING
    with year.database.reading() as session:
        panel = queries.get_claim_for_review(session, year.bureau, claim_id).panel
        assert panel is not None
        assert (str(panel.mean), panel.agreement) == ("78.7", Agreement.APART)
        assert names_of(session).count("subsidies.ClaimReviewed") == 4
    with pytest.raises(Conflict, match="不在这一步"):
        judge(year, claim_id, 4, 90)


def test_a_panel_that_disagrees_sends_the_claim_back_with_all_opinions(year: SubsidyYear) -> None:
    claim_id = at_experts(year)
    told = "验收材料不能证明技术已经交付使用"
    judge(year, claim_id, 1, 90)
    judge(year, claim_id, 2, 50, decision=ReviewDecision.RETURN, opinion=told)
    judge(
        year,
        claim_id,
        3,
        40,
        decision=ReviewDecision.REFUSE,
        opinion="不属于补助范围，合同性质不符",
    )
    claim = year.claim(claim_id)
    assert claim.status is S.RETURNED
    assert told in claim.reason
    assert "平均 60.0 分（3 名专家）" in claim.reason
    year.apply(claim_id)
    for step in BEFORE_EXPERTS:
        year.review(claim_id, step)
    judge(year, claim_id, 1, 90)  # the same expert judges the new application anew
    assert year.status(claim_id) is S.EXPERT_REVIEW


def test_a_claim_waits_for_no_expert_who_is_concerned(year: SubsidyYear) -> None:
    claim_id = at_experts(year, 1)
    concerned = year.world.actor(Role.EXPERT, year.company)
    with year.database.reading() as session:
        assert queries.awaited_ids(session, concerned) == []
        assert queries.awaited_ids(session, year.expert) == [claim_id]


def test_a_round_takes_only_the_items_it_names(year: SubsidyYear) -> None:
    year.register()
    round_id = year.open_round(items=(ClaimItem.BUYER,))
    with pytest.raises(RuleBroken, match="本批不受理卖方补助；本批受理：买方补助"):
        year.prepared(round_id)
    with year.database.reading() as session:
        assert queries.waiting(session, year.officer, now=year.now) == []


def test_nobody_on_record_prepares_or_applies(year: SubsidyYear) -> None:
    year.register()
    round_id = year.open_round()
    claim_id = year.prepared(round_id)
    # The record ends before the year does: the year would count, the day does not.
    dishonest(year, until=date(2024, 3, 15))
    with pytest.raises(RuleBroken, match=r"一票否决.*以未履行的合同申报补助"):
        year.apply(claim_id)
    assert year.status(claim_id) is S.ESTIMATED
    year.now += timedelta(days=1)
    year.apply(claim_id)
    assert year.status(claim_id) is S.DISTRICT_REVIEW


def test_a_record_through_the_years_end_pays_nothing_at_review(year: SubsidyYear) -> None:
    claim_id = year.applied()
    dishonest(year)
    year.review(claim_id, ReviewStep.DISTRICT)
    year.review(claim_id, ReviewStep.CENTRE)
    with pytest.raises(RuleBroken, match="已没有可支付的金额"):
        year.review(claim_id, ReviewStep.BUREAU)


def test_nobody_on_record_is_listed_for_payment(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.approved(claim_id)
    record_id = dishonest(year)
    with pytest.raises(RuleBroken, match="一票否决"):
        year.listed(claim_id)
    year.do(
        integrity_service.revoke,
        actor=year.bureau,
        record_id=record_id,
        reason="复核后撤销原处理决定",
    )
    assert year.listed(claim_id)


def test_a_contract_cancelled_before_the_payment_stops_it_and_the_bureau_sends_it_back(
    year: SubsidyYear,
) -> None:
    kept, event = year.register(1_000_000), year.register()
    claim_id = year.applied()
    year.approved(claim_id)
    cancelled = ContractCancelled(
        contract_id=event.contract_id,
        contract_no=event.contract_no,
        project_name="",
        seller_organisation_id=year.university.id,
        buyer_organisation_id=year.company.id,
        agency_organisation_id=None,
        registrar_organisation_id=year.registrar.id,
        cancelled_on=date(2024, 3, 28),
        reason="双方解除合同",
    )
    year.do(lambda session, now: service.keep_cancelled(session, cancelled, now=now))
    with pytest.raises(RuleBroken, match=f"{event.contract_no} 的登记已撤销"):
        year.listed(claim_id)
    reason = "其中一份合同的登记已撤销，请按现在的数据重新提交"
    for actor in (year.centre, year.officer):
        with pytest.raises(NotAllowed):
            year.do(service.recall, actor=actor, claim_id=claim_id, reason=reason)
    year.do(service.recall, actor=year.bureau, claim_id=claim_id, reason=reason)
    claim = year.claim(claim_id)
    assert (claim.status, claim.payable_fen, claim.reason) == (S.RETURNED, None, reason)
    year.apply(claim_id)
    claim = year.claim(claim_id)
    assert claim.claimed_fen == 1_500_00
    assert [line.contract_id for line in claim.lines] == [kept.contract_id]


def test_an_application_with_a_contract_cancelled_meanwhile_is_refused(year: SubsidyYear) -> None:
    kept, event = year.register(1_000_000), year.register()
    claim_id = year.prepared(year.open_round())
    cancelled = ContractCancelled(
        contract_id=event.contract_id,
        contract_no=event.contract_no,
        project_name="",
        seller_organisation_id=year.university.id,
        buyer_organisation_id=year.company.id,
        agency_organisation_id=None,
        registrar_organisation_id=year.registrar.id,
        cancelled_on=date(2024, 3, 15),
        reason="双方解除合同",
    )
    year.do(lambda session, now: service.keep_cancelled(session, cancelled, now=now))
    with pytest.raises(Conflict, match=r"按最新登记数据计算的金额是 1,500\.00 元"):
        year.apply(claim_id, confirmed_fen=Fen(5_400_00))
    assert year.claim(claim_id).lines == []
    year.apply(claim_id)
    assert [line.contract_id for line in year.claim(claim_id).lines] == [kept.contract_id]


def test_a_listed_or_paid_claim_is_not_sent_back(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.approved(claim_id)
    payment_id = year.listed(claim_id)
    reason = "收款账户户名与单位名称不一致，请更正"
    with pytest.raises(Conflict, match="已在支付清单上"):
        year.do(service.recall, actor=year.bureau, claim_id=claim_id, reason=reason)
    year.do(
        service.confirm_payment,
        actor=year.treasurer,
        payment_id=payment_id,
        reference="JNCZ20240001",
    )
    with pytest.raises(Conflict):
        year.do(service.recall, actor=year.bureau, claim_id=claim_id, reason=reason)


def remind(year: SubsidyYear) -> int:
    with year.database.transaction() as session:
        return due.TASKS[0].run(session, year.now)


def next_due(year: SubsidyYear) -> date | None:
    with year.database.reading() as session:
        moment = due.TASKS[0].next_due(session, year.now)
    return moment.date() if moment else None


def reminders(year: SubsidyYear) -> list[tuple[str, bool, bool]]:
    with year.database.reading() as session:
        rows = session.scalars(
            select(OutboxEvent.body)
            .where(OutboxEvent.name == "subsidies.ClaimDue")
            .order_by(OutboxEvent.id)
        )
        return [(row["status"], row["overdue"], row["listed"]) for row in rows]


def test_each_step_has_a_deadline_is_reminded_of_and_told_once_when_it_is_missed(
    year: SubsidyYear,
) -> None:
    claim_id = year.applied()
    claim = year.claim(claim_id)
    assert claim.due_on == date(2024, 3, 29)
    assert claim.remind_on == next_due(year) == date(2024, 3, 28)
    assert remind(year) == 0
    year.now += timedelta(days=13)
    assert remind(year) == 1
    assert remind(year) == 0
    assert next_due(year) == date(2024, 3, 30)
    year.now += timedelta(days=2)
    assert (remind(year), remind(year), next_due(year)) == (1, 0, None)
    assert reminders(year) == [
        ("district_review", False, False),
        ("district_review", True, False),
    ]
    with year.database.reading() as session:
        shown = [e.note for e in queries.timeline(session, claim_id, with_names=True)]
    assert shown[-2:] == ["期限 2024-03-29", "期限 2024-03-29，已超期"]
    # The next step brings the next deadline.
    year.review(claim_id, ReviewStep.DISTRICT)
    assert year.claim(claim_id).due_on == date(2024, 4, 15)


def test_every_state_that_somebody_holds_has_a_deadline_and_no_other(year: SubsidyYear) -> None:
    held = {}
    year.register()
    claim_id = year.prepared(year.open_round())
    _offices = year.district, year.centre, year.bureau
    held[year.status(claim_id)] = year.claim(claim_id).due_on
    year.apply(claim_id)
    for step in ReviewStep:
        held[year.status(claim_id)] = year.claim(claim_id).due_on
        year.review(claim_id, step)
    held[year.status(claim_id)] = year.claim(claim_id).due_on
    year.do(service.publicise, actor=year.bureau, round_id=year.claim(claim_id).round_id)
    held[year.status(claim_id)] = year.claim(claim_id).due_on
    notice_id = year.claim(claim_id).publicity_id
    year.now += timedelta(days=14)
    with year.database.transaction() as session:
        publicity.close_due(session, now=year.now)
    year.do(service.take_publicity, claim_id=claim_id, publicity_id=notice_id, upheld=False)
    held[year.status(claim_id)] = year.claim(claim_id).due_on
    payment_id = year.listed(claim_id)
    with year.database.reading() as session:
        assert queries.payment_lists(session)[0].due_on == date(2024, 4, 15)
    year.do(service.confirm_payment, actor=year.treasurer, payment_id=payment_id, reference="JN01")
    held[year.status(claim_id)] = year.claim(claim_id).due_on
    year.clawed_back(claim_id)
    held[year.status(claim_id)] = year.claim(claim_id).due_on
    without = {status for status, due_on in held.items() if due_on is None}
    assert without == {S.PUBLICITY, S.PAID}
    assert held[S.ESTIMATED] == date(2024, 4, 14)  # the round's last day
    assert held[S.RECLAIMING] == date(2024, 4, 28)


def test_what_was_overpaid_is_taken_back_in_part_without_a_record(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.paid(claim_id)
    year.clawed_back(
        claim_id,
        ground=ClawBackGround.OVERPAID,
        amount_fen=Fen(900_00),
        dishonest_until=None,
    )
    assert year.status(claim_id) is S.RECLAIMING
    with year.database.reading() as session:
        assert integrity.dishonesty_on(session, year.university.id, year.now.date()) is None
        (row, taken), *_ = queries.reclaims(session)
        assert (row.id, taken.amount_fen, taken.received_at) == (claim_id, 900_00, None)
        waits = [item.what for item in queries.waiting(session, year.treasurer, now=year.now)]
        assert waits == ["确认退款到账：泉城理工大学，卖方补助"]
    with pytest.raises(Conflict, match="只有已支付"):
        year.clawed_back(claim_id)
    receipt = {"claim_id": claim_id, "amount_fen": Fen(900_00), "reference": "SK20240401"}
    with pytest.raises(NotAllowed):
        year.do(service.confirm_receipt, actor=year.bureau, **receipt)
    year.do(service.confirm_receipt, actor=year.treasurer, **receipt)
    assert year.status(claim_id) is S.CLAWED_BACK
    with pytest.raises(Conflict, match="不能重复确认"):
        year.do(service.confirm_receipt, actor=year.treasurer, **receipt)
    with year.database.reading() as session:
        assert names_of(session)[-2:] == [
            "subsidies.ClaimClawedBack",
            "subsidies.ClawBackReceived",
        ]
        assert queries.waiting(session, year.treasurer, now=year.now) == []


def test_who_decided_a_claw_back_does_not_confirm_its_receipt(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.paid(claim_id)
    both = replace(year.bureau, roles=frozenset({Role.BUREAU_REVIEWER, Role.TREASURER}))
    year.clawed_back(claim_id)
    with pytest.raises(NotAllowed, match="作出追回决定的人不能确认到账"):
        year.do(
            service.confirm_receipt,
            actor=both,
            claim_id=claim_id,
            amount_fen=Fen(3_900_00),
            reference="SK20240401",
        )


def test_what_was_clawed_back_is_not_claimed_again_and_leaves_the_budget(
    year: SubsidyYear,
) -> None:
    round_id = year.open_round(3_900)
    claim_id = year.applied(round_id=round_id)
    year.paid(claim_id)
    year.clawed_back(claim_id, ground=ClawBackGround.OVERPAID, dishonest_until=None)
    with pytest.raises(RuleBroken, match="都已经申报过"):
        year.prepared(round_id)
    with year.database.reading() as session:
        assert queries.get_round(session, round_id).left_fen == 0


def test_an_unknown_claim_is_nobodys(year: SubsidyYear) -> None:
    with pytest.raises(NotFound):
        year.do(
            service.apply,
            actor=year.officer,
            claim_id=4711,
            confirmed_fen=Fen(1),
            declared=True,
            payee=PAYEE,
        )


def test_an_objection_is_not_answered_by_the_claimant_itself(year: SubsidyYear) -> None:
    notice_id = year.publicised(year.applied())
    objection_id = year.do(
        publicity.raise_objection,
        actor=year.buyer,
        publicity_id=notice_id,
        text="合同金额与实际付款不一致，请核查付款凭证",
    )
    own = replace(year.bureau, organisation_id=year.university.id)
    with pytest.raises(NotAllowed, match="不能答复对本单位公示的异议"):
        year.do(
            publicity.decide_objection,
            actor=own,
            objection_id=objection_id,
            upheld=False,
            answer="经核查没有问题，异议不成立",
        )
