"""What people change on the pages of the eight objects programs change too, or it is said why not.

The objects: achievements, needs, listings, intents, bids, deals, contracts and claims, and the
notices of which deals and claims are announced. Desks of offices are not among them: their
decisions are people's.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator

from flask import Flask

from tests.architecture import matrix

_PLACES = (
    "/my/achievements", "/my/needs", "/needs", "/my/listings", "/listings", "/my/priorities",
    "/deals", "/contracts", "/subsidies/claims", "/subsidies/rounds", "/notices",
)  # fmt: skip

# The page's endpoint → the operations that do the same through the same use case.
OFFERED: dict[str, tuple[str, ...]] = {
    "achievements.create": ("achievements_api.create_achievement",),
    "achievements.edit": ("achievements_api.save_achievement",),
    "achievements.submit": ("achievements_api.submit_achievement",),
    "achievements.withdraw": ("achievements_api.withdraw_achievement",),
    "achievements.reopen": ("achievements_api.reopen_achievement",),
    "achievements.confirm": ("achievements_api.confirm_achievement",),
    "achievements.attach": ("achievements_api.attach_to_achievement",),
    "achievements.detach": ("achievements_api.detach_from_achievement",),
    "needs.create": ("needs_api.create_need",),
    "needs.edit": ("needs_api.save_need",),
    "needs.submit": ("needs_api.submit_need",),
    "needs.recall": ("needs_api.recall_need",),
    "needs.close": ("needs_api.close_need",),
    "needs.reopen": ("needs_api.reopen_need",),
    "needs.attach": ("needs_api.attach_to_need",),
    "needs.detach": ("needs_api.detach_from_need",),
    "needs.answer": ("needs_api.answer_need",),
    "needs.accept_answer": ("needs_api.accept_need_answer",),
    "needs.decline_answer": ("needs_api.decline_need_answer",),
    "listings.apply": ("listings_api.apply_listing",),
    "listings.edit": ("listings_api.correct_application",),
    "listings.choose_bidding": ("listings_api.choose_listing_bidding",),
    "listings.withdraw": ("listings_api.withdraw_listing",),
    "listings.agree_price": ("listings_api.agree_on_price",),
    "listings.begin_trial": ("listings_api.begin_listing_trial",),
    "listings.end_trial": ("listings_api.end_listing_trial",),
    "listings.intend": ("listings_api.register_intent",),
    "listings.withdraw_intent": ("listings_api.withdraw_intent",),
    "listings.bid": ("listings_api.place_bid",),
    "listings.set_limit": ("listings_api.set_bidding_limit",),
    "listings.drop_limit": ("listings_api.drop_bidding_limit",),
    "brokerage.open_deal": ("brokerage_api.open_deal",),
    "brokerage.interest": ("brokerage_api.express_interest",),
    "brokerage.move": ("brokerage_api.move_deal",),
    "brokerage.change_pipeline": ("brokerage_api.change_pipeline",),
    "brokerage.terms": ("brokerage_api.set_terms",),
    "brokerage.add_note": ("brokerage_api.add_note",),
    "brokerage.add_task": ("brokerage_api.add_deal_task",),
    "brokerage.finish_task": ("brokerage_api.finish_deal_task",),
    "brokerage.lose": ("brokerage_api.lose_deal",),
    "brokerage.open_room": ("brokerage_api.open_deal_room",),
    "brokerage.close_room": ("brokerage_api.close_deal_room",),
    "brokerage.add_files": ("brokerage_api.add_room_files",),
    "brokerage.withdraw_file": ("brokerage_api.withdraw_room_file",),
    "brokerage.open_file": ("brokerage_api.open_room_file",),
    "contracts.draft": ("contracts_api.draft_contract",),
    "contracts.draft_from_deal": ("contracts_api.draft_from_deal",),
    "contracts.edit": ("contracts_api.save_contract",),
    "contracts.detach": ("contracts_api.detach_from_contract",),
    "contracts.submit": ("contracts_api.submit_contract",),
    "contracts.declare_receipt": ("contracts_api.declare_contract_receipt",),
    "contracts.withdraw_receipt": ("contracts_api.withdraw_contract_receipt",),
    "contracts.amend": ("contracts_api.apply_for_change",),
    "contracts.ask_cancellation": ("contracts_api.apply_for_cancellation",),
    "contracts.withdraw_amendment": ("contracts_api.withdraw_contract_amendment",),
    "subsidies.prepare": ("subsidies_api.prepare_claim",),
    "subsidies.enter": ("subsidies_api.enter_recognition", "subsidies_api.enter_trainings"),
    "subsidies.apply": ("subsidies_api.apply_claim",),
    "publicity.object_to": ("publicity_api.object_to_notice",),
}

# The reason → the page's endpoints that programs are not offered.
NOT_OFFERED: dict[str, tuple[str, ...]] = {
    "the same as saving, from a page that is still open": (
        "achievements.autosave", "needs.autosave", "contracts.autosave",
    ),
    "many at once: a program calls the single ones": ("achievements.batch",),
    "advice while typing; nothing of an object changes": (
        "achievements.check_text", "needs.propose_terms",
    ),
    "words of the search, not of an object": ("discovery.accept_term", "discovery.drop_term"),
    "a decision that somebody answers for in person": (
        "achievements.approve", "achievements.return_", "achievements.chain",
        "needs.accept", "needs.return_", "needs.read", "publicity.answer",
        "listings.accept", "listings.announce", "listings.return_application", "listings.revise",
        "listings.close_qualification", "listings.admit_intent", "listings.reject_intent",
        "listings.bar_intent", "listings.record_outside", "listings.fail_outside",
        "listings.terminate", "listings.reissue", "brokerage.decide_dispute",
    ),
    "asks for a fresh proof or a passphrase of the person": (
        "listings.opening_key", "listings.give_share", "listings.score_bids",
        "listings.void_unopened",
    ),
    "its receipt is for a person to keep": ("listings.seal",),
    "shows a person's numbers for a reason of the person": (
        "contracts.contacts", "brokerage.reveal_phone",
    ),
    "a declaration that binds: read and given on its page": (
        "listings.priority", "listings.answer_offer", "brokerage.offer_agreement",
        "brokerage.accept_agreement", "brokerage.revoke_agreement", "brokerage.waive_agreement",
    ),
    "a link for one person, or its use by that person": (
        "brokerage.issue_link", "brokerage.revoke_link", "brokerage.use_link",
    ),
    "one step of the page for a note and a task, which programs send one by one": (
        "brokerage.call", "brokerage.plan_next",
    ),
    "the broker's own desk, not the deal: judgement, views, talks, requests": (
        "brokerage.override_chance", "brokerage.drop_chance", "brokerage.save_view",
        "brokerage.rename_view", "brokerage.change_view", "brokerage.request",
        "brokerage.propose_talk", "brokerage.choose_slots", "brokerage.fix_talk",
        "brokerage.cancel_talk", "brokerage.write_minutes",
    ),
    "is not undone: what will happen is read on its page first": (
        "brokerage.merge", "brokerage.split",
    ),
    "commission, introductions and disputes are objects of their own": (
        "brokerage.propose_commission", "brokerage.confirm_commission",
        "brokerage.decline_commission", "brokerage.receive_commission",
        "brokerage.answer_proposal", "brokerage.claim_expense", "brokerage.answer_expense",
        "brokerage.settle_expense", "brokerage.note_invoice", "brokerage.receive_entry",
        "brokerage.introduce", "brokerage.acknowledge", "brokerage.open_dispute",
        "brokerage.withdraw_dispute",
    ),
}  # fmt: skip


def _changes() -> Iterator[str]:
    for row in matrix.reviewed():
        if row["method"] != "GET" and row["path"].startswith(_PLACES):
            yield row["endpoint"]


def _use_cases(app: Flask, endpoint: str) -> set[str]:
    """Return the use cases that a view names, also through a function of its module."""
    view = inspect.unwrap(app.view_functions[endpoint])
    module = inspect.getmodule(view)
    source = inspect.getsource(view)
    for name in set(re.findall(r"\b(_[a-z]\w*)\(", source)):
        found = getattr(module, name, None)
        source += inspect.getsource(found) if inspect.isfunction(found) else ""
    return set(re.findall(r"\bservice\.(\w+)\(", source))


def test_every_change_on_a_page_is_offered_or_has_its_reason() -> None:
    refused = [endpoint for listed in NOT_OFFERED.values() for endpoint in listed]
    known = [*OFFERED, *refused]
    assert len(known) == len(set(known))
    assert set(known) == set(_changes())


def test_every_operation_that_changes_is_one_of_a_page(app: Flask) -> None:
    offered = [name for names in OFFERED.values() for name in names]
    writing = {
        row["endpoint"]
        for row in matrix.reviewed()
        if row["kind"] == "api" and row["method"] != "GET"
    }
    assert set(offered) == writing
    assert len(offered) == len(set(offered))


def test_an_operation_goes_through_the_use_case_of_its_page(app: Flask) -> None:
    apart = [
        (page, operation)
        for page, operations in OFFERED.items()
        for operation in operations
        if not _use_cases(app, page) & _use_cases(app, operation)
    ]
    assert not apart, apart
