"""Needs on both databases: review, answers, deadline, layers; a refusal leaves nothing."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from marketplace.achievements import service as achievements
from marketplace.foundation import audit
from marketplace.foundation.access import ANONYMOUS, SYSTEM, Actor, Role
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.outbox import OutboxEvent
from marketplace.needs import documents, due, events, queries, service
from marketplace.needs.rules import AnswerState, NeedState
from tests.achievement_contents import complete_content, complete_need
from tests.world import World

ANSWER = "旋转除气加在线测氢，气孔率可以降到 1.6 %，三个月内交样件。"


@pytest.fixture
def buyer(world: World) -> Actor:
    return world.actor(Role.ENTERPRISE)


@pytest.fixture
def operator(world: World) -> Actor:
    return world.actor(Role.OPERATOR)


def draft(database: Database, buyer: Actor, now: datetime, **changed: object) -> int:
    with database.transaction() as session:
        return service.create_draft(session, actor=buyer, now=now, content=complete_need(**changed))


def opened(
    database: Database, buyer: Actor, operator: Actor, now: datetime, **changed: object
) -> int:
    made = draft(database, buyer, now, **changed)
    with database.transaction() as session:
        service.submit(session, actor=buyer, now=now, need_id=made)
        service.accept(session, actor=operator, now=now, need_id=made)
    return made


def state_of(database: Database, need_id: int) -> NeedState:
    with database.reading() as session:
        return queries.get_internal(session, need_id).state


def announced(database: Database) -> list[str]:
    with database.reading() as session:
        names = session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))
        return [name for name in names if name.startswith("needs.")]


def test_from_draft_to_open_with_audit_and_events(
    database: Database, buyer: Actor, operator: Actor, now: datetime
) -> None:
    made = opened(database, buyer, operator, now)
    with database.reading() as session:
        view = queries.get_for(session, ANONYMOUS, made)
        assert (view.state, view.number) == (NeedState.OPEN, "XQ-2024-0001")
        actions = [entry.action for entry in audit.history(session, f"need:{made}")]
        assert actions == ["needs.create", "needs.submit", "needs.open"]
    assert announced(database) == [events.NeedSubmitted.name(), events.NeedOpened.name()]


def test_an_incomplete_draft_is_kept_and_told(
    database: Database, buyer: Actor, now: datetime
) -> None:
    made = draft(database, buyer, now)
    with database.transaction() as session:
        lacking = service.save_and_submit(
            session,
            actor=buyer,
            now=now,
            need_id=made,
            content=complete_need(indicators=(), deadline=None, present_solution="试过两种"),
            version=1,
        )
    assert [problem.field for problem in lacking] == ["indicators", "deadline"]
    with database.reading() as session:
        view = queries.get_internal(session, made)
    assert (view.state, view.content.present_solution) == (NeedState.DRAFT, "试过两种")


def test_only_the_operator_reviews(
    database: Database, buyer: Actor, operator: Actor, now: datetime
) -> None:
    made = draft(database, buyer, now)
    with pytest.raises(Conflict), database.transaction() as session:
        service.accept(session, actor=operator, now=now, need_id=made)
    with database.transaction() as session:
        service.submit(session, actor=buyer, now=now, need_id=made)
    with pytest.raises(NotAllowed), database.transaction() as session:
        service.accept(session, actor=buyer, now=now, need_id=made)
    with database.reading() as session:
        (item,) = queries.waiting(session, operator, now=now)
        assert item.due_on is not None
    with database.transaction() as session:
        service.return_(session, actor=operator, now=now, need_id=made, reason="请去掉公司介绍")
    with database.reading() as session:
        (item,) = queries.waiting(session, buyer, now=now)
        assert "请去掉公司介绍" in item.why


def test_an_answer_is_given_once_and_decided_once(
    database: Database, world: World, buyer: Actor, operator: Actor, now: datetime
) -> None:
    made = opened(database, buyer, operator, now)
    university = world.organisation()
    officer = world.actor(Role.OFFICER, university)
    with database.transaction() as session:
        offer = achievements.create_draft(
            session, actor=officer, now=now, content=complete_content(university)
        )
    with pytest.raises(RuleBroken, match="已发布的成果"), database.transaction() as session:
        service.answer(
            session, actor=officer, now=now, need_id=made, text=ANSWER, achievement_id=offer
        )
    with database.transaction() as session:
        achievements.publish(session, actor=SYSTEM, now=now, achievement_id=offer)
        answer_id = service.answer(
            session, actor=officer, now=now, need_id=made, text=ANSWER, achievement_id=offer
        )
    with pytest.raises(Conflict, match="已经答复过"), database.transaction() as session:
        service.answer(session, actor=officer, now=now, need_id=made, text=ANSWER)
    with pytest.raises(RuleBroken, match="自己的需求"), database.transaction() as session:
        service.answer(session, actor=buyer, now=now, need_id=made, text=ANSWER)
    with pytest.raises(RuleBroken, match="不采纳的原因"), database.transaction() as session:
        service.decide_answer(session, actor=buyer, now=now, answer_id=answer_id, accepted=False)
    with database.transaction() as session:
        service.decide_answer(session, actor=buyer, now=now, answer_id=answer_id, accepted=True)
    with pytest.raises(Conflict), database.transaction() as session:
        service.decide_answer(session, actor=buyer, now=now, answer_id=answer_id, accepted=True)
    with database.reading() as session:
        assert queries.my_answers(session, officer).items[0].state is AnswerState.ACCEPTED
        assert queries.answers_for(session, operator, made) == []
    assert announced(database)[-2:] == [
        events.NeedAnswered.name(),
        events.AnswerDecided.name(),
    ]


def test_the_decision_belongs_to_the_needs_owner(
    database: Database, world: World, buyer: Actor, operator: Actor, now: datetime
) -> None:
    made = opened(database, buyer, operator, now)
    with database.transaction() as session:
        answer_id = service.answer(
            session, actor=world.actor(Role.OFFICER), now=now, need_id=made, text=ANSWER
        )
    with pytest.raises(NotFound), database.transaction() as session:
        service.decide_answer(
            session,
            actor=world.actor(Role.ENTERPRISE),
            now=now,
            answer_id=answer_id,
            accepted=True,
        )


def test_the_deadline_ends_it_on_the_day_after(
    database: Database, buyer: Actor, operator: Actor, now: datetime
) -> None:
    made = opened(database, buyer, operator, now)
    with database.reading() as session:
        moment = due.TASKS[0].next_due(session, now)
    assert moment == datetime(2024, 10, 1, tzinfo=LOCAL)
    for at, state in (
        (moment - timedelta(seconds=1), NeedState.OPEN),
        (moment, NeedState.EXPIRED),
    ):
        with database.transaction() as session:
            due.TASKS[0].run(session, at)
        assert state_of(database, made) is state
    with database.reading() as session:
        assert documents.find_document(session, made) is None
    with database.transaction() as session:
        service.reopen(session, actor=buyer, now=moment, need_id=made)
    with pytest.raises(RuleBroken, match="已经过去"), database.transaction() as session:
        service.submit(session, actor=buyer, now=moment, need_id=made)


def test_deal_marks(database: Database, buyer: Actor, operator: Actor, now: datetime) -> None:
    made = opened(database, buyer, operator, now)
    with database.transaction() as session:
        service.mark_matched(session, actor=SYSTEM, now=now, need_id=made)
        service.mark_matched(session, actor=SYSTEM, now=now, need_id=made)
    with pytest.raises(Conflict, match="正在撮合"), database.transaction() as session:
        service.close(session, actor=buyer, now=now, need_id=made, reason="不再需要了")
    with database.transaction() as session:
        service.mark_unmatched(session, actor=SYSTEM, now=now, need_id=made)
        service.mark_contracted(session, actor=SYSTEM, now=now, need_id=made)
        service.mark_contracted(session, actor=SYSTEM, now=now, need_id=made)
    assert state_of(database, made) is NeedState.CONTRACTED


def test_an_anonymous_need_and_its_secrets_stay_hidden(
    database: Database, world: World, buyer: Actor, operator: Actor, now: datetime
) -> None:
    made = opened(database, buyer, operator, now, anonymous=True, confidential="金丝雀主机厂图号")
    officer = world.actor(Role.OFFICER)
    others = [ANONYMOUS, officer, world.actor(Role.ENTERPRISE), world.actor(Role.INVENTOR)]

    def view_of(reader: Actor) -> queries.NeedView:
        with database.reading() as session:
            return queries.get_for(session, reader, made)

    for reader in others:
        assert view_of(reader).organisation_id is None
        assert view_of(reader).confidential_hidden
        assert "金丝雀" not in str(view_of(reader))
    assert view_of(operator).organisation_id == buyer.organisation_id
    assert "金丝雀" not in str(view_of(operator))
    assert "金丝雀" in str(view_of(buyer))
    with database.reading() as session:
        document = documents.find_document(session, made)
        assert document is not None
        assert "金丝雀" not in str(document)
        assert buyer.organisation_name not in str(document)
        assert document.owner_id == ""

    with database.transaction() as session:
        answer_id = service.answer(session, actor=officer, now=now, need_id=made, text=ANSWER)
    assert view_of(officer).organisation_id is None
    with database.transaction() as session:
        service.decide_answer(session, actor=buyer, now=now, answer_id=answer_id, accepted=True)
    assert view_of(officer).organisation_id == buyer.organisation_id
    assert "金丝雀" in str(view_of(officer))


def test_drafts_are_nobody_elses_business(
    database: Database, world: World, buyer: Actor, operator: Actor, now: datetime
) -> None:
    made = draft(database, buyer, now)
    with database.reading() as session:
        for reader in (ANONYMOUS, operator, world.actor(Role.ENTERPRISE)):
            with pytest.raises(NotFound):
                queries.get_for(session, reader, made)


def test_agreed_files_open_to_the_accepted_partner_only(
    database: Database,
    world: World,
    buyer: Actor,
    operator: Actor,
    now: datetime,
    tmp_path: Path,
) -> None:
    made = opened(database, buyer, operator, now)
    officer = world.actor(Role.OFFICER)
    with database.transaction() as session:
        service.attach(
            session,
            actor=buyer,
            now=now,
            need_id=made,
            uploads=[Upload("图纸.pdf", b"%PDF-1.4\n%%EOF\n")],
            visibility=FileVisibility.AGREEMENT,
            store=AttachmentStore(tmp_path),
        )
        answer_id = service.answer(session, actor=officer, now=now, need_id=made, text=ANSWER)
    with database.reading() as session:
        assert queries.readable_files(session, officer, made) == []
        assert len(queries.readable_files(session, buyer, made)) == 1
    with database.transaction() as session:
        service.decide_answer(session, actor=buyer, now=now, answer_id=answer_id, accepted=True)
    with database.reading() as session:
        assert len(queries.readable_files(session, officer, made)) == 1
        assert queries.readable_files(session, operator, made) == []
