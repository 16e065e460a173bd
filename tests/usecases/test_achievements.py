"""Achievements on both databases: review, market, freshness, layers; a refusal leaves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from marketplace.accounts.queries import OrganisationView
from marketplace.achievements import documents, due, events, queries, service
from marketplace.achievements.import_service import ImportedAchievement, publish_imported
from marketplace.achievements.rules import (
    AchievementState,
    Comparison,
    EvidenceClass,
    FieldGroup,
    Inventor,
    IPKind,
    IPRight,
    Owner,
    ReviewOutcome,
    ReviewStep,
    Visibility,
)
from marketplace.foundation import audit
from marketplace.foundation.access import ANONYMOUS, SYSTEM, Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.foundation.trade import TradingMode
from tests.achievement_contents import complete_content
from tests.world import World


@pytest.fixture
def university(world: World) -> OrganisationView:
    return world.organisation(name="泉城理工大学")


@pytest.fixture
def officer(world: World, university: OrganisationView) -> Actor:
    return world.actor(Role.OFFICER, university)


def draft(
    database: Database,
    officer: Actor,
    organisation: OrganisationView,
    now: datetime,
    **changed: object,
) -> int:
    with database.transaction() as session:
        return service.create_draft(
            session, actor=officer, now=now, content=complete_content(organisation, **changed)
        )


def published(
    database: Database,
    officer: Actor,
    organisation: OrganisationView,
    now: datetime,
    **changed: object,
) -> int:
    made = draft(database, officer, organisation, now, **changed)
    with database.transaction() as session:
        service.submit_for_review(session, actor=officer, now=now, achievement_id=made)
        service.approve_review(session, actor=officer, now=now, achievement_id=made)
    return made


def state_of(database: Database, achievement_id: int) -> AchievementState:
    with database.reading() as session:
        return queries.get_internal(session, achievement_id).state


def announced(database: Database) -> list[str]:
    with database.reading() as session:
        names = session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id))
        return [name for name in names if name.startswith("achievements.")]


def test_from_draft_to_market_with_audit_and_events(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    made = published(database, officer, university, now)
    with database.reading() as session:
        view = queries.get_internal(session, made)
        assert view.state is AchievementState.PUBLISHED
        assert view.confirmed_at == now
        actions = [entry.action for entry in audit.history(session, f"achievement:{made}")]
        assert actions == [
            "achievements.create",
            "achievements.submit",
            "achievements.approve",
            "achievements.publish",
        ]
        assert queries.history(session, view)[0].what == "发布"
    assert announced(database) == [
        events.AchievementSubmitted.name(),
        events.AchievementPublished.name(),
    ]


def test_an_incomplete_draft_is_refused_and_nothing_happens(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    made = draft(database, officer, university, now, comparison=(), trl=None)
    with pytest.raises(RuleBroken) as caught, database.transaction() as session:
        service.submit_for_review(session, actor=officer, now=now, achievement_id=made)
    assert {problem.field for problem in caught.value.problems} == {"comparison", "trl"}
    assert state_of(database, made) is AchievementState.DRAFT
    assert announced(database) == []


def test_the_chain_is_walked_in_order_by_the_right_people(
    database: Database, world: World, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    college = world.actor(Role.COLLEGE_APPROVER, university)
    leader = world.actor(Role.LEADER, university)
    stranger = world.actor(Role.LEADER)
    chain = [
        ReviewStep(Role.LEADER, Fen(50_000_000)),
        ReviewStep(Role.COLLEGE_APPROVER, Fen(0)),
        ReviewStep(Role.OFFICER, Fen(0)),
    ]
    with database.transaction() as session:
        service.set_chain(session, actor=officer, now=now, steps=chain)
    made = draft(database, officer, university, now)
    with database.transaction() as session:
        service.submit_for_review(session, actor=officer, now=now, achievement_id=made)
    # A change of the settings leaves the submission under way alone.
    with database.transaction() as session:
        service.set_chain(session, actor=officer, now=now, steps=[ReviewStep(Role.OFFICER, Fen(0))])
    with pytest.raises(NotAllowed, match="学院审批"), database.transaction() as session:
        service.approve_review(session, actor=leader, now=now, achievement_id=made)
    with pytest.raises(NotFound), database.transaction() as session:
        service.approve_review(session, actor=stranger, now=now, achievement_id=made)
    for reviewer in (college, officer):
        with database.reading() as session:
            assert [row.id for row in queries.awaiting_review(session, reviewer)] == [made]
        with database.transaction() as session:
            service.approve_review(session, actor=reviewer, now=now, achievement_id=made)
    with database.transaction() as session:
        service.return_review(
            session, actor=leader, now=now, achievement_id=made, reason="价格依据不足"
        )
    with database.reading() as session:
        outcomes = [step.outcome for step in queries.reviews(session, made)]
        assert outcomes == [
            ReviewOutcome.APPROVED,
            ReviewOutcome.APPROVED,
            ReviewOutcome.RETURNED,
        ]
        waiting = queries.waiting(session, officer, now=now)
        assert any("价格依据不足" in item.why for item in waiting)
    with pytest.raises(Conflict), database.transaction() as session:
        service.approve_review(session, actor=leader, now=now, achievement_id=made)


def test_members_cannot_publish_past_the_review(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    made = draft(database, officer, university, now)
    with pytest.raises(Conflict, match="单位审批"), database.transaction() as session:
        service.publish(session, actor=officer, now=now, achievement_id=made)
    for _ in range(2):
        with database.transaction() as session:
            service.publish(session, actor=SYSTEM, now=now, achievement_id=made)
    assert announced(database) == [events.AchievementPublished.name()]


def test_inventors_work_on_what_names_them(
    database: Database, world: World, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    inventor = world.actor(Role.INVENTOR, university, name="丁文韬")
    other = world.actor(Role.INVENTOR, university, name="别人")
    made = draft(database, officer, university, now)
    with database.reading() as session:
        content = queries.get_for(session, inventor, made).content
        assert content.inventors == (Inventor("丁文韬", inventor.user_id),)
        assert [row.id for row in queries.owned_by(session, inventor).items] == [made]
        assert queries.owned_by(session, other).items == []
        with pytest.raises(NotFound):
            queries.get_for(session, other, made)
    with database.transaction() as session:
        service.save_draft(
            session,
            actor=inventor,
            now=now,
            achievement_id=made,
            content=replace(content, benefit="每年省燃气 118 万立方米，两年收回投资。"),
            version=1,
        )
    with pytest.raises(NotFound), database.transaction() as session:
        service.save_draft(
            session, actor=other, now=now, achievement_id=made, content=content, version=2
        )


def test_a_published_record_stays_as_complete_as_it_was(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    made = published(database, officer, university, now)
    with pytest.raises(RuleBroken), database.transaction() as session:
        service.save_draft(
            session,
            actor=officer,
            now=now,
            achievement_id=made,
            content=complete_content(university, solution=""),
            version=None,
        )
    with database.transaction() as session:
        service.save_draft(
            session,
            actor=officer,
            now=now,
            achievement_id=made,
            content=complete_content(university, trl=8),
            version=None,
        )
    assert announced(database)[-1] == events.AchievementChanged.name()


def test_the_audit_never_repeats_the_confidential_part(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    made = draft(database, officer, university, now)
    with database.transaction() as session:
        service.save_draft(
            session,
            actor=officer,
            now=now,
            achievement_id=made,
            content=complete_content(university, confidential="金丝雀七号配方"),
            version=1,
        )
    with database.reading() as session:
        history = audit.history(session, f"achievement:{made}")
        assert history[-1].after == {"confidential": "7 字"}


def test_withdrawn_records_come_back_as_drafts(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    made = published(database, officer, university, now)
    with pytest.raises(RuleBroken), database.transaction() as session:
        service.withdraw(session, actor=officer, now=now, achievement_id=made, reason=" ")
    with database.transaction() as session:
        service.withdraw(session, actor=officer, now=now, achievement_id=made, reason="专利已转让")
    with database.reading() as session, pytest.raises(NotFound):
        queries.get_for(session, ANONYMOUS, made)
    with database.transaction() as session:
        service.reopen(session, actor=officer, now=now, achievement_id=made)
    assert state_of(database, made) is AchievementState.DRAFT


def test_listing_and_deal_marks(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    made = published(database, officer, university, now)
    with database.transaction() as session:
        service.mark_listed(session, actor=SYSTEM, now=now, achievement_id=made)
        service.mark_in_deal(session, actor=SYSTEM, now=now, achievement_id=made)
    assert state_of(database, made) is AchievementState.LISTED
    with pytest.raises(Conflict), database.transaction() as session:
        service.withdraw(session, actor=officer, now=now, achievement_id=made, reason="不卖了吧")
    with database.transaction() as session:
        service.mark_unlisted(session, actor=SYSTEM, now=now, achievement_id=made)
        service.mark_in_deal(session, actor=SYSTEM, now=now, achievement_id=made)
        service.mark_in_deal(session, actor=SYSTEM, now=now, achievement_id=made)
        service.mark_out_of_deal(session, actor=SYSTEM, now=now, achievement_id=made)
        service.mark_in_deal(session, actor=SYSTEM, now=now, achievement_id=made)
        service.mark_transferred(
            session,
            actor=SYSTEM,
            now=now,
            achievement_id=made,
            mode=TradingMode.LICENCE_ORDINARY,
        )
    assert state_of(database, made) is AchievementState.PUBLISHED
    for _ in range(2):
        with database.transaction() as session:
            service.mark_transferred(session, actor=SYSTEM, now=now, achievement_id=made)
    assert state_of(database, made) is AchievementState.TRANSFERRED
    assert announced(database).count(events.AchievementTransferred.name()) == 1


def test_an_incomplete_import_cannot_be_listed(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    with database.transaction() as session:
        (made,) = publish_imported(
            session,
            actor=officer,
            now=now,
            organisation_id=university.id,
            records=[ImportedAchievement(complete_content(university, trl=None), "title:1", "")],
        )
    with pytest.raises(RuleBroken, match="需要补充"), database.transaction() as session:
        service.mark_listed(session, actor=SYSTEM, now=now, achievement_id=made)


def _tick(database: Database, now: datetime) -> None:
    for task in due.TASKS:
        with database.transaction() as session:
            while task.run(session, now):
                pass


def test_unconfirmed_goes_stale_and_expires_unless_confirmed(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    kept = published(database, officer, university, now)
    forgotten = published(database, officer, university, now, title="没人确认的装置，效率 9 %")
    with database.reading() as session:
        stale_at = due.TASKS[0].next_due(session, now)
    assert stale_at == now + timedelta(days=180)
    _tick(database, stale_at - timedelta(seconds=1))
    with database.reading() as session:
        assert not queries.get_internal(session, kept).stale
    _tick(database, stale_at)
    with database.reading() as session:
        assert queries.get_internal(session, kept).stale
        items = queries.waiting(session, officer, now=stale_at)
        assert any("2 项成果长期未确认" in item.what for item in items)
        assert [d.rank for d in documents.documents(session)] == [0.8, 0.8]
    with database.transaction() as session:
        assert (
            service.confirm_current(
                session, actor=officer, now=stale_at, achievement_ids=[kept, kept]
            )
            == 1
        )
    with database.reading() as session:
        assert not queries.get_internal(session, kept).stale
    _tick(database, now + timedelta(days=731))
    assert state_of(database, forgotten) is AchievementState.EXPIRED
    assert state_of(database, kept) is AchievementState.PUBLISHED


def test_nobody_confirms_for_another_organisation(
    database: Database, world: World, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    made = published(database, officer, university, now)
    with pytest.raises(NotFound), database.transaction() as session:
        service.confirm_current(
            session, actor=world.actor(Role.OFFICER), now=now, achievement_ids=[made]
        )


CANARIES = {
    FieldGroup.SOLUTION: "金丝雀做法",
    FieldGroup.COMPARISON: "金丝雀指标",
    FieldGroup.MATURITY: "金丝雀证据",
    FieldGroup.IP_RIGHTS: "金丝雀号码",
    FieldGroup.INVENTORS: "金丝雀人名",
    FieldGroup.CONFIDENTIAL: "金丝雀配方",
}


@pytest.mark.parametrize("layer", [Visibility.MEMBERS, Visibility.AGREEMENT])
def test_hidden_fields_are_seen_by_nobody_who_may_not(
    database: Database,
    world: World,
    officer: Actor,
    university: OrganisationView,
    now: datetime,
    layer: Visibility,
) -> None:
    made = published(
        database,
        officer,
        university,
        now,
        solution=CANARIES[FieldGroup.SOLUTION] + "，把原来的三步合成了两步，不再需要加热炉。",
        comparison=(
            Comparison(CANARIES[FieldGroup.COMPARISON], "9", "%", "旧法", "8", EvidenceClass.SELF),
        ),
        trl_evidence=CANARIES[FieldGroup.MATURITY],
        ip_rights=(IPRight(IPKind.SECRET, "", CANARIES[FieldGroup.IP_RIGHTS]),),
        inventors=(Inventor(CANARIES[FieldGroup.INVENTORS]),),
        confidential=CANARIES[FieldGroup.CONFIDENTIAL],
        price_fen=Fen(987_654_300),
        visibility={g: layer for g in FieldGroup if g is not FieldGroup.CONFIDENTIAL},
    )
    buyer = world.actor(Role.ENTERPRISE)
    partner = world.actor(Role.ENTERPRISE)
    with database.transaction() as session:
        service.open_confidential_layer(
            session,
            actor=officer,
            now=now,
            achievement_id=made,
            organisation_id=partner.organisation_id or 0,
            ground="deal:1",
        )

    def seen_by(reader: Actor) -> str:
        with database.reading() as session:
            return str(queries.get_for(session, reader, made))

    elsewhere = (Role.OFFICER, Role.INVENTOR, Role.LEADER, Role.COLLEGE_APPROVER, Role.ORG_ADMIN)
    colleague = world.actor(Role.INVENTOR, university)
    outsiders = [ANONYMOUS, buyer, colleague, world.actor(Role.OPERATOR)]
    outsiders += [world.actor(role) for role in elsewhere]
    for reader in outsiders:
        text = seen_by(reader)
        member = reader.verified and layer is Visibility.MEMBERS
        for group, canary in CANARIES.items():
            readable = member and group is not FieldGroup.CONFIDENTIAL
            assert (canary in text) is readable, (reader, group)
        assert ("987654300" in text) is member
    for reader in (officer, partner):
        assert all(canary in seen_by(reader) for canary in CANARIES.values())

    with database.reading() as session:
        indexed = str(documents.find_document(session, made))
    assert "金丝雀" not in indexed
    assert "987654300" not in indexed

    with database.transaction() as session:
        service.close_confidential_layer(
            session,
            actor=officer,
            now=now,
            achievement_id=made,
            organisation_id=partner.organisation_id or 0,
            reason="协议到期",
        )
    assert CANARIES[FieldGroup.CONFIDENTIAL] not in seen_by(partner)


def test_documents_hold_what_is_published_only(
    database: Database, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    hidden = draft(database, officer, university, now)
    shown = published(database, officer, university, now)
    with database.reading() as session:
        assert documents.find_document(session, hidden) is None
        (document,) = documents.documents(session)
        assert document.id == f"achievement:{shown}"
        assert document.price == 180_000_000
        assert document.industry == ("C25",)
        assert "钒钛催化剂" in document.body


def test_owners_are_linked_by_name_and_keep_their_link(
    database: Database, world: World, officer: Actor, university: OrganisationView, now: datetime
) -> None:
    partner = world.organisation(name="鲁中环境材料研究院")
    owners = (Owner("泉城理工大学", 7_000), Owner("鲁中环境材料研究院", 3_000))
    made = draft(database, officer, university, now, owners=owners)
    with database.reading() as session:
        content = queries.get_internal(session, made).content
    assert [owner.organisation_id for owner in content.owners] == [university.id, partner.id]
