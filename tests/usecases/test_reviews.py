"""Yearly reviews on both databases: computed, confirmed, graded, appealed against, settled."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import pytest

from marketplace.brokerage import queries as register
from marketplace.brokerage import service as brokerage
from marketplace.contracts import service as contracts
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.reviews import due, queries, service
from marketplace.reviews.queries import ReviewView
from marketplace.reviews.rules import Grade, Indicator, ReviewState
from tests.dealing import GOOD_FIGURES, Market, events
from tests.world import World

REASON = "两份合同的居间记录不完整，核减后评定"


class Guild(Market):
    """A market whose agency is filed, with who conducts the reviews."""

    def __init__(self, database: Database, world: World, now: datetime, folder: Path) -> None:
        super().__init__(database, world, now, folder)
        self.operator = world.actor(Role.OPERATOR)
        self.other = world.actor(Role.OPERATOR)
        filing_id = self.do(
            brokerage.apply_for_filing, self.head, figures=GOOD_FIGURES, figures_year=now.year - 1
        )
        self.do(
            brokerage.approve_filing,
            self.operator,
            filing_id=filing_id,
            valid_from=date(now.year - 1, 1, 1),
            valid_to=date(now.year + 3, 12, 31),
        )

    def at(self, year: int, month: int = 1, day: int = 8) -> None:
        """Move on to a day."""
        self.now = datetime(year, month, day, 9, tzinfo=LOCAL)

    def opened(self, year: int) -> int:
        """Open a year; return the agency's review."""
        (made,) = self.do(service.open_reviews, self.operator, year=year)
        return int(made)

    def published(self, year: int, grade: Grade | None = None) -> int:
        """Open a year, let the agency confirm it, and grade it."""
        made = self.opened(year)
        self.do(service.confirm, self.head, review_id=made, statement="")
        graded = grade or self.view(made).proposed
        self.do(service.decide, self.operator, review_id=made, grade=graded, reason=REASON)
        return made

    def view(self, review_id: int, actor: Actor | None = None) -> ReviewView:
        """Read a review as the operator or as somebody else."""
        with self.database.reading() as session:
            return queries.get_review(session, actor or self.operator, review_id)

    def settle(self) -> int:
        """Do what fell due."""
        with self.database.transaction() as session:
            return service.settle_due(session, self.now)

    def filed_on(self, day: date) -> bool:
        """Tell whether the agency's filing is valid on a day."""
        with self.database.reading() as session:
            return register.agency_filing_on(session, self.agency.id, day) is not None


@pytest.fixture
def guild(database: Database, world: World, now: datetime, tmp_path: Path) -> Guild:
    return Guild(database, world, now, tmp_path / "files")


def value(view: ReviewView, indicator: Indicator) -> str:
    return next(line.value for line in view.lines if line.indicator is indicator)


def test_a_year_counts_the_agency_s_own_contracts_and_links_them(guild: Guild) -> None:
    own = guild.registered(agency_organisation_id=guild.agency.id)
    guild.registered(project_name="别家促成的许可")
    gone = guild.registered(project_name="解除的许可", agency_organisation_id=guild.agency.id)
    guild.do(contracts.cancel, guild.registrar, contract_id=gone, reason="双方协议解除，已退款")
    guild.at(2025)
    view = guild.view(guild.opened(2024))
    assert value(view, Indicator.CONTRACTS) == "1 份"
    assert value(view, Indicator.BROKERED) == "1,800,000 元"
    assert value(view, Indicator.IN_CITY) == "100.0 %"
    assert value(view, Indicator.CANCELLED) == "1 份"
    lines = {line.indicator: line for line in view.lines}
    assert [each.number for each in lines[Indicator.BROKERED].evidence] == [own]
    assert [each.number for each in lines[Indicator.CANCELLED].evidence] == [gone]
    assert lines[Indicator.CANCELLED].tenths == -50
    assert view.state is ReviewState.OPEN


def test_a_year_is_opened_once_and_only_when_it_is_over(guild: Guild) -> None:
    with pytest.raises(RuleBroken):
        guild.opened(2024)
    guild.at(2025)
    with pytest.raises(NotAllowed):
        guild.do(service.open_reviews, guild.head, year=2024)
    with pytest.raises(RuleBroken) as refusal:
        guild.do(service.open_reviews, guild.operator, year=2022)
    assert refusal.value.code == "reviews.nobody"
    guild.opened(2024)
    assert guild.do(service.open_reviews, guild.operator, year=2024) == []
    assert len(events(guild, "reviews.ReviewOpened")) == 1


def test_only_the_agency_confirms_and_strangers_learn_nothing(guild: Guild) -> None:
    guild.at(2025)
    made = guild.opened(2024)
    stranger = guild.world.actor(Role.ORG_ADMIN, guild.firm)
    for use_case, words in ((service.confirm, "statement"), (service.appeal, "words")):
        with pytest.raises(NotFound):
            guild.do(use_case, stranger, review_id=made, **{words: "不是我们的数据也来说两句"})
    with pytest.raises(NotFound):
        guild.view(made, stranger)
    with pytest.raises(Conflict):
        guild.do(service.decide, guild.operator, review_id=made, grade=Grade.FAIR, reason=REASON)
    guild.do(service.confirm, guild.head, review_id=made, statement="另有两份省外合同")
    with pytest.raises(Conflict):
        guild.do(service.confirm, guild.head, review_id=made, statement="再补一次")
    guild.do(service.decide, guild.operator, review_id=made, grade=Grade.FAIR, reason=REASON)
    assert guild.view(made, stranger).grade is Grade.FAIR


