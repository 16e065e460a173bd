"""Certificates: issued at signing, sealed, told genuine or changed to the byte, withdrawn."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import PdfFileReader
from sqlalchemy import select

from marketplace.foundation import audit
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.db import Database
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import certificate_queries, certificate_service, service
from marketplace.listings.certificate_models import Certificate
from marketplace.listings.certificate_rules import (
    CertificateState,
    FileFinding,
    clean_number,
    first_difference,
)
from marketplace.listings.document_seal import TEST_OWNER, read_seal, seal_for_trying
from marketplace.listings.rules import PricingMode
from tests.trading import BASE, Hall, local, offer
from tests.world import World


@pytest.fixture
def hall(database: Database, world: World) -> Hall:
    return Hall(database, world, local(2024, 3, 15, 10))


def signed(hall: Hall) -> int:
    """Bring a negotiated listing to its registered contract."""
    listing_id = hall.announced(offer(PricingMode.NEGOTIATED, deposit_fen=Fen(0)))
    buyer = hall.enterprise("济南晶途光电设备有限公司")[1]
    intent_id = hall.intent(listing_id, buyer)
    hall.admit(intent_id)
    hall.settle()
    hall.do(service.agree_price, hall.officer, intent_id=intent_id, price_fen=BASE)
    hall.at(local(2024, 4, 2, 9))
    hall.do(service.mark_signed, hall.operator, listing_id=listing_id, contract_no="JN-2024-0007")
    return listing_id


def sealed(hall: Hall, folder: Path) -> tuple[AttachmentStore, bytes]:
    store = AttachmentStore(folder / "attachments")
    with hall.database.transaction() as session:
        done = certificate_service.seal_next(
            session,
            now=hall.now,
            open_seal=lambda: seal_for_trying(folder),
            store=store,
            site_url="https://market.example",
        )
    assert done == 1
    with hall.database.reading() as session:
        return store, certificate_queries.file_of(session, "JY-2024-0001", store)


def test_a_signed_trade_has_its_certificate(hall: Hall) -> None:
    listing_id = signed(hall)
    with hall.database.reading() as session:
        view = certificate_queries.by_number(session, "JY-2024-0001")
        assert view == certificate_queries.of_listing(session, listing_id)
        printed = {line.label: line.value for line in view.lines}
        trail = audit.history(session, "certificate:JY-2024-0001")
    assert printed["受让方"].startswith("济南晶途光电设备有限公司　91370100")
    assert printed["成交价"] == "1,200,000.00 元（大写：壹佰贰拾万元整）"
    assert printed["挂牌期间"] == "2024-03-15 至 2024-03-29"
    assert printed["公示"] == "2024-03-15 至 2024-03-30"
    assert printed["异议"] == "无"
    assert printed["合同编号"] == "JN-2024-0007"
    assert [entry.action for entry in trail] == ["certificates.issue"]


def test_signing_twice_issues_one(hall: Hall) -> None:
    listing_id = signed(hall)
    hall.do(service.mark_signed, hall.operator, listing_id=listing_id, contract_no="JN-2024-0007")
    with hall.database.reading() as session:
        assert len(session.scalars(select(Certificate)).all()) == 1


def test_the_file_is_tagged_sealed_and_carries_its_fonts(hall: Hall, tmp_path: Path) -> None:
    signed(hall)
    _store, content = sealed(hall, tmp_path)
    reader = PdfFileReader(io.BytesIO(content))
    assert reader.root["/MarkInfo"]["/Marked"]
    assert "/StructTreeRoot" in reader.root
    assert str(reader.root["/Lang"]).startswith("zh")
    metadata = reader.root["/Metadata"].data
    assert b"pdfuaid:part" in metadata
    fonts = _fonts(reader)
    assert fonts
    assert all("CJK" in name and embedded for name, embedded in fonts)
    (seal,) = reader.embedded_signatures
    assert seal.sig_object["/SubFilter"] == "/ETSI.CAdES.detached"
    assert seal.sig_field["/TU"] == f"电子印章：{TEST_OWNER}"
    reading = read_seal(content)
    assert reading is not None
    assert (reading.owner, reading.whole) == (TEST_OWNER, True)


def _fonts(reader: PdfFileReader) -> set[tuple[str, bool]]:
    found: set[tuple[str, bool]] = set()
    seen: set[int] = set()
    waiting: list[Any] = [reader.trailer.raw_get("/Root")]
    while waiting:
        thing = waiting.pop()
        if isinstance(thing, generic.IndirectObject):
            if thing.idnum in seen:
                continue
            seen.add(thing.idnum)
            thing = thing.get_object()
        if isinstance(thing, generic.DictionaryObject):
            if thing.get("/Type") == "/FontDescriptor":
                found.add((str(thing["/FontName"]), "/FontFile3" in thing))
            waiting += [thing.raw_get(key) for key in thing]
        elif isinstance(thing, generic.ArrayObject):
            waiting += [thing.raw_get(place) for place in range(len(thing))]
    return found


def test_the_issued_file_is_genuine(hall: Hall, tmp_path: Path) -> None:
    signed(hall)
    store, content = sealed(hall, tmp_path)
    with hall.database.reading() as session:
        found = certificate_queries.judge_file(session, content, store)
    assert found.verdict is FileFinding.GENUINE
    assert found.certificate is not None
    assert found.certificate.number == "JY-2024-0001"


@pytest.fixture(scope="module")
def issued(tmp_path_factory: pytest.TempPathFactory) -> tuple[Database, AttachmentStore, bytes]:
    """One sealed certificate on SQLite, for many changed copies of it."""
    folder = tmp_path_factory.mktemp("issued")
    database = Database(f"sqlite:///{folder}/market.db")
    Certificate.metadata.create_all(database.engine)
    hall = Hall(database, World(database, local(2024, 3, 15, 10)), local(2024, 3, 15, 10))
    signed(hall)
    store, content = sealed(hall, folder)
    return database, store, content


@settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(0, 10**9), change=st.integers(1, 255))
def test_one_byte_changed_anywhere_is_named(
    issued: tuple[Database, AttachmentStore, bytes], place: int, change: int
) -> None:
    database, store, content = issued
    at = place % len(content)
    changed = bytearray(content)
    changed[at] ^= change
    with database.reading() as session:
        found = certificate_queries.judge_file(session, bytes(changed), store)
    assert found.verdict is FileFinding.CHANGED
    assert found.certificate is not None
    assert found.certificate.number == "JY-2024-0001"
    assert found.byte == at + 1


@pytest.mark.parametrize("what", ["one more", "one less", "first", "last", "number"])
def test_added_removed_and_renumbered_copies_are_named(
    issued: tuple[Database, AttachmentStore, bytes], what: str
) -> None:
    database, store, content = issued
    changed = {
        "one more": content + b"\n",
        "one less": content[:-1],
        "first": b"#" + content[1:],
        "last": content[:-1] + b"#",
        "number": content.replace(b"JY-2024-0001", b"JY-2024-0002"),
    }[what]
    with database.reading() as session:
        found = certificate_queries.judge_file(session, changed, store)
    assert found.verdict is FileFinding.CHANGED
    if what == "number":
        # It names a certificate that there is none of: told by the length and what agrees.
        assert found.certificate is not None
        assert found.certificate.number == "JY-2024-0001"


def test_another_file_is_unknown(issued: tuple[Database, AttachmentStore, bytes]) -> None:
    database, store, content = issued
    with database.reading() as session:
        for other in (b"", b"%PDF-1.7\nnothing", b"\x00" * len(content)):
            assert (
                certificate_queries.judge_file(session, other, store).verdict is FileFinding.UNKNOWN
            )


def test_a_withdrawn_certificate_says_so(hall: Hall, tmp_path: Path) -> None:
    listing_id = signed(hall)
    store, content = sealed(hall, tmp_path)
    with hall.database.reading() as session:
        certificate = certificate_queries.by_number(session, "JY-2024-0001")
    with pytest.raises(NotAllowed):
        hall.do(
            service.withdraw_certificate,
            hall.officer,
            certificate_id=certificate.id,
            reason="受让方名称有误",
        )
    assert hall.do(service.reissue, hall.operator, listing_id=listing_id) == "JY-2024-0001"
    hall.do(
        service.withdraw_certificate,
        hall.operator,
        certificate_id=certificate.id,
        reason="受让方名称有误",
    )
    with pytest.raises(Conflict):
        hall.do(
            service.withdraw_certificate,
            hall.operator,
            certificate_id=certificate.id,
            reason="受让方名称有误",
        )
    with hall.database.reading() as session:
        view = certificate_queries.by_number(session, "JY-2024-0001")
        assert (view.state, view.reason) == (CertificateState.WITHDRAWN, "受让方名称有误")
        found = certificate_queries.judge_file(session, content, store)
        assert found.verdict is FileFinding.WITHDRAWN
    assert hall.do(service.reissue, hall.operator, listing_id=listing_id) == "JY-2024-0002"


def test_no_certificate_before_the_contract(hall: Hall) -> None:
    listing_id = hall.announced()
    with pytest.raises(RuleBroken, match="合同登记之后"):
        hall.do(service.reissue, hall.operator, listing_id=listing_id)
    with hall.database.reading() as session, pytest.raises(NotFound):
        certificate_queries.by_number(session, "JY-2024-0001")


def test_without_a_seal_certificates_wait(hall: Hall, tmp_path: Path) -> None:
    signed(hall)
    with hall.database.transaction() as session:
        done = certificate_service.seal_next(
            session,
            now=hall.now,
            open_seal=lambda: None,
            store=AttachmentStore(tmp_path),
            site_url="https://market.example",
        )
    assert done == 0


@pytest.mark.parametrize(
    ("typed", "number"),
    [
        (" jy-2024-0001 ", "JY-2024-0001"),
        ("https://market.example/verify/JY-2024-0123", "JY-2024-0123"),
        ("JY-24-1", ""),
        ("", ""),
    ],
)
def test_a_number_is_read_out_of_what_was_typed(typed: str, number: str) -> None:
    assert clean_number(typed) == number


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_the_first_difference_is_the_first(one: bytes, other: bytes) -> None:
    at = first_difference(one, other)
    if at is None:
        assert one == other
    else:
        assert one[: at - 1] == other[: at - 1]
        assert one[:at] != other[:at]
