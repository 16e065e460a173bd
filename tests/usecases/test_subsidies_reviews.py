"""Who reviews a claim, in which order and with which effect, on both databases."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.accounts.rules import District, OrganisationSubkind
from marketplace.foundation.access import Role
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.subsidies import queries, service
from marketplace.subsidies.models import Review
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep
from marketplace.subsidies.service import Verdict
from tests.subsidies import SubsidyYear
from tests.world import World

S = ClaimStatus


@pytest.fixture
def year(world: World, now: datetime) -> SubsidyYear:
    return SubsidyYear(world, now)


def test_every_step_has_its_own_role_and_order(year: SubsidyYear) -> None:
    claim_id = year.applied()
    wrong = {
        ReviewStep.DISTRICT: year.centre,
        ReviewStep.CENTRE: year.district,
        ReviewStep.BUREAU: year.centre,
        ReviewStep.EXPERT: year.bureau,
    }
    for step, actor in wrong.items():
        with pytest.raises(NotAllowed):
            year.review(claim_id, step, actor=actor)
    with pytest.raises(Conflict, match="不在这一步"):
        year.review(claim_id, ReviewStep.BUREAU)
    with pytest.raises(NotAllowed):
        year.review(claim_id, ReviewStep.DISTRICT, actor=year.officer)
    assert year.status(claim_id) is S.DISTRICT_REVIEW
    with year.database.reading() as session:
        assert session.scalar(select(func.count()).select_from(Review)) == 0


def test_another_district_does_not_review_and_does_not_see(year: SubsidyYear) -> None:
    claim_id = year.applied()
    other = year.office(Role.DISTRICT_REVIEWER, OrganisationSubkind.DISTRICT, District.ZHANGQIU)
    with pytest.raises(NotAllowed, match="别的区县"):
        year.review(claim_id, ReviewStep.DISTRICT, actor=other)
    with year.database.reading() as session:
        with pytest.raises(NotFound):
            queries.get_claim_for_review(session, other, claim_id)
        assert queries.waiting(session, other, now=year.now) == []
        assert len(queries.waiting(session, year.district, now=year.now)) == 1


def test_where_a_district_has_no_office_the_centre_reviews_first(year: SubsidyYear) -> None:
    year.register()
    _centre = year.centre, year.bureau
    claim_id = year.prepared(year.open_round())
    year.apply(claim_id)
    assert year.claim(claim_id).district is None
    with year.database.reading() as session:
        assert queries.awaited_ids(session, year.centre) == [claim_id]
    year.review(claim_id, ReviewStep.DISTRICT, actor=year.centre)
    assert year.status(claim_id) is S.CENTRE_REVIEW


def test_nobody_reviews_where_their_own_organisation_is_concerned(year: SubsidyYear) -> None:
    claim_id = year.applied()
    for step in (ReviewStep.DISTRICT, ReviewStep.CENTRE, ReviewStep.BUREAU):
        year.review(claim_id, step)
    scored = Verdict(ReviewDecision.PASS, "", 90, unconcerned=True)
    own = year.world.actor(Role.EXPERT, year.university)
    with pytest.raises(NotAllowed, match="不能审核本单位"):
        year.review(claim_id, ReviewStep.EXPERT, scored, actor=own)
    party = year.world.actor(Role.EXPERT, year.company)
    with pytest.raises(NotAllowed, match="须回避"):
        year.review(claim_id, ReviewStep.EXPERT, scored, actor=party)
    with year.database.reading() as session, pytest.raises(NotFound):
        queries.get_claim_for_review(session, own, claim_id)


@pytest.mark.parametrize(
    ("verdict", "message"),
    [
        (Verdict(ReviewDecision.PASS, "", None, unconcerned=True), "评分"),
        (Verdict(ReviewDecision.PASS, "", 59, unconcerned=True), "低于 60"),
        (Verdict(ReviewDecision.PASS, "", 90), "利害关系"),
        (Verdict(ReviewDecision.REFUSE, "不行", 10, unconcerned=True), "至少 10 个字"),
    ],
)
def test_an_expert_gives_score_statement_and_grounds(
    year: SubsidyYear, verdict: Verdict, message: str
) -> None:
    claim_id = year.applied()
    for step in (ReviewStep.DISTRICT, ReviewStep.CENTRE, ReviewStep.BUREAU):
        year.review(claim_id, step)
    with pytest.raises(RuleBroken, match=message):
        year.review(claim_id, ReviewStep.EXPERT, verdict)
    year.review(claim_id, ReviewStep.EXPERT, Verdict(ReviewDecision.PASS, "", 60, True))
    assert year.status(claim_id) is S.SETTLING


def test_a_returned_claim_is_corrected_and_reviewed_anew(year: SubsidyYear) -> None:
    claim_id = year.applied()
    year.review(claim_id, ReviewStep.DISTRICT)
    back = Verdict(ReviewDecision.RETURN, "付款凭证缺第二笔，请补传银行回单")
    year.review(claim_id, ReviewStep.CENTRE, back)
    claim = year.claim(claim_id)
    assert (claim.status, claim.reason) == (S.RETURNED, back.opinion)
    year.now += timedelta(days=60)  # a correction may come after the round has closed
    year.apply(claim_id)
    claim = year.claim(claim_id)
    assert (claim.status, claim.attempt, claim.reason) == (S.DISTRICT_REVIEW, 2, "")
    assert len(claim.lines) == 1
    with pytest.raises(Conflict, match="重新提交"):
        year.do(
            service.review,
            actor=year.district,
            claim_id=claim_id,
            step=ReviewStep.DISTRICT,
            verdict=Verdict(ReviewDecision.PASS),
            attempt=1,
        )
    year.settled(claim_id)
    assert year.status(claim_id) is S.SETTLING


def test_a_refused_claim_keeps_its_contracts(year: SubsidyYear) -> None:
    round_id = year.open_round()
    claim_id = year.applied(round_id=round_id)
    refusal = Verdict(ReviewDecision.REFUSE, "项目与备案内容不符，不属于技术合同")
    year.review(claim_id, ReviewStep.DISTRICT, refusal)
    assert year.status(claim_id) is S.REFUSED
    with pytest.raises(RuleBroken, match="都已经申报过"):
        year.prepared(round_id)
    with pytest.raises(Conflict, match="已经提交"):
        year.apply(claim_id)


def test_what_waits_is_named_to_each_role(year: SubsidyYear) -> None:
    def waits(actor: Any) -> list[str]:
        with year.database.reading() as session:
            return [item.what for item in queries.waiting(session, actor, now=year.now)]

    _offices = year.district, year.centre, year.bureau
    year.register()
    assert waits(year.officer) == []
    round_id = year.open_round()
    assert waits(year.officer) == ["可以申报 2024 年度卖方补助"]
    claim_id = year.prepared(round_id)
    assert waits(year.officer) == ["确认并提交补助申报：2024 年度卖方补助"]
    year.apply(claim_id)
    assert waits(year.officer) == []
    assert waits(year.centre) == []
    for step, actor in (
        (ReviewStep.DISTRICT, year.district),
        (ReviewStep.CENTRE, year.centre),
        (ReviewStep.BUREAU, year.bureau),
        (ReviewStep.EXPERT, year.expert),
    ):
        assert waits(actor) == ["审核补助申报：泉城理工大学，卖方补助"]
        year.review(claim_id, step)
        assert waits(actor) == [] or actor is year.bureau
    assert waits(year.bureau)[0].startswith("公示审结的补助")
