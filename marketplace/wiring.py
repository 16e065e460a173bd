"""The composition root: services, slices, subscriptions and timed work, joined in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from click import Command
from flask import Blueprint
from sqlalchemy.orm import Session

from marketplace.accounts import access_token_commands as accounts_access_token_commands
from marketplace.accounts import parts as accounts_parts
from marketplace.accounts import reauthentication as accounts_reauthentication
from marketplace.accounts.letters import LetterPost
from marketplace.accounts.oidc import Provider
from marketplace.accounts.passkeys import RelyingParty
from marketplace.accounts.password_rules import PasswordProfile
from marketplace.accounts.sign_in_rules import SignInPolicy
from marketplace.accounts.tokens import Vault
from marketplace.achievements import documents as achievements_documents
from marketplace.achievements import parts as achievements_parts
from marketplace.assessments import parts as assessments_parts
from marketplace.assessments import service as assessments_service
from marketplace.assessments.library_rules import TieKind
from marketplace.brokerage import parts as brokerage_parts
from marketplace.brokerage.register_queries import ContractBook
from marketplace.contracts import book_queries as contracts_book
from marketplace.contracts import parts as contracts_parts
from marketplace.contracts.events import ContractRegistered
from marketplace.demonstration import parts as demonstration_parts
from marketplace.discovery import commands as discovery_commands
from marketplace.discovery import documents as discovery_documents
from marketplace.discovery import parts as discovery_parts
from marketplace.discovery import queries as discovery_queries
from marketplace.discovery.alerts import Alerts
from marketplace.discovery.indexing import SearchIndex, Source
from marketplace.discovery.pairing import Pairing
from marketplace.exchange import commands as exchange_commands
from marketplace.exchange import due as exchange_due
from marketplace.exchange import parts as exchange_parts
from marketplace.foundation import web, workdays
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.api import CallLimit, Routes, SendLimit
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import Clock, DemoClock, SystemClock, demo_started
from marketplace.foundation.db import Database
from marketplace.foundation.due import DueTasks
from marketplace.foundation.group_commit import GroupCommit
from marketplace.foundation.handover import Handovers
from marketplace.foundation.outbound import Outbound
from marketplace.foundation.outbox import Outbox, Subscription
from marketplace.foundation.personal import PersonalParts
from marketplace.foundation.slices import Slice
from marketplace.foundation.virus_scan import Scanner
from marketplace.foundation.waiting import WaitingContributors
from marketplace.integrity import parts as integrity_parts
from marketplace.listings import certificate_due
from marketplace.listings import parts as listings_parts
from marketplace.needs import documents as needs_documents
from marketplace.needs import parts as needs_parts
from marketplace.notifications import mail as notifications_mail
from marketplace.notifications import parts as notifications_parts
from marketplace.notifications import queries as notifications_queries
from marketplace.notifications.mail import Letter, MailRoom
from marketplace.notifications.webhook_post import Secrets, WebhookPost
from marketplace.oversight import parts as oversight_parts
from marketplace.oversight.head_service import HeadPost
from marketplace.payments import gateways as payment_gateways
from marketplace.payments import parts as payments_parts
from marketplace.payments.gateways import Gateways
from marketplace.publicity import parts as publicity_parts
from marketplace.reviews import parts as reviews_parts
from marketplace.settings import Settings
from marketplace.site import parts as site_parts
from marketplace.statistics import parts as statistics_parts
from marketplace.subsidies import parts as subsidies_parts
from marketplace.techservices import parts as techservices_parts
from marketplace.training import parts as training_parts
from marketplace.training.service import CheckInKey
from marketplace.workbench import parts as workbench_parts
from search.address import open_engine, with_encoder
from search.engine import Engine
from search.errors import SearchError

if TYPE_CHECKING:
    from marketplace.listings.document_seal import Sealer

# In the order of the imports, upstream first.
SLICES: tuple[Slice, ...] = (
    accounts_parts.PARTS,
    publicity_parts.PARTS,
    payments_parts.PARTS,
    integrity_parts.PARTS,
    achievements_parts.PARTS,
    needs_parts.PARTS,
    assessments_parts.PARTS,
    listings_parts.PARTS,
    brokerage_parts.PARTS,
    techservices_parts.PARTS,
    contracts_parts.PARTS,
    subsidies_parts.PARTS,
    training_parts.PARTS,
    oversight_parts.PARTS,
    reviews_parts.PARTS,
    statistics_parts.PARTS,
    notifications_parts.PARTS,
    exchange_parts.PARTS,
    discovery_parts.PARTS,
    workbench_parts.PARTS,
    site_parts.PARTS,
)

BLUEPRINTS: tuple[Blueprint, ...] = tuple(each.blueprint for each in SLICES)

# The programming interface in the order of its documentation, which begins with the search.
API_ROUTES: tuple[Routes, ...] = tuple(
    each.api for each in dict.fromkeys((discovery_parts.PARTS, *SLICES)) if each.api
)

# Only where the database carries a demo clock.
DEMO_BLUEPRINTS: tuple[Blueprint, ...] = (demonstration_parts.PARTS.blueprint,)


def _note_dealings(session: Session, event: ContractRegistered, *, now: datetime) -> None:
    """Let a registered contract count as a tie of its parties, which lies upstream of contracts."""
    if event.seller_organisation_id == event.buyer_organisation_id:
        return
    assessments_service.record_tie(
        session,
        actor=SYSTEM,
        now=now,
        first_id=event.seller_organisation_id,
        second_id=event.buyer_organisation_id,
        kind=TieKind.DEAL,
        since=event.registered_on,
        until=None,
        source=f"技术合同 {event.contract_no}",
    )


SUBSCRIPTIONS: tuple[Subscription, ...] = (
    Subscription("assessments.contract_registered", ContractRegistered, _note_dealings),
    *(subscription for each in SLICES for subscription in each.subscriptions),
)

HANDOVERS = Handovers([each.open_work for each in SLICES if each.open_work])
PERSONAL = PersonalParts([each.personal for each in SLICES if each.personal])

# What fills the search index, each kind by one builder for one id and for all.
SEARCH_SOURCES: tuple[Source, ...] = (
    Source(achievements_documents.KIND, achievements_documents.documents),
    Source(needs_documents.KIND, needs_documents.documents),
    Source(discovery_documents.ORGANISATION, discovery_documents.organisations),
    Source(discovery_documents.BROKER, discovery_documents.brokers),
    Source(discovery_documents.EXPERT, discovery_documents.experts),
)


def _opened_index() -> discovery_commands.Opened:
    services = build(Settings())
    return services.resources[SearchIndex], services.database, services.clock.now()


# Command groups of the slices that need the platform; the others are found by ``entry``.
COMMANDS: tuple[Command, ...] = (
    discovery_commands.make_group(_opened_index),
    exchange_commands.group,
    accounts_access_token_commands.make_group(lambda: build(Settings()).database),
)

NAVIGATION: tuple[tuple[str, str], ...] = (
    ("首页", "discovery.home"),
    ("检索", "discovery.search"),
    ("挂牌交易", "listings.hall"),
    ("公示公告", "publicity.index"),
    ("政策测算", "subsidies.calculator"),
    ("服务大厅", "techservices.hall"),
    ("技术经理人", "brokerage.brokers"),
    ("机构", "accounts.institutions"),
    ("活动", "techservices.events"),
    ("统计", "statistics.board"),
)


@dataclass(frozen=True)
class Services:
    """Everything that is made once per process."""

    settings: Settings
    database: Database
    clock: Clock
    outbox: Outbox
    due: DueTasks
    demo: bool
    resources: Mapping[Any, Any]


def build(
    settings: Settings,
    *,
    database: Database | None = None,
    clock: Clock | None = None,
    replacements: Mapping[Any, Any] | None = None,
) -> Services:
    """Make all services for the settings; a test hands in its own database, clock or parts."""
    workdays.use_entered(settings.data_dir / "workdays.yaml")
    database = database or Database(settings.database)
    demo = demo_started(database)
    clock = clock or (DemoClock(database) if demo else SystemClock())
    outbox = Outbox(SUBSCRIPTIONS)
    store = AttachmentStore(settings.data_dir / "attachments")
    due = DueTasks(
        (
            *(task for each in SLICES for task in each.due),
            *exchange_due.tasks(store, discovery_queries.is_indexed),
            *certificate_due.tasks(lambda: _sealer(settings), store, settings.public_address),
        )
    )
    index = SearchIndex(_engine(settings), database, SEARCH_SOURCES)
    vault = Vault(settings.signing_key())
    webhook_secrets = Secrets(settings.signing_key())
    sender = notifications_mail.sender_for(settings.mail_url, settings.mail_from)
    resources: dict[Any, Any] = {
        Database: database,
        GroupCommit: GroupCommit(database),
        Clock: clock,
        SystemClock: SystemClock(),
        Settings: settings,
        DueTasks: due,
        AttachmentStore: store,
        Scanner: Scanner(settings.clamd_address),
        WaitingContributors: WaitingContributors([ask for each in SLICES for ask in each.waiting]),
        Handovers: HANDOVERS,
        PersonalParts: PERSONAL,
        CheckInKey: CheckInKey(f"{settings.signing_key()}|check-in".encode()),
        ContractBook: ContractBook(contracts_book.find_registered),
        Gateways: payment_gateways.bank_transfer(),
        MailRoom: MailRoom(sender, site_url=settings.site_url),
        Vault: vault,
        RelyingParty: RelyingParty(settings.public_address, settings.signing_key()),
        Secrets: webhook_secrets,
        WebhookPost: WebhookPost(
            Outbound(settings.outbound_networks),
            webhook_secrets,
            machine_clock=SystemClock(),
            site_url=settings.public_address,
        ),
        SignInPolicy: SignInPolicy(
            second_factor_required=settings.second_factor_required(demo=demo),
            passwords=PasswordProfile(settings.password_profile),
        ),
        web.Reauthentication: web.Reauthentication(
            accounts_reauthentication.ask, accounts_reauthentication.ask_before
        ),
        Provider: Provider(
            issuer=settings.oidc_issuer,
            client_id=settings.oidc_client_id,
            client_secret=settings.oidc_client_secret,
            label=settings.oidc_label,
        ),
        LetterPost: LetterPost(
            vault,
            settings.public_address,
            lambda mailbox, subject, text: sender.send([Letter(mailbox, subject, text)])[0],
            spoken=demo,
        ),
        CallLimit: CallLimit(settings.api_calls_per_minute),
        SendLimit: SendLimit(settings.visitor_sends_per_minute),
        HeadPost: HeadPost(
            settings.audit_mailboxes,
            settings.public_address,
            lambda mailbox, subject, text: sender.send([Letter(mailbox, subject, text)])[0],
        ),
        SearchIndex: index,
        Alerts: Alerts(index, database),
        Pairing: Pairing(index, database),
        **(replacements or {}),
    }
    return Services(settings, database, clock, outbox, due, demo, resources)


def _sealer(settings: Settings) -> Sealer | None:
    """Return the operator's seal; the test seal outside production, where none is set."""
    if settings.production and settings.seal_pkcs12 is None:
        return None
    # Loaded when there is something to seal: the libraries of seals would slow every start.
    sealing = import_module("marketplace.listings.document_seal")
    made: Sealer = (
        sealing.seal_for_trying(settings.data_dir)
        if settings.seal_pkcs12 is None
        else sealing.Sealer(settings.seal_pkcs12, settings.seal_password)
    )
    return made


