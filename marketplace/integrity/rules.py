"""The words and rules of integrity records: who keeps them, how long they count.

济科发〔2020〕58号 第12条: an organisation inside a recorded period of dishonesty gets no support.
"""

from __future__ import annotations

from datetime import date, timedelta

from marketplace.foundation.access import Actor, Permission, Role
from marketplace.foundation.errors import Conflict, NotAllowed, Problem, RuleBroken, raise_if_any
from marketplace.foundation.words import Word


class DishonestyGround(Word):
    """Why an organisation was put on record."""

    SHAM_CONTRACT = "sham_contract", "虚假技术合同"
    FALSE_MATERIAL = "false_material", "提供虚假申报材料"
    MISUSED_FUNDS = "misused_funds", "违规使用财政资金"
    MISCONDUCT = "misconduct", "科研不端行为"
    BROKEN_PROMISE = "broken_promise", "违反交易承诺"
    OTHER = "other", "其他科研失信行为"


class RecordState(Word):
    """Whether a record counts on a day."""

    COMING = "coming", "尚未开始", "neutral"
    CURRENT = "current", "失信期内", "danger"
    PAST = "past", "已期满", "neutral"
    REVOKED = "revoked", "已撤销", "neutral"
    REPAIRED = "repaired", "信用已修复", "ok"


class RepairState(Word):
    """Where an application for the repair of credit stands."""

    APPLIED = "applied", "待审核", "run"
    GRANTED = "granted", "同意修复", "ok"
    DECLINED = "declined", "不予修复", "danger"


KEEP = Permission("integrity.keep", frozenset({Role.BUREAU_REVIEWER, Role.OPERATOR}))
REPAIR = Permission(
    "integrity.repair",
    frozenset(
        {
            Role.ORG_ADMIN,
            Role.OFFICER,
            Role.LEADER,
            Role.ENTERPRISE,
            Role.AGENCY_HEAD,
            Role.PROVIDER,
            Role.REGISTRAR,
        }
    ),
)


def state_on(
    *, starts_on: date, ends_on: date, revoked: bool, on: date, repaired_on: date | None = None
) -> RecordState:
    """Return whether a record counts on a day; both ends are included.

    A repair ends it from its day on: the days before still count.
    """
    if revoked:
        return RecordState.REVOKED
    if repaired_on is not None and on >= repaired_on:
        return RecordState.REPAIRED
    if on < starts_on:
        return RecordState.COMING
    return RecordState.CURRENT if on <= ends_on else RecordState.PAST


def check_record(*, reason: str, document: str, starts_on: date, ends_on: date) -> None:
    """Refuse a record without facts, without the decision it rests on, or with a turned period."""
    problems = []
    if len(reason.strip()) < 10:
        problems.append(
            Problem("integrity.no_reason", "请写明失信事实，至少 10 个字；会公开", "reason")
        )
    if len(document.strip()) < 4:
        problems.append(
            Problem("integrity.no_document", "请填写处理决定的文号，没有决定不能记录", "document")
        )
    if ends_on < starts_on:
        problems.append(
            Problem("integrity.period", "截止日期早于开始日期，请改正其中一个", "ends_on")
        )
    raise_if_any(problems)


def check_revocation(reason: str) -> None:
    """Refuse to take a record back without a reason."""
    if len(reason.strip()) < 5:
        raise_if_any([Problem("integrity.no_reason", "请写明撤销的依据，至少 5 个字", "reason")])


def repair_from(starts_on: date, *, after_days: int) -> date:
    """Return the first day on which the repair of a record may be applied for (platform rule)."""
    return starts_on + timedelta(days=after_days)


def check_repair(*, state: RecordState, possible_from: date, today: date, deeds: str) -> None:
    """Refuse an application for a record that does not count today, too early, or without deeds."""
    if state is not RecordState.CURRENT:
        raise Conflict("repair.not_current", f"这条记录现在是“{state.label}”，不需要修复")
    if today < possible_from:
        raise RuleBroken(
            "repair.too_early", f"失信记录到 {possible_from.isoformat()} 起才能申请信用修复"
        )
    if len(deeds.strip()) < 20:
        raise RuleBroken(
            "repair.no_deeds",
            "请写明已经怎样改正：退还款项、消除影响、整改措施，至少 20 个字",
            "deeds",
        )


def check_repair_decision(
    *, state: RepairState, opinion: str, decider: Actor, organisation_id: int
) -> None:
    """Refuse a second decision, one without grounds, and one by the organisation itself."""
    if decider.organisation_id == organisation_id:
        raise NotAllowed("repair.own", "不能审核本单位的信用修复，请由其他单位的人员办理")
    if state is not RepairState.APPLIED:
        raise Conflict("repair.decided", f"这份申请已经办结（{state.label}），不能再改")
    if len(opinion.strip()) < 10:
        raise RuleBroken(
            "repair.no_opinion", "请写明核查情况和理由，至少 10 个字；申请单位会看到", "opinion"
        )
