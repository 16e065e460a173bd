"""The worker: deliver the outbox and do what time brings about, until told to stop."""

from __future__ import annotations

import signal
import threading
import time
from datetime import timedelta
from types import FrameType

import structlog

from marketplace import wiring
from marketplace.wiring import Services

PAUSE = timedelta(milliseconds=200)
# Each look at the terms takes the writer's lock once for every kind of term.
_TIMED_EVERY = timedelta(seconds=1)
_PUSH_PAUSE = timedelta(seconds=1)

log = structlog.get_logger()


def run_once(services: Services, *, timed: bool = True) -> int:
    """Deliver what waits and, where ``timed``, do what time brings; return how much was done."""
    now = services.clock.now()
    done = services.due.run(services.database, now=now) if timed else 0
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
    # Beside the rounds: bidding sessions must not wait for a member's slow system.
    threading.Thread(target=_push, args=(services, stopping), name="pushes", daemon=True).start()
    timed_at = time.monotonic()
    while not stopping.is_set():
        timed = time.monotonic() >= timed_at
        if timed:
            timed_at = time.monotonic() + _TIMED_EVERY.total_seconds()
        try:
            done = run_once(services, timed=timed)
        except Exception:  # the database may be away for a moment; the work is kept there
            log.exception("worker.failed")
            done = 0
        if done == 0:
            stopping.wait(PAUSE.total_seconds())


def _push(services: Services, stopping: threading.Event) -> None:
    while not stopping.is_set():
        try:
            done = wiring.push_messages(services)
        except Exception:  # as in the rounds: what is kept is tried again
            log.exception("pushes.failed")
            done = 0
        if done == 0:
            stopping.wait(_PUSH_PAUSE.total_seconds())
