"""The owners' lists ask the same few questions of the database, however long they are."""

from __future__ import annotations

from datetime import datetime

from marketplace.achievements import service as achievements
from marketplace.foundation.access import Role
from marketplace.needs import service as needs
from tests.achievement_contents import complete_content, complete_need
from tests.conftest import Browser
from tests.statements import statements
from tests.world import World


def cost(client: Browser, path: str) -> int:
    with statements(client.database) as asked:
        assert client.get(path).status_code == 200
    return len(asked)


def test_the_lists_cost_the_same_with_one_row_and_with_many(
    client: Browser, page_world: World, now: datetime
) -> None:
    university = page_world.organisation()
    officer = page_world.actor(Role.OFFICER, university, Role.ENTERPRISE)

    def add(number: int) -> None:
        with client.database.transaction() as session:
            content = complete_content(university, title=f"第 {number} 项装置，效率 9 %")
            achievements.create_draft(session, actor=officer, now=now, content=content)
            need = complete_need(title=f"第 {number} 道难题怎么解决")
            needs.create_draft(session, actor=officer, now=now, content=need)

    client.sign_in_as(officer)
    paths = ("/my/achievements", "/my/needs", "/my/achievements/reviews", "/imports")
    add(0)
    few = {path: cost(client, path) for path in paths}
    for number in range(1, 19):
        add(number)
    many = {path: cost(client, path) for path in paths}
    assert many == few
    assert max(many.values()) <= 12
