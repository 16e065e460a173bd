"""What the home page shows: live figures against the targets, and the newest of everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache

from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import SELLER_KINDS, OrganisationKind
from marketplace.achievements import queries as achievements
from marketplace.brokerage import queries as brokerage
from marketplace.contracts import queries as contracts
from marketplace.foundation import reference
from marketplace.foundation.access import ANONYMOUS
from marketplace.foundation.clock import local_date
from marketplace.foundation.money import FEN_PER_YUAN, Fen, scale
from marketplace.listings import queries as listings
from marketplace.listings.queries import ListingView
from marketplace.needs import queries as needs
from marketplace.needs.queries import NeedRow
from marketplace.needs.rules import NeedState
from marketplace.publicity import queries as publicity
from marketplace.publicity.queries import NoticeView
from marketplace.publicity.rules import RUNNING

_LISTINGS, _NEEDS, _NOTICES, _OWNERS = 4, 4, 4, 4


class _Target(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    key: str
    label: str
    value: int
    unit: str
    document: str
    reference: str
    due_on: date
    scope: str


class _Targets(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    targets: tuple[_Target, ...]


@cache
def _targets() -> dict[str, _Target]:
    return {target.key: target for target in reference.load("targets", _Targets).targets}


@dataclass(frozen=True)
class Goal:
    """One live figure, and where there is a target, how near it is in percent."""

    label: str
    value: str
    rest: str
    percent: float | None = None
    money: bool = False


@dataclass(frozen=True)
class ListedAchievement:
    """A listing with what the public may know of its achievement."""

    listing: ListingView
    benefit: str
    rights: str
    trl: int | None


@dataclass(frozen=True)
class OpenNeed:
    """An open need with who asks, unless it is anonymous, and how many answered."""

    row: NeedRow
    owner: str
    answer_count: int


@dataclass(frozen=True)
class Owner:
    """An institution with the number of listings it has open."""

    id: int
    name: str
    count: int


@dataclass(frozen=True)
class Portal:
    """All of the home page."""

    goals: Sequence[Goal]
    listing_count: int
    listings: Sequence[ListedAchievement]
    need_count: int
    needs: Sequence[OpenNeed]
    notices: Sequence[NoticeView]
    owners: Sequence[Owner]
    partner_count: int
    service_count: int
    broker_count: int


def portal(session: Session, *, now: datetime) -> Portal:
    """Read everything that the home page shows."""
    partners = accounts.count_organisations(session, SELLER_KINDS)
    brokers = brokerage.count_brokers(session)
    open_needs = needs.count_states(session)
    groups = listings.group_counts(session)
    newest = listings.newest(session, limit=50)
    return Portal(
        goals=_goals(session, now, partners, brokers, sum(groups.values()), open_needs),
        listing_count=groups["open"],
        listings=[_listed(session, view) for view in newest[:_LISTINGS]],
        need_count=open_needs.get(NeedState.OPEN, 0),
        needs=_needs(session),
        notices=publicity.list_notices(session, states=sorted(RUNNING), size=_NOTICES).items,
        owners=_owners(newest),
        partner_count=partners,
        service_count=accounts.count_organisations(
            session, (OrganisationKind.SERVICE_INSTITUTION,)
        ),
        broker_count=brokers,
    )


def _goals(
    session: Session,
    now: datetime,
    partners: int,
    brokers: int,
    listed: int,
    open_needs: dict[NeedState, int],
) -> list[Goal]:
    today = local_date(now)
    year = contracts.turnover(session, date(today.year, 1, 1), today)
    fresh = sum(
        1
        for row in needs.newest(session, limit=100)
        if row.opened_at is not None and row.opened_at > now - timedelta(days=7)
    )
    target = _targets()["turnover_2022"]
    amount, unit = scale(year.amount_fen)
    whole, whole_unit = scale(Fen(target.value * FEN_PER_YUAN))
    return [
        _against("achievements_listed", "评估挂牌成果", listed),
        Goal(
            "开放需求",
            f"{open_needs.get(NeedState.OPEN, 0):,}",
            f"项，本周新增 {fresh}" if fresh else "项",
        ),
        _against("partner_institutions", "合作机构", partners),
        _against("brokers_trained", "技术经理人", brokers),
        Goal("本年登记技术合同", f"{year.count:,}", "项"),
        Goal(
            "本年成交额",
            amount,
            f"{unit} / {whole} {whole_unit}",
            year.amount_fen / (target.value * FEN_PER_YUAN) * 100,
            money=True,
        ),
    ]


def _against(key: str, label: str, value: int) -> Goal:
    target = _targets()[key]
    return Goal(
        label, f"{value:,}", f"/ {target.value:,} {target.unit}", value / target.value * 100
    )


def _listed(session: Session, listing: ListingView) -> ListedAchievement:
    content = achievements.get_for(session, ANONYMOUS, listing.achievement_id).content
    kinds = Counter(right.kind.label for right in content.ip_rights if right.kind is not None)
    return ListedAchievement(
        listing,
        content.benefit,
        "，".join(f"{label} {count} 项" for label, count in kinds.items()),
        content.trl,
    )


def _needs(session: Session) -> list[OpenNeed]:
    rows = needs.newest(session, limit=_NEEDS)
    askers = accounts.get_organisations(
        session, [row.organisation_id for row in rows if not row.anonymous]
    )
    answers = needs.answer_counts(session, [row.id for row in rows])
    return [
        OpenNeed(
            row,
            "匿名，由交易中心核验" if row.anonymous else askers[row.organisation_id].name,
            answers.get(row.id, 0),
        )
        for row in rows
    ]


def _owners(newest: Sequence[ListingView]) -> list[Owner]:
    counted = Counter((view.organisation_id, view.seller_name) for view in newest)
    return [Owner(key, name, count) for (key, name), count in counted.most_common(_OWNERS)]
