"""Reads of contracts' texts: what could be read, the proposed type, what other texts are alike."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.contracts import parameters
from marketplace.contracts.models import Contract, ContractText, ContractTextMark
from marketplace.contracts.proposal_rules import Proposal, propose
from marketplace.contracts.rules import ContractStatus, ContractType
from marketplace.contracts.text_rules import (
    ReadText,
    clauses,
    differing,
    likeness_per_mille,
    shingles,
)

# Texts that share fewer marks cannot come near the bound; more candidates are no help.
_LEAST_SHARED_MARKS = 8
_MOST_CANDIDATES = 30


@dataclass(frozen=True)
class LikeText:
    """Another contract whose text repeats much of this one's."""

    contract_id: int
    per_mille: int
    differing: list[str]


@dataclass(frozen=True)
class AgreementLine:
    """One proposed type against what registrars decided, by type."""

    proposed: ContractType | None
    decided: dict[ContractType, int]

    @property
    def count(self) -> int:
        """Return how many contracts were proposed this type."""
        return sum(self.decided.values())

    @property
    def agreed(self) -> int:
        """Return how many of them were registered under it."""
        return self.decided.get(self.proposed, 0) if self.proposed else 0


@dataclass(frozen=True)
class Agreement:
    """How often registrars decided as the texts were read."""

    lines: list[AgreementLine]

    @property
    def proposed_count(self) -> int:
        """Count the contracts for which a type was proposed."""
        return sum(line.count for line in self.lines if line.proposed)

    @property
    def agreed_count(self) -> int:
        """Count those registered under the proposed type."""
        return sum(line.agreed for line in self.lines)

    @property
    def open_count(self) -> int:
        """Count the contracts whose text spoke for no one type."""
        return sum(line.count for line in self.lines if line.proposed is None)

    @property
    def percent_text(self) -> str:
        """Write the share with one decimal; a dash where nothing was proposed."""
        if not self.proposed_count:
            return "—"
        per_mille = self.agreed_count * 1000 // self.proposed_count
        return f"{per_mille // 10}.{per_mille % 10} %"


def texts_of(session: Session, contract_id: int) -> dict[int, ReadText]:
    """Return what could be read of each attachment of a contract, by the attachment's id."""
    rows = session.scalars(
        select(ContractText)
        .where(ContractText.contract_id == contract_id)
        .order_by(ContractText.attachment_id)
    )
    return {row.attachment_id: ReadText(row.body, row.problem) for row in rows}


def main_text(session: Session, contract_id: int) -> str:
    """Return the contract's text: the first attachment in which there is any."""
    return next((read.body for read in texts_of(session, contract_id).values() if read.body), "")


def proposal_of(session: Session, contract_id: int, project_name: str) -> Proposal | None:
    """Propose a type from a contract's text; None where no text could be read."""
    body = main_text(session, contract_id)
    if not body:
        return None
    title = body.splitlines()[0][:60]
    # Where the title claims a type that counts as the name; else the project's name does.
    cues = parameters.type_cues()
    found = clauses(body)
    named = propose(title, (), cues).named
    return propose(title if named else project_name, found, cues)


def like_texts(session: Session, contract_id: int, *, per_mille: int) -> list[LikeText]:
    """Find submitted contracts whose text is alike, the most alike first."""
    body = main_text(session, contract_id)
    if not body:
        return []
    own = shingles(body)
    found = []
    for other_id in _candidates(session, contract_id):
        other = main_text(session, other_id)
        alike = likeness_per_mille(own, shingles(other))
        if alike >= per_mille:
            found.append(LikeText(other_id, alike, differing(body, other)))
    return sorted(found, key=lambda like: (-like.per_mille, like.contract_id))


def _candidates(session: Session, contract_id: int) -> list[int]:
    shared = func.count().label("shared")
    marks = select(ContractTextMark.mark).where(ContractTextMark.contract_id == contract_id)
    rows = session.execute(
        select(ContractTextMark.contract_id, shared)
        .join(Contract, Contract.id == ContractTextMark.contract_id)
        .where(
            ContractTextMark.mark.in_(marks),
            ContractTextMark.contract_id != contract_id,
            Contract.submitted_at.is_not(None),
            Contract.status.not_in((ContractStatus.REFUSED, ContractStatus.CANCELLED)),
        )
        .group_by(ContractTextMark.contract_id)
        .having(func.count() >= _LEAST_SHARED_MARKS)
        .order_by(shared.desc(), ContractTextMark.contract_id)
        .limit(_MOST_CANDIDATES)
    )
    return [other_id for other_id, _shared in rows]


def agreement(session: Session, *, registrar_organisation_id: int | None = None) -> Agreement:
    """Measure how often registrars decided as proposed, of one registrar or of all."""
    statement = (
        select(Contract.proposed_type, Contract.contract_type, func.count())
        .where(Contract.proposed_certainty.is_not(None), Contract.contract_type.is_not(None))
        .group_by(Contract.proposed_type, Contract.contract_type)
    )
    if registrar_organisation_id is not None:
        statement = statement.where(Contract.registrar_organisation_id == registrar_organisation_id)
    lines: dict[ContractType | None, dict[ContractType, int]] = {}
    for proposed, decided, number in session.execute(statement):
        if decided is not None:
            lines.setdefault(proposed, {})[decided] = number
    order: list[ContractType | None] = [*ContractType, None]
    return Agreement([AgreementLine(key, lines[key]) for key in order if key in lines])
