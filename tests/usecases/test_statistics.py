"""From events to figures: once each, by the day of registration, without what was cancelled."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import District, OrganisationKind
from marketplace.assessments.events import AssessmentRequested
from marketplace.contracts.events import ContractCancelled, ContractChanged, ContractRegistered
from marketplace.foundation import outbox
from marketplace.foundation.access import Role
from marketplace.foundation.db import Database
from marketplace.foundation.outbox import Event, Outbox
from marketplace.listings.events import ListingAnnounced
from marketplace.statistics import handlers, queries
from marketplace.statistics.rules import FUNNEL, Measure, Side
from tests.assessing import Bench
from tests.world import World


class Office:
    """Publishes events and reads the boards."""

    def __init__(self, database: Database, world: World, now: datetime) -> None:
        self.database, self.now = database, now
        self.seller = world.organisation(OrganisationKind.UNIVERSITY, district=District.LICHENG)
        self.buyer = world.organisation(OrganisationKind.ENTERPRISE, district=District.ZHANGQIU)
        self.far = world.organisation(OrganisationKind.ENTERPRISE, district=None)
        self.registrar = world.organisation(OrganisationKind.REGISTRAR)
        self._outbox = Outbox(handlers.SUBSCRIPTIONS)

    def happen(self, event: Event) -> None:
        """Publish an event and deliver it."""
        with self.database.transaction() as session:
            outbox.publish(session, event, now=self.now)
        while self._outbox.deliver_due(self.database, now=self.now):
            pass
        with self.database.reading() as session:
            assert outbox.waiting_count(session) == 0, "a delivery failed"

    def register(
        self, contract_id: int, amount: int, day: date, buyer: OrganisationView | None = None,
        **changes: Any,
    ) -> None:  # fmt: skip
        """Register a contract of so many fen."""
        values: dict[str, Any] = {
            "contract_id": contract_id,
            "contract_no": f"JN-{contract_id}",
            "contract_type": "licence",
            "project_name": "脱硝催化剂许可",
            "registered_on": day,
            "amount_fen": amount,
            "technology_amount_fen": amount - 1,
            "tax_exempt_amount_fen": None,
            "seller_organisation_id": self.seller.id,
            "buyer_organisation_id": (buyer or self.buyer).id,
            "agency_organisation_id": None,
            "registrar_organisation_id": self.registrar.id,
            "project_id": "",
            "activity_id": "",
            "fiscal_funds": False,
            "deal_id": None,
            "listing_id": None,
            "achievement_id": None,
            "technology_field": "environment",
        }
        self.happen(ContractRegistered(**{**values, **changes}))


@pytest.fixture
def office(database: Database, world: World, now: datetime) -> Office:
    return Office(database, world, now)


def test_turnover_counts_by_the_day_of_registration(office: Office) -> None:
    office.register(1, 100_00, date(2023, 12, 31))
    office.register(2, 250_00, date(2024, 1, 1), agency_organisation_id=office.buyer.id)
    office.register(3, 50_00, date(2024, 3, 15), seller_organisation_id=office.far.id)
    with office.database.reading() as session:
        year = queries.turnover(session, 2024)
        assert (year.count, year.amount_fen, year.technology_fen) == (2, 300_00, 299_98)
        assert year.brokered_count == 1
        assert queries.turnover(session, 2023).amount_fen == 100_00
        assert queries.first_year(session, now=office.now) == 2023
        assert (
            queries.turnover(session, 2024, seller_kind=OrganisationKind.UNIVERSITY).amount_fen
            == 250_00
        )
        months = queries.by_month(session, 2024)
        assert [(line.month, line.amount_fen) for line in months if line.count] == [
            (1, 250_00),
            (3, 50_00),
        ]


def test_a_repeated_event_counts_once(office: Office) -> None:
    office.register(1, 100_00, date(2024, 2, 1))
    office.register(1, 100_00, date(2024, 2, 1))
    with office.database.reading() as session:
        assert queries.turnover(session, 2024).count == 1


def test_a_change_moves_the_amount_and_a_cancellation_takes_it_out(office: Office) -> None:
    office.register(1, 100_00, date(2024, 2, 1))
    office.happen(
        ContractChanged(
            contract_id=1,
            contract_no="JN-1",
            project_name="脱硝催化剂许可",
            seller_organisation_id=office.seller.id,
            buyer_organisation_id=office.buyer.id,
            amount_fen=80_00,
            technology_amount_fen=70_00,
            changed_on=date(2024, 3, 1),
            reason="缩小许可范围",
        )
    )
    with office.database.reading() as session:
        assert queries.turnover(session, 2024).amount_fen == 80_00
    office.happen(
        ContractCancelled(
            contract_id=1,
            contract_no="JN-1",
            project_name="脱硝催化剂许可",
            seller_organisation_id=office.seller.id,
            buyer_organisation_id=office.buyer.id,
            agency_organisation_id=None,
            registrar_organisation_id=office.registrar.id,
            cancelled_on=date(2024, 3, 10),
            reason="合同解除",
        )
    )
    with office.database.reading() as session:
        assert queries.turnover(session, 2024).count == 0
        assert queries.by_field(session, 2024) == []


def test_breakdowns_name_what_is_known(office: Office) -> None:
    office.register(1, 300_00, date(2024, 2, 1))
    office.register(2, 100_00, date(2024, 2, 2), office.far, technology_field=None)
    with office.database.reading() as session:
        fields = {share.label: share.amount_fen for share in queries.by_field(session, 2024)}
        assert fields == {"环境保护与资源综合利用": 300_00, "未填写": 100_00}
        seller = queries.by_district(session, 2024, Side.SELLER)
        assert [(share.label, share.count) for share in seller] == [("历城区", 2)]
        buyer = queries.by_district(session, 2024, Side.BUYER)
        assert [(share.label, share.percent) for share in buyer] == [
            ("章丘区", 100),
            ("济南以外", 33),
        ]
        assert [share.label for share in queries.by_type(session, 2024)] == ["技术许可"]


def test_an_achievement_counts_when_it_is_assessed_and_listed(office: Office, world: World) -> None:
    bench = Bench(office.database, world, office.now)
    first, second = bench.achievement(), bench.achievement(title="另一项成果：除尘效率 99.9 %")

    def listed(achievement_id: int, listing_id: int) -> ListingAnnounced:
        return ListingAnnounced(
            listing_id=listing_id,
            achievement_id=achievement_id,
            seller_organisation_id=bench.university.id,
            title="低温脱硝催化剂",
            number=f"GP-2024-000{listing_id}",
            pricing_mode="negotiated",
            trading_mode="licence_ordinary",
            base_price_fen=100_00,
            ends_on=date(2024, 4, 1),
        )

    office.happen(listed(first, 1))
    office.happen(listed(second, 2))
    office.now += timedelta(days=40)
    office.happen(listed(first, 3))  # listed a second time: still one achievement
    office.happen(
        AssessmentRequested(
            assessment_id=1,
            achievement_id=first,
            organisation_id=bench.university.id,
            title="低温脱硝催化剂",
            pre_score_tenths=800,
        )
    )
    with office.database.reading() as session:
        lines = {line.target.key: line for line in queries.target_lines(session, now=office.now)}
        assert lines["achievements_listed"].standing.value == 1
        assert "挂过牌的 2 项" in lines["achievements_listed"].counted
        funnel = queries.funnel(session, 2024, today=date(2024, 4, 24))
        listed_at = FUNNEL.index(Measure.ACHIEVEMENT_LISTED)
        assert [line.counts[listed_at] for line in funnel] == [0, 0, 2, 0]


def test_targets_stand_beside_live_figures(office: Office, world: World) -> None:
    world.actor(Role.OFFICER, office.seller)
    office.register(1, 260_000_000, date(2024, 2, 1))
    office.register(2, 900_000_000, date(2022, 6, 1))
    with office.database.reading() as session:
        lines = {line.target.key: line.standing for line in queries.target_lines(
            session, now=office.now)}  # fmt: skip
    assert lines["partner_institutions"].value == 1
    assert lines["turnover_2022"].value == 900_000_000
    assert lines["turnover_2025"].value == 260_000_000
    assert lines["turnover_2025"].target == 140_000_000_000_00
    assert lines["turnover_universities_2025"].value == 260_000_000
