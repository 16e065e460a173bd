"""In which states of its object an action is open: walked, and held against the matrix."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime

import pytest

from tests.architecture import matrix
from tests.architecture.source import ROOT
from tests.architecture.states import OPEN_IN
from tests.stepping import (
    Shared,
    Site,
    Steps,
    Walk,
    claims,
    deals,
    gatherings,
    hall,
    money,
    offices,
    records,
    standing,
)

STEPPING = ROOT / "tests" / "stepping"
Lead = Callable[[Site], Walk]

LEADS: list[Lead] = [
    records.needs, records.need_answers, records.achievements, records.contracts,
    records.receipts, records.amendments, records.orders,
    hall.listings, hall.negotiated_listings, hall.outside_listings, hall.intents,
    hall.negotiated_intents, hall.outside_intents, hall.sessions, hall.sealed_sessions,
    hall.openings, hall.trials, hall.priorities, hall.certificates,
    money.deposits, money.statement_lines, money.notices, money.objections,
    claims.claims, claims.entered_claims, claims.paid_claims, claims.reclaimed_claims,
    claims.payments,
    offices.assessments, offices.panels, offices.seats, offices.filings,
    offices.agency_reviews, offices.repairs,
    deals.deals, deals.agreements, deals.commissions, deals.recognitions, deals.disputes,
    deals.expenses, deals.talks, deals.requests, deals.proposals, deals.ratings,
    gatherings.courses, gatherings.places, gatherings.attendances,
    gatherings.training_certificates, gatherings.questions, gatherings.meetings,
    standing.organisations, standing.people, standing.tokens, standing.integrity_records,
    standing.imports, standing.reports, standing.webhooks,
]  # fmt: skip


# What is asked for is so: the page says where it stands, and nothing is left to be refused.
_DONE_ALREADY = {
    "contracts.take_up in review", "contracts.cancel in cancelled",
    "contracts.withdraw_receipt in withdrawn", "contracts.confirm_receipt in confirmed",
    "contracts.withdraw_amendment in withdrawn", "listings.reissue in issued",
    "brokerage.revoke_agreement in revoked", "accounts.revoke_token in revoked",
    "training.strike in ended", "training.restore in stands",
    "training.withdraw_question in ended",
}  # fmt: skip


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, sqlite_schema: bytes) -> Iterator[Shared]:
    """One application for all walks, and the empty database that each begins with."""
    made = Shared(tmp_path_factory.mktemp("states"), sqlite_schema)
    yield made
    made.close()


@pytest.fixture
def site(shared: Shared, now: datetime) -> Site:
    return shared.anew(now)


@pytest.mark.parametrize("lead", LEADS, ids=lambda lead: lead.__name__)
def test_an_action_is_open_in_the_states_that_the_matrix_names(site: Site, lead: Lead) -> None:
    named = {row["endpoint"]: row["states"] for row in matrix.reviewed() if row["states"]}
    walk = lead(site)
    steps = Steps(site, walk)
    wrong = [
        f"{endpoint}: {sorted(found)}, not {named.get(endpoint, '')}"
        for endpoint, found in steps.open_in.items()
        if found != set(named.get(endpoint, "").split())
    ]
    assert not wrong, "\n".join(wrong)
    assert set(steps.silent) <= _DONE_ALREADY, f"refused without a word: {steps.silent}"


def test_every_named_action_is_walked() -> None:
    named = {row["endpoint"] for row in matrix.reviewed() if row["states"]}
    assert named == set(OPEN_IN)
    walks = "".join(path.read_text(encoding="utf-8") for path in STEPPING.glob("*.py"))
    assert not {name for name in named if f'"{name}"' not in walks}
