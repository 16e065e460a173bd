"""What a token may be used for, beside what its owner may do anyway."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.foundation.words import Word


class Scope(Word):
    """One part of the interface that a token opens; a token has only what was ticked."""

    READ = "read", "查询"
    WRITE_ACHIEVEMENTS = "write_achievements", "登记和提交成果"
    WRITE_NEEDS = "write_needs", "发布和提交需求"
    WRITE_LISTINGS = "write_listings", "申请和办理本单位的挂牌"
    WRITE_INTENTS = "write_intents", "登记受让意向"
    WRITE_BIDS = "write_bids", "竞价出价"
    WRITE_DEALS = "write_deals", "办理撮合项目"
    WRITE_CONTRACTS = "write_contracts", "填写和提交合同"
    WRITE_OBJECTIONS = "write_objections", "对公示提出异议"
    WRITE_CLAIMS = "write_claims", "填写和提交补助申报"


@dataclass(frozen=True)
class Access:
    """The token behind a request."""

    token_id: int
    name: str
    scopes: frozenset[Scope]
