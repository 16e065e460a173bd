"""A deal's evidence package: it holds as made, and names whatever was done to it since."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.errors import NotAllowed, NotFound
from marketplace.oversight import evidence_queries, head_service, verify
from marketplace.oversight.verify import Finding, PackageBroken
from tests.dealing import Market
from tests.world import World


@pytest.fixture
def market(database: Database, world: World, now: datetime, tmp_path: Path) -> Market:
    """A market with a deal's parties."""
    return Market(database, world, now, tmp_path)


@pytest.fixture
def operator(world: World) -> Actor:
    """A member of the trading centre."""
    return world.actor(Role.OPERATOR)


def _package(market: Market, actor: Actor, deal_id: int) -> bytes:
    with market.database.reading() as session:
        return evidence_queries.package(
            session, actor, deal_id, now=market.now, store=market.store
        ).content


def _signed(market: Market) -> int:
    deal_id = market.drafted_deal()
    market.submitted(deal_id=deal_id)
    return deal_id


def _with(content: bytes, change: Callable[[dict[str, bytes]], None]) -> io.BytesIO:
    """Pack an archive again after a change of its files."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    change(files)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, held in files.items():
            archive.writestr(name, held)
    return packed


def test_a_package_holds_and_leads_to_the_published_head(market: Market, operator: Actor) -> None:
    deal_id = _signed(market)
    with market.database.transaction() as session:
        head_service.publish_head(session, market.now)
    with market.database.reading() as session:
        published = audit.digest_at(session, audit.head(session)[0] - 1)
        place = audit.head(session)[0] - 1
    content = _package(market, operator, deal_id)
    found = verify.check(io.BytesIO(content), head=(place, published or ""))
    assert found.linked
    assert found.deal == deal_id
    assert found.row_count > 8
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        names = archive.namelist()
        assert "records/contract.json" in names
        assert any(name.startswith("files/contract-") for name in names)
        deal = json.loads(archive.read("records/deal.json"))
        assert deal["seller"]["name"] == market.university.name
        chain = archive.read("chain.jsonl").decode()
    # What others did in between is in it by digests only.
    assert "accounts.establish" not in chain
    with pytest.raises(PackageBroken, match="与公布的"):
        verify.check(io.BytesIO(content), head=(place, "0" * 64))


def test_no_address_or_telephone_is_in_a_package(market: Market, operator: Actor) -> None:
    deal_id = _signed(market)
    with zipfile.ZipFile(io.BytesIO(_package(market, operator, deal_id))) as archive:
        for name in archive.namelist():
            assert b"@test.example" not in archive.read(name), name


def _edit_row(files: dict[str, bytes]) -> None:
    files["audit.jsonl"] = files["audit.jsonl"].replace("李静舒".encode(), "张静舒".encode())
    _restate(files)


def _restate(files: dict[str, bytes]) -> None:
    """Make the manifest anew, as a forger would."""
    manifest = json.loads(files["manifest.json"])
    for name, held in files.items():
        if name != "manifest.json":
            digest = hashlib.sha256(held).hexdigest()
            manifest["files"][name] = {"bytes": len(held), "sha256": digest}
    files["manifest.json"] = json.dumps(manifest).encode()


def _edit_record(files: dict[str, bytes]) -> None:
    files["records/deal.json"] += b" "


def _add(files: dict[str, bytes]) -> None:
    files["files/deal-1/9-extra.pdf"] = b"%PDF"


def _drop(files: dict[str, bytes]) -> None:
    del files["records/notes.json"]


def _drop_link(files: dict[str, bytes]) -> None:
    lines = files["chain.jsonl"].splitlines(keepends=True)
    files["chain.jsonl"] = b"".join(lines[:3] + lines[4:])
    _restate(files)


def _hide_row(files: dict[str, bytes]) -> None:
    """Leave one of the deal's own rows out of the list that people read, but not of the chain."""
    lines = files["audit.jsonl"].splitlines(keepends=True)
    row = json.loads(lines[0])
    row["sequence"] += 10_000
    files["audit.jsonl"] = json.dumps(row).encode() + b"\n" + b"".join(lines[1:])
    _restate(files)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_edit_row, "与它的摘要不符"),
        (_edit_record, "records/deal.json 与清单"),
        (_add, "多出一个清单里没有的文件"),
        (_drop, "缺少清单里的文件 records/notes.json"),
        (_drop_link, "审计链在第"),
        (_hide_row, "与它的摘要不符"),
    ],
)
def test_whatever_is_done_to_a_package_is_named(
    market: Market,
    operator: Actor,
    change: Callable[[dict[str, bytes]], None],
    words: str,
) -> None:
    touched = _with(_package(market, operator, _signed(market)), change)
    with pytest.raises(PackageBroken, match=words):
        verify.check(touched)


def test_only_the_operator_makes_one(market: Market, operator: Actor) -> None:
    deal_id = market.deal()
    for actor in (market.broker, market.buyer, market.officer):
        with pytest.raises(NotAllowed):
            _package(market, actor, deal_id)
    with pytest.raises(NotFound):
        _package(market, operator, deal_id + 1)


def test_the_chain_is_left_out_where_it_would_be_too_long(
    market: Market, operator: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    deal_id = market.deal()
    monkeypatch.setattr(evidence_queries, "MOST_LINKS", 0)
    found: Finding = verify.check(io.BytesIO(_package(market, operator, deal_id)))
    assert not found.linked


def test_the_command_says_what_it_found(
    market: Market, operator: Actor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "package.zip"
    file.write_bytes(_package(market, operator, market.deal()))
    assert verify.main([str(file)]) == 0
    assert "成立。撮合项目" in capsys.readouterr().out
    assert verify.main([str(file), f"1:{'0' * 64}"]) == 1
    file.write_bytes(_with(file.read_bytes(), _edit_record).getvalue())
    assert verify.main([str(file)]) == 1
    assert "不成立" in capsys.readouterr().out
    assert verify.main([]) == verify.main([str(tmp_path / "none.zip")]) == 2
    assert verify.main([str(file), "nonsense"]) == 2


@given(st.binary(max_size=400))
def test_a_file_that_is_no_package_is_refused_in_one_way(content: bytes) -> None:
    with pytest.raises(ValueError, match=r"证据包|过|两次|zip|格式|JSON|Expecting"):
        verify.check(io.BytesIO(content))


def test_an_archive_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("manifest.json", b"0" * 2_000_000)
    monkeypatch.setattr(verify, "_MOST_BYTES", 1_000_000)
    with pytest.raises(ValueError, match="过大"):
        verify.check(packed)
