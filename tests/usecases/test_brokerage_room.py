"""The data room on both databases: who gets in, by which link, and how it ends at once."""

from __future__ import annotations

import io
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from PIL import ExifTags, Image
from pypdf import PdfReader
from sqlalchemy import select

from marketplace.accounts import queries as accounts
from marketplace.accounts import service as account_service
from marketplace.brokerage import queries, room_queries, service, watermark
from marketplace.brokerage.room_models import RoomAccess, RoomLink
from marketplace.brokerage.room_rules import FileReach, LadderStep
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed, NotFound, RuleBroken
from seed.demo.paper import write_paper
from tests.dealing import PDF, Market, at_once
from tests.world import World

REPORT = write_paper("检测报告", ["脱硝率 92 %"])


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    return Market(database, world, now, tmp_path / "files")


class Filled:
    """An agreed deal with an open data room that holds one file."""

    def __init__(self, market: Market, reach: FileReach = FileReach.ROOM) -> None:
        self.market = market
        self.deal_id = market.deal()
        self.agreement_id = market.agree(self.deal_id)
        self.room_id = int(market.do(service.open_room, market.officer, deal_id=self.deal_id))
        (self.file_id,) = self.put("检测报告.pdf", REPORT, reach)

    def put(self, name: str, content: bytes, reach: FileReach = FileReach.ROOM) -> list[int]:
        made: list[int] = self.market.do(
            service.add_files,
            self.market.officer,
            room_id=self.room_id,
            uploads=[Upload(name, content)],
            reach=reach,
            store=self.market.store,
        )
        return made

    def open(self, actor: Actor | None = None) -> int:
        return int(
            self.market.do(service.open_file, actor or self.market.buyer, file_id=self.file_id)
        )

    def link(self, reader: Actor, *, single_use: bool = True) -> str:
        self.market.do(
            service.issue_link,
            self.market.officer,
            file_id=self.file_id,
            user_id=reader.user_id,
            single_use=single_use,
            valid_to=self.market.today + timedelta(days=7),
        )
        with self.market.database.reading() as session:
            newest = select(RoomLink.token).order_by(RoomLink.id.desc()).limit(1)
            return session.scalars(newest).one()

    def use(self, token: str, actor: Actor | None = None) -> int:
        return int(self.market.do(service.use_link, actor or self.market.buyer, token=token))

    def fetch(self, access_id: int, actor: Actor | None = None) -> room_queries.OpenedFile:
        with self.market.database.reading() as session:
            return room_queries.fetch(
                session,
                actor or self.market.buyer,
                access_id,
                now=self.market.now,
                store=self.market.store,
            )


def code(refusal: pytest.ExceptionInfo[Any]) -> str:
    return str(refusal.value.code)


def test_only_the_owner_keeps_the_room_and_only_the_buyer_reads(market: Market) -> None:
    room = Filled(market)
    for actor in (market.broker, market.head, market.buyer):
        with pytest.raises(NotAllowed):
            market.do(service.open_room, actor, deal_id=room.deal_id)
    assert market.do(service.open_room, market.officer, deal_id=room.deal_id) == room.room_id
    opened = room.fetch(room.open())
    assert (opened.content, opened.user_name) == (REPORT, "高远")
    for stranger in (market.world.actor(Role.ENTERPRISE), market.officer):
        with pytest.raises(NotFound):
            room.open(stranger)
    with pytest.raises(NotAllowed):
        room.open(market.broker)
    with market.database.reading() as session:
        deal = queries.get_deal(session, market.officer, room.deal_id)
        (line,) = room_queries.accesses(session, deal)
        assert (line.user_name, line.file_name, line.by_link) == ("高远", "检测报告.pdf", False)
        buyer_side = queries.get_deal(session, market.buyer, room.deal_id)
        assert room_queries.accesses(session, buyer_side) == []
        broker_side = queries.get_deal(session, market.broker, room.deal_id)
        assert room_queries.files(session, market.broker, broker_side) == []
        steps = room_queries.ladder(session, buyer_side, now=market.now)
        assert [rung.step for rung in steps if rung.reached] == list(LadderStep)


def test_what_is_taken_back_counts_at_once(market: Market) -> None:
    room = Filled(market)
    access = room.open()
    other = market.world.actor(Role.ENTERPRISE, market.firm)
    with pytest.raises(NotFound):
        room.fetch(access, other)

    market.do(service.close_room, market.officer, room_id=room.room_id, reason="换了受让方")
    with pytest.raises(NotFound):
        room.fetch(access)
    with pytest.raises(NotAllowed) as refusal:
        room.open()
    assert code(refusal) == "room.closed"
    market.do(service.open_room, market.officer, deal_id=room.deal_id)
    room.fetch(access)

    market.do(
        service.revoke_agreement,
        market.officer,
        agreement_id=room.agreement_id,
        reason="资料外传，收回协议",
    )
    with pytest.raises(NotFound):
        room.fetch(access)
    with pytest.raises(NotAllowed) as refusal:
        room.open()
    assert code(refusal) == "room.no_agreement"
    market.agree(room.deal_id)

    market.do(service.withdraw_file, market.officer, file_id=room.file_id)
    with pytest.raises(NotFound):
        room.fetch(access)
    with pytest.raises(NotAllowed) as refusal:
        room.open()
    assert code(refusal) == "room.file_withdrawn"


def test_an_opening_is_fetched_within_minutes(market: Market) -> None:
    room = Filled(market)
    access = room.open()
    market.now += timedelta(minutes=5)
    room.fetch(access)
    market.now += timedelta(seconds=1)
    with pytest.raises(NotFound):
        room.fetch(access)


