"""Who is told of subsidy rounds and claims, and who is reminded of a deadline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import Role
from marketplace.integrity import events as integrity
from marketplace.notifications.announcing import (
    Announcement,
    Recipients,
    all_of,
    district_reviewers,
    everybody,
    members_of,
)
from marketplace.notifications.rules import MessageKind
from marketplace.subsidies import events as subsidies
from marketplace.subsidies import queries as claims
from marketplace.subsidies.word_rules import ClaimItem

_APPLICANT = members_of("organisation_id")
_CLAIM = {"claim_id": "claim_id"}
_ITEM = {"item": ClaimItem}


def unheard_experts(session: Session, event: Any) -> set[int]:
    """Tell the experts who have not judged the event's claim yet."""
    experts = set(accounts.users_with_role(session, Role.EXPERT))
    return experts - claims.judged_by(session, event.claim_id)


def _reminder(
    name: str, to: Recipients, endpoint: str, held: Callable[[Any], bool]
) -> tuple[Announcement, Announcement]:
    """Remind whoever holds a claim before its deadline, and tell once that it is missed."""
    params = {} if endpoint in ("subsidies.reclaims", "subsidies.payments") else _CLAIM
    return (
        Announcement(
            subsidies.ClaimDue,
            MessageKind.CLAIM,
            to,
            "快到期限：{number}（{item}）",
            "{organisation}的 {number}，期限 {due_on}，请及时办理。",
            endpoint,
            params,
            when=lambda event: held(event) and not event.overdue,
            name=name,
            words=_ITEM,
        ),
        Announcement(
            subsidies.ClaimDue,
            MessageKind.CLAIM,
            to,
            "已过期限：{number}（{item}）",
            "{organisation}的 {number}，期限 {due_on} 已过，请马上办理。",
            endpoint,
            params,
            when=lambda event: held(event) and event.overdue,
            name=f"{name}_late",
            words=_ITEM,
        ),
    )


def _at(*statuses: str) -> Callable[[Any], bool]:
    return lambda event: event.status in statuses


_REMINDERS = (
    *_reminder(
        "applicant", _APPLICANT, "subsidies.claim", _at("estimated", "returned", "reclaiming")
    ),
    *_reminder("district", district_reviewers, "subsidies.review", _at("district_review")),
    *_reminder(
        "centre",
        everybody(Role.CENTRE_REVIEWER),
        "subsidies.review",
        lambda event: (
            event.status == "centre_review"
            or (event.status == "district_review" and event.district is None)
        ),
    ),
    *_reminder(
        "bureau",
        everybody(Role.BUREAU_REVIEWER),
        "subsidies.review",
        lambda event: (
            event.status in ("bureau_review", "settling", "reclaiming")
            or (event.status == "approved" and not event.listed)
        ),
    ),
    *_reminder("experts", unheard_experts, "subsidies.review", _at("expert_review")),
    *_reminder(
        "treasurer",
        everybody(Role.TREASURER),
        "subsidies.payments",
        lambda event: event.status == "approved" and event.listed,
    ),
)

