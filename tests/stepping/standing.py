"""Organisations, people and their tokens, records, imports, reports and webhooks in each state."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import Connection, text

from marketplace.accounts import access_token_service
from marketplace.accounts.access_token_rules import TokenState
from marketplace.accounts.rules import OrganisationKind, OrganisationState
from marketplace.exchange import queries as imports_read
from marketplace.exchange.rules import ImportState
from marketplace.foundation.access import Role
from marketplace.foundation.api.scopes import Scope
from marketplace.integrity import service as integrity
from marketplace.integrity.rules import DishonestyGround, RecordState
from marketplace.notifications import webhook_service
from marketplace.notifications.rules import MessageKind
from marketplace.notifications.webhook_rules import WebhookState
from marketplace.oversight.report_rules import ReportState
from tests.architecture.states import Mark
from tests.import_files import patent_row, workbook
from tests.stepping import Act, Site, Walk
from tests.world import give_licence

_REASON = {"reason": "证照与登记机关公示的信息不一致"}


def _written(moment: datetime) -> str:
    """Write a moment as the database does."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S}.000000"


def organisations(site: Site) -> Walk:
    """Let an organisation wait for the operator with its licence on file."""
    world = site.world
    operator = world.actor(Role.OPERATOR)
    home = world.organisation(OrganisationKind.UNIVERSITY, verified=False)
    head = world.actor(Role.ORG_ADMIN, home)
    give_licence(site.client.database, home.id, now=site.now, folder=site.folder.parent)
    verified = {OrganisationState.VERIFIED, OrganisationState.SUSPENDED}

    def put(connection: Connection, state: OrganisationState) -> None:
        at = _written(site.now) if state in verified else None
        connection.execute(
            text(
                "UPDATE accounts_organisations SET state = :state, verified_at = :at WHERE id = :id"
            ),
            {"state": state.value, "at": at, "id": home.id},
        )

    desk = f"/desk/verification/{home.id}"
    return Walk(
        "accounts_organisations",
        "state",
        OrganisationState,
        {
            "accounts.verify": Act(f"{desk}/verify", operator),
            "accounts.verification": Act(desk, operator, _REASON),
            "accounts.suspend": Act(f"{desk}/suspend", operator, _REASON),
            "accounts.resume": Act(f"{desk}/resume", operator),
            "accounts.organisation": Act("/organisation", head, {"name": "泉城理工大学"}),
            "accounts.remove_paper": Act("/organisation/papers/1/remove", head),
        },
        home.id,
        put=put,
    )


def people(site: Site) -> Walk:
    """Take somebody whose account the operator looks after."""
    person, operator = site.world.actor(Role.OFFICER), site.world.actor(Role.OPERATOR)
    user_id = person.user_id or 0
    desk = f"/desk/people/{user_id}"

    def put(connection: Connection, mark: Mark) -> None:
        connection.execute(
            text("UPDATE accounts_users SET disabled = :ended WHERE id = :id"),
            {"ended": mark is Mark.ENDED, "id": user_id},
        )

    return Walk(
        "accounts_users",
        "disabled",
        Mark,
        {
            "accounts.disable_person": Act(f"{desk}/disable", operator, _REASON),
            "accounts.enable_person": Act(f"{desk}/enable", operator),
        },
        user_id,
        put=put,
    )


def tokens(site: Site) -> Walk:
    """Let somebody make a token for a program."""
    owner, now = site.world.actor(Role.OFFICER), datetime.now(UTC)
    with site.client.database.transaction() as session:
        made = access_token_service.create_token(
            session, actor=owner, now=now, name="科研系统", scopes=[next(iter(Scope))], days=30
        )

    def put(connection: Connection, state: TokenState) -> None:
        # A token ends by the machine's clock, as a session does.
        ends = made.expires_at if state is not TokenState.EXPIRED else now - timedelta(days=1)
        connection.execute(
            text(
                "UPDATE accounts_access_tokens SET expires_at = :ends, revoked_at = :revoked"
                " WHERE id = :id"
            ),
            {
                "ends": _written(ends),
                "revoked": _written(now) if state is TokenState.REVOKED else None,
                "id": made.id,
            },
        )

    return Walk(
        "accounts_access_tokens",
        "",
        TokenState,
        {"accounts.revoke_token": Act(f"/account/tokens/{made.id}/revoke", owner)},
        made.id,
        put=put,
    )


