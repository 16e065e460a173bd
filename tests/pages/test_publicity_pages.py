"""The notice board through its pages: objections by anybody, answers by the office."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from sqlalchemy import func, select

from marketplace.foundation.access import SYSTEM
from marketplace.foundation.attachments import AttachmentStore
from marketplace.publicity import service
from marketplace.publicity.models import Notice, Objection
from marketplace.publicity.rules import ObjectionState, PublicityKind, PublicityState
from tests.trading import Hall

PDF = b"%PDF-1.4\n1 0 obj\n<< /Type /Catalog >>\nendobj\ntrailer\n<< /Root 1 0 R >>\n%%EOF\n"
OBJECTION = {
    "text": "受让方与第二发明人为近亲属，公告没有注明。",
    "name": "李明",
    "contact": "13800001234",
}


@pytest.fixture
def hall(sqlite_database: Any, page_world: Any, now: Any) -> Hall:
    return Hall(sqlite_database, page_world, now)


@pytest.fixture
def notice_id(hall: Hall) -> int:
    made: int = hall.do(
        service.open,
        SYSTEM,
        kind=PublicityKind.NEGOTIATED_PRICE,
        subject="order:1",
        title="两项手术导航专利以 230 万元转让",
        body="拟以协议定价方式转让。\n<script>alert(1)</script>",
        organisation_id=hall.university.id,
        facts=[("受让方", "云帆医疗")],
    )
    return made


def text(answer: Any) -> str:
    return re.sub(r"\s+", " ", answer.get_data(as_text=True))


def count(hall: Hall) -> int:
    found: int = hall.read(lambda s: s.scalar(select(func.count()).select_from(Objection)))
    return found


def test_the_board_lists_by_kind_and_state(client: Any, hall: Hall, notice_id: int) -> None:
    assert "230 万元" in text(client.get("/notices"))
    assert "230 万元" in text(client.get("/notices?kind=negotiated_price&state=running"))
    assert "没有这样的公示" in text(client.get("/notices?kind=subsidy_claim"))
    assert "没有这样的公示" in text(client.get("/notices?state=ended"))
    page = client.get(f"/notices/{notice_id}").get_data(as_text=True)
    assert "2024-03-30" in page
    assert "<script>alert" not in page


def test_the_public_objects_and_reads_the_answer_but_never_the_name(
    client: Any, hall: Hall, notice_id: int, settle: Any
) -> None:
    page = f"/notices/{notice_id}/objections"
    missing = client.send(page, text="不同意", name="", contact="1")
    assert missing.status_code == 422
    assert "请填写“姓名或单位名称”" in text(missing)
    assert count(hall) == 0
    for _ in range(2):
        assert client.send(page, submission_key="o1", **OBJECTION).status_code == 303
    assert count(hall) == 1
    shown = text(client.get(f"/notices/{notice_id}"))
    assert "因异议中止" in shown
    for secret in ("李明", "13800001234", "近亲属"):
        assert secret not in shown

    client.sign_in_as(hall.operator)
    assert "答复异议" in text(client.get("/workbench"))
    answer = f"/notices/{notice_id}/objections/1/answer"
    file = text(client.get(answer))
    for known in ("李明", "13800001234", "近亲属"):
        assert known in file
    assert client.send(answer, decision="no", answer="不成立").status_code == 422
    done = client.send(answer, decision="no", answer="经核查户籍资料，双方没有亲属关系。")
    assert done.status_code == 303
    client.sign_out()
    shown = text(client.get(f"/notices/{notice_id}"))
    assert "没有亲属关系" in shown
    assert "李明" not in shown
    state = hall.read(lambda s: s.get_one(Notice, notice_id).state)
    assert state is PublicityState.OPEN


def test_a_member_objects_under_its_own_name_with_a_file(
    client: Any, hall: Hall, notice_id: int, services: Any
) -> None:
    _, member = hall.enterprise("锐泉精密")
    client.sign_in_as(member)
    sent = client.post(
        f"/notices/{notice_id}/objections",
        data={
            "text": "同类专利去年成交价高出一倍。",
            "attachments": (io.BytesIO(PDF), "证明.pdf"),
        },
    )
    assert sent.status_code == 303
    objection = hall.read(lambda s: s.scalars(select(Objection)).one())
    assert objection.organisation_id == member.organisation_id
    own = text(client.get(f"/notices/{notice_id}"))
    assert "同类专利去年成交价高出一倍" in own
    assert "证明.pdf" in own
    path = f"/notices/{notice_id}/objections/{objection.id}/attachments/1"
    assert client.get(path).data == PDF
    client.sign_in_as(hall.enterprise()[1])
    assert client.get(path).status_code == 404
    assert "同类专利" not in text(client.get(f"/notices/{notice_id}"))
    assert services.resources[AttachmentStore]


def test_a_disguised_file_is_refused_and_nothing_is_stored(
    client: Any, hall: Hall, notice_id: int
) -> None:
    sent = client.post(
        f"/notices/{notice_id}/objections",
        data={**OBJECTION, "attachments": (io.BytesIO(b"MZ" + b"\0" * 200), "证明.pdf")},
    )
    assert sent.status_code == 422
    assert "内容不是 PDF" in text(sent)
    assert "近亲属" in text(sent)
    assert count(hall) == 0
    state = hall.read(lambda s: s.get_one(Notice, notice_id).state)
    assert state is PublicityState.OPEN


def test_only_the_responsible_office_answers(client: Any, hall: Hall, notice_id: int) -> None:
    client.send(f"/notices/{notice_id}/objections", **OBJECTION)
    answer = f"/notices/{notice_id}/objections/1/answer"
    client.sign_in_as(hall.officer)
    assert client.get(answer).status_code == 403
    assert hall.read(lambda s: s.get_one(Objection, 1).state) is ObjectionState.OPEN


def test_after_the_end_nobody_objects(
    client: Any, hall: Hall, notice_id: int, clock: Any, settle: Any
) -> None:
    clock.forward(days=16)
    settle()
    shown = text(client.get(f"/notices/{notice_id}"))
    assert "公示通过" in shown
    assert 'name="text"' not in shown
    late = client.send(f"/notices/{notice_id}/objections", **OBJECTION)
    assert late.status_code == 422
    assert count(hall) == 0