ANNOUNCEMENTS: tuple[Announcement, ...] = (
    Announcement(
        subsidies.RoundOpened,
        MessageKind.CLAIM,
        everybody(Role.OFFICER, Role.ENTERPRISE, Role.AGENCY_HEAD, Role.REGISTRAR),
        "{title}",
        "{year} 年度补助开始申报，{opens_on} 至 {closes_on}。"
        "平台已按登记的合同算好，核对后提交即可。",
        "subsidies.mine",
    ),
    Announcement(
        subsidies.ClaimApplied,
        MessageKind.CLAIM,
        district_reviewers,
        "待初审：{organisation}的{item}",
        "{number}，申报 {claimed}，初审期限到 {due_on}。",
        "subsidies.review",
        _CLAIM,
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimReviewed,
        MessageKind.CLAIM,
        _APPLICANT,
        "{item}通过一步审核",
        "{number} 已通过一步审核，进入下一步。",
        "subsidies.claim",
        _CLAIM,
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimReviewed,
        MessageKind.CLAIM,
        everybody(Role.CENTRE_REVIEWER),
        "待审核：{organisation}的{item}",
        "{number} 已通过区县初审，期限到 {due_on}。",
        "subsidies.review",
        _CLAIM,
        when=lambda event: event.status == "centre_review",
        name="centre",
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimReviewed,
        MessageKind.CLAIM,
        everybody(Role.BUREAU_REVIEWER),
        "待复核：{organisation}的{item}",
        "{number} 已通过促进中心审核。",
        "subsidies.review",
        _CLAIM,
        when=lambda event: event.status in ("bureau_review", "settling"),
        name="bureau",
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimPublicised,
        MessageKind.CLAIM,
        _APPLICANT,
        "补助开始公示：{number}",
        "拟补助 {payable}，公示期满无异议后支付。",
        "publicity.show",
        {"notice_id": "publicity_id"},
    ),
    Announcement(
        subsidies.ClaimReturned,
        MessageKind.CLAIM,
        _APPLICANT,
        "补助申报退回补正：{number}",
        "{item}：{reason}。请在 {due_on} 前补正后再次提交。",
        "subsidies.claim",
        _CLAIM,
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimRefused,
        MessageKind.CLAIM,
        _APPLICANT,
        "补助申报不予支持：{number}",
        "{item}：{reason}",
        "subsidies.claim",
        _CLAIM,
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimApproved,
        MessageKind.CLAIM,
        all_of(_APPLICANT, everybody(Role.TREASURER)),
        "补助通过，等待支付：{number}",
        "{organisation}的{item}，应付 {payable}。",
        "subsidies.claim",
        _CLAIM,
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimPaid,
        MessageKind.CLAIM,
        _APPLICANT,
        "补助已支付：{amount}",
        "{number}，{item}，支付凭证 {reference}。",
        "subsidies.claim",
        _CLAIM,
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimReviewed,
        MessageKind.CLAIM,
        everybody(Role.EXPERT),
        "待专家评审：{item}",
        "{number} 已通过市级复核，请独立评分，期限到 {due_on}。",
        "subsidies.desk",
        when=lambda event: event.status == "expert_review",
        name="experts",
        words=_ITEM,
    ),
    Announcement(
        subsidies.ClaimClawedBack,
        MessageKind.CLAIM,
        _APPLICANT,
        "补助被追回：{amount}",
        "{number}：{reason}。请在 {due_on} 前退回。",
        "subsidies.claim",
        _CLAIM,
    ),
    Announcement(
        subsidies.ClaimClawedBack,
        MessageKind.CLAIM,
        everybody(Role.TREASURER),
        "等待退款到账：{amount}",
        "{organisation}的 {number} 应在 {due_on} 前退回，到账后请核对确认。",
        "subsidies.reclaims",
        name="treasurer",
    ),
    Announcement(
        subsidies.ClawBackReceived,
        MessageKind.CLAIM,
        all_of(_APPLICANT, everybody(Role.BUREAU_REVIEWER)),
        "退款已到账：{amount}",
        "{organisation}的 {number} 已足额退回，凭证 {reference}。",
        "subsidies.desk",
    ),
    *_REMINDERS,
    Announcement(
        integrity.DishonestyRecorded,
        MessageKind.ACCOUNT,
        _APPLICANT,
        "本单位被记入科研诚信记录",
        "失信期 {starts_on} 至 {ends_on}，期内不能申报和领取补助，不能挂牌或受让。",
        "integrity.own",
    ),
    Announcement(
        integrity.RepairApplied,
        MessageKind.ACCOUNT,
        everybody(Role.BUREAU_REVIEWER),
        "待审核的信用修复",
        "{organisation}申请信用修复，请核查后决定。",
        "integrity.repair",
        {"repair_id": "repair_id"},
    ),
    Announcement(
        integrity.RepairDecided,
        MessageKind.ACCOUNT,
        _APPLICANT,
        "信用修复已同意",
        "失信记录自 {effect_on} 起不再计算。{opinion}",
        "integrity.own",
        when=lambda event: event.granted,
        name="granted",
    ),
    Announcement(
        integrity.RepairDecided,
        MessageKind.ACCOUNT,
        _APPLICANT,
        "信用修复未同意",
        "{opinion}",
        "integrity.own",
        when=lambda event: not event.granted,
        name="declined",
    ),
)
