"""What the home page shows: live figures against the targets, and the newest of everything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import SELLER_KINDS, OrganisationKind
from marketplace.achievements import queries as achievements
from marketplace.brokerage import queries as brokerage
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
from marketplace.statistics import queries as statistics
from marketplace.statistics.parameters import targets
from marketplace.statistics.queries import TargetLine
from marketplace.statistics.rules import Standing
from marketplace.techservices import meeting_queries as meetings
from marketplace.techservices.meeting_queries import MeetingView

_LISTINGS, _NEEDS, _NOTICES, _MEETINGS, _OWNERS = 4, 4, 4, 3, 4
_FRESH = timedelta(days=7)


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
    meetings: Sequence[MeetingView]
    owners: Sequence[Owner]
    partner_count: int
    service_count: int
    broker_count: int


def portal(session: Session, *, now: datetime) -> Portal:
    """Read everything that the home page shows."""
    open_needs = needs.count_states(session).get(NeedState.OPEN, 0)
    newest = listings.newest(session, limit=50)
    return Portal(
        goals=_goals(session, now, open_needs),
        listing_count=listings.group_counts(session)["open"],
        listings=[_listed(session, view) for view in newest[:_LISTINGS]],
        need_count=open_needs,
        needs=_needs(session),
        notices=publicity.list_notices(session, states=sorted(RUNNING), size=_NOTICES).items,
        meetings=meetings.coming(session, now=now, limit=_MEETINGS),
        owners=_owners(newest),
        partner_count=accounts.count_organisations(session, SELLER_KINDS),
        service_count=accounts.count_organisations(
            session, (OrganisationKind.SERVICE_INSTITUTION,)
        ),
        broker_count=brokerage.count_brokers(session),
    )


def _goals(session: Session, now: datetime, open_needs: int) -> list[Goal]:
    lines = {line.target.key: line for line in statistics.target_lines(session, now=now)}
    year = statistics.turnover(session, local_date(now).year)
    fresh = needs.count_opened_since(session, now - _FRESH)
    goal = next(Fen(t.value * FEN_PER_YUAN) for t in targets() if t.key == "turnover_2022")
    amount, unit = scale(year.amount_fen)
    whole, whole_unit = scale(goal)
    return [
        _against(lines["achievements_listed"], "评估并挂牌的成果"),
        Goal("开放需求", f"{open_needs:,}", f"项，本周新增 {fresh}" if fresh else "项"),
        _against(lines["partner_institutions"], "合作机构"),
        _against(lines["brokers_trained"], "技术经理人"),
        Goal("本年登记技术合同", f"{year.count:,}", "项"),
        Goal(
            "本年成交额",
            amount,
            f"{unit} / {whole} {whole_unit}",
            Standing(year.amount_fen, goal).per_mille / 10,
            money=True,
        ),
    ]


def _against(line: TargetLine, label: str) -> Goal:
    standing, unit = line.standing, line.target.unit
    return Goal(
        label, f"{standing.value:,}", f"/ {standing.target:,} {unit}", standing.per_mille / 10
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