def _engine(settings: Settings) -> Engine:
    """Return the search engine of the settings, with the operator's encoder where there is one."""
    engine = open_engine(settings.search)
    if not settings.search_encoder:
        return engine
    return with_encoder(engine, settings.search_encoder, settings.data_dir / "search-vectors")


@dataclass(frozen=True)
class DemoMoment:
    """What the banner of a demo shows."""

    now: datetime
    next_due: datetime | None


def demo_clock(services: Services, session: Session, now: datetime) -> DemoMoment | None:
    """Return what the demo's banner shows; None outside the demo."""
    if not services.demo:
        return None
    return DemoMoment(now, services.due.next_due(session, now=now))


def unread_count(session: Session, actor: Actor) -> int:
    """Count the actor's unread messages for the header."""
    return notifications_queries.unread_count(session, actor)


def ensure_search_index(services: Services) -> None:
    """Build the search index from the database where there is none or not all, and catch up."""
    index: SearchIndex = services.resources[SearchIndex]
    now = services.clock.now()
    index.keep_up(now=now)
    # A search server that is away at the start is no reason not to start.
    with suppress(SearchError):
        index.complete(now=now)


def search_problems(services: Services) -> list[str]:
    """List what is wrong with the search index, for `marketplace doctor`."""
    index: SearchIndex = services.resources[SearchIndex]
    return index.problems(now=services.clock.now())


