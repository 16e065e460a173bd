"""What one contract would bring to each of its parties, on any day, before it is registered.

Pure. ``estimate`` takes the year's other contracts into account: caps, thresholds, earlier
transfers; ``compare_days`` moves the registration to the days on which documents begin and end.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from marketplace.foundation.money import Fen
from marketplace.subsidies.calculation_rules import Calculation, prepare
from marketplace.subsidies.comparison_rules import ComparedDocument
from marketplace.subsidies.explanation_rules import Explanation, explain
from marketplace.subsidies.parameters import Policy
from marketplace.subsidies.trace_rules import Party, RegisteredContract
from marketplace.subsidies.word_rules import Item
from marketplace.subsidies.wording_rules import ran_out


@dataclass(frozen=True)
class ItemEstimate:
    """What a contract brings one party; ``year_fen`` is its whole year with the contract."""

    item: Item
    party_name: str
    added_fen: Fen
    before_fen: Fen
    year_fen: Fen
    explanation: Explanation
    ran_out: tuple[str, ...]

    @property
    def got(self) -> bool:
        """Tell whether the contract brings anything."""
        return self.added_fen > 0


@dataclass(frozen=True)
class Estimate:
    """What a contract brings to all its parties, the largest first."""

    contract: RegisteredContract
    items: tuple[ItemEstimate, ...]
    documents: tuple[str, ...]

    @property
    def total_fen(self) -> Fen:
        """Return what all parties get together."""
        return Fen(sum(item.added_fen for item in self.items))

    def of(self, item: Item) -> ItemEstimate | None:
        """Return one item's estimate, None where nobody stands in that role."""
        return next((found for found in self.items if found.item is item), None)


@dataclass(frozen=True)
class DayEstimate:
    """The same contract registered on another day, and what is different then."""

    on: date
    given: bool
    amounts: Mapping[Item, Fen]
    total_fen: Fen
    change: str


def estimate(
    contract: RegisteredContract,
    *,
    others: Sequence[RegisteredContract],
    parties: Mapping[str, Party],
    policies: Sequence[Policy],
) -> Estimate:
    """Estimate what a contract adds to what its parties get from ``others`` in the same year.

    ``others`` may hold earlier years (Readings D and E look back) but not the contract itself.
    """
    year = contract.registered_on.year
    # Each looks back by itself: without this contract a later one of its activity is the first.
    after = prepare(year, parties=parties, contracts=[*others, contract], policies=policies)
    before = prepare(year, parties=parties, contracts=others, policies=policies)
    items = [
        _item(item, holder, contract, after, before, policies)
        for item in Item
        if (holder := contract.holder(item)) is not None
    ]
    order = list(Item)
    items.sort(key=lambda found: (-found.added_fen, order.index(found.item)))
    documents = dict.fromkeys(found.explanation.document_no for found in items if found.got)
    return Estimate(contract, tuple(items), tuple(documents))


def _item(
    item: Item,
    holder: str,
    contract: RegisteredContract,
    after: Calculation,
    before: Calculation,
    policies: Iterable[Policy],
) -> ItemEstimate:
    result = after.results_of(holder)[item]
    earlier = before.results_of(holder).get(item)
    before_fen = earlier.amount_fen if earlier else Fen(0)
    return ItemEstimate(
        item=item,
        party_name=result.party.name,
        added_fen=Fen(result.amount_fen - before_fen),
        before_fen=before_fen,
        year_fen=result.amount_fen,
        explanation=explain(result, after.parties),
        ran_out=ran_out(item, contract.registered_on, policies),
    )


def compare_days(
    contract: RegisteredContract,
    *,
    others: Sequence[RegisteredContract],
    parties: Mapping[str, Party],
    policies: Sequence[Policy],
) -> tuple[DayEstimate, ...]:
    """Estimate the contract on its own day and on each day on which a document's term turns.

    The year's other contracts move along, so that only the documents make the difference.
    """
    relevant = [policy for policy in policies if policy.items]
    turns = {policy.in_force.since for policy in relevant} | {
        policy.in_force.until + timedelta(days=1) for policy in relevant if policy.in_force.until
    }
    rows = []
    for day in sorted(turns | {contract.registered_on}):
        moved = [_moved(other, contract, day) for other in others]
        found = estimate(
            replace(contract, registered_on=day), others=moved, parties=parties, policies=policies
        )
        rows.append(
            DayEstimate(
                on=day,
                given=day == contract.registered_on,
                amounts={item.item: item.added_fen for item in found.items},
                total_fen=found.total_fen,
                change="；".join(_turns(day, relevant)),
            )
        )
    return tuple(rows)


@dataclass(frozen=True)
class DocumentEstimate:
    """One document's offer to each party, for the whole year with the contract; drafts never pay.

    ``offers`` hold amount and reason by item; an item that the document does not pay is missing.
    """

    policy: Policy
    in_force: bool
    offers: Mapping[Item, ComparedDocument]


def side_by_side(
    found: Estimate, drafts: Mapping[str, Estimate], policies: Iterable[Policy]
) -> tuple[DocumentEstimate, ...]:
    """Set the documents beside each other, the latest first, with what each gives whom.

    ``drafts`` hold, by id, the estimate as if the draft were in force.
    """
    rows = []
    for policy in sorted(policies, key=lambda p: p.issued_order, reverse=True):
        estimated = drafts.get(policy.id, found)
        offers = {
            item.item: document
            for item in estimated.items
            for document in item.explanation.documents
            if document.policy_id == policy.id
        }
        if offers:
            in_force = policy.in_force.covers(found.contract.registered_on)
            rows.append(DocumentEstimate(policy, in_force and not policy.draft, offers))
    return tuple(rows)


def _moved(
    other: RegisteredContract, contract: RegisteredContract, day: date
) -> RegisteredContract:
    same_day = other.registered_on == contract.registered_on
    return replace(other, registered_on=day) if same_day else other


def _turns(day: date, policies: Iterable[Policy]) -> Iterable[str]:
    for policy in policies:
        if policy.in_force.since == day:
            yield f"{policy.short}起施行"
        if policy.in_force.until is not None and policy.in_force.until == day - timedelta(days=1):
            yield f"{policy.short} {policy.in_force.until.isoformat()} 到期"


# The calculator asks for no names: its parties stand under these keys.
SELLER, BUYER, AGENCY, REGISTRAR, OTHERS = "卖方", "买方", "服务机构", "登记机构", "其他单位"


@dataclass(frozen=True)
class Question:
    """What a visitor enters into the calculator; amounts before are of the same year."""

    contract: RegisteredContract
    parties: Mapping[str, Party]
    agency_before_fen: Fen
    registrar_before_fen: Fen

    def others(self) -> list[RegisteredContract]:
        """Return the year's earlier sums as contracts between other parties."""
        sums = ((self.agency_before_fen, "agency"), (self.registrar_before_fen, "registrar"))
        return [
            replace(
                self.contract,
                contract_no=f"本年此前合计（{Item(role).party}）",
                amount_fen=amount,
                technology_amount_fen=amount,
                tax_exempt_amount_fen=None,
                seller=OTHERS,
                buyer=OTHERS,
                agency=self.contract.agency if role == "agency" else None,
                registrar=self.contract.registrar if role == "registrar" else None,
                project_id="",
                activity_id="",
                fiscal_funds=False,
            )
            for amount, role in sums
            if amount
        ]
