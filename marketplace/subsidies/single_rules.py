"""What is paid for one occasion: recognitions, fees, vouchers. Pure.

Each document that names an item is weighed on the grounds; exactly one pays, the one with the
highest amount, of equal ones the later (Reading G). A draft never pays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from marketplace.foundation.money import Fen
from marketplace.subsidies.parameters import FeePayment, Policy, SinglePayment, Voucher
from marketplace.subsidies.trace_rules import Party
from marketplace.subsidies.word_rules import ClaimItem
from marketplace.subsidies.wording_rules import in_force_text, kinds_text, short_yuan

Terms = SinglePayment | FeePayment | Voucher

# The key of an item in the documents' data, where it is not the item's own value.
_VOUCHERS = {ClaimItem.INSTRUMENT_VOUCHER: "instrument", ClaimItem.EVENT_VOUCHER: "event"}


@dataclass(frozen=True)
class Ground:
    """One occasion: what happened, the proof of it, what was paid.

    ``key`` is the same whenever the occasion is the same. ``used_fen`` is a voucher's share, of
    ``holder`` (whose yearly cap it counts against), by ``count`` people where it is by head.
    """

    key: str
    what: str
    proof: str
    happened_on: date
    paid_fen: Fen = Fen(0)
    used_fen: Fen = Fen(0)
    holder: str = ""
    count: int = 0
    excellent: bool = False
    counterparty_id: int | None = None


@dataclass(frozen=True)
class WeighedGround:
    """What a document makes of one ground, with the reason where it pays nothing or less."""

    ground: Ground
    counted_fen: Fen
    text: str


@dataclass(frozen=True)
class SingleOffer:
    """What one document pays for an item on all grounds."""

    policy: Policy
    terms: Terms
    parts: tuple[WeighedGround, ...]
    obstacles: tuple[str, ...]

    @property
    def amount_fen(self) -> Fen:
        """Return what the document pays."""
        return Fen(0) if self.obstacles else Fen(sum(part.counted_fen for part in self.parts))


@dataclass(frozen=True)
class SingleResult:
    """An item of one organisation in a year: all documents' offers, the oldest first."""

    item: ClaimItem
    party: Party
    year: int
    offers: tuple[SingleOffer, ...]

    @property
    def paying(self) -> SingleOffer | None:
        """Return the offer that pays: the highest, of equal ones the later document's."""
        paying = [offer for offer in self.offers if offer.amount_fen > 0]
        return max(reversed(paying), key=lambda offer: offer.amount_fen, default=None)

    @property
    def amount_fen(self) -> Fen:
        """Return what is paid."""
        return self.paying.amount_fen if self.paying else Fen(0)


def terms_of(policy: Policy, item: ClaimItem) -> Terms | None:
    """Return what a document says of an item paid for one occasion, or None."""
    listed: Iterable[Terms] = (*policy.single_payments, *policy.fees)
    key = item.value
    if item in _VOUCHERS:
        listed, key = policy.vouchers, _VOUCHERS[item]
    return next((terms for terms in listed if terms.key == key), None)


def assess(
    item: ClaimItem,
    *,
    party: Party,
    year: int,
    grounds: Sequence[Ground],
    policies: Sequence[Policy],
) -> SingleResult:
    """Weigh an item's grounds under every document that names it; ``policies`` oldest first."""
    offers = []
    for policy in policies:
        terms = terms_of(policy, item)
        if terms is not None and not policy.draft:
            parts = tuple(_weigh(policy, terms, item, grounds))
            offers.append(SingleOffer(policy, terms, parts, tuple(_obstacles(party, terms, year))))
    return SingleResult(item, party, year, tuple(offers))


def is_open_to(item: ClaimItem, party: Party, policies: Sequence[Policy]) -> bool:
    """Tell whether any document pays an item to organisations of the party's kind."""
    found = [terms for policy in policies if not policy.draft and (terms := terms_of(policy, item))]
    return any(
        not isinstance(terms, FeePayment)
        or not terms.claimant.kinds
        or party.kind in terms.claimant.kinds
        for terms in found
    )


def _obstacles(party: Party, terms: Terms, year: int) -> Iterator[str]:
    claimant = terms.claimant if isinstance(terms, FeePayment) else None
    # A recognised institution is one of the city's, as everybody else who is paid (Reading A).
    if not party.in_city and not isinstance(terms, Voucher):
        yield "单位不在济南登记注册"
    if claimant is not None and claimant.kinds and party.kind not in claimant.kinds:
        yield f"只面向{kinds_text(claimant.kinds)}"
    year_end = date(year, 12, 31)
    for record in party.dishonesty:  # Reading I
        if record.period.covers(year_end):
            yield f"年末处于科研失信记录期，一票否决：{record.reason}"


def _weigh(
    policy: Policy, terms: Terms, item: ClaimItem, grounds: Sequence[Ground]
) -> Iterator[WeighedGround]:
    used: dict[str, Fen] = {}
    paid_once = False
    for ground in sorted(grounds, key=lambda ground: (ground.happened_on, ground.key)):
        if not policy.in_force.covers(ground.happened_on):  # Reading F
            yield WeighedGround(ground, Fen(0), in_force_text(policy, ground.happened_on))
        elif isinstance(terms, SinglePayment):
            reason = "只奖励一次" if paid_once and item.once else _refused(terms, ground)
            paid_once = paid_once or not reason
            yield WeighedGround(ground, Fen(0) if reason else terms.amount, reason or "计入")
        elif isinstance(terms, FeePayment):
            share = terms.share * ground.paid_fen
            yield WeighedGround(ground, Fen(share.numerator // share.denominator), "计入")
        else:
            left = Fen(max(0, _cap(terms) - used.get(ground.holder, Fen(0))))
            counted, text = _voucher(terms, ground, left)
            used[ground.holder] = Fen(used.get(ground.holder, Fen(0)) + counted)
            yield WeighedGround(ground, counted, text)


def _refused(terms: SinglePayment, ground: Ground) -> str:
    if terms.until is not None and ground.happened_on > terms.until:
        return f"本款适用到 {terms.until.isoformat()}：{terms.reading}"
    if terms.review == "excellent" and not ground.excellent:
        return f"不符合条件：{terms.condition}"
    return ""


def _cap(terms: Voucher) -> Fen:
    """Return a holder's yearly cap; teams are no organisations of the platform."""
    return next(cap.cap for cap in terms.caps if cap.holder in ("enterprise", "institution"))


def _voucher(terms: Voucher, ground: Ground, left: Fen) -> tuple[Fen, str]:
    most, why = Fen(0), ""
    if terms.share is not None:
        share = terms.share * ground.paid_fen
        most = Fen(share.numerator // share.denominator)
        why = "按服务费的比例上限计"
    elif terms.each is not None:
        heads = min(ground.count, terms.at_most_per_event or ground.count)
        most = Fen(terms.each * heads)
        why = f"每场至多 {terms.at_most_per_event} 张"
    bounds = (
        (ground.used_fen, "计入"),
        (most, why),
        (left, f"全年上限 {short_yuan(_cap(terms))}，只计余下部分"),
    )
    return min(bounds, key=lambda bound: bound[0])
