"""Claw-back: on what ground, how much, until when, and what goes to the integrity record. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from marketplace.foundation.access import Actor
from marketplace.foundation.errors import Conflict, NotAllowed, Problem, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word
from marketplace.integrity.rules import DishonestyGround
from marketplace.subsidies.rules import ClaimStatus


class ClawBackGround(Word):
    """Why a paid amount is taken back."""

    FALSE_CLAIM = "false_claim", "虚报冒领"
    SHAM_CONTRACT = "sham_contract", "虚假技术合同"
    CANCELLED_CONTRACT = "cancelled_contract", "合同登记被撤销"
    OVERPAID = "overpaid", "多付"

    @property
    def article(self) -> str:
        """Return the article that a claw-back on this ground rests on."""
        if self.dishonesty is not None:
            return "济科发〔2020〕58号第十四条"
        return "平台补助办理规则 · 追回"

    @property
    def dishonesty(self) -> DishonestyGround | None:
        """Return the ground of the integrity record that follows, None where nobody deceived."""
        return _DISHONEST.get(self)


_DISHONEST = {
    ClawBackGround.FALSE_CLAIM: DishonestyGround.FALSE_MATERIAL,
    ClawBackGround.SHAM_CONTRACT: DishonestyGround.SHAM_CONTRACT,
}


@dataclass(frozen=True)
class ClawBackTerms:
    """A decision to take a paid amount back; ``dishonest_until`` ends the integrity record."""

    ground: ClawBackGround
    amount_fen: Fen
    reason: str
    document: str
    due_on: date
    dishonest_until: date | None = None


def check_claw_back(
    terms: ClawBackTerms, *, status: ClaimStatus, paid_fen: Fen, today: date
) -> None:
    """Refuse to claw back what was not paid, more than was paid, or without facts and a decision.

    虚报冒领 and 假技术合同 need the period of the integrity record (济科发〔2020〕58号 第14条);
    where nobody deceived there is none.
    """
    if status is not ClaimStatus.PAID:
        raise Conflict("claims.not_paid", f"只有已支付的补助可以追回，这份现在是“{status.label}”")
    problems = []
    if not 0 < terms.amount_fen <= paid_fen:
        problems.append(
            Problem(
                "clawback.amount",
                f"追回金额应大于 0、不超过已支付的 {format_yuan(paid_fen)} 元",
                "amount",
            )
        )
    if len(terms.reason.strip()) < 10:
        problems.append(
            Problem("claims.no_reason", "请写明追回的事实，至少 10 个字；申报单位会看到", "reason")
        )
    if len(terms.document.strip()) < 4:
        problems.append(Problem("claims.no_document", "请填写处理决定的文号", "document"))
    if terms.due_on < today:
        problems.append(Problem("clawback.due", "退款期限已经过去，请改到今天以后", "due_on"))
    if terms.ground.dishonesty is None and terms.dishonest_until is not None:
        problems.append(
            Problem(
                "clawback.no_dishonesty",
                f"“{terms.ground.label}”不是失信行为，不记入科研诚信；请清空失信记录截止日",
                "dishonest_until",
            )
        )
    if terms.ground.dishonesty is not None:
        if terms.dishonest_until is None:
            problems.append(
                Problem(
                    "clawback.dishonesty",
                    f"“{terms.ground.label}”要记入科研诚信，请填写失信记录截止日",
                    "dishonest_until",
                )
            )
        elif terms.dishonest_until <= today:
            problems.append(
                Problem("clawback.period", "失信记录截止日应在今天以后", "dishonest_until")
            )
    raise_if_any(problems)


def check_receipt(
    *,
    received: bool,
    ordered_by_id: int | None,
    actor: Actor,
    amount_fen: Fen,
    given_fen: Fen | None,
    reference: str,
) -> None:
    """Refuse a second receipt, one by who ordered it, another amount, or no reference."""
    if received:
        raise Conflict("clawback.received", "这笔退款已经确认到账，不能重复确认")
    if actor.user_id is None or actor.user_id == ordered_by_id:
        raise NotAllowed("clawback.same_person", "作出追回决定的人不能确认到账，请由财政局办理")
    problems = []
    if given_fen != amount_fen:
        problems.append(
            Problem(
                "clawback.other_amount",
                f"应退 {format_yuan(amount_fen)} 元，须足额到账后再确认；金额不符请与单位核对",
                "amount",
            )
        )
    if len(reference.strip()) < 4:
        problems.append(
            Problem("clawback.reference", "请填写收款凭证号，与银行回单一致", "reference")
        )
    raise_if_any(problems)
