"""The processes of one machine: web server and worker, watched, restarted, stopped together."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from types import FrameType

from marketplace.settings import Settings

_START_LIMIT_SECONDS = 60
_STOP_LIMIT_SECONDS = 10


def port_is_free(settings: Settings) -> bool:
    """Tell whether the web server can listen at its address."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError:
            return False
    return True


def web_command(settings: Settings) -> list[str]:
    """Return the command line of the web server."""
    return [
        sys.executable,
        "-m",
        "gunicorn",
        "--bind",
        f"{settings.host}:{settings.port}",
        "--worker-class",
        "gthread",
        "--workers",
        "2",
        "--threads",
        str(settings.web_threads),
        "--graceful-timeout",
        "5",
        "--log-level",
        "warning",
        "marketplace.wsgi:create()",
    ]


def worker_command() -> list[str]:
    """Return the command line of the worker."""
    return [sys.executable, "-m", "marketplace.cli", "worker"]


class Supervisor:
    """Keep web server and worker alive; end both when asked to."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._commands = {"web": web_command(settings), "worker": worker_command()}
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._stopping = False
        self._logs = settings.data_dir / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)

    def run(self, ready: Callable[[], None]) -> None:
        """Start both, call ``ready`` once the site answers, and watch until stopped."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        for name in self._commands:
            self._start(name)
        if self._wait_until_ready():
            ready()
        while not self._stopping:
            for name, process in list(self._running.items()):
                if process.poll() is not None and not self._stopping:
                    time.sleep(0.5)  # a process that dies at once must not spin
                    self._start(name)
            time.sleep(0.2)
        self._end()

    def _start(self, name: str) -> None:
        # Their own group: a Ctrl-C reaches us alone, and we stop them in order.
        with (self._logs / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen(  # noqa: S603 -- our own command lines, no shell
                self._commands[name],
                env=os.environ,
                start_new_session=True,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

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
                time.sleep(0.1)
        return False

    def _end(self) -> None:
        for process in self._running.values():
            process.terminate()
        limit = time.monotonic() + _STOP_LIMIT_SECONDS
        for process in self._running.values():
            try:
                process.wait(timeout=max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
