"""The composition root: services, slices, subscriptions and timed work, joined in one place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from click import Command
from flask import Blueprint, g
from sqlalchemy.orm import Session

from marketplace.accounts import access_token_commands as accounts_access_token_commands
from marketplace.accounts import access_token_views as accounts_access_token_views
from marketplace.accounts import account_views as accounts_account_views
from marketplace.accounts import desk_views as accounts_desk_views
from marketplace.accounts import due as accounts_due
from marketplace.accounts import institution_views as accounts_institution_views
from marketplace.accounts import member_views as accounts_member_views
from marketplace.accounts import oidc_views as accounts_oidc_views
from marketplace.accounts import organisation_views as accounts_organisation_views
from marketplace.accounts import passkey_views as accounts_passkey_views
from marketplace.accounts import people_desk_views as accounts_people_desk_views
from marketplace.accounts import personal_service as accounts_personal
from marketplace.accounts import personal_views as accounts_personal_views
from marketplace.accounts import queries as accounts_queries
from marketplace.accounts import reauthentication as accounts_reauthentication
from marketplace.accounts import sign_in_views as accounts_sign_in_views
from marketplace.accounts import views as accounts_views
from marketplace.accounts.letters import LetterPost
from marketplace.accounts.oidc import Provider
from marketplace.accounts.passkeys import RelyingParty
from marketplace.accounts.password_rules import PasswordProfile
from marketplace.accounts.sign_in_rules import SignInPolicy
from marketplace.accounts.tokens import Vault
from marketplace.achievements import api as achievements_api
from marketplace.achievements import documents as achievements_documents
from marketplace.achievements import due as achievements_due
from marketplace.achievements import queries as achievements_queries
from marketplace.achievements import review_views as achievements_review_views
from marketplace.achievements import text_views as achievements_text_views
from marketplace.achievements import views as achievements_views
from marketplace.assessments import desk_queries as assessments_desk_queries
from marketplace.assessments import handlers as assessments_handlers
from marketplace.assessments import handover_service as assessments_handover
from marketplace.assessments import library_views as assessments_library_views
from marketplace.assessments import panel_views as assessments_panel_views
from marketplace.assessments import service as assessments_service
from marketplace.assessments import views as assessments_views
from marketplace.assessments import working_views as assessments_working_views
from marketplace.assessments.library_rules import TieKind
from marketplace.brokerage import agency_views as brokerage_agency_views
from marketplace.brokerage import api as brokerage_api
from marketplace.brokerage import chance_views as brokerage_chance_views
from marketplace.brokerage import deal_views as brokerage_deal_views
from marketplace.brokerage import due as brokerage_due
from marketplace.brokerage import feedback_due as brokerage_feedback_due
from marketplace.brokerage import feedback_queries as brokerage_feedback
from marketplace.brokerage import feedback_views as brokerage_feedback_views
from marketplace.brokerage import figures_views as brokerage_figures_views
from marketplace.brokerage import followup_queries as brokerage_followups
from marketplace.brokerage import handlers as brokerage_handlers
from marketplace.brokerage import handover_service as brokerage_handover
from marketplace.brokerage import ledger_views as brokerage_ledger_views
from marketplace.brokerage import list_views as brokerage_list_views
from marketplace.brokerage import merge_views as brokerage_merge_views
from marketplace.brokerage import paper_views as brokerage_paper_views
from marketplace.brokerage import personal_service as brokerage_personal
from marketplace.brokerage import proposal_views as brokerage_proposal_views
from marketplace.brokerage import queries as brokerage_queries
from marketplace.brokerage import rating_queries as brokerage_ratings
from marketplace.brokerage import rating_views as brokerage_rating_views
from marketplace.brokerage import room_views as brokerage_room_views
from marketplace.brokerage import talk_views as brokerage_talk_views
from marketplace.brokerage import terms_views as brokerage_terms_views
from marketplace.brokerage import today_views as brokerage_today_views
from marketplace.brokerage import views as brokerage_views
from marketplace.brokerage.register_queries import ContractBook
from marketplace.contracts import after_views as contracts_after_views
from marketplace.contracts import api as contracts_api
from marketplace.contracts import book_queries as contracts_book
from marketplace.contracts import certificate_views as contracts_certificate_views
from marketplace.contracts import handlers as contracts_handlers
from marketplace.contracts import handover_service as contracts_handover
from marketplace.contracts import queries as contracts_queries
from marketplace.contracts import registered_views as contracts_registered_views
from marketplace.contracts import registry_views as contracts_registry_views
from marketplace.contracts import views as contracts_views
from marketplace.contracts import waiting_queries as contracts_waiting
from marketplace.contracts import yearly_views as contracts_yearly_views
from marketplace.contracts.events import ContractRegistered
from marketplace.demonstration import views as demonstration_views
from marketplace.discovery import api as discovery_api
from marketplace.discovery import commands as discovery_commands
from marketplace.discovery import desk_views as discovery_desk_views
from marketplace.discovery import documents as discovery_documents
from marketplace.discovery import due as discovery_due
from marketplace.discovery import expert_views as discovery_expert_views
from marketplace.discovery import handlers as discovery_handlers
from marketplace.discovery import learning_views as discovery_learning_views
from marketplace.discovery import personal_service as discovery_personal
from marketplace.discovery import portal_views as discovery_portal_views
from marketplace.discovery import queries as discovery_queries
from marketplace.discovery import record_views as discovery_record_views
from marketplace.discovery import subscription_views as discovery_subscription_views
from marketplace.discovery import term_views as discovery_term_views
from marketplace.discovery import views as discovery_views
from marketplace.discovery.alerts import Alerts
from marketplace.discovery.finding import MatchList
from marketplace.discovery.indexing import SearchIndex, Source
from marketplace.discovery.pairing import Pairing
from marketplace.exchange import commands as exchange_commands
from marketplace.exchange import due as exchange_due
from marketplace.exchange import queries as exchange_queries
from marketplace.exchange import views as exchange_views
from marketplace.foundation import web, workdays
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.api import CallLimit, Routes
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import Clock, DemoClock, SystemClock, demo_started, local_date
from marketplace.foundation.db import Database
from marketplace.foundation.due import DueTask, DueTasks
from marketplace.foundation.handover import Handovers
from marketplace.foundation.outbound import Outbound
from marketplace.foundation.outbox import Outbox, Subscription
from marketplace.foundation.personal import PersonalParts
from marketplace.foundation.virus_scan import Scanner
from marketplace.foundation.waiting import Contributor, WaitingContributors
from marketplace.integrity import queries as integrity_queries
from marketplace.integrity import repair_queries as integrity_repair_queries
from marketplace.integrity import repair_views as integrity_repair_views
from marketplace.integrity import views as integrity_views
from marketplace.integrity.queries import IntegrityRecordView
from marketplace.listings import api as listings_api
from marketplace.listings import certificate_due
from marketplace.listings import certificate_views as listings_certificate_views
from marketplace.listings import desk_views as listings_desk_views
from marketplace.listings import due as listings_due
from marketplace.listings import handlers as listings_handlers
from marketplace.listings import notice_views as listings_notice_views
from marketplace.listings import opening_views as listings_opening_views
from marketplace.listings import qualification_views as listings_qualification_views
from marketplace.listings import queries as listings_queries
from marketplace.listings import room_views as listings_room_views
from marketplace.listings import views as listings_views
from marketplace.needs import answer_views as needs_answer_views
from marketplace.needs import api as needs_api
from marketplace.needs import desk_views as needs_desk_views
from marketplace.needs import documents as needs_documents
from marketplace.needs import due as needs_due
from marketplace.needs import handlers as needs_handlers
from marketplace.needs import queries as needs_queries
from marketplace.needs import views as needs_views
from marketplace.notifications import handlers as notifications_handlers
from marketplace.notifications import mail as notifications_mail
from marketplace.notifications import personal_service as notifications_personal
from marketplace.notifications import queries as notifications_queries
from marketplace.notifications import views as notifications_views
from marketplace.notifications import webhook_views as notifications_webhook_views
from marketplace.notifications.mail import Letter, MailRoom
from marketplace.notifications.webhook_post import Secrets, WebhookPost
from marketplace.oversight import audit_views as oversight_audit_views
from marketplace.oversight import bidding_queries as oversight_bidding
from marketplace.oversight import due as oversight_due
from marketplace.oversight import report_queries as oversight_report_queries
from marketplace.oversight import report_views as oversight_report_views
from marketplace.oversight import views as oversight_views
from marketplace.oversight.bidding_rules import FoundSign
from marketplace.oversight.head_service import HeadPost
from marketplace.payments import gateways as payment_gateways
from marketplace.payments import queries as payments_queries
from marketplace.payments import statement_views as payments_statement_views
from marketplace.payments import views as payments_views
from marketplace.payments.gateways import Gateways
from marketplace.publicity import due as publicity_due
from marketplace.publicity import queries as publicity_queries
from marketplace.publicity import views as publicity_views
from marketplace.reviews import due as reviews_due
from marketplace.reviews import queries as reviews_queries
from marketplace.reviews import views as reviews_views
from marketplace.settings import Settings
from marketplace.site import views as site_views
from marketplace.statistics import handlers as statistics_handlers
from marketplace.statistics import views as statistics_views
from marketplace.subsidies import api as subsidies_api
from marketplace.subsidies import claim_views as subsidies_claim_views
from marketplace.subsidies import contract_claims_queries as subsidies_contract_claims
from marketplace.subsidies import desk_views as subsidies_desk_views
from marketplace.subsidies import draft_views as subsidies_draft_views
from marketplace.subsidies import due as subsidies_due
from marketplace.subsidies import handlers as subsidies_handlers
from marketplace.subsidies import payment_views as subsidies_payment_views
from marketplace.subsidies import queries as subsidies_queries
from marketplace.subsidies import round_views as subsidies_round_views
from marketplace.subsidies import views as subsidies_views
from marketplace.subsidies import whatif_views as subsidies_whatif_views
from marketplace.subsidies import year_views as subsidies_year_views
from marketplace.subsidies.estimate_rules import Estimate
from marketplace.techservices import meeting_views as techservices_meeting_views
from marketplace.techservices import order_views as techservices_order_views
from marketplace.techservices import queries as techservices_queries
from marketplace.techservices import views as techservices_views
from marketplace.training import exam_views as training_exam_views
from marketplace.training import personal_service as training_personal
from marketplace.training import views as training_views
from marketplace.training.service import CheckInKey
from marketplace.workbench import views as workbench_views
from search.address import open_engine, with_encoder
from search.engine import Engine
from search.errors import SearchError

if TYPE_CHECKING:
    from marketplace.listings.document_seal import Sealer

# Pages register on their slice's blueprint when their module is imported.
PAGES = (
    accounts_sign_in_views,
    accounts_account_views,
    accounts_passkey_views,
    accounts_organisation_views,
    accounts_member_views,
    accounts_institution_views,
    accounts_oidc_views,
    accounts_desk_views,
    accounts_people_desk_views,
    accounts_access_token_views,
    notifications_webhook_views,
    accounts_personal_views,
    achievements_review_views,
    achievements_text_views,
    needs_answer_views,
    needs_desk_views,
    assessments_working_views,
    assessments_panel_views,
    assessments_library_views,
    listings_desk_views,
    listings_room_views,
    listings_opening_views,
    listings_qualification_views,
    payments_statement_views,
    listings_notice_views,
    listings_certificate_views,
    brokerage_deal_views,
    brokerage_list_views,
    brokerage_today_views,
    brokerage_figures_views,
    brokerage_chance_views,
    brokerage_merge_views,
    brokerage_terms_views,
    brokerage_agency_views,
    brokerage_ledger_views,
    brokerage_room_views,
    brokerage_feedback_views,
    brokerage_talk_views,
    brokerage_paper_views,
    brokerage_rating_views,
    training_exam_views,
    brokerage_proposal_views,
    contracts_registry_views,
    integrity_repair_views,
    contracts_registered_views,
    contracts_after_views,
    contracts_certificate_views,
    contracts_yearly_views,
    subsidies_claim_views,
    subsidies_desk_views,
    subsidies_payment_views,
    subsidies_round_views,
    subsidies_year_views,
    subsidies_draft_views,
    subsidies_whatif_views,
    discovery_portal_views,
    discovery_record_views,
    discovery_subscription_views,
    discovery_term_views,
    discovery_learning_views,
    discovery_expert_views,
    discovery_desk_views,
    techservices_meeting_views,
    techservices_order_views,
    oversight_audit_views,
    oversight_report_views,
)

BLUEPRINTS: tuple[Blueprint, ...] = (
    accounts_views.blueprint,
    site_views.blueprint,
    workbench_views.blueprint,
    achievements_views.blueprint,
    needs_views.blueprint,
    exchange_views.blueprint,
    publicity_views.blueprint,
    payments_views.blueprint,
    integrity_views.blueprint,
    listings_views.blueprint,
    assessments_views.blueprint,
    brokerage_views.blueprint,
    contracts_views.blueprint,
    subsidies_views.blueprint,
    notifications_views.blueprint,
    discovery_views.blueprint,
    techservices_views.blueprint,
    statistics_views.blueprint,
    oversight_views.blueprint,
    reviews_views.blueprint,
    training_views.blueprint,
)

# The programming interface, in the order of its documentation.
API_ROUTES: tuple[Routes, ...] = (
    discovery_api.routes,
    achievements_api.routes,
    needs_api.routes,
    listings_api.routes,
    brokerage_api.routes,
    contracts_api.routes,
    subsidies_api.routes,
)

# Only where the database carries a demo clock.
DEMO_BLUEPRINTS: tuple[Blueprint, ...] = (demonstration_views.blueprint,)


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
    *needs_handlers.SUBSCRIPTIONS,
    *listings_handlers.SUBSCRIPTIONS,
    *assessments_handlers.SUBSCRIPTIONS,
    *brokerage_handlers.SUBSCRIPTIONS,
    *contracts_handlers.SUBSCRIPTIONS,
    *subsidies_handlers.SUBSCRIPTIONS,
    *notifications_handlers.SUBSCRIPTIONS,
    *discovery_handlers.SUBSCRIPTIONS,
    *statistics_handlers.SUBSCRIPTIONS,
)

DUE_TASKS: tuple[DueTask, ...] = (
    *accounts_due.TASKS,
    *publicity_due.TASKS,
    *achievements_due.TASKS,
    *needs_due.TASKS,
    *listings_due.TASKS,
    *brokerage_due.TASKS,
    *brokerage_feedback_due.TASKS,
    *subsidies_due.TASKS,
    *discovery_due.TASKS,
    *oversight_due.TASKS,
    *reviews_due.TASKS,
)

WAITING: tuple[Contributor, ...] = (
    accounts_queries.waiting,
    achievements_queries.waiting,
    needs_queries.waiting,
    exchange_queries.waiting,
    publicity_queries.waiting,
    integrity_repair_queries.waiting,
    payments_queries.waiting,
    listings_queries.waiting,
    assessments_desk_queries.waiting,
    brokerage_queries.waiting,
    brokerage_followups.waiting,
    brokerage_ratings.waiting,
    contracts_waiting.waiting,
    subsidies_queries.waiting,
    techservices_queries.waiting,
    oversight_report_queries.waiting,
    reviews_queries.waiting,
)

# What a person can have in hand alone; drafts, contracts and claims belong to the organisation.
OPEN_WORK = (brokerage_handover, assessments_handover, contracts_handover)

# What the slices hold on one person, shown and let go when that person asks.
PERSONAL = (
    accounts_personal,
    brokerage_personal,
    training_personal,
    notifications_personal,
    discovery_personal,
)

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
            *DUE_TASKS,
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
        Clock: clock,
        SystemClock: SystemClock(),
        Settings: settings,
        DueTasks: due,
        AttachmentStore: store,
        Scanner: Scanner(settings.clamd_address),
        WaitingContributors: WaitingContributors(WAITING),
        Handovers: Handovers(OPEN_WORK),
        PersonalParts: PersonalParts(PERSONAL),
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


def _contract_of_deal(deal_id: int) -> contracts_queries.ContractRow | None:
    """Return a deal's contract for the deal's page, which lies upstream of contracts."""
    return contracts_queries.find_of_deal(web.session(), web.actor(), deal_id)


def _answer_time_of(organisation_id: int) -> brokerage_feedback.AnswerTime | None:
    """Return how an organisation answers who asks, for pages upstream of brokerage."""
    return brokerage_feedback.answer_time_of(web.session(), organisation_id, now=web.now())


def _dishonesty_of(organisation_id: int) -> IntegrityRecordView | None:
    """Return the record that counts for an organisation today, for pages of every slice."""
    if "dishonest" not in g:
        records = integrity_queries.current(web.session(), local_date(web.now()))
        g.dishonest = {record.organisation_id: record for record in records}
    found: IntegrityRecordView | None = g.dishonest.get(organisation_id)
    return found


def _bidding_signs(listing_id: int) -> list[FoundSign]:
    """Return the signs that bidders act together, for the operator's page of a listing."""
    return oversight_bidding.bidding_signs(web.session(), web.actor(), listing_id)


