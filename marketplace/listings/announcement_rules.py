"""Versions of an announcement: what a change is, and which change begins the period anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.words import Word


class VersionKind(Word):
    """Why a version of an announcement was published."""

    FIRST = "first", "首次公告"
    EXTENSION = "extension", "延长公告期"
    CORRECTION = "correction", "更正，公告期不变"
    MATERIAL = "material", "实质变更，公告期重新计算"


LABELS: dict[str, str] = {
    "title": "标的名称",
    "pricing_mode": "定价方式",
    "trading_mode": "转化方式",
    "base_price_fen": "挂牌底价",
    "increment_fen": "每档加价",
    "deposit_fen": "保证金",
    "payment_mode": "支付方式",
    "payment_terms": "付款条件",
    "conditions": "受让条件",
    "agent": "拍卖或招标机构",
    "trial": "试用条件",
}

MATERIAL = frozenset(LABELS) - {"title"}
"""What a buyer decides by; a name put right is a correction."""


@dataclass(frozen=True)
class Change:
    """One line of what a version changed, as written before and after."""

    label: str
    before: str
    after: str


def changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """List what differs between two versions, in the order of the notice."""
    return [
        Change(label, before.get(key, ""), after.get(key, ""))
        for key, label in LABELS.items()
        if before.get(key, "") != after.get(key, "")
    ]


def kind_of(before: Mapping[str, str], after: Mapping[str, str]) -> VersionKind:
    """Tell whether a change is material; refuse a revision that changes nothing."""
    changed = {key for key in LABELS if before.get(key, "") != after.get(key, "")}
    if not changed:
        raise RuleBroken("listings.unchanged", "公告内容没有变化，不需要发布新版本")
    return VersionKind.MATERIAL if changed & MATERIAL else VersionKind.CORRECTION
