"""The words and rules of listings: states and their guards, prices, deposits, terms.

Defaults that no law fixes are read from the platform's dated parameters and passed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from marketplace.foundation.access import Permission, Role
from marketplace.foundation.clock import local_midnight
from marketplace.foundation.errors import Problem, RuleBroken, raise_if_any
from marketplace.foundation.money import MAX_FEN, Fen, format_yuan
from marketplace.foundation.words import Word


class PricingMode(Word):
    """How the price comes about (定价方式), of 促进科技成果转化法 art. 18."""

    NEGOTIATED = "negotiated", "协议定价"
    LISTED = "listed", "挂牌"
    BIDDING = "bidding", "竞价"
    AUCTION = "auction", "拍卖"
    TENDER = "tender", "招标"


HELD_OUTSIDE = frozenset({PricingMode.AUCTION, PricingMode.TENDER})
"""Held by a licensed auctioneer or a tendering agency, whose result is recorded here.

拍卖法第十二条: only a licensed auctioneer holds an auction; 招标投标法第二十八条: with fewer than
three bidders a tender is opened anew.
"""


class ListingState(Word):
    """Where a listing stands."""

    APPLIED = "applied", "待受理", "neutral"
    RETURNED = "returned", "退回补正", "warn"
    ACCEPTED = "accepted", "已受理，待公告", "neutral"
    ANNOUNCED = "announced", "挂牌中", "ok"
    QUALIFYING = "qualifying", "资格确认中", "run"
    NEGOTIATING = "negotiating", "协议洽谈中", "run"
    BIDDING = "bidding", "竞价中", "run"
    OUTSIDE = "outside", "拍卖或招标中", "run"
    PRICE_PUBLICITY = "price_publicity", "协议定价公示中", "run"
    RESULT_PUBLICITY = "result_publicity", "成交结果公示中", "run"
    AWARDED = "awarded", "待签约", "run"
    SIGNED = "signed", "已签约", "ok"
    FAILED = "failed", "未成交", "neutral"
    WITHDRAWN = "withdrawn", "已撤牌", "neutral"


class IntentState(Word):
    """Where a buyer's intent stands."""

    REGISTERED = "registered", "待资格确认", "neutral"
    ADMITTED = "admitted", "待交保证金", "warn"
    QUALIFIED = "qualified", "已获资格", "ok"
    BARRED = "barred", "竞价资格已取消", "danger"
    WON = "won", "成交", "ok"
    LOST = "lost", "未成交", "neutral"
    REJECTED = "rejected", "未获资格", "danger"
    WITHDRAWN = "withdrawn", "已撤回", "neutral"


_S = ListingState
TRANSITIONS: dict[ListingState, frozenset[ListingState]] = {
    _S.APPLIED: frozenset({_S.RETURNED, _S.ACCEPTED, _S.WITHDRAWN}),
    _S.RETURNED: frozenset({_S.APPLIED, _S.WITHDRAWN}),
    _S.ACCEPTED: frozenset({_S.ANNOUNCED, _S.WITHDRAWN}),
    _S.ANNOUNCED: frozenset(
        {_S.QUALIFYING, _S.NEGOTIATING, _S.PRICE_PUBLICITY, _S.FAILED, _S.WITHDRAWN}
    ),
    # Back to the announcement: an extension, when nobody who came was qualified.
    _S.QUALIFYING: frozenset(
        {
            _S.ANNOUNCED,
            _S.BIDDING,
            _S.OUTSIDE,
            _S.RESULT_PUBLICITY,
            _S.FAILED,
            _S.WITHDRAWN,
        }
    ),
    _S.OUTSIDE: frozenset({_S.RESULT_PUBLICITY, _S.FAILED}),
    _S.NEGOTIATING: frozenset({_S.PRICE_PUBLICITY, _S.FAILED, _S.WITHDRAWN}),
    _S.BIDDING: frozenset({_S.RESULT_PUBLICITY, _S.FAILED}),
    _S.PRICE_PUBLICITY: frozenset({_S.AWARDED, _S.FAILED}),
    _S.RESULT_PUBLICITY: frozenset({_S.AWARDED, _S.FAILED}),
    _S.AWARDED: frozenset({_S.SIGNED, _S.FAILED}),
    _S.SIGNED: frozenset(),
    _S.FAILED: frozenset(),
    _S.WITHDRAWN: frozenset(),
}

