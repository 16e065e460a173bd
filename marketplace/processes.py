"""The processes of one machine: web, worker and events service, watched, restarted, stopped.

They are forked from a parent that has imported everything and opened nothing: what takes seconds
is done once, and whatever dies is back at once.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import socket
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication
from setproctitle import setproctitle

from marketplace import wiring, worker, wsgi
from marketplace.listings import stream
from marketplace.settings import Settings

_START_LIMIT_SECONDS = 60
_STOP_LIMIT_SECONDS = 10
_WEB_PROCESSES = 2

_fork = multiprocessing.get_context("fork")


def port_is_free(settings: Settings) -> bool:
    """Tell whether the web server can listen at its address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return False
    return True


def apart(task: Callable[[], None]) -> bool:
    """Do something in a process of its own and tell whether it ended well.

    What it opens (connections, the index with its threads) is gone with it, so that the parent can
    still be forked safely.
    """
    child = _fork.Process(target=task)
    child.start()
    child.join()
    return child.exitcode == 0


class _Server(BaseApplication):
    """Gunicorn around an application that each of its processes builds after it was forked."""

    def __init__(self, create: Callable[[], Any], **options: object) -> None:
        self._create = create
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        """Set the options; nothing is read from files or the command line."""
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        """Build the application."""
        return self._create()


def serve_web(settings: Settings) -> None:
    """Serve pages until stopped."""
    _Server(
        wsgi.create,
        bind=f"{settings.host}:{settings.port}",
        worker_class="gthread",
        workers=_WEB_PROCESSES,
        threads=settings.web_threads,
        graceful_timeout=5,
        loglevel="warning",
        proc_name="marketplace",
        # A question of 500 Chinese characters takes 4,500 bytes in an address.
        limit_request_line=8190,
    ).run()


def serve_events(settings: Settings) -> None:
    """Serve the streams of bidding rooms until stopped: one process with one event loop."""

    def create() -> stream.StreamApplication:
        services = wiring.build(settings)
        hub = stream.Hub(services.database, services.clock)
        return stream.StreamApplication(hub, most=settings.events_listeners)

    _Server(
        create,
        bind=f"{settings.host}:{settings.events_port}",
        worker_class="asgi",
        workers=1,
        asgi_lifespan="off",
        # A listener that has gone has nothing left to do.
        asgi_disconnect_grace_period=0,
        graceful_timeout=1,
        loglevel="warning",
        proc_name="marketplace events",
    ).run()


def with_events_port(settings: Settings) -> Settings:
    """Choose a free port for the events service unless one is set, and tell all processes."""
    if settings.events_port:
        return settings
    with socket.socket() as probe:
        probe.bind((settings.host, 0))
        port = probe.getsockname()[1]
    os.environ["EVENTS_PORT"] = str(port)
    return settings.model_copy(update={"events_port": port})


def _work(settings: Settings) -> None:
    setproctitle("marketplace: worker")
    worker.run_forever(wiring.build(settings))


class Supervisor:
    """Keep web server, worker and events service alive; end all when asked to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings = with_events_port(settings)
        self._tasks = {"web": serve_web, "worker": _work, "events": serve_events}
        self._running: dict[str, BaseProcess] = {}
        self._stopping = False
        self._logs = settings.data_dir / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)

    def run(self, ready: Callable[[], None]) -> None:
        """Start all, call ``ready`` once the site answers, and watch until stopped."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for name in self._tasks:
            self._start(name)
        if self._wait_until_ready():
            ready()
        while not self._stopping:
            for name, process in list(self._running.items()):
                if not process.is_alive() and not self._stopping:
                    _end_group(process)
                    time.sleep(0.5)  # a process that dies at once must not spin
                    self._start(name)
            time.sleep(0.2)
        self._end()

    def _start(self, name: str) -> None:
        child = _fork.Process(
            name=name,
            target=_run_child,
            args=(self._tasks[name], self._settings, self._logs / f"{name}.log"),
        )
        child.start()
        self._running[name] = child

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        self._stopping = True

    def _wait_until_ready(self) -> bool:
        url = f"http://{self._settings.host}:{self._settings.port}/readyz"
        limit = time.monotonic() + _START_LIMIT_SECONDS
        while time.monotonic() < limit and not self._stopping:
            try:
                with urllib.request.urlopen(url, timeout=2) as answer:
                    return bool(answer.status == 200)
            except (urllib.error.URLError, OSError):
                time.sleep(0.05)
        return False

    def _end(self) -> None:
        for process in self._running.values():
            process.terminate()
        limit = time.monotonic() + _STOP_LIMIT_SECONDS
        for process in self._running.values():
            process.join(max(0.1, limit - time.monotonic()))
            _end_group(process)


def _run_child(task: Callable[[Settings], None], settings: Settings, log: Path) -> None:
    """Become a process of its own, with its own group and log, and do the task."""
    # Their own group: a Ctrl-C reaches the supervisor alone, and it stops them in order.
    os.setsid()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    with log.open("ab") as file:
        os.dup2(file.fileno(), sys.stdout.fileno())
        os.dup2(file.fileno(), sys.stderr.fileno())
    task(settings)


def _end_group(process: BaseProcess) -> None:
    """Kill what a dead leader left behind: its children would keep the port."""
    if process.pid is not None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