def _subsidy_estimate(
    thing: brokerage_queries.Prospect | contracts_queries.ContractView,
) -> Estimate | None:
    """Estimate the subsidies of a deal or contract for its page, which lies upstream of them."""
    today = local_date(web.now())
    if isinstance(thing, brokerage_queries.Prospect):
        return subsidies_queries.estimate_prospect(web.session(), thing, registered_on=today)
    return subsidies_queries.estimate_contract(
        web.session(),
        thing.content,
        contract_id=thing.id,
        registered_on=thing.registered_on or today,
    )


def _claims_on_contract(
    contract_id: int,
) -> list[subsidies_contract_claims.ClaimOnContract]:
    """Return the claims that rest on a contract, for the registrar's page upstream of them."""
    return subsidies_contract_claims.claims_on_contract(web.session(), contract_id)


def template_globals(services: Services) -> dict[str, Any]:
    """Return the blocks that downstream slices lend to the pages of upstream ones."""
    return {
        "contract_of_deal": _contract_of_deal,
        "bidding_signs": _bidding_signs,
        "answer_time_of": _answer_time_of,
        "dishonesty_of": _dishonesty_of,
        "subsidy_estimate": _subsidy_estimate,
        "claims_on_contract": _claims_on_contract,
        "matches_of_need": _matches_of_need,
        "matches_of_achievement": _matches_of_achievement,
    }


def _matches_of_need(need_id: int, limit: int = 3) -> MatchList:
    """Return the best achievements for a need, for pages of other slices."""
    return discovery_record_views.finder().of_need(need_id, limit=limit)


def _matches_of_achievement(achievement_id: int, limit: int = 3) -> MatchList:
    """Return the best needs for an achievement, for pages of other slices."""
    return discovery_record_views.finder().of_achievement(achievement_id, limit=limit)


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
