"""Load the demo: a believable Jinan up to the morning of 2024-03-15, through the services alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

from marketplace import wiring
from marketplace.accounts.tokens import hash_password
from marketplace.foundation import clock
from marketplace.notifications import service as notifications
from marketplace.settings import Settings
from seed.demo import (
    accounts_story,
    achievements_story,
    claims_story,
    contracts_story,
    deals_story,
    desk_story,
    drafts_story,
    followups_story,
    listings_story,
    needs_story,
    orders_story,
    oversight_story,
    panels_story,
    ratings_story,
    reviews_story,
    searches_story,
    services_story,
    training_story,
)
from seed.demo.content import Content, content
from seed.demo.sign_ins import PASSWORD
from seed.demo.stage import EVENING, Stage, Story

_READ_UNTIL = date(2024, 3, 11)


def load(settings: Settings) -> None:
    """Load everything into an empty database and start the demo clock; loaded already, do nothing.

    The caller sees to it that the database is empty: an account of its own is never touched. An
    SQLite file takes its place only when it is whole, so that a load that breaks off leaves none.
    """
    services = wiring.build(settings)
    demo = services.demo
    services.database.engine.dispose()
    if demo:
        return
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite" or not url.database:
        _load_into(settings)
        return
    place = Path(url.database)
    scratch = place.with_name(f"{place.name}.loading")
    shutil.copyfile(place, scratch)
    _load_into(settings.model_copy(update={"database_url": f"sqlite:///{scratch}"}))
    scratch.replace(place)


def _load_into(settings: Settings) -> None:
    services = wiring.build(settings)
    play(services)
    with services.database.transaction() as session:
        clock.start_demo(session)
    # Closing the last connection folds SQLite's write-ahead log into the file.
    services.database.engine.dispose()


def play(services: wiring.Services) -> Stage:
    """Play all stories on a stage over these services and return it with the keys' ids."""
    whole = content()
    _hurry(services.database.engine)
    stage = Stage(services, whole)
    stage.play(_stories(stage, whole), until=clock.DEMO_START)
    return stage


def _hurry(engine: Engine) -> None:
    """Let SQLite write without waiting for the disk: a load that breaks off leaves nothing."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def connect(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        cursor.execute("PRAGMA synchronous=OFF")
        cursor.close()

    engine.dispose()


def _inboxes(stage: Stage) -> Story:
    """Let everybody have read the inbox, but for the last days."""
    yield datetime.combine(_READ_UNTIL, EVENING, tzinfo=clock.LOCAL)
    for person in stage.users:
        notifications.mark_all_read(stage.session, actor=stage.actor(person), now=stage.now)


def _stories(stage: Stage, whole: Content) -> Iterator[Story]:
    password_hash = hash_password(PASSWORD)
    yield accounts_story.founding(stage, password_hash)
    for organisation in whole.organisations:
        if organisation.state != "verified":
            yield accounts_story.newcomer(stage, organisation, password_hash)
        if organisation.agency_filed_from is not None:
            yield accounts_story.filing(stage, organisation)
    yield accounts_story.filing_twice(stage, "a-laiwutt")
    for person in whole.people:
        if person.level is not None:
            yield accounts_story.broker(stage, person)
    yield _inboxes(stage)
    yield achievements_story.chains(stage)
    for achievement in whole.achievements:
        yield achievements_story.achievement(stage, achievement)
    for need in whole.needs:
        yield needs_story.need(stage, need)
    for answer in whole.services.answers:
        yield needs_story.answer(stage, answer)
    for record in whole.services.integrity:
        yield services_story.integrity_record(stage, record)
    yield panels_story.library(stage)
    for assessment in whole.assessments:
        yield services_story.assessment(stage, assessment)
    for listing in whole.listings:
        yield listings_story.listing(stage, listing)
        for intent in listing.intents:
            yield listings_story.intent(stage, listing, intent)
    yield listings_story.opening_keys(stage)
    yield listings_story.strangers(stage)
    yield listings_story.refunds(stage)
    for deal in whole.deals:
        yield deals_story.deal(stage, deal)
        if deal.stage == "paid":
            yield deals_story.settle(stage, deal)
    yield from followups_story.followups(stage)
    yield from ratings_story.ratings(stage)
    yield from desk_story.desks(stage)
    yield reviews_story.reviews(stage)
    yield training_story.bank(stage)
    yield training_story.finished(stage)
    yield training_story.upcoming(stage)
    for request in whole.services.requests:
        yield deals_story.request(stage, request)
    for contract in whole.contracts:
        yield contracts_story.contract(stage, contract)
    for order in whole.services.orders:
        yield orders_story.order(stage, order)
    for meeting in whole.events:
        yield orders_story.meeting(stage, meeting)
    for search in whole.searches:
        yield searches_story.saved_search(stage, search)
    yield oversight_story.answered_report(stage)
    yield oversight_story.waiting_report(stage)
    rounds = claims_story.Rounds()
    yield claims_story.desk(stage, rounds)
    yield claims_story.fees(stage, rounds)
    yield claims_story.vouchers(stage, rounds)
    yield drafts_story.drafts(stage)
    for claim in whole.claims:
        yield claims_story.claim(stage, claim, rounds)
