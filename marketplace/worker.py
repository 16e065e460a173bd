"""The worker: deliver the outbox and do what time brings about, until told to stop."""

from __future__ import annotations

import signal
import threading
from datetime import timedelta
from types import FrameType

import structlog

from marketplace import wiring
from marketplace.wiring import Services

PAUSE = timedelta(milliseconds=200)

log = structlog.get_logger()


def run_once(services: Services) -> int:
    """Do everything that is due now; return how much was done."""
    now = services.clock.now()
    done = services.due.run(services.database, now=now)
    done += services.outbox.deliver_due(services.database, now=now)
    return done + wiring.after_deliveries(services)


def run_until_quiet(services: Services, *, rounds: int = 10_000) -> None:
    """Work until nothing is left to do, as after a bulk load."""
    for _ in range(rounds):
        if run_once(services) == 0:
            return


def run_forever(services: Services) -> None:
    """Work until SIGTERM or SIGINT; a failed round is logged and tried again."""
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    while not stopping.is_set():
        try:
            done = run_once(services)
        except Exception:  # the database may be away for a moment; the work is kept there
            log.exception("worker.failed")
            done = 0
        if done == 0:
            stopping.wait(PAUSE.total_seconds())