_I = IntentState
INTENT_TRANSITIONS: dict[IntentState, frozenset[IntentState]] = {
    _I.REGISTERED: frozenset({_I.ADMITTED, _I.QUALIFIED, _I.REJECTED, _I.WITHDRAWN, _I.LOST}),
    _I.ADMITTED: frozenset({_I.QUALIFIED, _I.REJECTED, _I.WITHDRAWN, _I.LOST}),
    _I.QUALIFIED: frozenset({_I.WON, _I.LOST, _I.WITHDRAWN, _I.BARRED}),
    _I.BARRED: frozenset(),
    _I.WON: frozenset({_I.LOST}),
    _I.LOST: frozenset(),
    _I.REJECTED: frozenset(),
    _I.WITHDRAWN: frozenset(),
}

# From here on the public sees a listing; before it, only its seller and the operator.
PUBLIC_STATES = (
    _S.ANNOUNCED,
    _S.QUALIFYING,
    _S.NEGOTIATING,
    _S.BIDDING,
    _S.OUTSIDE,
    _S.PRICE_PUBLICITY,
    _S.RESULT_PUBLICITY,
    _S.AWARDED,
    _S.SIGNED,
    _S.FAILED,
)
OVER = (_S.SIGNED, _S.FAILED, _S.WITHDRAWN)
EDITABLE = (_S.APPLIED, _S.RETURNED)
# Until the announcement publishes it, the seller chooses how bids are given.
UNPUBLISHED = (*EDITABLE, _S.ACCEPTED)
# An intent in one of these still counts when the announcement ends.
LIVE_INTENTS = (_I.REGISTERED, _I.ADMITTED, _I.QUALIFIED)

APPLY = Permission("listings.apply", frozenset({Role.OFFICER, Role.LEADER}))
SEE_OWN = Permission("listings.see_own", frozenset({Role.OFFICER, Role.LEADER, Role.INVENTOR}))
OPERATE = Permission("listings.operate", frozenset({Role.OPERATOR}))
SEE_OWN_OR_OPERATE = Permission(
    "listings.see_own_or_operate", frozenset({*(SEE_OWN.roles or ()), Role.OPERATOR})
)
INTEND = Permission("listings.intend", frozenset({Role.ENTERPRISE}))
BID = Permission("listings.bid", frozenset({Role.ENTERPRISE}))
# Who tries without the right to is told why, and it is noted: the service asks for BID.
TRY_TO_BID = Permission("listings.try_to_bid", frozenset(Role), verified=False)


def move(state: ListingState, to: ListingState) -> ListingState:
    """Return the next state, or refuse a step that the procedure does not have."""
    if to not in TRANSITIONS[state]:
        raise RuleBroken(
            "listings.step",
            f"挂牌项目现在是“{state.label}”，不能转为“{to.label}”；请刷新页面看最新状态",
        )
    return to


def check_to_announce(state: ListingState) -> None:
    """Refuse to announce by hand what is not accepted; an extension follows from the procedure."""
    if state is not ListingState.ACCEPTED:
        raise RuleBroken(
            "listings.not_accepted",
            f"挂牌项目现在是“{state.label}”，只有已受理、待公告的项目可以公告；请刷新页面看最新状态",
        )


def move_intent(state: IntentState, to: IntentState) -> IntentState:
    """Return the intent's next state, or refuse a step that the procedure does not have."""
    if to not in INTENT_TRANSITIONS[state]:
        raise RuleBroken(
            "listings.intent_step",
            f"受让意向现在是“{state.label}”，不能转为“{to.label}”；请刷新页面看最新状态",
        )
    return to


def reachable(state: ListingState) -> frozenset[ListingState]:
    """Return the states that may follow."""
    return TRANSITIONS[state]


