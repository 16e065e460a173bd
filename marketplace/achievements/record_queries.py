"""One achievement for one reader: what the record holds, less what the reader may not see.

``get_for`` is the only way to a page; ``get_internal`` serves other services and is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.achievements.ip_rules import is_over, last_day, remaining_tenths
from marketplace.achievements.models import Achievement, GrantRow, IPRightRow
from marketplace.achievements.rules import (
    PATENTS,
    SHOWN_STATES,
    TRL_MEANING,
    VISIBLE_STATES,
    AchievementContent,
    AchievementState,
    Comparison,
    FieldGroup,
    Inventor,
    IPRight,
    LegalStatus,
    Owner,
    Visibility,
)
from marketplace.achievements.visibility_rules import (
    hidden_groups,
    is_insider,
    level,
    redact,
)
from marketplace.foundation import attachments, audit
from marketplace.foundation.access import SYSTEM, Actor
from marketplace.foundation.attachments import AttachmentView, FileVisibility
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.trade import TradingMode


@dataclass(frozen=True)
class AchievementView:
    """An achievement as one reader may see it; ``hidden`` names the groups left out."""

    id: int
    number: str | None
    organisation_id: int
    author_id: int | None
    state: AchievementState
    version: int
    content: AchievementContent
    layer: Visibility
    insider: bool
    hidden: dict[FieldGroup, Visibility]
    missing_count: int
    return_reason: str
    closing_reason: str
    import_note: str
    created_at: datetime
    updated_at: datetime
    submitted_at: datetime | None
    published_at: datetime | None
    confirmed_at: datetime | None
    valid_until: date | None
    stale: bool

    @property
    def title(self) -> str:
        """Return the title, or what stands for it in a list of drafts."""
        return self.content.title or "（未命名草稿）"

    @property
    def trl_meaning(self) -> str:
        """Return what the maturity level means."""
        return TRL_MEANING.get(self.content.trl or 0, "")

    def term_of(self, right: IPRight, now: datetime) -> str:
        """Say how long a right can last at most, or that it is over; "" where nothing is known."""
        today = local_date(now)
        ends = last_day(right)
        if ends is None:
            return ""
        if ends < today:
            return "保护期已届满"
        # A right that has lapsed before its time has nothing left.
        tenths = None if is_over(right, today) else remaining_tenths(right, today)
        return "" if tenths is None else f"剩 {tenths / 10:.1f} 年"

    @property
    def complete(self) -> bool:
        """Tell whether the form lacks nothing; what is not complete cannot be listed."""
        return self.missing_count == 0

    @property
    def open_to_others(self) -> bool:
        """Tell whether others find it."""
        return self.state in VISIBLE_STATES


def content_of(row: Achievement) -> AchievementContent:
    """Read the whole content of a stored achievement."""
    return AchievementContent(
        title=row.title,
        problem=row.problem,
        solution=row.solution,
        benefit=row.benefit,
        comparison=tuple(
            Comparison(
                line.indicator,
                line.value,
                line.unit,
                line.alternative,
                line.alternative_value,
                line.evidence,
            )
            for line in row.comparison
        ),
        field=row.field,
        industry_code=row.industry_code,
        industry_name=row.industry_name,
        ipc=tuple(row.ipc or ()),
        discipline=row.discipline,
        trl=row.trl,
        trl_evidence=row.trl_evidence,
        ip_rights=tuple(right_of(line) for line in row.ip_rights),
        owners=tuple(Owner(o.name, o.share, o.organisation_id) for o in row.owners),
        inventors=tuple(Inventor(i.name, i.user_id) for i in row.inventors),
        fiscal_funded=row.fiscal_funded,
        fiscal_source=row.fiscal_source,
        modes=tuple(TradingMode(mode) for mode in row.modes or ()),
        negotiable=row.negotiable,
        price_fen=row.price_fen,
        visibility={
            FieldGroup(group): Visibility(layer) for group, layer in (row.visibility or {}).items()
        },
        keywords=tuple(row.keywords or ()),
        confidential=row.confidential,
    )


def right_of(row: IPRightRow) -> IPRight:
    """Read one stored IP right."""
    return IPRight(
        row.kind,
        row.number,
        row.title,
        row.legal_status,
        row.filed_on,
        row.expires_on,
        row.filed_year,
        row.open_licensed,
    )


def patents_of(session: Session, organisation_id: int) -> list[tuple[int, IPRight]]:
    """List an organisation's granted patents with the achievement each belongs to, by number."""
    rows = session.scalars(
        select(IPRightRow)
        .join(Achievement, Achievement.id == IPRightRow.achievement_id)
        .where(
            Achievement.organisation_id == organisation_id,
            Achievement.state.in_(VISIBLE_STATES),
            IPRightRow.kind.in_(PATENTS),
            IPRightRow.legal_status == LegalStatus.GRANTED,
            IPRightRow.filed_on.is_not(None),
        )
        .order_by(IPRightRow.number_key, IPRightRow.id)
    )
    return [(row.achievement_id, right_of(row)) for row in rows]


def _named(row: Achievement) -> frozenset[int]:
    people = {inventor.user_id for inventor in row.inventors} | {row.author_id}
    return frozenset(person for person in people if person is not None)


