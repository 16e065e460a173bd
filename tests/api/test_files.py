"""Files go in and out through the services, limits and traces of the pages."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from datetime import datetime

import pytest
from pypdf import PdfReader
from sqlalchemy import func, select

from marketplace.brokerage import service as brokerage
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.attachments import MAX_BYTES, MOST_KEPT, Attachment
from marketplace.foundation.audit import AuditRow
from marketplace.foundation.db import Database
from marketplace.foundation.virus_scan import Scanner
from marketplace.foundation.web.file_fields import MOST_FILES
from marketplace.publicity import service as publicity
from marketplace.publicity.rules import PublicityKind
from marketplace.wiring import Services
from seed.demo.paper import write_paper
from tests.api.conftest import MakeProgram, Program
from tests.clamd import EICAR, FakeClamd
from tests.dealing import Market
from tests.subsidies import SubsidyYear
from tests.world import PDF, World

REPORT = ("检测报告.pdf", PDF)
OTHER = ("检测报告.pdf", PDF + b"\n")


@pytest.fixture
def officer(page_world: World) -> Actor:
    return page_world.actor(Role.OFFICER)


@pytest.fixture
def owner(officer: Actor, program: MakeProgram) -> Program:
    caller = program(officer)
    assert caller.post("/achievements", {"title": "低温脱硝催化剂"}).status_code == 201
    return caller


@pytest.fixture
def market(
    sqlite_database: Database, page_world: World, now: datetime, services: Services
) -> Market:
    return Market(sqlite_database, page_world, now, services.settings.data_dir / "attachments")


FILES = "/achievements/1/files"


def _count(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Attachment)) or 0


def _downloads(database: Database) -> list[str]:
    with database.reading() as session:
        return list(
            session.scalars(
                select(AuditRow.subject).where(AuditRow.action == "attachments.download")
            )
        )


def test_a_file_is_sent_listed_fetched_and_taken_off(
    owner: Program, sqlite_database: Database
) -> None:
    sent = owner.send(FILES, REPORT, content={"visibility": "owner"})
    assert sent.status_code == 201, sent.text
    [line] = sent.json["items"]
    assert (line["name"], line["byte_count"], line["visibility"]) == (
        "检测报告.pdf",
        len(PDF),
        "owner",
    )
    assert owner.get("/achievements/1").json["files"] == [line]
    fetched = owner.get(f"{FILES}/{line['id']}")
    assert (fetched.status_code, fetched.data, fetched.mimetype) == (200, PDF, "application/pdf")
    assert fetched.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''%E6")
    assert fetched.headers["Cache-Control"] == "no-store"
    assert _downloads(sqlite_database) == ["achievement:1"]
    assert owner.call("DELETE", f"{FILES}/{line['id']}").status_code == 200
    assert owner.get(f"{FILES}/{line['id']}").status_code == 404
    assert owner.get("/achievements/1").json["files"] == []


def test_a_file_that_may_not_be_seen_is_told_as_one_that_is_not_there(
    owner: Program, page_world: World, program: MakeProgram, sqlite_database: Database
) -> None:
    number = owner.send(FILES, REPORT, content={"visibility": "owner"}).json["items"][0]["id"]
    stranger = program(page_world.actor(Role.ENTERPRISE))
    hidden, absent = stranger.get(f"{FILES}/{number}"), stranger.get("/achievements/9/files/9")
    assert hidden.status_code == absent.status_code == 404
    assert {**hidden.json, "reference": ""} == {**absent.json, "reference": ""}
    other = program(page_world.actor(Role.OFFICER))
    assert other.send(FILES, REPORT).status_code == 404
    assert other.call("DELETE", f"{FILES}/{number}").status_code == 404
    assert _downloads(sqlite_database) == []


def test_the_same_files_under_one_key_are_kept_once(
    owner: Program, sqlite_database: Database
) -> None:
    """Each try has a boundary of its own; what counts are the fields and the files' digests."""
    first, again = (
        owner.send(FILES, REPORT, content={"visibility": "members"}, Idempotency_Key="k")
        for _ in range(2)
    )
    assert first.request.content_type != again.request.content_type
    assert (again.status_code, again.json) == (201, first.json)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert _count(sqlite_database) == 1


