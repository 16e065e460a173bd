"""Kill -9 while people work: nothing is lost or doubled, the index catches up, the chain holds."""

from __future__ import annotations

import random
import re
import threading
import time
from urllib.parse import urlencode

from playwright.sync_api import APIResponse, Error, Page

from marketplace.foundation.access import Role
from seed.demo.sign_ins import sign_ins
from tests.browser.conftest import Person, Platform

_CHANGES = 3
_WORD = "断电词断电词"
_KILLS = 6
_GIVE_UP_SECONDS = 150


class Killer(threading.Thread):
    """Kill the web server or the worker at random moments, in turn, a number of times."""

    def __init__(self, platform: Platform) -> None:
        super().__init__(daemon=True)
        self._platform = platform
        self.killed: list[str] = []

    def run(self) -> None:
        """Kill and let them come back, again and again."""
        chance = random.Random(20240315)
        while len(self.killed) < _KILLS:
            time.sleep(chance.uniform(0.2, 1.5))
            what = ("gunicorn", "worker")[len(self.killed) % 2]
            if self._platform.kill(what):
                self.killed.append(what)
            self._platform.wait_until_ready()


def _insist(page: Page, path: str, form: list[tuple[str, str]]) -> APIResponse:
    """Send a form until the server answers, as a person does who presses the button again."""
    limit = time.monotonic() + _GIVE_UP_SECONDS
    while time.monotonic() < limit:
        try:
            token = page.request.get("/my/achievements/new").text()
            found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', token)
            if found is None:
                continue
            sent = [pair for pair in form if pair[0] != "csrf_token"]
            answer = page.request.post(
                path,
                data=urlencode([*sent, ("csrf_token", found.group(1))]),
                headers={
                    "Referer": page.url,
                    "Content-Type": "application/x-www-form-urlencoded",
                },
                max_redirects=0,
            )
            if answer.status < 500:
                return answer
        except Error:
            time.sleep(0.2)
    raise AssertionError(f"{path} never answered")


def _number_of(answer: APIResponse) -> int:
    found = re.search(r"/achievements/(\d+)", answer.headers.get("location", ""))
    assert found, (answer.status, answer.text()[:500])
    return int(found.group(1))


def _found(page: Page) -> set[str]:
    """Search for the new keyword and return the numbers of the achievements found."""
    page.goto(f"/search?q={_WORD}")
    links = page.locator("main h2 a, main h3 a").evaluate_all(
        "nodes => nodes.map(node => node.getAttribute('href'))"
    )
    return {m.group(1) for x in links if (m := re.search(r"/achievements/(\d+)", x))}


def _published_forms(page: Page) -> dict[str, list[tuple[str, str]]]:
    """Read the edit forms of a few published achievements as they would be sent, by address."""
    page.goto("/my/achievements?state=published")
    links = page.locator('main a[href*="/my/achievements/"]').evaluate_all(
        "nodes => nodes.map(node => node.getAttribute('href'))"
    )
    numbers = list(dict.fromkeys(m.group(1) for x in links if (m := re.search(r"/(\d+)$", x))))
    forms = {}
    for number in numbers[:_CHANGES]:
        path = f"/my/achievements/{number}/edit"
        page.goto(path)
        entries = page.locator(f'main form[action="{path}"]').evaluate(
            "form => [...new FormData(form)].filter(([, value]) => typeof value === 'string')"
        )
        forms[path] = [(str(name), str(value)) for name, value in entries]
    assert len(forms) == _CHANGES
    return forms


def test_nothing_is_lost_or_doubled(people: type[Person], platform: Platform) -> None:
    officer = next(entry for entry in sign_ins() if entry.role is Role.OFFICER)
    page = people().sign_in(officer.email).page
    forms = _published_forms(page)
    killer = Killer(platform)
    killer.start()
    made: dict[str, int] = {}
    waiting = list(forms.items())
    while killer.is_alive() or waiting:
        title = f"断电试验{len(made)}号：断网断电后记录不丢不重"
        form = [("title", title), ("submission_key", f"kill-test-{len(made)}")]
        made[title] = _number_of(_insist(page, "/my/achievements/new", form))
        # The answer may have been lost on its way: the same key leads to the same draft.
        assert _number_of(_insist(page, "/my/achievements/new", form)) == made[title]
        if waiting:
            path, entries = waiting.pop()
            changed = [(name, _WORD if name == "keywords" else value) for name, value in entries]
            answer = _insist(page, path, [*changed, ("then", "save")])
            assert answer.status == 303, answer.text()[:2000]
    killer.join()
    assert set(killer.killed) == {"gunicorn", "worker"}
    platform.wait_until_ready()

    assert len(set(made.values())) == len(made)
    for title in made:
        page.goto(f"/my/achievements?q={title[:8]}")
        assert page.locator("main").get_by_text(title, exact=True).count() == 1, title
    deadline = time.monotonic() + 60
    while "All well" not in (report := platform.command("doctor").stdout):
        assert time.monotonic() < deadline, report
        time.sleep(1)
    found = _found(page)
    assert found == {path.split("/")[3] for path in forms}
    verified = platform.command("audit", "verify")
    assert verified.returncode == 0, verified.stdout
