"""The published record: it replays to its winner, and whatever is changed in it is found."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from marketplace.listings import record_rules
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.record_rules import Entry, RecordKind
from marketplace.listings.replay_rules import RecordBroken, read_document, replay
from tests.bidding_simulation import Played, play

kinds = st.sampled_from(list(BiddingKind))
seeds = st.integers(0, 2**64)


def published(played: Played) -> Any:
    return json.loads(json.dumps(record_rules.document(played.entries)))


@given(seeds, kinds)
@settings(max_examples=300)
def test_every_session_replays_to_the_same_winner(seed: int, kind: BiddingKind) -> None:
    played = play(Random(seed), kind)
    verdict = replay(read_document(published(played)))
    assert verdict.over
    assert (verdict.plate, verdict.amount_fen) == (played.winner or (None, None))
    assert verdict.kind is kind
    assert verdict.head == played.entries[-1].digest


def long_session(kind: BiddingKind) -> Played:
    return next(
        found
        for seed in range(1_000)
        if len((found := play(Random(seed), kind)).entries) > 7
        or (kind is not BiddingKind.ASCENDING and found.winner and len(found.entries) > 4)
    )


@given(st.data(), kinds)
@settings(max_examples=200)
def test_a_change_anywhere_is_found(data: st.DataObject, kind: BiddingKind) -> None:
    found = published(long_session(kind))
    entries = found["entries"]
    index = data.draw(st.integers(0, len(entries) - 1))
    how = data.draw(st.sampled_from(["drop", "swap", "digest", "body", "at", "double"]))
    if how == "drop" and index < len(entries) - 1:
        del entries[index]
    elif how == "swap" and index:
        entries[index - 1], entries[index] = entries[index], entries[index - 1]
    elif how == "double":
        entries.insert(index, entries[index])
    elif how == "at":
        entries[index]["at"] = entries[index]["at"].replace("2024", "2023")
    elif how == "body":
        entries[index]["body"]["added"] = 1
    else:
        entries[index]["digest"] = "0" * 64
    with pytest.raises(RecordBroken):
        replay(read_document(found))


def rechained(entries: list[Entry], change: Callable[[Entry], dict[str, Any]]) -> list[Entry]:
    """Forge a record: change bodies and chain everything anew, as a cheating platform could."""
    forged: list[Entry] = []
    for entry in entries:
        last = forged[-1] if forged else None
        body = change(entry)
        forged.append(record_rules.chain(last, at=entry.at, kind=entry.kind, body=body))
    return forged


@pytest.mark.parametrize("kind", list(BiddingKind))
def test_a_forged_winner_is_found_although_the_chain_holds(kind: BiddingKind) -> None:
    played = long_session(kind)

    def other(entry: Entry) -> dict[str, Any]:
        changed = {"plate": "99"} if entry.kind is RecordKind.RESULT else {}
        return {**entry.body, **changed}

    with pytest.raises(RecordBroken, match="公布的结果不对"):
        replay(rechained(played.entries, other))


def test_a_forged_amount_a_stranger_and_an_outsider_are_found() -> None:
    played = long_session(BiddingKind.ASCENDING)

    def cheaper(entry: Entry) -> dict[str, Any]:
        less = {"amount_fen": 1} if entry.kind is RecordKind.BID else {}
        return {**entry.body, **less}

    with pytest.raises(RecordBroken, match="规则不允许"):
        replay(rechained(played.entries, cheaper))

    def stranger(entry: Entry) -> dict[str, Any]:
        listed = {"plates": ["98"]} if entry.kind is RecordKind.CLOSED else {}
        return {**entry.body, **listed}

    with pytest.raises(RecordBroken, match="号牌名单与开始前公布的摘要不符"):
        replay(rechained(played.entries, stranger))

    first = next(e.body["plate"] for e in played.entries if e.kind is RecordKind.BID)

    def outsider(entry: Entry) -> dict[str, Any]:
        renamed = {"plate": "77"} if entry.body.get("plate") == first else {}
        return {**entry.body, **renamed}

    with pytest.raises(RecordBroken, match="没有竞价资格"):
        replay(rechained(played.entries, outsider))


def test_a_sealed_bid_that_was_swapped_left_out_or_added_is_found() -> None:
    played = long_session(BiddingKind.SEALED)

    def swapped(entry: Entry) -> dict[str, Any]:
        if entry.kind is not RecordKind.UNSEALED:
            return dict(entry.body)
        first, *rest = entry.body["bids"]
        return {**entry.body, "bids": [first.replace('"amount_fen":"0', '"amount_fen":"9'), *rest]}

    def left_out(entry: Entry) -> dict[str, Any]:
        fewer = {"bids": entry.body["bids"][1:]} if entry.kind is RecordKind.UNSEALED else {}
        return {**entry.body, **fewer}

    def one_officer(entry: Entry) -> dict[str, Any]:
        alone = {"officers": 1} if entry.kind is RecordKind.UNSEALED else {}
        return {**entry.body, **alone}

    for change in (swapped, left_out):
        with pytest.raises(RecordBroken, match="哈希不符"):
            replay(rechained(played.entries, change))
    with pytest.raises(RecordBroken, match="开标人数不足"):
        replay(rechained(played.entries, one_officer))


def test_scores_that_were_changed_after_the_result_are_found() -> None:
    for seed in range(2_000):
        played = play(Random(seed), BiddingKind.WEIGHTED)
        scored = [entry for entry in played.entries if entry.kind is RecordKind.SCORED]
        if played.winner is None or not scored or len(scored[0].body["scores"]) < 3:
            continue
        won = played.winner[0]

        def reversed_scores(entry: Entry, won: str = won) -> dict[str, Any]:
            if entry.kind is not RecordKind.SCORED:
                return dict(entry.body)
            scores = {
                plate: [0 if plate == won else 100 for _ in given]
                for plate, given in entry.body["scores"].items()
            }
            return {"scores": scores}

        try:
            replay(rechained(played.entries, reversed_scores))
        except RecordBroken as broken:
            assert "公布的结果不对" in str(broken)  # noqa: PT017 -- not every winner can be changed
            return
    raise AssertionError("no session found in which scores decide")


def test_a_session_that_opened_or_closed_late_does_not_hold() -> None:
    played = long_session(BiddingKind.ASCENDING)
    for kind in (RecordKind.OPENED, RecordKind.CLOSED):
        forged: list[Entry] = []
        late = timedelta()
        for entry in played.entries:
            late = timedelta(seconds=125) if entry.kind is kind else late
            last = forged[-1] if forged else None
            forged.append(
                record_rules.chain(last, at=entry.at + late, kind=entry.kind, body=entry.body)
            )
        with pytest.raises(RecordBroken, match="没有按时"):
            replay(forged)


JUNK: list[Any] = [
    None, [], {}, {"format": record_rules.FORMAT}, {"format": record_rules.FORMAT, "entries": []},
    {"format": record_rules.FORMAT, "entries": [1]},
    {"format": record_rules.FORMAT, "entries": [{"sequence": "x"}]},
]  # fmt: skip


@pytest.mark.parametrize("junk", JUNK)
def test_what_is_no_record_is_called_so(junk: Any) -> None:
    with pytest.raises(RecordBroken):
        replay(read_document(junk))


def verify(path: Path) -> subprocess.CompletedProcess[str]:
    """Run the verifier in a process in which the heavy packages and the network are missing."""
    program = (
        "import sys, socket, runpy\n"
        "class Closed:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        heavy = ('sqlalchemy', 'flask', 'pydantic', 'cryptography', 'Crypto', 'yaml')\n"
        "        if name.split('.')[0] in heavy: raise ImportError(name)\n"
        "sys.meta_path.insert(0, Closed())\n"
        "def no(*a, **k): raise OSError('no network')\n"
        "socket.socket = no\n"
        f"sys.argv = ['verify', {str(path)!r}]\n"
        "runpy.run_module('marketplace.listings.verify', run_name='__main__')\n"
    )
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )


def test_the_verifier_runs_offline_and_alone(tmp_path: Path) -> None:
    played = long_session(BiddingKind.ASCENDING)
    assert played.winner is not None
    file = tmp_path / "record.json"
    file.write_text(json.dumps(published(played)), encoding="utf-8")
    done = verify(file)
    assert done.returncode == 0, done.stderr
    assert f"受让方是 {played.winner[0]} 号" in done.stdout
    found = published(played)
    found["entries"][3]["body"]["amount_fen"] += 1
    file.write_text(json.dumps(found), encoding="utf-8")
    changed = verify(file)
    assert changed.returncode == 1
    assert "第 4 条的内容与它的摘要不符" in changed.stdout
    file.write_text("{", encoding="utf-8")
    assert verify(file).returncode == 2
