"""Bid in one session as fast as fifty connections can, and see when five hundred listeners know.

    python -m benchmarks.bidding_load [--database sqlite|postgresql] [--url postgresql+psycopg://…]
        [--seconds 60] [--bidders 1000] [--connections 50] [--listeners 500]

Starts web server, events service and worker as `marketplace run` does, on a database of its own,
and asks over HTTP. An acknowledgement is the answer to a POST, accepted or refused. Afterwards the
published record is downloaded and replayed: every acknowledged bid must stand in it exactly once.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import random
import re
import selectors
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.parse import urlencode

from flask import Flask
from itsdangerous import URLSafeTimedSerializer
from sqlalchemy import select
from sqlalchemy.orm import Session

from benchmarks.measuring import heading, processor_seconds, row, spread
from marketplace import wiring
from marketplace.accounts import sign_in
from marketplace.app import create_app
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database
from marketplace.foundation.money import Fen
from marketplace.listings import record_rules
from marketplace.listings.bidding_models import BiddingSession, RecordEntry
from marketplace.listings.models import Intent, Listing
from marketplace.listings.planning_service import plan_session
from marketplace.listings.replay_rules import read_document, replay
from marketplace.listings.rules import IntentState, ListingState
from marketplace.migrations import schema
from marketplace.settings import Settings
from tests.postgres import Cluster
from tests.trading import Hall, offer
from tests.world import World

BASE = Fen(1_000_000_00)
# Whose processor time is told apart, by what the titles of the processes carry.
PROCESSES = {
    "web": "gunicorn: worker [marketplace]",
    "events": "gunicorn: worker [marketplace events]",
    "worker": "marketplace: worker",
    "database": "postgres: ",
}
STEP = Fen(1_000_00)
# After its start the platform still reads its lexicon and makes its index.
SETTLING_SECONDS = 10
# What a refused bid is told of the least amount; JSON may have written the words as escapes.
_LEAST = re.compile(r"\\u4f4e\\u4e8e ([\d,.]+)|低于 ([\d,.]+)")


@dataclass(frozen=True)
class Bidder:
    """A plate and the cookie of the person who bids under it."""

    plate: str
    cookie: str
    token: str


class Connecting(multiprocessing.Process):
    """One connection: it bids, reads the answer, and bids again."""

    def __init__(self, port: int, listing_id: int, bidders: list[Bidder], until: float) -> None:
        super().__init__()
        self.ours, self._theirs = multiprocessing.Pipe(duplex=False)
        self._port, self._listing_id = port, listing_id
        self._bidders, self._until = bidders, until

    def run(self) -> None:
        """Bid until the time is over and hand back what was answered."""
        chance = random.Random(os.getpid())
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=30)
        path = f"/listings/{self._listing_id}/room"
        millis: list[float] = []
        answers: Counter[str] = Counter()
        acknowledged: list[tuple[str, str]] = []
        best = BASE
        number = 0
        while time.time() < self._until:
            bidder = chance.choice(self._bidders)
            number += 1
            amount = f"{(best + STEP * chance.randrange(1, 4)) / 100:.2f}"
            body = urlencode(
                {
                    "csrf_token": bidder.token,
                    "submission_key": f"{os.getpid()}-{number}",
                    "amount_fen": amount,
                    "confirmed": "y",
                    "plate": bidder.plate,
                }
            )
            headers = {
                "Cookie": bidder.cookie,
                "Content-Type": "application/x-www-form-urlencoded",
                "Accept": "application/json",
            }
            began = time.perf_counter()
            try:
                connection.request("POST", f"{path}/bids", body, headers)
                answer = connection.getresponse()
                text = answer.read()
            except (OSError, http.client.HTTPException):
                answers["broken connection"] += 1
                connection.close()
                continue
            millis.append((time.perf_counter() - began) * 1000)
            if answer.status == 201:
                answers["accepted"] += 1
                acknowledged.append((bidder.plate, amount))
                best = Fen(max(best, round(float(amount) * 100)))
            else:
                answers[f"refused {answer.status}"] += 1
                told = _LEAST.search(text.decode())
                if told:
                    best = Fen(
                        round(float((told.group(1) or told.group(2)).replace(",", "")) * 100) - STEP
                    )
        self._theirs.send((millis, answers, acknowledged, time.process_time()))


def listen(
    address: tuple[str, int], listing_id: int, count: int, until: float, to: Connection
) -> None:
    """Hold the streams of all listeners in one process and note when each hears of a bid."""
    chooser = selectors.DefaultSelector()
    lines = (f"GET /listings/{listing_id}/stream HTTP/1.1", "Host: x", "", "")
    request = "\r\n".join(lines).encode()
    for _ in range(count):
        opened = socket.create_connection(address)
        opened.sendall(request)
        opened.setblocking(False)
        chooser.register(opened, selectors.EVENT_READ, bytearray())
    delays: list[float] = []
    heard: Counter[int] = Counter()
    last = dict.fromkeys(range(count), 0)
    order = {key.fd: n for n, key in enumerate(chooser.get_map().values())}
    while time.time() < until:
        for key, _events in chooser.select(timeout=0.5):
            part = b""
            with suppress(BlockingIOError, ConnectionError):
                part = key.fileobj.recv(65_536)  # type: ignore[union-attr]  # always a socket
            buffer: bytearray = key.data
            buffer += part
            now = time.time()
            while (end := buffer.find(b"\n\n")) >= 0:
                event = bytes(buffer[:end])
                del buffer[: end + 2]
                found = re.search(rb"data: (\{.*\})", event)
                if found is None:
                    continue
                news = json.loads(found.group(1))
                listener = order[key.fd]
                for bid in news["bids"]:
                    if bid["entry"] > last[listener]:
                        last[listener] = bid["entry"]
                        heard[listener] += 1
                        delays.append((now - _moment(bid["time"], now)) * 1000)
    to.send((sorted(delays), len([n for n in heard.values() if n]), time.process_time()))


def _moment(clock_time: str, now: float) -> float:
    """Return the moment of today at which a clock in Jinan showed a time."""
    hours, minutes, seconds = clock_time.split(":")
    wanted = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    shown = (now + 8 * 3600) % 86_400
    return now - (shown - wanted) % 86_400


def prepare(settings: Settings, count: int) -> tuple[int, list[Bidder]]:
    """Make a running session with many bidders, each signed in."""
    services = wiring.build(settings)
    database: Database = services.database
    schema.upgrade(database)
    now = SystemClock().now()
    world = World(database, now)
    hall = Hall(database, world, now - timedelta(days=1))
    listing_id = hall.applied(
        offer(base_price_fen=BASE, increment_fen=STEP, deposit_fen=Fen(BASE // 10))
    )
    app = create_app(services)
    bidders = []
    tokens: list[tuple[str, str]] = []
    for number in range(1, count + 1):
        organisation, actor = hall.enterprise()
        plate = f"{number:04d}"
        with database.transaction() as session:
            session.add(
                Intent(
                    listing_id=listing_id,
                    organisation_id=organisation.id,
                    user_id=actor.user_id,
                    state=IntentState.QUALIFIED,
                    offer_fen=BASE,
                    plan="压力测试",
                    related_party=False,
                    relation="",
                    registered_at=now,
                    decided_at=now,
                    decided_by_id=None,
                    payment_id=None,
                    plate=plate,
                    barred_at=None,
                )
            )
            token = sign_in.open_session(
                session, now=now, user_id=actor.user_id or 0, address="127.0.0.1", device="bench"
            )
        tokens.append((plate, token))
    for plate, token in tokens:
        bidders.append(_signed_in(app, plate, token))
    with database.transaction() as session:
        listing = session.get_one(Listing, listing_id)
        listing.state, listing.number = ListingState.BIDDING, "GP-2026-9999"
        listing.announced_at = now
        held: BiddingSession = plan_session(session, listing, now=now)
        held.starts_at = now - timedelta(seconds=5)
        held.free_ends_at = now + timedelta(minutes=30)
        held.closes_at = now + timedelta(minutes=35)
        _terms_again(session, held)
    database.engine.dispose()
    return listing_id, bidders


def _terms_again(session: Session, held: BiddingSession) -> None:
    """Write the record's terms anew for the moved times: the benchmark's own session."""
    session.flush()
    entry = session.scalars(select(RecordEntry).where(RecordEntry.session_id == held.id)).one()
    body = dict(entry.body)
    for name in ("starts_at", "free_ends_at", "closes_at"):
        body[name] = record_rules.moment_text(getattr(held, name))
    entry.body = body
    entry.digest = held.head_digest = record_rules.digest_of(
        1, entry.at, entry.kind, body, entry.previous
    )


def _signed_in(app: Flask, plate: str, token: str) -> Bidder:
    """Make the cookie that a browser would hold after signing in, with its form token."""
    raw = "bench" + token[:20]
    signing = app.session_interface.get_signing_serializer(app)  # type: ignore[attr-defined]
    cookie = signing.dumps({"_user_id": token, "_fresh": True, "csrf_token": raw})
    form_token = URLSafeTimedSerializer(str(app.secret_key), salt="wtf-csrf-token").dumps(raw)
    return Bidder(plate, f"{app.config['SESSION_COOKIE_NAME']}={cookie}", str(form_token))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str) -> None:
    for _ in range(600):
        with suppress(OSError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.1)
    raise RuntimeError(f"{url} does not answer")


def _check(port: int, listing_id: int, acknowledged: list[tuple[str, str]]) -> str:
    """Replay the published record and compare it with what was acknowledged."""
    url = f"http://127.0.0.1:{port}/listings/{listing_id}/room/record.json"
    with urllib.request.urlopen(url, timeout=120) as answer:
        found = json.loads(answer.read())
    verdict = replay(read_document(found))
    kept = Counter(
        (entry["body"]["plate"], f"{entry['body']['amount_fen'] / 100:.2f}")
        for entry in found["entries"]
        if entry["kind"] == "bid"
    )
    told = Counter(acknowledged)
    lost, twice = told - kept, [bid for bid, count in kept.items() if count > 1]
    return (
        f"{verdict.bid_count:,} bids in the record, which replays; {sum(told.values()):,} "
        f"acknowledged, {sum(lost.values())} lost, {len(twice)} twice, "
        f"{sum((kept - told).values())} whose answer did not arrive in time"
    )


def measure(settings: Settings, asked: argparse.Namespace) -> None:
    """Start everything, bid, and print the figures."""
    listing_id, bidders = prepare(settings, asked.bidders)
    environment = {
        **os.environ,
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": settings.database,
        "PORT": str(settings.port),
        "EVENTS_PORT": str(settings.events_port),
        "SECRET_KEY": settings.secret_key,
    }
    server = subprocess.Popen(
        [sys.executable, "-m", "marketplace.cli", "run", "--no-demo"],
        env=environment,
        stdout=(settings.data_dir / "run.log").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        _wait_for(f"http://127.0.0.1:{settings.port}/readyz")
        _wait_for(f"http://127.0.0.1:{settings.events_port}/readyz")
        time.sleep(SETTLING_SECONDS)
        until = time.time() + asked.seconds + 3
        ours, theirs = multiprocessing.Pipe(duplex=False)
        address = ("127.0.0.1", settings.events_port)
        listeners = multiprocessing.Process(
            target=listen, args=(address, listing_id, asked.listeners, until + 3, theirs)
        )
        listeners.start()
        time.sleep(3)
        share = max(1, len(bidders) // asked.connections)
        connections = [
            Connecting(settings.port, listing_id, bidders[n * share : (n + 1) * share], until)
            for n in range(asked.connections)
        ]
        before = processor_seconds(PROCESSES)
        for connection in connections:
            connection.start()
        answered = [connection.ours.recv() for connection in connections]
        after = processor_seconds(PROCESSES)
        delays, hearing, listening = ours.recv()
        spent = {name: after[name] - before[name] for name in PROCESSES}
        spent["bidders"] = sum(seconds for *_, seconds in answered)
        spent["listeners"] = listening
        _report(settings, asked, answered, delays, hearing, spent)
        acknowledged = [bid for _, _, bids, _ in answered for bid in bids]
        print(_check(settings.port, listing_id, acknowledged))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(timeout=60)


def _report(
    settings: Settings,
    asked: argparse.Namespace,
    answered: list[tuple[list[float], Counter[str], list[tuple[str, str]], float]],
    delays: list[float],
    hearing: int,
    spent: dict[str, float],
) -> None:
    millis = sorted(value for found, *_ in answered for value in found)
    total: Counter[str] = Counter()
    for _, answers, _, _ in answered:
        total += answers
    heading("measure", "figure", "asked for")
    row("database", settings.database.split(":")[0], "")
    row("answers a second", f"{len(millis) / asked.seconds:.0f}", "")
    row("answers", ", ".join(f"{name} {count:,}" for name, count in sorted(total.items())), "")
    row("acknowledgement, p50 / p95 / p99", spread(millis), "p99 ≤ 250 ms on PostgreSQL")
    row("listeners that heard", f"{hearing} of {asked.listeners}", "all")
    if delays:
        row("bid → listener, p50 / p95 / p99", spread(delays), "p95 ≤ 1000 ms")
    shares = ", ".join(f"{name} {s * 1000 / len(millis):.1f}" for name, s in spent.items())
    row("processor for each answer, ms", shares, "")


def main() -> None:
    """Run the benchmark on one database."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="postgresql")
    parser.add_argument("--url", default="", help="an empty PostgreSQL database of your own")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--bidders", type=int, default=1000)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--listeners", type=int, default=500)
    asked = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="market-load-"))
    own = Cluster if asked.database == "postgresql" and not asked.url else None
    cluster = own() if own else None
    settings = Settings(
        data_dir=folder,
        database_url=cluster.create("market") if cluster else asked.url,
        port=_free_port(),
        events_port=_free_port(),
        secret_key="load-" + "x" * 40,
    )
    try:
        measure(settings, asked)
    finally:
        if cluster is not None:
            cluster.stop()
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
