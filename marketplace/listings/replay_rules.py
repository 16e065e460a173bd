"""Replay a published record under the rules and find its winner again, or the first fault.

Pure: what the verifier runs offline and what the platform runs itself before it names a winner.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen
from marketplace.listings import bidding_rules as bidding
from marketplace.listings import sealed_rules as sealed
from marketplace.listings.bidding_rules import BiddingKind, Mark, Standing, Terms
from marketplace.listings.record_rules import (
    FORMAT,
    GENESIS,
    Entry,
    RecordKind,
    digest_of,
    list_digest,
)
from marketplace.listings.sealed_rules import Criterion, SealedTerms, SealedText


class RecordBroken(Exception):
    """The record does not hold; the message says where and how."""


@dataclass(frozen=True)
class Verdict:
    """What a record comes to: ``over`` is False while a session runs, a winner may be missing."""

    listing: str
    attempt: int
    kind: BiddingKind
    over: bool
    voided: bool
    plate: str | None
    amount_fen: Fen | None
    bid_count: int
    head: str


_K = RecordKind
# Which entry may follow which; a session begins with its terms and ends with result or voiding.
_FOLLOWS: dict[RecordKind, frozenset[RecordKind]] = {
    _K.TERMS: frozenset({_K.OPENED, _K.BARRED, _K.VOIDED}),
    _K.OPENED: frozenset({_K.BID, _K.CLOSED, _K.VOIDED}),
    _K.BID: frozenset({_K.BID, _K.CLOSED, _K.VOIDED}),
    _K.BARRED: frozenset({_K.OPENED, _K.BARRED, _K.VOIDED}),
    _K.CLOSED: frozenset({_K.RESULT, _K.SCORED, _K.UNSEALED, _K.VOIDED}),
    _K.SCORED: frozenset({_K.UNSEALED, _K.VOIDED}),
    _K.UNSEALED: frozenset({_K.RESULT}),
    _K.RESULT: frozenset(),
    _K.VOIDED: frozenset(),
}


def read_document(found: Any) -> list[Entry]:
    """Read a published record; ``RecordBroken`` says what is no record about it."""
    if not isinstance(found, dict) or found.get("format") != FORMAT:
        raise RecordBroken(f"这不是竞价记录：缺少 format “{FORMAT}”")
    listed = found.get("entries")
    if not isinstance(listed, list) or not listed:
        raise RecordBroken("记录里没有条目")
    entries = []
    for number, raw in enumerate(listed, 1):
        try:
            entries.append(
                Entry(
                    sequence=int(raw["sequence"]),
                    at=datetime.fromisoformat(raw["at"]),
                    kind=RecordKind(raw["kind"]),
                    body=dict(raw["body"]),
                    previous=str(raw["previous"]),
                    digest=str(raw["digest"]),
                )
            )
        except (KeyError, ValueError, TypeError) as broken:
            raise RecordBroken(f"第 {number} 条读不出来：{broken!r}") from broken
    return entries


def replay(entries: Sequence[Entry]) -> Verdict:
    """Check the chain, judge every bid again in order, and find the winner."""
    _check_chain(entries)
    try:
        return _Replay(entries).run()
    except (KeyError, TypeError, ValueError, AttributeError, ArithmeticError) as broken:
        raise RecordBroken(f"记录的内容不完整或类型不对：{broken!r}") from broken


def _check_chain(entries: Sequence[Entry]) -> None:
    previous = GENESIS
    for number, entry in enumerate(entries, 1):
        if entry.sequence != number:
            raise RecordBroken(f"第 {number} 条的序号是 {entry.sequence}：有条目缺失或被挪动")
        if entry.previous != previous:
            raise RecordBroken(f"第 {number} 条与前一条接不上：有条目被换掉、删去或插入")
        content = digest_of(entry.sequence, entry.at, entry.kind, entry.body, entry.previous)
        if content != entry.digest:
            raise RecordBroken(f"第 {number} 条的内容与它的摘要不符：内容被改过")
        previous = entry.digest


def _moment(value: Any) -> datetime:
    return datetime.fromisoformat(value)


def terms_of(body: Mapping[str, Any]) -> Terms:
    """Read the terms of an ascending session from its first entry."""
    return Terms(
        base_fen=Fen(int(body["base_fen"])),
        increment_fen=Fen(int(body["increment_fen"])),
        starts_at=_moment(body["starts_at"]),
        free_ends_at=_moment(body["free_ends_at"]),
        cycle=timedelta(seconds=int(body["cycle_seconds"])),
    )


def sealed_terms_of(body: Mapping[str, Any]) -> SealedTerms:
    """Read the terms of a session of sealed bids from its first entry."""
    return SealedTerms(
        base_fen=Fen(int(body["base_fen"])),
        starts_at=_moment(body["starts_at"]),
        closes_at=_moment(body["closes_at"]),
        criteria=tuple(Criterion(str(c["name"]), int(c["weight"])) for c in body["criteria"]),
    )


class _Replay:
    """One pass over the entries."""

    def __init__(self, entries: Sequence[Entry]) -> None:
        self._entries = entries
        first = entries[0]
        if first.kind is not _K.TERMS:
            raise RecordBroken("第 1 条应是竞价条件")
        self._body = first.body
        self._kind = BiddingKind(first.body["kind"])
        self._late = timedelta(seconds=int(first.body["late_limit_seconds"]))
        ascending = self._kind is BiddingKind.ASCENDING
        self._terms = terms_of(first.body) if ascending else None
        self._sealed = None if ascending else sealed_terms_of(first.body)
        self._standing = Standing()
        self._plates: set[str] = set()
        self._barred: set[str] = set()
        self._hashes: list[str] = []
        self._scores: dict[str, list[int]] | None = None
        self._opened: list[SealedText] = []
        self._bidders: list[tuple[int, str]] = []
        self._winner: tuple[str, Fen] | None = None
        self._bid_count = 0

    def run(self) -> Verdict:
        before = self._entries[0]
        for entry in self._entries[1:]:
            if entry.kind not in _FOLLOWS[before.kind]:
                raise self._wrong(entry, f"“{before.kind.label}”之后不能是“{entry.kind.label}”")
            if entry.at < before.at:
                raise self._wrong(entry, "时间早于前一条")
            self._take(entry)
            before = entry
        voided = before.kind is _K.VOIDED
        plate, amount = self._winner or (None, None)
        return Verdict(
            listing=str(self._body["listing"]),
            attempt=int(self._body["attempt"]),
            kind=self._kind,
            over=voided or before.kind is _K.RESULT,
            voided=voided,
            plate=plate,
            amount_fen=amount,
            bid_count=self._bid_count,
            head=before.digest,
        )

    def _wrong(self, entry: Entry, what: str) -> RecordBroken:
        return RecordBroken(f"第 {entry.sequence} 条（{entry.kind.label}）：{what}")

    def _take(self, entry: Entry) -> None:
        take = {
            _K.OPENED: self._take_opened,
            _K.BID: self._take_bid,
            _K.BARRED: self._take_barred,
            _K.CLOSED: self._take_closed,
            _K.SCORED: self._take_scored,
            _K.UNSEALED: self._take_unsealed,
            _K.RESULT: self._take_result,
        }.get(entry.kind)
        if take is not None:
            take(entry)

    def _take_opened(self, entry: Entry) -> None:
        starts_at = _moment(self._body["starts_at"])
        if not starts_at <= entry.at <= starts_at + self._late:
            raise self._wrong(entry, "没有按时开始，应当作废")

    def _take_barred(self, entry: Entry) -> None:
        self._barred.add(str(entry.body["plate"]))

    def _take_bid(self, entry: Entry) -> None:
        if self._terms is None:
            raise self._wrong(entry, "一次报价的记录里不能有公开报价")
        mark = Mark(
            sequence=int(entry.body["number"]),
            plate=str(entry.body["plate"]),
            amount_fen=Fen(int(entry.body["amount_fen"])),
            placed_at=entry.at,
            cycle=int(entry.body["cycle"]),
        )
        try:
            again = bidding.judge(
                self._terms,
                self._standing,
                plate=mark.plate,
                amount_fen=mark.amount_fen,
                now=mark.placed_at,
            )
        except RuleBroken as refusal:
            raise self._wrong(entry, f"规则不允许这次报价：{refusal.message}") from refusal
        if again != mark:
            raise self._wrong(entry, "报价的次序或轮次与规则推算的不同")
        self._bidders.append((entry.sequence, mark.plate))
        self._standing = Standing(again)
        self._bid_count += 1

    def _take_closed(self, entry: Entry) -> None:
        body = entry.body
        ends_at = (
            bidding.closes_at(self._terms, self._standing)
            if self._terms is not None
            else _moment(self._body["closes_at"])
        )
        if not ends_at <= entry.at <= ends_at + self._late:
            raise self._wrong(entry, "没有按时截止，应当作废")
        plates = [str(plate) for plate in body["plates"]]
        if list_digest(plates, str(body["plates_nonce"])) != self._body["plates_digest"]:
            raise self._wrong(entry, "号牌名单与开始前公布的摘要不符")
        self._plates = set(plates) - self._barred
        for sequence, plate in self._bidders:
            if plate not in self._plates:
                raise RecordBroken(f"第 {sequence} 条（报价）：{plate} 号没有竞价资格")
        if self._sealed is not None:
            self._hashes = [str(found) for found in body["hashes"]]
            self._bid_count = len(self._hashes)
        if int(body["bids"]) != self._bid_count:
            raise self._wrong(entry, f"公布的报价数与记录不符，应为 {self._bid_count}")

    def _take_scored(self, entry: Entry) -> None:
        self._scores = {
            str(plate): [int(value) for value in given]
            for plate, given in entry.body["scores"].items()
        }

    def _take_unsealed(self, entry: Entry) -> None:
        if self._sealed is None:
            raise self._wrong(entry, "多次报价没有开标")
        texts = [str(text) for text in entry.body["bids"]]
        if sorted(sealed.commitment(text) for text in texts) != sorted(self._hashes):
            raise self._wrong(entry, "开出的报价与截止时公布的哈希不符：有报价被改、被加或被漏")
        if int(entry.body["officers"]) < int(self._body["threshold"]):
            raise self._wrong(entry, "开标人数不足")
        seen: set[str] = set()
        for text in texts:
            try:
                bid = sealed.read(text)
                sealed.judge(self._sealed, amount_fen=bid.amount_fen, now=bid.received_at)
            except RuleBroken as refusal:
                raise self._wrong(entry, f"开出的一份报价不合规则：{refusal.message}") from refusal
            if bid.session != self._body["session"]:
                raise self._wrong(entry, f"{bid.plate} 号的报价属于另一场竞价")
            if bid.plate not in self._plates or bid.plate in seen:
                raise self._wrong(entry, f"{bid.plate} 号没有竞价资格，或报价不止一次")
            seen.add(bid.plate)
            self._opened.append(bid)
        if self._sealed.criteria:
            try:
                sealed.check_scores(self._sealed, sorted(seen), self._scores or {})
            except RuleBroken as refusal:
                raise self._wrong(entry, f"评分不完整：{refusal.message}") from refusal

    def _take_result(self, entry: Entry) -> None:
        if self._sealed is not None:
            if self._bid_count != len(self._opened):
                raise self._wrong(entry, "还没有开标就有了结果")
            ranked = sealed.ranking(self._sealed, self._opened, self._scores)
            found = (ranked[0].plate, ranked[0].amount_fen) if ranked else None
        else:
            last = self._standing.last
            found = (last.plate, last.amount_fen) if last else None
        told = entry.body["plate"]
        stated = None if told is None else (str(told), Fen(int(entry.body["amount_fen"])))
        if found != stated:
            right = f"{found[0]} 号，{found[1]} 分" if found else "无人报价"
            raise self._wrong(entry, f"公布的结果不对，按规则应为：{right}")
        self._winner = found