def after_deliveries(services: Services) -> int:
    """Let the worker make visible what a round of deliveries has written, tell, and send mail.

    Return how much is left for the next round: new results of saved searches, needs to be paired.
    """
    index: SearchIndex = services.resources[SearchIndex]
    taken_in = index.keep_up(now=services.clock.now())
    alerts: Alerts = services.resources[Alerts]
    found = alerts.look(now=services.clock.now(), changed=taken_in > 0)
    pairing: Pairing = services.resources[Pairing]
    found += pairing.work(now=services.clock.now())
    mail_room: MailRoom = services.resources[MailRoom]
    mail_room.deliver_due(services.database, now=services.clock.now())
    letters: LetterPost = services.resources[LetterPost]
    # Links end by the machine's clock, also where a demo clock runs.
    letters.deliver_due(services.database, now=services.resources[SystemClock].now())
    heads: HeadPost = services.resources[HeadPost]
    heads.deliver_due(services.database, now=services.clock.now())
    return found


def push_messages(services: Services) -> int:
    """Push what waits for members' own systems; return how many pushes were tried."""
    post: WebhookPost = services.resources[WebhookPost]
    return post.deliver_due(services.database, now=services.clock.now())


def blueprints(services: Services) -> Sequence[Blueprint]:
    """List the blueprints to register."""
    return (*BLUEPRINTS, *(DEMO_BLUEPRINTS if services.demo else ()))
