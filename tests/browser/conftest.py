"""A whole platform with its demo data, started once, and people who use it in Chromium."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    expect,
    sync_playwright,
)

from seed.demo.sign_ins import PASSWORD
from tests import demo

_START_LIMIT_SECONDS = 240
# No test is timed: on a busy machine a page may take long.
_PATIENCE_MILLISECONDS = 60_000
expect.set_options(timeout=_PATIENCE_MILLISECONDS)


class Platform:
    """A running platform: web server and worker in processes of their own."""

    def __init__(self, folder: Path, *, with_demo: bool = True) -> None:
        self._with_demo = with_demo
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log = folder / "platform.log"
        self.environment = {
            **os.environ,
            "PORT": str(port),
            "DATA_DIR": str(folder),
            "DATABASE_URL": "",
            "SEARCH_URL": "",
            "PYTHONUNBUFFERED": "1",
        }
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it says that it is ready."""
        self._process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "marketplace.cli",
                "run",
                "--demo" if self._with_demo else "--no-demo",
            ],
            env=self.environment,
            stdout=self.log.open("ab"),
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.wait_until_ready()

    def wait_until_ready(self, seconds: float = _START_LIMIT_SECONDS) -> None:
        """Wait until the site answers."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if self._process is not None and self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(f"{self.url}/readyz", timeout=2):
                    return
            except OSError:
                time.sleep(0.2)
        raise RuntimeError(f"the platform did not start:\n{self.log.read_text()[-4000:]}")

    def kill(self, what: str) -> int:
        """Kill -9 every process of one kind ("gunicorn" or "worker"); return how many."""
        assert self._process is not None
        killed = 0
        for child in _descendants(self._process.pid):
            try:
                title = Path(f"/proc/{child}/cmdline").read_text()
                if what in title:
                    os.kill(child, signal.SIGKILL)
                    killed += 1
            except OSError:
                continue
        return killed

    def command(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `marketplace` command against this platform's data."""
        return subprocess.run(
            [sys.executable, "-m", "marketplace.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def stop(self) -> None:
        """Stop all processes in order."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=30)


def _descendants(parent: int) -> list[int]:
    """List the processes below one, children first."""
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:
        return []
    found = [int(child) for child in children]
    return found + [below for child in found for below in _descendants(child)]


@pytest.fixture(scope="session")
def platform(
    commanded_demo_folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Platform]:
    """The demo platform, shared by all browser tests of this worker."""
    folder = tmp_path_factory.mktemp("platform") / "data"
    demo.copy(commanded_demo_folder, folder)
    started = Platform(folder)
    started.start()
    yield started
    started.stop()


# By module: while Playwright is there, no other test of this worker can run an event loop.
@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """Debian's Chromium, headless."""
    path = shutil.which("chromium")
    assert path, "Chromium is missing: install Debian's package 'chromium'"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path,
            args=["--no-sandbox", "--disable-background-networking", "--disable-sync"],
        )
        yield browser
        browser.close()


class Person:
    """Somebody at a browser of their own."""

    def __init__(self, chromium: Browser, platform: Platform, width: int = 1440) -> None:
        self.platform = platform
        self.context: BrowserContext = chromium.new_context(
            base_url=platform.url, viewport={"width": width, "height": 900}, locale="zh-CN"
        )
        self.page: Page = self.context.new_page()
        self.page.set_default_timeout(_PATIENCE_MILLISECONDS)
        self.complaints: list[str] = []
        self.page.on("console", self._listen)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _listen(self, message: ConsoleMessage) -> None:
        if message.type == "error" and "Content Security Policy" in message.text:
            self.complaints.append(message.text)

    def sign_in(self, email: str, password: str = PASSWORD) -> Person:
        """Sign in through the page."""
        self.page.goto("/sign-in")
        self.page.get_by_label("邮箱").fill(email)
        self.page.get_by_label("密码").fill(password)
        self.page.locator("main").get_by_role("button", name="登录").click()
        self.page.wait_for_url(re.compile("/workbench"))
        return self

    def close(self) -> None:
        """Close the browser window; no script or policy may have complained."""
        self.context.close()
        assert not self.complaints, self.complaints


@pytest.fixture
def people(chromium: Browser, platform: Platform) -> Iterator[type[Person]]:
    """Make people who close their windows at the end of the test."""
    made: list[Person] = []

    class Visitor(Person):
        def __init__(self, width: int = 1440) -> None:
            super().__init__(chromium, platform, width)
            made.append(self)

    yield Visitor  # type: ignore[misc]  # the narrower constructor is what tests call
    for person in made:
        person.close()