@dataclass(frozen=True)
class Limits:
    """The platform's limits on the day of the application."""

    deposit_minimum_per_mille: int
    deposit_maximum_per_mille: int


@dataclass(frozen=True)
class Offer:
    """What the seller asks for and under which conditions."""

    title: str
    pricing_mode: PricingMode
    base_price_fen: Fen
    increment_fen: Fen
    deposit_fen: Fen
    payment_terms: str
    conditions: str
    agent_name: str = ""
    agent_licence: str = ""


def check_offer(offer: Offer, limits: Limits) -> None:
    """Refuse an offer whose price, deposit or increment do not fit together; name every field."""
    problems = []
    if len(offer.title.strip()) < 5:
        problems.append(Problem("listings.title", "请写明标的名称，至少 5 个字", "title"))
    if not 0 < offer.base_price_fen <= MAX_FEN:
        problems.append(
            Problem("listings.base_price", "底价要大于 0；请填写以元计的底价", "base_price_fen")
        )
    else:
        problems += _deposit_problems(offer, limits)
        problems += _increment_problems(offer)
        problems += _agent_problems(offer)
    if len(offer.payment_terms.strip()) < 4:
        problems.append(
            Problem("listings.payment_terms", "请写明付款的期次和时间", "payment_terms")
        )
    raise_if_any(problems)