def integrity_records(site: Site) -> Walk:
    """Put an organisation on record long enough ago for a repair."""
    bureau = site.world.actor(Role.OPERATOR)
    firm = site.world.organisation(OrganisationKind.ENTERPRISE)
    head = site.world.actor(Role.ENTERPRISE, firm)
    today = site.now.date()
    with site.client.database.transaction() as session:
        made = integrity.record(
            session,
            actor=bureau,
            now=site.now,
            organisation_id=firm.id,
            ground=DishonestyGround.OTHER,
            reason="合同没有实际履行，付款凭证系伪造",
            document="济科信字〔2023〕9号",
            starts_on=date(2023, 1, 1),
            ends_on=date(2025, 1, 1),
        )
    year = timedelta(days=365)
    periods = {
        RecordState.COMING: (today + year, today + 2 * year),
        RecordState.PAST: (today - 2 * year, today - timedelta(days=1)),
    }

    def put(connection: Connection, state: RecordState) -> None:
        starts_on, ends_on = periods.get(state, (today - 2 * year, today + year))
        moment = _written(site.now)
        connection.execute(
            text(
                "UPDATE integrity_records SET starts_on = :starts, ends_on = :ends,"
                " revoked_at = :revoked, repaired_on = :repaired WHERE id = :id"
            ),
            {
                "starts": starts_on.isoformat(),
                "ends": ends_on.isoformat(),
                "revoked": moment if state is RecordState.REVOKED else None,
                "repaired": today.isoformat() if state is RecordState.REPAIRED else None,
                "id": made,
            },
        )

    deeds = {"deeds": "补助已全额退回，经办人已调离，制度已修订，材料附后"}
    return Walk(
        "integrity_records",
        "",
        RecordState,
        {
            "integrity.revoke": Act(f"/integrity/{made}/revoke", bureau, _REASON),
            "integrity.apply_repair": Act(f"/integrity/own/{made}", head, deeds),
        },
        made,
        put=put,
    )


def imports(site: Site) -> Walk:
    """Send a file and see its preview."""
    officer = site.world.actor(Role.OFFICER)
    client, file = site.client, workbook([patent_row(1)])
    client.sign_in_as(officer)
    sent = {"kind": "achievements", "file": (io.BytesIO(file.content), file.name)}
    assert client.post("/imports/new", data=sent).status_code == 303
    with client.database.reading() as session:
        mapping = imports_read.get_internal(session, 1).mapping
    chosen = {f"column-{key}": str(at) for key, at in mapping.items()}
    return Walk(
        "exchange_imports",
        "state",
        ImportState,
        {
            "exchange.start": Act("/imports/1/start", officer, chosen),
            "exchange.cancel": Act("/imports/1/cancel", officer),
        },
    )


def reports(site: Site) -> Walk:
    """Let a visitor report what stands on a page."""
    house = site.world.organisation(name="山泉研究院")
    site.client.sign_out()
    said = {"reason": "not_theirs", "words": "成果属于另一家单位，专利权人可以查到"}
    assert site.client.send(f"/report/organisation/{house.id}", **said).status_code == 303
    decided = {"upheld": "yes", "words": "已核实，请该机构更正，内容已退回。"}
    return Walk(
        "oversight_reports",
        "state",
        ReportState,
        {"oversight.report_desk": Act("/desk/reports/1", site.world.actor(Role.OPERATOR), decided)},
    )


def webhooks(site: Site) -> Walk:
    """Let somebody's messages be pushed to a system."""
    reader = site.world.actor(Role.OFFICER)
    with site.client.database.transaction() as session:
        made = webhook_service.create_webhook(
            session,
            actor=reader,
            now=site.now,
            name="科研系统",
            url="https://hooks.example.com/jinan",
            kinds=[next(iter(MessageKind))],
        )
    place = f"/inbox/webhooks/{made}"
    return Walk(
        "notifications_webhooks",
        "state",
        WebhookState,
        {
            "notifications.end_webhook": Act(f"{place}/end", reader),
            "notifications.resume_webhook": Act(f"{place}/resume", reader),
        },
        made,
    )
