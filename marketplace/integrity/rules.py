"""The words and rules of integrity records: who keeps them, how long they count.

济科发〔2020〕58号 第12条: an organisation inside a recorded period of dishonesty gets no support.
"""

from __future__ import annotations

from datetime import date

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.errors import Problem, raise_if_any
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


KEEP = Permission("integrity.keep", frozenset({Role.BUREAU_REVIEWER, Role.OPERATOR}))


def state_on(*, starts_on: date, ends_on: date, revoked: bool, on: date) -> RecordState:
    """Return whether a record counts on a day; both ends are included."""
    if revoked:
        return RecordState.REVOKED
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
