"""Expert terms of a need: which are proposed, who may accept one, who may take one off. Pure."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from marketplace.foundation.access import Actor, Permission, Role, permits
from marketplace.foundation.errors import Conflict, RuleBroken
from marketplace.needs.rules import DRAFT, OWN, TERMS_MAX, VISIBLE_STATES, NeedContent, NeedState
from search import core, expansion, text
from search.expansion import Term

TERM_MAX = 30
PROPOSED_AT_ONCE = 8
# A field with less of the evidence is a guess that nobody should read.
LEAST_FIELD_SHARE = 0.1
TALK_SHOWN = 4
_CHANGEABLE = VISIBLE_STATES | {NeedState.DRAFT}

# Who helps others to be found; what they accept the platform must have proposed.
HELP = Permission("needs.help_with_terms", frozenset({Role.BROKER, Role.OPERATOR}))
# Either the owner's people or who helps; which of them may do what is asked of the need.
ACCEPT = Permission(
    "needs.accept_term", frozenset({*(OWN.roles or ()), *(HELP.roles or ())}), verified=False
)


@dataclass(frozen=True)
class Reading:
    """How the platform reads what has been written: shown while it is being written.

    ``fields`` are the likely fields of the trade, ``talk`` the clauses that count less.
    """

    terms: tuple[Term, ...]
    fields: tuple[str, ...]
    talk: tuple[str, ...]


def read(content: NeedContent) -> Reading:
    """Read a need's text: its fields, what counts less, and the terms that experts would use.

    Terms that the need carries already are left out.
    """
    written = "\n".join((content.title, content.problem, content.present_solution))
    held = {text.norm(term) for term in content.expert_terms}
    likely = (name for name, share in expansion.fields(written) if share >= LEAST_FIELD_SHARE)
    clauses = core.stretches(written)
    talk = [c for c in clauses if c.kind is core.Kind.TALK]
    # Where there is nothing else, nothing counts less than the rest.
    aside = talk if len(talk) < len(clauses) else []
    return Reading(
        terms=expansion.expand(written, without=held, most=PROPOSED_AT_ONCE),
        fields=tuple(likely),
        talk=tuple(written[c.start : c.end] for c in aside[:TALK_SHOWN]),
    )


def may_accept(actor: Actor, *, insider: bool, state: NeedState) -> bool:
    """Tell whether the actor may accept a term for a need in this state."""
    if insider:
        return state in _CHANGEABLE and permits(actor, DRAFT)
    return state in VISIBLE_STATES and permits(actor, HELP)


def may_drop(actor: Actor, *, insider: bool, state: NeedState) -> bool:
    """Tell whether the actor may take a term off: the owner's word is the last."""
    return insider and state in _CHANGEABLE and permits(actor, DRAFT)


def with_term(terms: Collection[str], term: str) -> tuple[str, ...]:
    """Return the terms with one more; refuse what is no term, or one too many."""
    tidy = " ".join("".join(c if c.isprintable() else " " for c in term).split())
    if not 1 < len(tidy) <= TERM_MAX or not text.runs(text.norm(tidy)):
        raise RuleBroken(
            "needs.term", f"专业词要 2 到 {TERM_MAX} 个字，例如“低温脱硝”", "expert_terms"
        )
    if text.norm(tidy) in {text.norm(held) for held in terms}:
        return tuple(terms)
    if len(terms) >= TERMS_MAX:
        raise Conflict("needs.terms", f"专业词最多 {TERMS_MAX} 个，请先去掉不合适的")
    return (*terms, tidy)


def without_term(terms: Collection[str], term: str) -> tuple[str, ...]:
    """Return the terms less one, however it is written."""
    gone = text.norm(" ".join(term.split()))
    return tuple(held for held in terms if text.norm(held) != gone)


def check_proposed(term: str, proposed: Collection[str]) -> None:
    """Refuse a term of somebody else's need that the platform has not proposed for it."""
    if text.norm(term) not in {text.norm(name) for name in proposed}:
        raise RuleBroken(
            "needs.term_not_proposed",
            "这个词不是平台为这条需求提出的；别人的需求只能采纳平台提出的词",
            "term",
        )