def test_without_a_word_the_year_is_graded_after_the_term(guild: Guild) -> None:
    guild.at(2025)
    made = guild.opened(2024)
    guild.now = datetime.combine(guild.view(made).confirm_by, guild.now.timetz())
    unfit = {"review_id": made, "grade": Grade.UNFIT}
    with pytest.raises(Conflict):
        guild.do(service.decide, guild.operator, **unfit)
    guild.now += timedelta(days=1)
    guild.do(service.decide, guild.operator, **unfit)


def test_what_changed_since_goes_back_to_the_agency(guild: Guild) -> None:
    own = guild.registered(agency_organisation_id=guild.agency.id)
    guild.at(2025)
    made = guild.opened(2024)
    stale = guild.view(made).version
    guild.do(service.confirm, guild.head, review_id=made, statement="")
    guild.do(service.recompute, guild.operator, review_id=made)
    assert guild.view(made).state is ReviewState.CONFIRMED
    guild.do(contracts.cancel, guild.registrar, contract_id=own, reason="双方协议解除，已退款")
    guild.do(service.recompute, guild.operator, review_id=made)
    assert guild.view(made).state is ReviewState.OPEN
    assert value(guild.view(made), Indicator.CONTRACTS) == "0 份"
    with pytest.raises(Conflict) as refusal:
        guild.do(service.confirm, guild.head, review_id=made, statement="", version=stale)
    assert refusal.value.code == "reviews.stale"


def test_two_failed_years_running_end_the_filing_when_the_appeal_is_over(guild: Guild) -> None:
    guild.at(2025)
    guild.published(2024, Grade.UNFIT)
    guild.at(2025, 3)
    assert guild.settle() == 1
    assert guild.filed_on(date(2025, 6, 1))
    guild.at(2026)
    second = guild.published(2025, Grade.UNFIT)
    appeal_by = guild.view(second).appeal_by
    assert appeal_by is not None
    guild.now = datetime.combine(appeal_by, guild.now.timetz())
    assert guild.settle() == 0
    assert guild.filed_on(date(2026, 12, 1))
    with guild.database.reading() as session:
        moment = due.next_settling(session, guild.now)
    assert moment is not None
    guild.now = moment
    assert guild.settle() == 1
    assert guild.settle() == 0
    assert guild.filed_on(guild.now.date())
    assert not guild.filed_on(guild.now.date() + timedelta(days=1))
    view = guild.view(second)
    assert view.filing_ended_on == guild.now.date()
    assert "之后登记的合同不再计入" in view.consequence
    assert len(events(guild, "brokerage.FilingEnded")) == 1


def test_a_year_between_two_failed_ones_saves_the_filing(guild: Guild) -> None:
    for year, grade in ((2023, Grade.UNFIT), (2024, Grade.FAIR), (2025, Grade.UNFIT)):
        guild.at(year + 1, 4)
        guild.published(year, grade)
        guild.at(year + 1, 6)
        assert guild.settle() == 1
    assert guild.filed_on(date(2027, 12, 1))
    assert events(guild, "brokerage.FilingEnded") == []


@pytest.mark.parametrize(("upheld", "filed"), [(True, True), (False, False)])
def test_an_appeal_is_decided_by_another_before_anything_ends(
    guild: Guild, upheld: bool, filed: bool
) -> None:
    guild.at(2025)
    guild.published(2024, Grade.UNFIT)
    guild.at(2025, 3)
    guild.settle()
    guild.at(2026)
    second = guild.published(2025, Grade.UNFIT)
    guild.do(service.appeal, guild.head, review_id=second, words="两份合同没有计入，编号已附")
    guild.at(2026, 4)
    assert guild.settle() == 0
    answer = {
        "review_id": second,
        "grade": Grade.FAIR if upheld else Grade.UNFIT,
        "reason": "核对登记系统后作出处理，详见附件",
    }
    with pytest.raises(RuleBroken):
        guild.do(service.decide_appeal, guild.operator, **answer)
    guild.do(service.decide_appeal, guild.other, **answer)
    view = guild.view(second)
    assert view.state is ReviewState.SETTLED
    assert view.first_grade is (Grade.UNFIT if upheld else None)
    assert guild.filed_on(date(2026, 12, 1)) is filed
    with pytest.raises(Conflict):
        guild.do(service.decide_appeal, guild.other, **answer)


def test_an_appeal_after_its_term_is_late(guild: Guild) -> None:
    guild.at(2025)
    made = guild.published(2024)
    guild.at(2025, 3)
    with pytest.raises(Conflict):
        guild.do(service.appeal, guild.head, review_id=made, words="两份合同没有计入，编号已附")


def test_what_waits_moves_from_the_agency_to_who_grades(guild: Guild) -> None:
    guild.at(2025)
    made = guild.opened(2024)

    def waiting(actor: Actor) -> list[str]:
        with guild.database.reading() as session:
            return [item.act for item in queries.waiting(session, actor, now=guild.now)]

    assert (waiting(guild.head), waiting(guild.operator)) == (["确认"], [])
    guild.do(service.confirm, guild.head, review_id=made, statement="")
    assert (waiting(guild.head), waiting(guild.operator)) == ([], ["评定"])
    guild.do(service.decide, guild.operator, review_id=made, grade=Grade.UNFIT)
    guild.do(service.appeal, guild.head, review_id=made, words="两份合同没有计入，编号已附")
    assert (waiting(guild.head), waiting(guild.other)) == ([], ["处理申诉"])
    with guild.database.reading() as session:
        assert queries.years(session) == [2024]
        assert [each.id for each in queries.published(session, 2024)] == [made]