def _deposit_problems(offer: Offer, limits: Limits) -> list[Problem]:
    if offer.pricing_mode is PricingMode.NEGOTIATED and offer.deposit_fen == 0:
        return []
    least = -(-offer.base_price_fen * limits.deposit_minimum_per_mille // 1000)
    most = offer.base_price_fen * limits.deposit_maximum_per_mille // 1000
    if least <= offer.deposit_fen <= most:
        return []
    return [
        Problem(
            "listings.deposit",
            f"保证金应为底价的 {limits.deposit_minimum_per_mille // 10}%–"
            f"{limits.deposit_maximum_per_mille // 10}%，"
            f"即 {format_yuan(Fen(least))} 至 {format_yuan(Fen(most))} 元",
            "deposit_fen",
        )
    ]


def _increment_problems(offer: Offer) -> list[Problem]:
    if offer.pricing_mode is PricingMode.NEGOTIATED or offer.pricing_mode in HELD_OUTSIDE:
        return []
    if 0 < offer.increment_fen <= offer.base_price_fen:
        return []
    return [
        Problem(
            "listings.increment",
            "两家以上合格时要竞价，请填写每档加价：大于 0，不超过底价",
            "increment_fen",
        )
    ]


def _agent_problems(offer: Offer) -> list[Problem]:
    if offer.pricing_mode not in HELD_OUTSIDE:
        return []
    who = "拍卖企业" if offer.pricing_mode is PricingMode.AUCTION else "招标代理机构"
    problems = []
    if len(offer.agent_name.strip()) < 4:
        problems.append(Problem("listings.agent", f"请填写{who}的全称", "agent_name"))
    if len(offer.agent_licence.strip()) < 4:
        problems.append(
            Problem("listings.licence", f"请填写{who}的批准证书或委托合同编号", "agent_licence")
        )
    return problems


def check_outside(price_fen: Fen, base_price_fen: Fen, document: str) -> None:
    """Refuse the result of an auction or tender below the base price, or without its paper."""
    problems = []
    if not base_price_fen <= price_fen <= MAX_FEN:
        problems.append(
            Problem(
                "listings.outside_low",
                f"成交价不能低于公告的底价 {format_yuan(base_price_fen)} 元",
                "price_fen",
            )
        )
    if len(document.strip()) < 4:
        problems.append(
            Problem("listings.outside_paper", "请填写成交确认书或中标通知书的编号", "document")
        )
    raise_if_any(problems)


def announcement_workdays(
    base_price_fen: Fen,
    *,
    chosen: int | None,
    usual: int,
    large: int,
    large_above_fen: Fen,
    least: int,
) -> int:
    """Return the length of an announcement in working days.

    The default follows the base price; a shorter choice is refused below ``least``.
    """
    days = chosen if chosen is not None else large if base_price_fen > large_above_fen else usual
    if days < least:
        raise RuleBroken(
            "listings.announcement_short",
            f"挂牌公告期不得少于 {least} 个工作日，请改为 {least} 个工作日以上",
            "workdays",
        )
    if days > 250:
        raise RuleBroken(
            "listings.announcement_long", "挂牌公告期最长 250 个工作日，请分次挂牌", "workdays"
        )
    return days


def check_signed(state: ListingState) -> None:
    """Refuse a certificate for a trade whose contract is not registered."""
    if state is not ListingState.SIGNED:
        raise RuleBroken(
            "listings.not_signed", f"项目现在是“{state.label}”，合同登记之后才能出具交易凭证"
        )


def end_of(day: date) -> datetime:
    """Return the moment at which a term that runs through ``day`` is over."""
    return local_midnight(day + timedelta(days=1))


def check_intent(*, offer_fen: Fen, base_price_fen: Fen, promised: bool, plan: str) -> None:
    """Refuse an intent below the listed price, without the promise, or without a plan."""
    problems = []
    if offer_fen < base_price_fen:
        problems.append(
            Problem(
                "listings.offer_low",
                f"意向价格不能低于底价 {format_yuan(base_price_fen)} 元，请改为底价或更高",
                "offer_fen",
            )
        )
    if len(plan.strip()) < 10:
        problems.append(
            Problem("listings.no_plan", "请说明打算怎样实施这项成果，至少 10 个字", "plan")
        )
    if not promised:
        problems.append(
            Problem("listings.no_promise", "请阅读并勾选受让承诺，否则不能登记意向", "promised")
        )
    raise_if_any(problems)


def check_agreed_price(price_fen: Fen, base_price_fen: Fen) -> None:
    """Refuse an agreed price below the base price that was announced."""
    if not base_price_fen <= price_fen <= MAX_FEN:
        raise RuleBroken(
            "listings.agreed_low",
            f"协议价格不能低于公告的底价 {format_yuan(base_price_fen)} 元；"
            "要降价，请先撤牌再按新底价重新申请",
            "price_fen",
        )


def check_reason(reason: str, what: str, field: str = "reason") -> None:
    """Refuse an act that needs a reason without one; ``what`` names the act on the screen."""
    if len(reason.strip()) < 5:
        raise RuleBroken("listings.no_reason", f"请写明{what}的原因，至少 5 个字", field)


def plate(listing_id: int, intent_id: int, taken: frozenset[str]) -> str:
    """Return a bidder's number plate, 01 to 99 and beyond, unlike any in ``taken``.

    It is scattered, so that a plate does not tell in which order or how many bidders came.
    """
    size = 99 if len(taken) < 60 else 9999
    for step in range(size):
        number = (listing_id * 37 + intent_id * 61 + step) % size + 1
        if f"{number:02d}" not in taken:
            return f"{number:02d}"
    raise RuleBroken("listings.plates", "这个项目的号牌已经发完，请联系交易中心")


class Outcome(Word):
    """What follows when an announcement, with its qualification, is over."""

    EXTEND = "extend", "延期"
    FAIL = "fail", "终结"
    DEAL = "deal", "一家合格，按其意向价成交"
    BID = "bid", "两家以上合格，进入竞价"
    OUTSIDE = "outside", "由拍卖企业或招标代理机构组织"


TENDER_BIDDERS = 3


def outcome(
    qualified_count: int,
    *,
    extension_count: int,
    extension_limit: int,
    pricing_mode: PricingMode = PricingMode.BIDDING,
) -> Outcome:
    """Decide what follows from how many buyers are qualified and how often it was extended."""
    if pricing_mode is PricingMode.AUCTION and qualified_count >= 2:
        return Outcome.OUTSIDE
    if pricing_mode is PricingMode.TENDER:
        if qualified_count >= TENDER_BIDDERS:
            return Outcome.OUTSIDE
        qualified_count = 0
    if qualified_count >= 2:
        return Outcome.BID
    if qualified_count == 1:
        return Outcome.DEAL
    return Outcome.EXTEND if extension_count < extension_limit else Outcome.FAIL