@pytest.mark.parametrize(
    ("files", "content"),
    [
        ([OTHER], {"visibility": "members"}),
        ([REPORT], {"visibility": "owner"}),
        ([("别的名字.pdf", PDF)], {"visibility": "members"}),
        ([REPORT, OTHER], {"visibility": "members"}),
    ],
)
def test_other_content_under_the_same_key_is_refused(
    owner: Program,
    sqlite_database: Database,
    files: list[tuple[str, bytes]],
    content: dict[str, str],
) -> None:
    owner.send(FILES, REPORT, content={"visibility": "members"}, Idempotency_Key="k")
    answer = owner.send(FILES, *files, content=content, Idempotency_Key="k")
    assert (answer.status_code, answer.json["code"]) == (409, "api.key_reused")
    assert _count(sqlite_database) == 1


@pytest.mark.parametrize(
    ("file", "said"),
    [
        (("报告.exe", PDF), "不接受“.exe”文件"),
        (("报告.docx", PDF), "改过扩展名"),
        (("报告.pdf", b""), "是空的"),
        (("报告.pdf", PDF + b"0" * MAX_BYTES), "上限是 15 MB"),
    ],
)
def test_the_rules_of_uploads_hold(
    owner: Program, sqlite_database: Database, file: tuple[str, bytes], said: str
) -> None:
    answer = owner.send(FILES, REPORT, file)
    assert answer.status_code == 422
    [problem] = answer.json["errors"]
    assert problem["field"] == "attachments"
    assert said in problem["message"]
    assert _count(sqlite_database) == 0


def test_so_many_files_at_once(owner: Program, sqlite_database: Database) -> None:
    answer = owner.send(FILES, *[REPORT] * (MOST_FILES + 1))
    assert answer.status_code == 422
    assert f"一次最多上传 {MOST_FILES} 个文件" in answer.json["errors"][0]["message"]
    assert _count(sqlite_database) == 0


@pytest.mark.parametrize("made", ["achievement", "need"])
def test_so_many_files_in_all(
    owner: Program, market: Market, program: MakeProgram, sqlite_database: Database, made: str
) -> None:
    caller, place = owner, FILES
    if made == "need":
        caller, place = program(market.buyer), "/needs/1/files"
        assert caller.post("/needs", {"title": "铝压铸件气孔率"}).status_code == 201
    for _ in range(MOST_KEPT // MOST_FILES):
        assert caller.send(place, *[REPORT] * MOST_FILES).status_code == 201
    kept = _count(sqlite_database)
    answer = caller.send(place, *[REPORT] * (MOST_KEPT - kept + 1))
    assert answer.status_code == 422
    [problem] = answer.json["errors"]
    assert (problem["code"], problem["field"]) == ("attachments.too_many", "attachments")
    assert f"最多 {MOST_KEPT} 个附件，已有 {kept} 个" in problem["message"]
    assert _count(sqlite_database) == kept
    if kept < MOST_KEPT:
        assert caller.send(place, *[REPORT] * (MOST_KEPT - kept)).status_code == 201


def test_without_a_file_it_is_said_which_part_is_missing(owner: Program) -> None:
    for answer in (owner.send(FILES), owner.post(FILES, {"visibility": "owner"})):
        assert answer.status_code == 422
        assert answer.json["errors"][0]["field"] == "attachments"


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ({"state": "published"}, "state"),
        ({"licence": (io.BytesIO(PDF), "a.pdf")}, "licence"),
        ({"content": ["{}", "{}"]}, "content"),
        ({"content": '{"state": "published"}'}, "state"),
        ({"content": "["}, None),
    ],
)
def test_a_part_without_a_meaning_is_refused(
    owner: Program, sqlite_database: Database, parts: dict[str, object], field: str | None
) -> None:
    answer = owner.client.post(
        f"/api/v1{FILES}",
        data={**parts, "attachments": (io.BytesIO(PDF), "检测报告.pdf")},
        headers={"Authorization": f"Bearer {owner.token}"},
    )
    assert answer.status_code == 422, answer.text
    assert answer.json["errors"][0]["field"] == field
    assert _count(sqlite_database) == 0


def test_json_stays_small_also_beside_files(owner: Program) -> None:
    answer = owner.send(FILES, REPORT, content={"visibility": "x" * 600_000})
    assert answer.status_code == 413


@pytest.fixture
def clamd() -> Iterator[FakeClamd]:
    made = FakeClamd()
    yield made
    made.stop()


def test_files_are_scanned(
    owner: Program, officer: Actor, clamd: FakeClamd, sqlite_database: Database
) -> None:
    owner.client.application.extensions["resources"][Scanner] = Scanner(clamd.address)
    answer = owner.send(FILES, ("报告.pdf", PDF + EICAR))
    assert answer.status_code == 422
    assert "查出恶意程序" in answer.json["errors"][0]["message"]
    assert _count(sqlite_database) == 0
    with sqlite_database.reading() as session:
        row = session.scalars(
            select(AuditRow).where(AuditRow.action == "attachments.infected")
        ).one()
    assert row.user_id == officer.user_id
    assert owner.send(FILES, REPORT).status_code == 201


