"""In which states of its object each changing action is open, from the rules' own tables.

A move is open where the transition table has its step and the action is meant for it; everything
else is open in a set of states that the rules name. ``tests/pages/test_states.py`` walks them.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, TypeVar

from marketplace.achievements import rules as achievements
from marketplace.achievements.rules import AchievementState
from marketplace.contracts import rules as contracts
from marketplace.contracts.rules import ContractStatus
from marketplace.foundation.words import Word
from marketplace.needs import rules as needs
from marketplace.needs.rules import NeedState
from marketplace.techservices import rules as orders
from marketplace.techservices.rules import OrderState

State = TypeVar("State", bound=Word)


def _before(
    table: Mapping[State, Collection[State]], to: State, without: Collection[State] = ()
) -> frozenset[State]:
    """Return the states from which a table leads to a state, less those of another action."""
    return frozenset(state for state in table if to in table[state]) - frozenset(without)


_N, _A, _C, _O = NeedState, AchievementState, ContractStatus, OrderState
_NEEDS, _ACHIEVEMENTS = needs.TRANSITIONS, achievements.TRANSITIONS
_CONTRACTS, _ORDERS = contracts.TRANSITIONS, orders.TRANSITIONS

OPEN_IN: dict[str, frozenset[Any]] = {
    "needs.submit": _before(_NEEDS, _N.REVIEW),
    # Three ways lead back to a draft: the owner's from review, the operator's, and from the end.
    "needs.recall": frozenset({_N.REVIEW}),
    "needs.reopen": needs.REOPENABLE_STATES,
    # An open one leaves the market by it.
    "needs.return_": frozenset({_N.REVIEW, _N.OPEN}),
    "needs.accept": frozenset({_N.REVIEW}),
    # One in a deal is closed by the deal.
    "needs.close": _before(_NEEDS, _N.CLOSED, {_N.MATCHED}),
    "needs.edit": needs.EDITABLE_STATES,
    "needs.attach": needs.EDITABLE_STATES,
    "needs.detach": needs.EDITABLE_STATES,
    "needs.answer": needs.VISIBLE_STATES,
    # Who answered gets a reply also when the need has ended meanwhile.
    "needs.accept_answer": frozenset(NeedState),
    "needs.decline_answer": frozenset(NeedState),
    "achievements.submit": _before(_ACHIEVEMENTS, _A.INTERNAL_REVIEW),
    "achievements.approve": frozenset({_A.INTERNAL_REVIEW}),
    "achievements.return_": frozenset({_A.INTERNAL_REVIEW}),
    "achievements.withdraw": _before(_ACHIEVEMENTS, _A.WITHDRAWN),
    "achievements.reopen": achievements.REOPENABLE_STATES,
    "achievements.edit": achievements.EDITABLE_STATES,
    "achievements.attach": achievements.EDITABLE_STATES,
    "achievements.detach": achievements.EDITABLE_STATES,
    "contracts.submit": _before(_CONTRACTS, _C.SUBMITTED),
    "contracts.edit": contracts.EDITABLE,
    "contracts.detach": contracts.EDITABLE,
    "contracts.take_up": _before(_CONTRACTS, _C.REVIEW),
    "contracts.return_": _before(_CONTRACTS, _C.CORRECTION),
    "contracts.refuse": _before(_CONTRACTS, _C.REFUSED),
    "contracts.register": _before(_CONTRACTS, _C.REGISTERED),
    "contracts.dispute": contracts.WITH_REGISTRAR,
    "contracts.change": _before(_CONTRACTS, _C.CHANGED),
    "contracts.cancel": _before(_CONTRACTS, _C.CANCELLED),
    "contracts.amend": contracts.IN_REGISTER,
    "contracts.ask_cancellation": contracts.IN_REGISTER,
    "contracts.declare_receipt": contracts.IN_REGISTER,
    "techservices.accept": _before(_ORDERS, _O.ACCEPTED),
    "techservices.decline": _before(_ORDERS, _O.DECLINED),
    "techservices.withdraw": _before(_ORDERS, _O.WITHDRAWN),
    "techservices.report": _before(_ORDERS, _O.IN_PROGRESS),
    "techservices.deliver": _before(_ORDERS, _O.DELIVERED),
    "techservices.confirm": _before(_ORDERS, _O.CONFIRMED),
}


def states_of(method: str, endpoint: str) -> str:
    """Return the states in which a changing route is open, in the order of their words."""
    chosen = OPEN_IN.get(endpoint, frozenset()) if method != "GET" else frozenset()
    words = type(next(iter(chosen))) if chosen else ()
    return " ".join(state.value for state in words if state in chosen)
