"""Imports on both databases: fates, repetition, crash, nothing half in, whose they are."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import OrganisationKind
from marketplace.achievements import import_service
from marketplace.achievements import queries as achievements
from marketplace.achievements import service as achievement_service
from marketplace.achievements.models import Achievement
from marketplace.achievements.rules import AchievementState, IPKind, IPRight
from marketplace.exchange import queries, service, work_service
from marketplace.exchange.models import ImportRow
from marketplace.exchange.rules import INDEXING_LIMIT, ImportKind, ImportState, RowFate
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.attachments import AttachmentStore, Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed, NotFound, RuleBroken
from marketplace.foundation.outbox import OutboxEvent
from marketplace.needs import queries as needs
from marketplace.needs.models import Need
from marketplace.needs.rules import NeedState
from tests.achievement_contents import complete_content
from tests.import_files import (
    NEED_LINE,
    RESULT_LINE,
    application_number,
    needs_csv,
    patent_row,
    results_csv,
    workbook,
)
from tests.world import World


@pytest.fixture
def store(tmp_path: Path) -> AttachmentStore:
    return AttachmentStore(tmp_path / "attachments")


@pytest.fixture
def university(world: World) -> OrganisationView:
    return world.organisation(name="泉城理工大学")


@pytest.fixture
def officer(world: World, university: OrganisationView) -> Actor:
    return world.actor(Role.OFFICER, university)


def start(
    database: Database,
    actor: Actor,
    file: Upload,
    store: AttachmentStore,
    now: datetime,
    kind: ImportKind = ImportKind.ACHIEVEMENTS,
    organisation_id: int | None = None,
) -> int:
    with database.transaction() as session:
        import_id = service.upload(
            session,
            actor=actor,
            now=now,
            kind=kind,
            organisation_id=organisation_id or actor.organisation_id or 0,
            file=file,
            store=store,
        )
        service.start(session, actor=actor, now=now, import_id=import_id)
    return import_id


def finish(
    database: Database, import_id: int, store: AttachmentStore, now: datetime
) -> queries.ImportView:
    for _ in range(50):
        with database.transaction() as session:
            service.work_on(session, now=now, store=store, import_id=import_id)
            service.close_indexed(session, now=now, indexed=lambda _session, _id: True)
        with database.reading() as session:
            view = queries.get_internal(session, import_id)
        if not view.running:
            return view
    raise AssertionError("the import never ends")


def fates(database: Database, import_id: int) -> list[tuple[int, RowFate, str]]:
    with database.reading() as session:
        page = queries.rows(session, import_id, size=500)
        return [(row.number, row.fate, row.reason) for row in page.items]


def count(database: Database, model: type[Achievement] | type[Need]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def test_every_row_has_its_fate_and_twice_changes_nothing(
    database: Database,
    officer: Actor,
    university: OrganisationView,
    store: AttachmentStore,
    now: datetime,
) -> None:
    file = workbook(
        [
            patent_row(1),
            patent_row(2, 专利名称=""),
            patent_row(3, 申请号="CN201910000003.0"),
            patent_row(1),
            patent_row(4, **{"申请(专利权)人": "", "专利类型": "", "申请年": "1899"}),
        ]
    )
    first = finish(database, start(database, officer, file, store, now), store, now)
    assert first.state is ImportState.DONE
    assert (first.incomplete_count, first.refused_count, first.existing_count) == (2, 2, 1)
    told = {number: (fate, reason) for number, fate, reason in fates(database, first.id)}
    assert told[3] == (RowFate.REFUSED, "名称是空的")
    assert "校验位" in told[4][1]
    assert told[5] == (RowFate.EXISTING, "与第 2 行相同，只登记一次")
    assert "权利人空缺" in told[6][1]
    assert "申请年“1899”不合理" in told[6][1]

    with database.reading() as session:
        page = achievements.owned_by(session, officer, sort="created", descending=False)
        assert [row.state for row in page.items] == [AchievementState.PUBLISHED] * 2
        assert page.items[0].number == "CG-2024-0001"
        assert page.items[0].missing_count > 0
        content = achievements.get_internal(session, page.items[0].id).content
        assert content.ip_rights[0].number == application_number(1)
        assert audit.verify(session)[1] is None
        before = session.scalars(select(Achievement.updated_at)).all()
        events = [
            event.body
            for event in session.scalars(select(OutboxEvent))
            if event.name == "achievements.AchievementsImported"
        ]
        assert [body["achievement_ids"] for body in events] == [[row.id for row in page.items]]

    again = finish(database, start(database, officer, file, store, now), store, now)
    assert (again.taken_count, again.refused_count, again.existing_count) == (0, 2, 3)
    assert count(database, Achievement) == 2
    with database.reading() as session:
        assert session.scalars(select(Achievement.updated_at)).all() == before


def test_a_changed_row_overwrites_nothing(
    database: Database, officer: Actor, store: AttachmentStore, now: datetime
) -> None:
    finish(database, start(database, officer, workbook([patent_row(1)]), store, now), store, now)
    changed = workbook([patent_row(1, 专利名称="改过名称的低压降整流装置")])
    view = finish(database, start(database, officer, changed, store, now), store, now)
    assert fates(database, view.id) == [
        (2, RowFate.EXISTING, "以前已登记，内容与这一行不同；没有覆盖，请手工修改")
    ]


def test_a_patent_registered_by_hand_is_recognised_by_its_number(
    database: Database,
    officer: Actor,
    university: OrganisationView,
    store: AttachmentStore,
    now: datetime,
) -> None:
    by_hand = IPRight(
        IPKind.INVENTION, application_number(1).replace("CN", "ZL"), "一种低压降整流装置"
    )
    with database.transaction() as session:
        made = achievement_service.create_draft(
            session,
            actor=officer,
            now=now,
            content=complete_content(university, ip_rights=(by_hand,)),
        )
    view = finish(
        database, start(database, officer, workbook([patent_row(1)]), store, now), store, now
    )
    with database.reading() as session:
        row = queries.rows(session, view.id).items[0]
    assert (row.fate, row.record_id) == (RowFate.EXISTING, made)


def test_a_crash_between_the_steps_loses_and_doubles_nothing(
    database: Database,
    officer: Actor,
    store: AttachmentStore,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(work_service, "CHECK_BATCH", 2)
    file = workbook([patent_row(number) for number in range(1, 6)])
    import_id = start(database, officer, file, store, now)
    for _ in range(3):
        with database.transaction() as session:
            service.work_on(session, now=now, store=store)
    with database.reading() as session:
        assert queries.get_internal(session, import_id).checked_count == 4

    def killed_before_the_commit() -> None:
        with database.transaction() as session:
            service.work_on(session, now=now, store=store)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        killed_before_the_commit()
    assert count(database, Achievement) == 0
    view = finish(database, import_id, store, now)
    assert view.taken_count == 5
    assert count(database, Achievement) == 5


def test_what_somebody_else_brought_in_meanwhile_is_not_doubled(
    database: Database, officer: Actor, store: AttachmentStore, now: datetime
) -> None:
    slow = start(database, officer, workbook([patent_row(1), patent_row(2)]), store, now)
    for _ in range(2):
        with database.transaction() as session:
            service.work_on(session, now=now, store=store, import_id=slow)
    quick = start(database, officer, workbook([patent_row(1)]), store, now)
    finish(database, quick, store, now)
    view = finish(database, slow, store, now)
    assert view.state is ImportState.DONE
    assert (view.taken_count, view.existing_count) == (1, 1)
    assert fates(database, slow)[0] == (2, RowFate.EXISTING, "检查之后已由别人登记")
    assert count(database, Achievement) == 2


def test_a_failure_while_writing_leaves_nothing(
    database: Database,
    officer: Actor,
    store: AttachmentStore,
    now: datetime,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def break_down(*_arguments: object, **_named: object) -> None:
        raise ValueError("disk full")

    monkeypatch.setattr(import_service, "_insert_parts", break_down)
    view = finish(
        database, start(database, officer, workbook([patent_row(1)]), store, now), store, now
    )
    assert view.state is ImportState.FAILED
    assert "没有写入任何内容" in view.error
    assert count(database, Achievement) == 0
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(ImportRow)) == 0


def test_needs_are_opened_and_wait_for_the_operators_eye(
    database: Database, world: World, store: AttachmentStore, now: datetime
) -> None:
    enterprise = world.actor(Role.ENTERPRISE)
    operator = world.actor(Role.OPERATOR)
    file = needs_csv([NEED_LINE.format(1), NEED_LINE.format(2), "太短了,力学", NEED_LINE.format(1)])
    view = finish(
        database, start(database, enterprise, file, store, now, ImportKind.NEEDS), store, now
    )
    assert (view.taken_count, view.refused_count, view.existing_count) == (2, 1, 1)
    with database.reading() as session:
        page = needs.owned_by(session, enterprise)
        assert {row.state for row in page.items} == {NeedState.OPEN}
        assert needs.count_unread_imports(session) == 2
        assert any(
            "批量导入的需求：2 条" in item.what
            for item in needs.waiting(session, operator, now=now)
        )
    again = finish(
        database, start(database, enterprise, file, store, now, ImportKind.NEEDS), store, now
    )
    assert (again.taken_count, again.existing_count) == (0, 3)
    assert count(database, Need) == 2


def test_a_whole_csv_of_results_goes_in_with_its_broken_line_told(
    database: Database, officer: Actor, store: AttachmentStore, now: datetime
) -> None:
    lines = [RESULT_LINE.format(number) for number in range(1, 4)]
    lines.insert(1, '坏行,"没有关上,机械工程,')
    view = finish(database, start(database, officer, results_csv(lines), store, now), store, now)
    assert (view.taken_count, view.refused_count) == (3, 1)
    assert "引号不成对" in fates(database, view.id)[1][2]
    with database.reading() as session:
        row = achievements.owned_by(session, officer, sort="title").items[0]
        content = achievements.get_internal(session, row.id).content
    assert content.discipline == "机械工程"
    assert content.solution.startswith("考虑了加工过程中")


def test_members_import_for_their_own_verified_organisation(
    database: Database, world: World, officer: Actor, store: AttachmentStore, now: datetime
) -> None:
    other = world.organisation()
    file = workbook([patent_row(1)])
    with pytest.raises(NotFound):
        start(database, officer, file, store, now, organisation_id=other.id)
    with pytest.raises(NotAllowed, match="成果由科研管理员导入"):
        start(database, world.actor(Role.ENTERPRISE), file, store, now)
    with pytest.raises(NotAllowed):
        start(database, world.actor(Role.INVENTOR), file, store, now)
    waiting = world.organisation(OrganisationKind.UNIVERSITY, verified=False)
    with pytest.raises(NotAllowed, match="还没有通过交易中心核验"):
        start(database, SYSTEM, file, store, now, organisation_id=waiting.id)
    operator = world.actor(Role.OPERATOR)
    view = finish(
        database,
        start(database, operator, file, store, now, organisation_id=other.id),
        store,
        now,
    )
    assert view.taken_count == 1
    with database.reading() as session, pytest.raises(NotFound):
        queries.get(session, officer, view.id)


def test_a_refused_file_leaves_nothing(
    database: Database, officer: Actor, store: AttachmentStore, now: datetime
) -> None:
    with pytest.raises(RuleBroken, match="没有找到“名称”一列"):
        start(
            database,
            officer,
            workbook([["1", "2"]], header=("编号", "日期")),
            store,
            now,
        )
    with database.reading() as session:
        assert queries.listed(session, officer).items == []


def test_an_import_can_be_given_up_until_it_is_written(
    database: Database, officer: Actor, store: AttachmentStore, now: datetime
) -> None:
    import_id = start(database, officer, workbook([patent_row(1)]), store, now)
    with database.transaction() as session:
        service.cancel(session, actor=officer, now=now, import_id=import_id)
    with database.transaction() as session:
        assert service.work_on(session, now=now, store=store) == 0
    assert count(database, Achievement) == 0


def test_an_import_is_over_when_its_last_record_can_be_found(
    database: Database, officer: Actor, store: AttachmentStore, now: datetime
) -> None:
    import_id = start(database, officer, workbook([patent_row(1), patent_row(2)]), store, now)
    for _ in range(4):
        with database.transaction() as session:
            service.work_on(session, now=now, store=store)

    def state(at: datetime, found: set[str]) -> ImportState:
        with database.transaction() as session:
            service.close_indexed(session, now=at, indexed=lambda _session, name: name in found)
        with database.reading() as session:
            return queries.get_internal(session, import_id).state

    assert count(database, Achievement) == 2
    assert state(now, {"achievement:1"}) is ImportState.INDEXING
    assert state(now, {"achievement:1", "achievement:2"}) is ImportState.DONE


def test_an_index_that_is_away_keeps_no_import_open(
    database: Database, officer: Actor, store: AttachmentStore, now: datetime
) -> None:
    import_id = start(database, officer, workbook([patent_row(1)]), store, now)
    for _ in range(4):
        with database.transaction() as session:
            service.work_on(session, now=now, store=store)
    for at, expected in (
        (now + INDEXING_LIMIT, ImportState.INDEXING),
        (now + INDEXING_LIMIT + timedelta(seconds=1), ImportState.DONE),
    ):
        with database.transaction() as session:
            service.close_indexed(session, now=at, indexed=lambda _session, _id: False)
        with database.reading() as session:
            assert queries.get_internal(session, import_id).state is expected