def test_a_needs_file_is_read_by_whom_it_is_meant_for(
    page_world: World, program: MakeProgram
) -> None:
    caller = program(page_world.actor(Role.ENTERPRISE))
    assert caller.post("/needs", {"title": "焊缝检测"}).status_code == 201
    sent = caller.send("/needs/1/files", REPORT, content={"visibility": "owner"})
    number = sent.json["items"][0]["id"]
    assert caller.get(f"/needs/1/files/{number}").data == PDF
    stranger = program(page_world.actor(Role.OFFICER))
    assert stranger.get(f"/needs/1/files/{number}").status_code == 404
    assert caller.call("DELETE", f"/needs/1/files/{number}").status_code == 200
    assert caller.get("/needs/1").json["files"] == []


def test_a_contracts_text_goes_with_its_form(
    market: Market, program: MakeProgram, page_world: World, sqlite_database: Database
) -> None:
    seller, buyer = program(market.officer), program(market.buyer)
    number = seller.post("/contracts").json["id"]
    address = f"/contracts/{number}"
    record = seller.get(address).json
    content = record["content"] | {
        "project_name": "低温脱硝技术开发",
        "buyer_uscc": market.firm.uscc,
        "version": record["version"],
    }
    saved = seller.send(address, REPORT, method="PUT", content=content)
    assert saved.status_code == 200, saved.text
    [line] = seller.get(address).json["files"]
    assert line["visibility"] == "owner"
    assert seller.get(f"{address}/files/{line['id']}").data == PDF
    assert _downloads(sqlite_database) == [f"contract:{number}"]
    stranger = program(page_world.actor(Role.ENTERPRISE))
    assert stranger.get(f"{address}/files/{line['id']}").status_code == 404
    assert buyer.call("DELETE", f"{address}/files/{line['id']}").status_code == 404
    assert seller.call("DELETE", f"{address}/files/{line['id']}").status_code == 200


def test_what_follows_a_registration_carries_its_papers(
    market: Market, program: MakeProgram, page_world: World
) -> None:
    address = f"/contracts/{market.registered()}"
    seller, buyer, registrar = (
        program(actor) for actor in (market.officer, market.buyer, market.registrar)
    )
    stranger = program(page_world.actor(Role.ENTERPRISE))
    paid = {"received_on": "2024-03-15", "amount": "600000", "reference": "HD20240315"}
    assert seller.send(f"{address}/receipts", REPORT, content=paid).status_code == 201
    listed = registrar.get(f"{address}/receipts").json
    [receipt] = listed["items"]
    assert (listed["received"], receipt["state"]) == ("600000.00", "declared")
    proof = f"{address}/receipts/{receipt['id']}/proof"
    assert registrar.get(proof).data == PDF
    assert stranger.get(proof).status_code == 404
    terms = {"amount": "1500000", "technology_amount": "1500000", "reason": "补充协议一"}
    unproved = seller.send(f"{address}/amendments", content=terms)
    assert unproved.json["errors"][0]["field"] == "attachments"
    changed = seller.send(f"{address}/amendments", REPORT, content=terms)
    assert changed.status_code == 201, changed.text
    [application] = registrar.get(f"{address}/amendments").json["items"]
    paper = f"{address}/amendments/{application['id']}/files/{application['files'][0]['id']}"
    assert buyer.get(paper).data == PDF
    assert stranger.get(paper).status_code == 404
    taken = f"{address}/amendments/{application['id']}/withdrawal"
    assert buyer.post(taken).status_code == 404
    assert seller.post(taken).status_code == 200
    asked = seller.send(f"{address}/cancellation", REPORT, content={"reason": "双方已解除合同"})
    assert asked.status_code == 201
    certificate = buyer.get(f"{address}/certificate")
    assert certificate.mimetype == "application/pdf"
    assert stranger.get(f"{address}/certificate").status_code == 404


