"""The words of an application to change or cancel a registration. Pure.

Who applied for the registration applies for its change at the same registrar (登记变更).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.contracts.rules import ContractContent, Item
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word


class AmendmentKind(Word):
    """What a party applies for after the registration."""

    CHANGE = "change", "变更登记"
    CANCEL = "cancel", "撤销登记"


class AmendmentState(Word):
    """Where an application for amendment stands."""

    APPLIED = "applied", "待登记机构审核", "run"
    GRANTED = "granted", "已同意", "ok"
    DECLINED = "declined", "未同意", "danger"
    WITHDRAWN = "withdrawn", "已撤回", "neutral"


@dataclass(frozen=True)
class NewTerms:
    """The terms that a supplementary agreement puts in place of the registered ones."""

    amount_fen: Fen
    technology_amount_fen: Fen
    items: tuple[Item, ...]
    ends_on: date | None


def check_open(state: AmendmentState) -> None:
    """Refuse an answer to an application that has one."""
    if state is not AmendmentState.APPLIED:
        raise Conflict(
            "contracts.amendment_state",
            f"这份申请{state.label}，不能再处理；请刷新页面看最新状态",
        )


def check_new_terms(content: ContractContent, terms: NewTerms, *, received_fen: Fen) -> None:
    """Refuse new terms that change nothing, leave a rest, or fall below what has been received."""
    rest = terms.amount_fen - terms.technology_amount_fen
    rest -= sum(item.amount_fen for item in terms.items)
    if rest:
        raise RuleBroken(
            "contracts.items_missing",
            f"变更后还有 {format_yuan(Fen(rest))} 元没有说明，请逐项列出非技术性费用",
            "items",
        )
    before = (content.amount_fen, content.technology_amount_fen, content.ends_on)
    if before == (terms.amount_fen, terms.technology_amount_fen, terms.ends_on):
        raise RuleBroken(
            "contracts.unchanged",
            "金额和期限都与登记的相同，没有可变更的内容",
            "amount_fen",
        )
    if terms.amount_fen < received_fen:
        raise RuleBroken(
            "contracts.below_received",
            f"变更后的成交总额低于已登记到账的 {format_yuan(received_fen)} 元；"
            "有退款的，请先撤回相应的到账登记",
            "amount_fen",
        )