def test_a_personal_link_is_its_reader_s_once_and_until_taken_back(market: Market) -> None:
    room = Filled(market, FileReach.LINK)
    with pytest.raises(NotAllowed) as refusal:
        room.open()
    assert code(refusal) == "room.by_link_only"
    token = room.link(market.buyer)
    colleague = market.world.actor(Role.ENTERPRISE, market.firm)
    with pytest.raises(NotAllowed) as refusal:
        room.use(token, colleague)
    assert code(refusal) == "room.link_of_another"
    with pytest.raises(NotFound):
        room.use(token, market.world.actor(Role.ENTERPRISE))
    assert room.fetch(room.use(token)).content == REPORT
    with pytest.raises(NotAllowed) as refusal:
        room.use(token)
    assert code(refusal) == "room.link_used"

    several = room.link(market.buyer, single_use=False)
    room.use(several)
    access = room.use(several)
    with market.database.reading() as session:
        link_id = session.scalars(select(RoomLink.id).where(RoomLink.token == several)).one()
    market.do(service.revoke_link, market.officer, link_id=link_id)
    with pytest.raises(NotFound):
        room.fetch(access)
    with pytest.raises(NotAllowed) as refusal:
        room.use(several)
    assert code(refusal) == "room.link_revoked"
    with pytest.raises(RuleBroken):
        room.link(market.world.actor(Role.ENTERPRISE))


def test_two_clicks_in_one_instant_use_a_link_once(market: Market) -> None:
    room = Filled(market, FileReach.LINK)
    token = room.link(market.buyer)
    results = at_once(*[lambda: room.use(token)] * 4)
    assert sum(isinstance(each, int) for each in results) == 1
    with market.database.reading() as session:
        assert len(session.scalars(select(RoomAccess)).all()) == 1


def test_rights_end_with_the_membership_at_once(market: Market) -> None:
    room = Filled(market, FileReach.LINK)
    reader = market.world.actor(Role.ENTERPRISE, market.firm, name="孙工")
    token = room.link(reader, single_use=False)
    access = room.use(token, reader)
    room.fetch(access, reader)
    admin = market.world.actor(Role.ORG_ADMIN, market.firm)
    market.do(account_service.end_membership, admin, user_id=reader.user_id)
    with market.database.reading() as session:
        gone = accounts.actor_for(session, reader.user_id or 0, market.firm.id)
    later = gone or Actor(reader.user_id, None, name=reader.name)
    with pytest.raises((NotFound, NotAllowed)):
        room.use(token, later)
    with pytest.raises(NotFound):
        room.fetch(access, later)


def test_what_cannot_carry_a_name_is_refused_or_said(market: Market) -> None:
    room = Filled(market)
    for name, content in (("空.pdf", PDF), ("坏.png", b"\x89PNG\r\n\x1a\n" + b"0" * 40)):
        with pytest.raises(RuleBroken):
            room.put(name, content)
    with pytest.raises(RuleBroken):
        market.do(
            service.add_files,
            market.officer,
            room_id=room.room_id,
            uploads=[],
            reach=FileReach.ROOM,
            store=market.store,
        )
    picture = io.BytesIO()
    Image.new("RGB", (40, 30), "white").save(picture, "PNG")
    room.put("现场.png", picture.getvalue())
    with market.database.reading() as session:
        deal = queries.get_deal(session, market.buyer, room.deal_id)
        listed = room_queries.files(session, market.buyer, deal)
    assert [file.marked for file in listed] == [True, True]


def test_every_page_carries_the_reader_s_name(market: Market) -> None:
    room = Filled(market)
    opened = room.fetch(room.open())
    words = "高远 锐泉精密 2024-03-15 09:00"
    name, marked = watermark.mark(opened.attachment, opened.content, words=words)
    assert name == "检测报告.pdf"
    for page in PdfReader(io.BytesIO(marked)).pages:
        shown = page.extract_text()
        assert "高远" in shown
        assert "锐泉精密" in shown
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(picture, "JPEG")
    room.file_id = room.put("现场.jpg", picture.getvalue())[0]
    shot = room.fetch(room.open())
    name, marked = watermark.mark(shot.attachment, shot.content, words=words)
    assert name == "现场.jpg.pdf"
    assert "高远" in PdfReader(io.BytesIO(marked)).pages[0].extract_text()


def test_a_picture_stands_upright_without_the_camera_s_notes(market: Market) -> None:
    room = Filled(market)
    notes = Image.Exif()
    notes[ExifTags.Base.Orientation] = 6
    notes[ExifTags.Base.Model] = "CAMERA-4711"
    picture = io.BytesIO()
    Image.new("RGB", (400, 300), "white").save(picture, "JPEG", exif=notes)
    assert b"CAMERA-4711" in picture.getvalue()
    room.file_id = room.put("现场.jpg", picture.getvalue())[0]
    shot = room.fetch(room.open())
    marked = watermark.mark(shot.attachment, shot.content, words="高远")[1]
    assert b"CAMERA-4711" not in marked
    (page,) = PdfReader(io.BytesIO(marked)).pages
    assert (page.mediabox.width, page.mediabox.height) == (225, 300)
    assert [shown.image.size for shown in page.images] == [(300, 400)]


def test_a_deal_without_an_achievement_has_no_room(market: Market) -> None:
    room = Filled(market)
    assert market.do(service.open_room, SYSTEM, deal_id=room.deal_id) == room.room_id
    with pytest.raises(RuleBroken):
        market.do(service.close_room, market.officer, room_id=room.room_id, reason="不")