def test_a_claim_is_sent_with_its_proofs(
    page_world: World, now: datetime, program: MakeProgram, sqlite_database: Database
) -> None:
    year = SubsidyYear(page_world, now)
    _offices = year.district, year.centre, year.bureau
    year.register()
    claim_id = year.prepared(year.open_round())
    caller = program(year.officer)
    record = caller.get(f"/claims/{claim_id}").json
    application = {
        "confirmed": record["claimable"].replace(".", "").lstrip("0") or "0",
        "contact_name": "经办人甲",
        "contact_phone": "0531-66600000",
        "bank_name": "齐鲁银行历城支行",
        "bank_account": "1234 5678 9012 3456",
        "declared": True,
    }
    sent = caller.send(f"/claims/{claim_id}/application", REPORT, content=application)
    assert sent.status_code == 200, sent.text
    [line] = caller.get(f"/claims/{claim_id}").json["files"]
    address = f"/claims/{claim_id}/files/{line['id']}"
    assert caller.get(address).data == PDF
    assert program(year.district).get(address).data == PDF
    assert program(page_world.actor(Role.OFFICER)).get(address).status_code == 404
    assert _downloads(sqlite_database) == [f"claim:{claim_id}"] * 2


def test_an_objections_proof_reaches_who_answers_it(
    market: Market, page_world: World, program: MakeProgram
) -> None:
    notice_id = market.do(
        publicity.open,
        SYSTEM,
        kind=PublicityKind.NEGOTIATED_PRICE,
        subject="order:1",
        title="两项手术导航专利以 230 万元转让",
        body="拟以协议定价方式转让。",
        organisation_id=market.university.id,
    )
    raiser, operator, other = (
        program(actor) for actor in (market.buyer, page_world.actor(Role.OPERATOR), market.officer)
    )
    address = f"/notices/{notice_id}"
    said = {"text": "受让方与第二发明人为近亲属，公告没有注明。"}
    sent = raiser.send(f"{address}/objections", REPORT, content=said)
    assert sent.status_code == 201, sent.text
    [own] = raiser.get(address).json["readable_objections"]
    file = f"{address}/objections/{own['id']}/files/{own['files'][0]['id']}"
    assert raiser.get(file).data == operator.get(file).data == PDF
    assert other.get(file).status_code == 404
    seen = other.get(address).json
    assert seen["readable_objections"] == []
    assert market.buyer.name not in json.dumps(seen, ensure_ascii=False)
    assert [entry["state"] for entry in seen["objections"]] == ["open"]
    assert [line["id"] for line in other.get("/notices?state=suspended").json["items"]] == [
        notice_id
    ]


def test_a_data_room_opens_by_agreement_and_marks_what_leaves(
    market: Market, program: MakeProgram, page_world: World
) -> None:
    deal_id = market.deal()
    owner, buyer = program(market.officer), program(market.buyer)
    room = f"/deals/{deal_id}/room"
    assert buyer.get(room).status_code == 404
    assert buyer.post(room).status_code == 403
    assert owner.post(room).status_code == 200
    paper = ("检测报告.pdf", write_paper("检测报告", ["脱硝率 92 %"]))
    put = owner.send(f"{room}/files", paper, content={"reach": "room"})
    assert put.status_code == 201, put.text
    assert buyer.get(room).json["files"] == []
    market.agree(deal_id)
    [file] = buyer.get(room).json["files"]
    opened = buyer.post(f"{room}/files/{file['id']}/openings")
    assert opened.status_code == 201
    sent = buyer.get(f"/room-openings/{opened.json['id']}/content")
    assert market.buyer.name in PdfReader(io.BytesIO(sent.data)).pages[0].extract_text()
    for stranger in (owner, program(page_world.actor(Role.ENTERPRISE))):
        answer = stranger.get(f"/room-openings/{opened.json['id']}/content")
        assert answer.status_code == 404
    assert owner.post(f"{room}/closure", {"reason": "谈判暂停，先收回全部资料"}).status_code == 200
    assert buyer.get(f"/room-openings/{opened.json['id']}/content").status_code == 404
    assert buyer.get(room).json["files"] == []


def test_the_room_of_another_deal_is_not_reached_by_its_files(
    market: Market, program: MakeProgram
) -> None:
    with_room, without = market.deal(), market.deal(market.achievement())
    market.agree(with_room)
    for deal_id in (with_room, without):
        market.do(brokerage.open_room, market.officer, deal_id=deal_id)
    owner = program(market.officer)
    paper = ("检测报告.pdf", write_paper("检测报告", ["脱硝率 92 %"]))
    put = owner.send(f"/deals/{with_room}/room/files", paper, content={"reach": "room"})
    file_id = put.json["files"][0]["id"]
    assert owner.call("DELETE", f"/deals/{without}/room/files/{file_id}").status_code == 404
    answer = program(market.buyer).post(f"/deals/{without}/room/files/{file_id}/openings")
    assert answer.status_code == 404
