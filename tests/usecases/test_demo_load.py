"""The demo: loaded once through the services; every object in every state, the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import Text, cast, func, select, text
from sqlalchemy.orm import Session

from marketplace import wiring
from marketplace.accounts import sign_in
from marketplace.accounts.rules import OrganisationKind, OrganisationState
from marketplace.accounts.tokens import password_matches
from marketplace.achievements.rules import AchievementState
from marketplace.app import create_app
from marketplace.assessments.rules import AssessmentState
from marketplace.brokerage.register_rules import FilingStatus, RequestStatus
from marketplace.brokerage.rules import DealSource, DealStage, LostReason
from marketplace.brokerage.terms_rules import AgreementStatus, CommissionStatus
from marketplace.contracts.rules import ContractStatus
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Role
from marketplace.foundation.audit_actions import action_words, field_label, subject_label
from marketplace.foundation.clock import DEMO_START, SystemClock
from marketplace.foundation.db import Base, Database
from marketplace.foundation.words import Word
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.rules import IntentState, ListingState
from marketplace.needs.rules import AnswerState, NeedState
from marketplace.payments.rules import PaymentState
from marketplace.payments.statement_rules import LineState
from marketplace.publicity.rules import ObjectionState, PublicityKind, PublicityState
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus
from marketplace.techservices.rules import OrderState, ServiceKind
from seed.demo import load, sign_ins
from seed.demo.content import content
from tests.demo import copy, digests, settings_for

_MARK = "〔商密 "


@dataclass(frozen=True)
class Demo:
    """A copy of the loaded demo."""

    services: wiring.Services
    folder: Path


@pytest.fixture(scope="module")
def demo(demo_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    folder = tmp_path_factory.mktemp("demo") / "copy"
    copy(demo_folder, folder)
    services = wiring.build(settings_for(folder))
    yield Demo(services, folder)
    services.database.engine.dispose()


@pytest.fixture
def session(demo: Demo) -> Iterator[Session]:
    with demo.services.database.reading() as reading:
        yield reading


def _count(session: Session, table: str, where: str = "1 = 1") -> int:
    found = session.scalar(text(f"SELECT count(*) FROM {table} WHERE {where}"))
    assert isinstance(found, int)
    return found


@pytest.mark.parametrize(
    ("table", "where", "least"),
    [
        (
            "accounts_organisations",
            "kind IN ('university', 'research_institute', 'new_rd_institution')",
            12,
        ),
        ("accounts_organisations", "kind = 'enterprise'", 30),
        ("accounts_organisations", "subkinds LIKE '%agency%'", 6),
        ("accounts_organisations", "subkinds LIKE '%assessor%'", 4),
        ("accounts_organisations", "subkinds LIKE '%ip_firm%'", 4),
        ("accounts_organisations", "subkinds LIKE '%finance\"%'", 4),
        ("accounts_organisations", "subkinds LIKE '%park%'", 4),
        ("accounts_organisations", "kind = 'registrar'", 3),
        ("accounts_organisations", "subkinds LIKE '%district%'", 12),
        ("accounts_memberships", "role = 'broker'", 10),
        ("brokerage_brokers", "listed = 1", 10),
        ("achievements_achievements", "1 = 1", 150),
        ("needs_needs", "1 = 1", 80),
        ("contracts_contracts", "status = 'registered'", 60),
        ("techservices_meetings", "1 = 1", 8),
        ("brokerage_introductions", "1 = 1", 30),
        ("needs_answers", "1 = 1", 10),
    ],
)
def test_there_is_as_much_as_a_believable_city_needs(
    session: Session, table: str, where: str, least: int
) -> None:
    assert _count(session, table, where) >= least


@pytest.mark.parametrize(
    ("column", "words", "never"),
    [
        ("accounts_organisations.kind", OrganisationKind, set()),
        ("accounts_organisations.state", OrganisationState, {OrganisationState.SUSPENDED}),
        ("achievements_achievements.state", AchievementState, set()),
        ("needs_needs.state", NeedState, set()),
        ("needs_answers.state", AnswerState, set()),
        # Requested is left at once: the pre-assessment is computed in the same step.
        ("assessments_assessments.state", AssessmentState, {AssessmentState.REQUESTED}),
        ("listings_listings.state", ListingState, set()),
        ("listings_intents.state", IntentState, set()),
        ("publicity_notices.state", PublicityState, set()),
        ("publicity_notices.kind", PublicityKind, set()),
        ("publicity_objections.state", ObjectionState, set()),
        # Forfeited money waits for the second person who pays it out.
        ("payments_payments.state", PaymentState, {PaymentState.FORFEITED}),
        ("payments_statement_lines.state", LineState, set()),
        ("listings_sessions.kind", BiddingKind, set()),
        ("brokerage_deals.stage", DealStage, set()),
        ("brokerage_deals.lost_reason", LostReason, set()),
        (
            "brokerage_deals.source",
            DealSource,
            {DealSource.REQUEST, DealSource.INTEREST, DealSource.AWARD},
        ),
        ("brokerage_agreements.status", AgreementStatus, set()),
        ("brokerage_commissions.status", CommissionStatus, set()),
        ("brokerage_filings.status", FilingStatus, set()),
        ("brokerage_contact_requests.status", RequestStatus, set()),
        ("contracts_contracts.status", ContractStatus, set()),
        ("subsidies_claims.status", ClaimStatus, set()),
        ("subsidies_payments.status", PaymentStatus, set()),
        ("techservices_orders.state", OrderState, set()),
        ("techservices_orders.kind", ServiceKind, {ServiceKind.EXCHANGE}),
    ],
)
def test_every_object_stands_there_in_every_state(
    session: Session, column: str, words: type[Word], never: set[Word]
) -> None:
    table, name = column.split(".")
    found = set(session.scalars(text(f"SELECT DISTINCT {name} FROM {table}"))) - {None, ""}
    assert found == {word.value for word in words} - {word.value for word in never}


def test_contracts_were_registered_in_every_month_of_a_year(session: Session) -> None:
    months = set(
        session.scalars(
            text(
                "SELECT DISTINCT substr(registered_on, 1, 7) FROM contracts_contracts"
                " WHERE registered_on IS NOT NULL"
            )
        )
    )
    assert months == {
        *(f"2023-{month:02d}" for month in range(3, 13)),
        *(f"2024-{month:02d}" for month in range(1, 4)),
    }


def test_some_published_achievements_have_gone_stale(session: Session) -> None:
    assert 5 <= _count(session, "achievements_achievements", "stale = 1") <= 40


def test_people_are_where_the_content_says(session: Session) -> None:
    assert _count(session, "accounts_users") == len(content().people)
    assert _count(session, "accounts_organisations") == len(content().organisations)


def test_everything_was_delivered_audited_and_posted(session: Session) -> None:
    assert outbox.waiting_count(session) == 0
    assert outbox.parked(session) == []
    count, broken = audit.verify(session)
    assert broken is None
    assert count > 3_000
    assert _count(session, "notifications_mails", "state <> 'sent'") == 0


def test_all_that_the_audit_names_has_words(session: Session) -> None:
    rows = session.scalars(select(audit.AuditRow)).all()
    assert not sorted({row.action for row in rows} - set(action_words()))
    fields = {name for row in rows for name in {**(row.before or {}), **(row.after or {})}}
    assert not sorted(name for name in fields if field_label(name) == name)
    subjects = {row.subject for row in rows if row.subject}
    assert not sorted(subject for subject in subjects if subject_label(subject) == subject)


def test_nothing_lies_after_the_first_morning(session: Session) -> None:
    latest = session.scalar(text("SELECT max(happened_at) FROM foundation_audit_rows"))
    assert latest is not None
    assert str(latest)[:16] <= "2024-03-15 01:00"


def test_the_demo_clock_stands_at_the_first_morning(demo: Demo) -> None:
    assert demo.services.demo
    now = demo.services.clock.now()
    assert 0 <= (now - DEMO_START).total_seconds() < 1800


def test_all_sign_in_with_the_one_password(session: Session) -> None:
    kept = session.scalars(text("SELECT DISTINCT password_hash FROM accounts_users")).all()
    assert len(kept) == 1
    assert password_matches(kept[0], sign_ins.PASSWORD)
    table = sign_ins.sign_in_table()
    assert sign_ins.PASSWORD in table
    assert all(role.label in table for role in Role if role is not Role.ORG_ADMIN)


def test_a_second_call_changes_nothing(demo: Demo, session: Session) -> None:
    before = digests(session)
    load.load(settings_for(demo.folder))
    with demo.services.database.reading() as reading:
        assert digests(reading) == before


def test_the_command_loads_the_same(session: Session, commanded_demo_folder: Path) -> None:
    commanded = Database(settings_for(commanded_demo_folder).database)
    with commanded.reading() as reading:
        assert digests(reading) == digests(session)
    commanded.engine.dispose()


def test_secrets_stand_in_the_confidential_columns_alone(session: Session) -> None:
    places = {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if session.scalar(
            select(func.count()).select_from(table).where(cast(column, Text).contains(_MARK))
        )
    }
    assert places == {"achievements_achievements.confidential", "needs_needs.confidential"}


@pytest.fixture(scope="module")
def app(demo: Demo) -> Flask:
    """The application over the demo, with its search index."""
    wiring.ensure_search_index(demo.services)
    made = create_app(demo.services)
    made.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    return made


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/search?q=淬火",
        "/search?q=水处理&tab=needs",
        "/listings",
        "/notices",
        "/services",
        "/brokers",
        "/institutions",
        "/events",
        "/statistics",
        "/integrity",
        "/policies",
    ],
)
def test_no_public_page_is_empty(app: Flask, path: str) -> None:
    response = app.test_client().get(path)
    assert response.status_code == 200
    assert 'class="empty"' not in response.get_data(as_text=True)


def test_public_records_never_show_a_secret(app: Flask, session: Session) -> None:
    client = app.test_client()
    shown = 0
    for table, address in (("achievements_achievements", "achievements"), ("needs_needs", "needs")):
        for number in session.scalars(text(f"SELECT id FROM {table}")):
            response = client.get(f"/{address}/{number}")
            body = response.get_data(as_text=True)
            assert response.status_code in (200, 404)
            assert _MARK not in body, f"/{address}/{number}"
            shown += response.status_code == 200
    assert shown > 200


# Where each role looks first, beside the workbench.
_DESKS: dict[Role, tuple[str, ...]] = {
    Role.OFFICER: (
        "/my/achievements",
        "/my/achievements/reviews",
        "/my/listings",
        "/deals",
        "/deals/lessons",
        "/contracts",
        "/assessments",
        "/orders",
    ),
    Role.COLLEGE_APPROVER: ("/my/achievements/reviews",),
    Role.LEADER: ("/my/achievements/reviews", "/deals/lessons"),
    Role.INVENTOR: ("/my/achievements", "/deals/lessons"),
    Role.ENTERPRISE: ("/my/needs", "/my/intents", "/deals", "/contracts", "/payments"),
    Role.BROKER: ("/deals", "/deals/board", "/deals/today", "/deals/requests"),
    Role.AGENCY_HEAD: ("/deals", "/agencies/filing", "/deals/today"),
    Role.PROVIDER: ("/orders?side=serving",),
    Role.ASSESSOR: ("/assessments",),
    Role.EXPERT: ("/subsidies/desk",),
    Role.REGISTRAR: ("/registry",),
    Role.DISTRICT_REVIEWER: ("/subsidies/desk",),
    Role.CENTRE_REVIEWER: ("/subsidies/desk",),
    Role.BUREAU_REVIEWER: ("/subsidies/desk", "/subsidies/desk/rounds", "/subsidies/payments"),
    Role.TREASURER: ("/subsidies/payments",),
    Role.OPERATOR: (
        "/desk/verification",
        "/needs/desk",
        "/listings/desk",
        "/payments/desk",
        "/desk/filings",
        "/desk/certificates",
    ),
}


@pytest.mark.parametrize("entry", sign_ins.sign_ins(), ids=lambda entry: entry.role.value)
def test_no_desk_is_empty(app: Flask, demo: Demo, session: Session, entry: sign_ins.SignIn) -> None:
    user_id = session.scalar(text("SELECT id FROM accounts_users WHERE email = :email"),
                             {"email": entry.email})  # fmt: skip
    assert isinstance(user_id, int)
    with demo.services.database.transaction() as writing:
        token = sign_in.open_session(
            writing,
            now=SystemClock().now(),
            user_id=user_id,
            address="127.0.0.1",
            device="test",
        )
    client = app.test_client()
    with client.session_transaction() as cookie:
        cookie["_user_id"], cookie["_fresh"] = token, True
    assert client.get("/workbench").status_code == 200
    for path in _DESKS[entry.role]:
        response = client.get(path)
        assert response.status_code == 200, path
        assert 'class="empty"' not in response.get_data(as_text=True), path
