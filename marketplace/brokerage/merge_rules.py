"""Merging two deals of the same parties, and splitting one that is about several things.

Pure. Neither is undone: the deal that ends keeps what was said and proved on it, so that nobody
reads more than before; only what is still to be done moves.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from marketplace.brokerage.pipeline_rules import DealFacts, Pipeline, Step, checklist
from marketplace.brokerage.rules import TALKING, DealStage
from marketplace.foundation.errors import Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import Fen, format_yuan
from marketplace.foundation.words import Word

LONGEST_PART = 40


class MergedPrice(Word):
    """What the price of the deal that stands becomes."""

    KEEP = "keep", "以留下的项目为准"
    ADD = "add", "两个项目的价格相加"


class SplitSubject(Word):
    """What of a deal becomes a deal of its own."""

    NEED = "need", "只谈技术需求，成果留在原项目"
    PART = "part", "同一标的的另一部分"


@dataclass(frozen=True, kw_only=True)
class DealFootprint:
    """What of a deal decides whether it can be merged or split.

    ``listed``: the trading hall drives it. ``agreement_holds`` and ``agreement_waived``: on what
    its confidential talks rest. ``commission_agreed``: a party has confirmed a commission.
    ``disputed``: a dispute about an introduction is open, or a contract waits to be checked.
    """

    id: int
    title: str
    stage: DealStage
    seller_organisation_id: int
    buyer_organisation_id: int
    broker_user_id: int | None
    agency_organisation_id: int | None
    achievement_id: int | None
    need_id: int | None
    part: str
    listed: bool
    amount_fen: Fen | None
    agreement_holds: bool
    agreement_waived: bool
    commission_agreed: bool
    disputed: bool


def refusals(ending: DealFootprint, standing: DealFootprint) -> list[Problem]:
    """List why a deal cannot be merged into another; empty where it can."""
    if ending.id == standing.id:
        return [Problem("merge.itself", "不能把项目并入它自己，请选择另一个项目")]
    found = [_open(each) for each in (ending, standing) if each.stage not in TALKING]
    checks = (
        (
            (ending.seller_organisation_id, ending.buyer_organisation_id)
            != (standing.seller_organisation_id, standing.buyer_organisation_id),
            "merge.parties",
            "两个项目的成果方或需求方不同，不能合并；只有同一成果方与同一需求方的项目可以并成一个",
        ),
        (
            (ending.broker_user_id, ending.agency_organisation_id)
            != (standing.broker_user_id, standing.agency_organisation_id),
            "merge.leaders",
            "两个项目由不同的人推进，合并会让一方看到另一方的记录；请先移交给同一位经理人",
        ),
        (
            ending.listed,
            "merge.listed",
            f"“{ending.title}”来自挂牌，由交易大厅推进，只能留下它：请把另一个并进来",
        ),
        (
            ending.achievement_id is not None and standing.achievement_id is None,
            "merge.direction",
            f"“{standing.title}”没有成果条目，并进去会让成果的发明人看到它以前的记录；"
            f"请反过来，把它并入“{ending.title}”",
        ),
        (
            (ending.agreement_holds and standing.agreement_waived)
            or (ending.agreement_waived and standing.agreement_holds),
            "merge.confidentiality",
            "一个项目按保密协议谈，另一个约定不需要保密协议：合并会放宽保密；"
            "请先让两个项目的保密约定一致",
        ),
        (
            ending.commission_agreed and standing.commission_agreed,
            "merge.commissions",
            "两个项目各有生效的佣金约定，合并后同一份合同会付两次；请先与付款方解除其中一份",
        ),
        (
            ending.disputed or standing.disputed,
            "merge.disputed",
            "介绍存证有争议或有合同待交易中心核对，结果出来以前不能合并",
        ),
    )
    return found + [Problem(code, words) for broken, code, words in checks if broken]


def _open(deal: DealFootprint) -> Problem:
    return Problem(
        "merge.closed",
        f"“{deal.title}”已经是“{deal.stage.label}”，只有还在谈的项目可以合并；"
        "签约以后按合同办，已结束的保持原样",
    )


def suggested_price(ending: DealFootprint, standing: DealFootprint) -> MergedPrice:
    """Suggest to add the prices of two achievements, and not to count one thing twice."""
    both = ending.achievement_id is not None and standing.achievement_id is not None
    return MergedPrice.ADD if both and not standing.listed else MergedPrice.KEEP


def merged_amount(ending: DealFootprint, standing: DealFootprint, price: MergedPrice) -> Fen | None:
    """Return the price of the deal that stands; refuse to change one set by an award."""
    if price is MergedPrice.KEEP or ending.amount_fen is None:
        return standing.amount_fen
    if standing.listed and standing.amount_fen is not None:
        raise RuleBroken(
            "merge.awarded_price",
            "留下的项目价格由挂牌成交确定，不能相加；请选“以留下的项目为准”",
            "price",
        )
    return Fen((standing.amount_fen or 0) + ending.amount_fen)


def merged_part(ending: DealFootprint, standing: DealFootprint) -> str:
    """Return what part the deal that stands is about, where both are parts of one thing."""
    if (ending.achievement_id, ending.need_id) != (standing.achievement_id, standing.need_id):
        return standing.part
    return "、".join((standing.part, ending.part)) if standing.part and ending.part else ""


def split_refusals(deal: DealFootprint) -> list[Problem]:
    """List why a deal cannot be split, whatever is chosen; empty where it can."""
    checks = (
        (
            deal.stage not in TALKING,
            "split.closed",
            f"项目已经是“{deal.stage.label}”，只有还在谈的项目可以拆分",
        ),
        (
            deal.listed,
            "split.listed",
            "项目来自挂牌，标的和价格由交易大厅确定，不能拆分；另一部分请另行挂牌",
        ),
        (
            deal.disputed,
            "split.disputed",
            "介绍存证有争议或有合同待交易中心核对，结果出来以前不能拆分",
        ),
    )
    return [Problem(code, words) for broken, code, words in checks if broken]


def subjects_of(deal: DealFootprint) -> tuple[SplitSubject, ...]:
    """List what can be split off: the need only where an achievement stays behind."""
    both = deal.need_id is not None and deal.achievement_id is not None
    return tuple(SplitSubject) if both else (SplitSubject.PART,)


def check_split(
    deal: DealFootprint, *, subject: SplitSubject, part: str, amount_fen: Fen | None
) -> str:
    """Return the trimmed name of the part.

    Refuse a part without a name, and a share of the price that leaves nothing for either deal.
    """
    problems = split_refusals(deal)
    words = part.strip()
    if subject not in subjects_of(deal):
        problems.append(
            Problem(
                "split.subject",
                "项目没有同时写明成果和需求，拆不出单独的需求；请选“同一标的的另一部分”",
                "what",
            )
        )
    if subject is SplitSubject.PART and len(words) < 2:
        problems.append(
            Problem("split.part", "请写明新项目谈哪一部分，例如“第二件专利的许可”", "part")
        )
    if amount_fen is not None and deal.amount_fen is None:
        problems.append(
            Problem(
                "split.unpriced",
                "原项目还没有谈定价格，没有可分的；请留空，以后在新项目里填",
                "amount_fen",
            )
        )
    elif amount_fen is not None and not 0 < amount_fen < (deal.amount_fen or 0):
        problems.append(
            Problem(
                "split.amount",
                f"分给新项目的价格应大于 0、小于原价 {format_yuan(deal.amount_fen or Fen(0))} 元："
                "两个项目的价格之和等于原价",
                "amount_fen",
            )
        )
    raise_if_any(problems)
    return words if subject is SplitSubject.PART else ""


def step_of_part(pipeline: Pipeline, facts: DealFacts, *, reached: str) -> Step:
    """Return where a deal that was split off starts; ``reached`` is the step of the first.

    As far as the first had come, where its own conditions are met; that the parties were in
    contact counts for both.
    """
    own = replace(facts, contact_count=max(facts.contact_count, 1))
    start = pipeline.steps[0]
    for step in pipeline.steps[1 : pipeline.place(reached) + 1]:
        if not all(each.met for each in checklist(own, step)):
            break
        start = step
    return start
