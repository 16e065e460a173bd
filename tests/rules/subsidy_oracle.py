"""A second calculation, written from the rules' text alone and slowly, to check the first one.

It shares no code with the product: its table is typed again, its search tries every assignment of
roles and every document.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from itertools import product

D = date
RESEARCH = {"research_institute", "new_rd_institution", "innovation_community"}
SELLERS = {"university", "enterprise"} | RESEARCH
ALL = {"development", "transfer", "licence", "consulting", "service"}
IN_FORCE = {
    "jzz-2020-20": (D(2020, 3, 20), D(2022, 12, 31)),
    "jkf-2020-10": (D(2020, 3, 30), D(2022, 12, 31)),
    "jkf-2021-27": (D(2021, 4, 27), D(2024, 4, 26)),
    "jzf-2021-15": (D(2021, 10, 15), D(2024, 10, 14)),
    "beizeng-2023": (D(2023, 1, 1), D(2025, 12, 31)),
}
AGE = list(IN_FORCE)
PAYS = {
    "seller": ["jzz-2020-20", "jkf-2020-10", "jkf-2021-27", "beizeng-2023"],
    "buyer": ["jzz-2020-20", "jkf-2020-10", "jkf-2021-27", "jzf-2021-15", "beizeng-2023"],
    "agency": ["jkf-2021-27"],
    "registrar": ["jkf-2021-27"],
}


@dataclass(frozen=True)
class Org:
    uscc: str
    kind: str
    in_jinan: bool
    sme: bool
    filed: tuple[date | None, date | None] | None = None
    dishonest: tuple[date | None, date | None] | None = None


@dataclass(frozen=True)
class Con:
    no: str
    type: str
    on: date
    amount: int
    exempt: int
    seller: str
    buyer: str
    agency: str | None
    registrar: str | None
    project: str
    activity: str
    fiscal: bool


def within(day: date, period: tuple[date | None, date | None] | None) -> bool:
    if period is None:
        return False
    return (period[0] or D.min) <= day <= (period[1] or D.max)


def counts(c: Con, policy: str, item: str, who: str, orgs: dict[str, Org], cons: list[Con]) -> bool:
    if not within(c.on, IN_FORCE[policy]):
        return False
    if policy == "jkf-2021-27" and c.fiscal:
        return False
    if policy == "jkf-2021-27" and item == "seller" and c.activity:
        first = min((x.on, x.no) for x in cons if x.activity == c.activity)
        if first != (c.on, c.no):
            return False
    kind = orgs[c.seller].kind
    if item == "seller":
        return policy in ("jkf-2021-27", "beizeng-2023") or c.type != "licence"
    if item == "buyer":
        if policy == "jzf-2021-15":
            return kind == "university"
        if policy == "beizeng-2023":
            return kind in SELLERS and orgs[c.seller].in_jinan
        if c.type in ("transfer", "licence"):
            return kind in SELLERS
        return kind == "university" or kind in RESEARCH
    if item == "agency":
        return orgs[c.buyer].in_jinan and within(c.on, orgs[who].filed)
    return True


def base(c: Con, policy: str, item: str, cons: list[Con]) -> int:
    if policy == "beizeng-2023" and item == "buyer":
        return c.exempt
    if item == "seller" and policy == "jkf-2021-27" and c.type == "transfer" and c.project:
        earlier = [
            x.amount
            for x in cons
            if x.project == c.project and x.type == "transfer" and (x.on, x.no) < (c.on, c.no)
        ]
        return max(0, c.amount - max(earlier, default=0))
    return c.amount


def capped(rate: Fraction, total: int, cap_yuan: int) -> int:
    return min(cap_yuan * 100, (rate.numerator * total) // rate.denominator)


def amount(
    policy: str, item: str, who: str, mine: list[Con], orgs: dict[str, Org], cons: list[Con]
) -> int:
    counted = [c for c in mine if counts(c, policy, item, who, orgs, cons)]

    def total(types: set[str]) -> int:
        return sum(base(c, policy, item, cons) for c in counted if c.type in types)

    if item == "seller" and policy == "beizeng-2023":
        return capped(Fraction(1, 100), total(ALL), 1_000_000)
    if item == "seller":
        return capped(
            Fraction(15, 10000), total({"development", "transfer", "licence"}), 800_000
        ) + capped(Fraction(1, 1000), total({"consulting", "service"}), 500_000)
    if item == "buyer":
        return capped(Fraction(3, 100), total(ALL), 1_000_000)
    if item == "agency":
        whole = total(ALL)
        return capped(Fraction(15, 1000), whole, 500_000) if whole >= 3_000_000_00 else 0
    whole = total(ALL)
    return capped(Fraction(1, 10000), whole, 300_000) if whole >= 1_000_000_000_00 else 0


def pays(
    year: int, orgs: dict[str, Org], cons: list[Con], policies: list[str]
) -> dict[tuple[str, str], tuple[str, int]]:
    """Return (policy, fen) by organisation and item."""
    answer: dict[tuple[str, str], tuple[str, int]] = {}
    for who, org in orgs.items():
        if not org.in_jinan or within(D(year, 12, 31), org.dishonest):
            continue
        mine = [c for c in cons if c.on.year == year]
        as_seller = [c for c in mine if c.seller == who == c.agency]
        as_buyer = [c for c in mine if c.buyer == who == c.agency]
        ways = []
        for seller_role, buyer_role in product(("principal", "agency"), repeat=2):
            if (seller_role == "agency" and not as_seller) or (
                buyer_role == "agency" and not as_buyer
            ):
                continue
            if "jkf-2021-27" not in policies and "agency" in (seller_role, buyer_role):
                continue
            conflicts = "jkf-2021-27" in policies
            held = {
                "seller": [
                    c
                    for c in mine
                    if c.seller == who and not (seller_role == "agency" and c in as_seller)
                ],
                "buyer": [
                    c
                    for c in mine
                    if c.buyer == who and not (buyer_role == "agency" and c in as_buyer)
                ],
                "agency": [
                    c
                    for c in mine
                    if c.agency == who
                    and not (conflicts and seller_role == "principal" and c in as_seller)
                    and not (conflicts and buyer_role == "principal" and c in as_buyer)
                ],
                "registrar": [c for c in mine if c.registrar == who],
            }
            won: dict[str, tuple[str, int]] = {}
            for item, own in held.items():
                if item == "seller" and org.kind not in SELLERS:
                    continue
                if item == "buyer" and not org.sme:
                    continue
                if item == "registrar" and org.kind != "registrar":
                    continue
                offers = [
                    (amount(p, item, who, own, orgs, cons), AGE.index(p), p)
                    for p in PAYS[item]
                    if p in policies
                ]
                best = max(offers, default=(0, 0, ""))
                if best[0] > 0:
                    won[item] = (best[2], best[0])
            principals = (len(as_seller) if seller_role == "principal" else 0) + (
                len(as_buyer) if buyer_role == "principal" else 0
            )
            ways.append((sum(fen for _, fen in won.values()), principals, won))
        best_way = max(ways, key=lambda way: way[:2])
        for item, line in best_way[2].items():
            answer[(who, item)] = line
    return answer