def _view(
    row: Achievement,
    *,
    content: AchievementContent,
    layer: Visibility,
    insider: bool,
) -> AchievementView:
    return AchievementView(
        id=row.id,
        number=row.number,
        organisation_id=row.organisation_id,
        author_id=row.author_id,
        state=row.state,
        version=row.version,
        content=redact(content, layer),
        layer=layer,
        insider=insider,
        hidden=hidden_groups(content, layer),
        missing_count=row.missing_count,
        return_reason=row.return_reason if insider else "",
        closing_reason=row.closing_reason if insider else "",
        import_note=row.import_note if insider else "",
        created_at=row.created_at,
        updated_at=row.updated_at,
        submitted_at=row.submitted_at,
        published_at=row.published_at,
        confirmed_at=row.confirmed_at,
        valid_until=row.valid_until,
        stale=row.stale,
    )


def get_internal(session: Session, achievement_id: int) -> AchievementView:
    """Return the whole record for another service; it is never rendered as it is."""
    row = session.get(Achievement, achievement_id)
    if row is None:
        raise NotFound()
    return _view(row, content=content_of(row), layer=Visibility.AGREEMENT, insider=True)


def get_for(session: Session, actor: Actor, achievement_id: int) -> AchievementView:
    """Return what the actor may see of an achievement; ``NotFound`` when that is nothing."""
    row = session.get(Achievement, achievement_id)
    if row is None:
        raise NotFound()
    if actor is SYSTEM:
        return get_internal(session, achievement_id)
    named = _named(row)
    insider = is_insider(actor, organisation_id=row.organisation_id, named_user_ids=named)
    if not insider and row.state not in SHOWN_STATES:
        raise NotFound()
    layer = level(
        actor,
        organisation_id=row.organisation_id,
        named_user_ids=named,
        agreed=has_grant(session, achievement_id, actor.organisation_id),
    )
    return _view(row, content=content_of(row), layer=layer, insider=insider)


def get_own(session: Session, actor: Actor, achievement_id: int) -> AchievementView:
    """Return the whole record to those who work on it; everybody else gets ``NotFound``."""
    view = get_for(session, actor, achievement_id)
    if not view.insider:
        raise NotFound()
    return view


def has_grant(session: Session, achievement_id: int, organisation_id: int | None) -> bool:
    """Tell whether an organisation may read an achievement's confidential layer."""
    if organisation_id is None:
        return False
    found = session.scalar(
        select(GrantRow.id).where(
            GrantRow.achievement_id == achievement_id,
            GrantRow.organisation_id == organisation_id,
            GrantRow.revoked_at.is_(None),
        )
    )
    return found is not None


def readable_files(session: Session, actor: Actor, achievement_id: int) -> list[AttachmentView]:
    """List the attachments that the actor's layer reaches; ``owner`` ones are for insiders."""
    view = get_for(session, actor, achievement_id)
    reach = {
        Visibility.PUBLIC: {FileVisibility.PUBLIC},
        Visibility.MEMBERS: {FileVisibility.PUBLIC, FileVisibility.MEMBERS},
        Visibility.AGREEMENT: {
            FileVisibility.PUBLIC,
            FileVisibility.MEMBERS,
            FileVisibility.AGREEMENT,
        },
    }[view.layer]
    return [
        file
        for file in attachments.of(session, f"achievement:{achievement_id}")
        if view.insider or file.visibility in reach
    ]


@dataclass(frozen=True)
class GrantView:
    """Who may read the confidential layer of an achievement, since when and why."""

    organisation_id: int
    ground: str
    granted_at: datetime


def grants(session: Session, achievement_id: int) -> list[GrantView]:
    """List the organisations that may read the confidential layer now."""
    rows = session.scalars(
        select(GrantRow)
        .where(GrantRow.achievement_id == achievement_id, GrantRow.revoked_at.is_(None))
        .order_by(GrantRow.granted_at)
    )
    return [GrantView(row.organisation_id, row.ground, row.granted_at) for row in rows]


_PUBLIC_ACTIONS = {
    "achievements.publish": "发布",
    "achievements.import": "登记，由文件批量导入",
    "achievements.confirm": "权利人确认信息",
    "achievements.list": "挂牌",
    "achievements.unlist": "结束挂牌",
    "achievements.deal": "进入撮合",
    "achievements.undeal": "结束撮合",
    "achievements.transfer": "已转化",
}
_OWN_ACTIONS = _PUBLIC_ACTIONS | {
    "achievements.create": "登记草稿",
    "achievements.save": "修改内容",
    "achievements.submit": "提交单位审批",
    "achievements.approve": "审批同意",
    "achievements.return": "审批退回",
    "achievements.withdraw": "撤下",
    "achievements.reopen": "恢复为草稿",
    "achievements.expire": "有效期满，自动下架",
    "achievements.grant": "开放保密内容",
    "achievements.revoke": "关闭保密内容",
    "attachments.store": "上传附件",
    "attachments.remove": "删除附件",
}


@dataclass(frozen=True)
class HistoryLine:
    """One line of the timeline; ``who`` is empty for readers from outside."""

    at: datetime
    what: str
    who: str
    note: str


def history(session: Session, view: AchievementView) -> list[HistoryLine]:
    """List what happened, newest first; outsiders learn the milestones, not the persons."""
    known = _OWN_ACTIONS if view.insider else _PUBLIC_ACTIONS
    lines: list[HistoryLine] = []
    for entry in audit.history(session, f"achievement:{view.id}"):
        label = known.get(entry.action)
        if label is None:
            continue
        reason = (entry.after or {}).get("reason", "") if view.insider else ""
        line = HistoryLine(
            entry.happened_at, label, entry.actor_name if view.insider else "", reason
        )
        repeated = (
            entry.action == "achievements.save"
            and lines
            and lines[-1].what == line.what
            and lines[-1].who == line.who
        )
        # A morning's autosaves are one line: the last of them.
        if repeated:
            lines[-1] = line
        else:
            lines.append(line)
    return lines[::-1]
