"""Which of the five types a contract's text speaks for, with the very clauses that say so.

Pure. It proposes and never decides: what counts are duties, not the name (技术合同司法解释 42:
name and duties disagree, the duties go). A text that speaks for two types alike gets no proposal.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from marketplace.contracts.rules import SUBTYPES, ContractSubtype, ContractType
from marketplace.contracts.text_rules import Clause
from marketplace.foundation.words import Word


class Certainty(Word):
    """How plainly a text speaks for one type."""

    CLEAR = "clear", "条款明确指向一种类型", "ok"
    LIKELY = "likely", "较可能，请核对条款", "run"
    OPEN = "open", "条款指向不明，请人工判断", "warn"


@dataclass(frozen=True)
class Cue:
    """What a clause must say to speak for a type; ``weight`` counts once a clause."""

    says: str
    pattern: re.Pattern[str]
    weight: int
    article: str
    contract_type: ContractType | None
    subtype: ContractSubtype | None = None


@dataclass(frozen=True)
class Cues:
    """All cues, the words by which a contract's name tells its type, and what is no technology."""

    duties: tuple[Cue, ...]
    names: tuple[tuple[ContractType, re.Pattern[str]], ...]
    not_technology: tuple[Cue, ...]


@dataclass(frozen=True)
class Ground:
    """A clause that speaks for a type, and why."""

    clause: Clause
    says: str
    article: str
    weight: int
    contract_type: ContractType | None


@dataclass(frozen=True)
class Proposal:
    """A proposed type with what speaks for it and against it.

    ``named`` is the type that the contract's name claims; ``doubts`` are clauses that make it no
    technology contract at all.
    """

    contract_type: ContractType | None
    subtype: ContractSubtype | None
    certainty: Certainty
    points: tuple[tuple[ContractType, int], ...]
    grounds: tuple[Ground, ...]
    named: ContractType | None
    doubts: tuple[Ground, ...]

    def of(self, contract_type: ContractType | None) -> list[Ground]:
        """Return the clauses that speak for a type."""
        return [ground for ground in self.grounds if ground.contract_type is contract_type]

    @property
    def name_differs(self) -> bool:
        """Tell whether the name claims another type than the duties speak for."""
        return (
            self.named is not None
            and self.contract_type is not None
            and self.named is not self.contract_type
        )


_LEAST_POINTS = 5
_MOST_TIMES = 2
_DENIED = re.compile(r"(不|未|无|非|并非|不得|不包括|不涉及|不含|不属于)[^,。;]{0,6}$")


def propose(name: str, clauses: Sequence[Clause], cues: Cues) -> Proposal:
    """Propose a type from the clauses; ``name`` is the contract's title or its project's name.

    Each cue counts once a clause and twice a text, so that no repetition outweighs the rest.
    Clear: five points and twice the next type's. Likely: five points and a quarter more than it.
    """
    duties = _duties(clauses)
    grounds = _grounds(duties, cues.duties)
    points = dict.fromkeys(ContractType, 0)
    for ground in grounds:
        if ground.contract_type is not None:
            points[ground.contract_type] += ground.weight
    ranked = sorted(points.items(), key=lambda pair: -pair[1])
    (first, most), (_second, next_most) = ranked[0], ranked[1]
    certainty = Certainty.OPEN
    if most >= _LEAST_POINTS and most >= 2 * next_most:
        certainty = Certainty.CLEAR
    elif most >= _LEAST_POINTS and 4 * most >= 5 * next_most:
        certainty = Certainty.LIKELY
    proposed = None if certainty is Certainty.OPEN else first
    return Proposal(
        contract_type=proposed,
        subtype=None if proposed is None else _subtype(proposed, duties, cues.duties),
        certainty=certainty,
        points=tuple((kind, value) for kind, value in ranked if value),
        grounds=tuple(grounds),
        named=_named(name, cues),
        doubts=tuple(_grounds(duties, cues.not_technology)),
    )


def _duties(clauses: Sequence[Clause]) -> Sequence[Clause]:
    """Leave out what stands before the first article: a title and a heading are no duties."""
    first = next((position for position, clause in enumerate(clauses) if clause.number), 0)
    return clauses[first:]


def _grounds(clauses: Sequence[Clause], cues: Sequence[Cue]) -> list[Ground]:
    found: list[Ground] = []
    times = [0] * len(cues)
    for clause in clauses:
        plain = unicodedata.normalize("NFKC", "".join(clause.words.split()))
        for position, cue in enumerate(cues):
            if times[position] < _MOST_TIMES and _says(cue.pattern, plain):
                times[position] += 1
                found.append(Ground(clause, cue.says, cue.article, cue.weight, cue.contract_type))
    return found


def _says(pattern: re.Pattern[str], words: str) -> bool:
    """Tell whether a clause says it somewhere without denying it just before."""
    return any(not _DENIED.search(words[: match.start()]) for match in pattern.finditer(words))


def _subtype(
    proposed: ContractType, clauses: Sequence[Clause], cues: Sequence[Cue]
) -> ContractSubtype | None:
    points = dict.fromkeys(SUBTYPES[proposed], 0)
    own = [cue for cue in cues if cue.subtype in points]
    for position, ground in enumerate(_grounds(clauses, own)):
        # Of equal ones the first that is said.
        cue = next(cue for cue in own if cue.says == ground.says)
        if cue.subtype is not None:
            points[cue.subtype] += ground.weight * 1000 - position
    best = max(points, key=lambda kind: points[kind])
    return best if points[best] > 0 else None


def _named(name: str, cues: Cues) -> ContractType | None:
    """Return the type a name claims; a name that claims two claims the one it says last."""
    last: tuple[int, ContractType] | None = None
    for kind, pattern in cues.names:
        for match in pattern.finditer(name):
            if last is None or match.end() > last[0]:
                last = (match.end(), kind)
    return last[1] if last else None
