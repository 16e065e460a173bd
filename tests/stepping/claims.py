"""Claims for subsidies and what is paid on them in each of their states."""

from __future__ import annotations

from marketplace.subsidies import queries
from marketplace.subsidies.rules import ClaimStatus, PaymentStatus, ReviewStep
from marketplace.subsidies.word_rules import ClaimItem
from tests.stepping import Act, Site, Walk
from tests.subsidies import APPLICATION, SubsidyYear

_TABLE, _COLUMN = "subsidies_claims", "status"


def _year(site: Site) -> SubsidyYear:
    return SubsidyYear(site.world, site.now)


def claims(site: Site) -> Walk:
    """Send a claim on its way through the reviews."""
    year = _year(site)
    made = year.applied()
    desk = f"/subsidies/desk/{made}"

    def review(step: ReviewStep) -> dict[str, str]:
        return {"step": step.value, "decision": "pass", "score": "86", "unconcerned": "y"}

    reviewers = {
        ReviewStep.DISTRICT: year.district,
        ReviewStep.CENTRE: year.centre,
        ReviewStep.BUREAU: year.bureau,
        ReviewStep.EXPERT: year.expert,
    }
    application = APPLICATION | {"confirmed": str(year.claim(made).claimed_fen)}
    reason = {"reason": "银行回单缺页，请补齐后重新提交"}
    return Walk(
        _TABLE,
        _COLUMN,
        ClaimStatus,
        {
            "subsidies.apply": Act(f"/subsidies/claims/{made}", year.officer, application),
            "subsidies.decide": tuple(
                Act(desk, reviewer, review(step)) for step, reviewer in reviewers.items()
            ),
            "subsidies.recall": Act(f"{desk}/recall", year.bureau, reason),
        },
        made,
    )


def entered_claims(site: Site) -> Walk:
    """Prepare a claim that rests on a recognition, which its applicant enters."""
    year = _year(site)
    made = year.prepared(year.open_round(), item=ClaimItem.NATIONAL_INSTITUTION)
    entries = {"recognition_document": "国科火字〔2024〕12号", "recognised_on": "2024-02-06"}
    return Walk(
        _TABLE,
        _COLUMN,
        ClaimStatus,
        {"subsidies.enter": Act(f"/subsidies/claims/{made}/entries", year.officer, entries)},
        made,
    )


def paid_claims(site: Site) -> Walk:
    """Lead a claim to its payment."""
    year = _year(site)
    made = year.applied()
    year.paid(made)
    site.clock.moment = year.now
    terms = {
        "ground": "overpaid",
        "amount": "1000",
        "reason": "付款凭证与合同金额不符，差额应退回",
        "document": "济科处〔2024〕3号",
        "due_on": "2024-06-30",
    }
    return Walk(
        _TABLE,
        _COLUMN,
        ClaimStatus,
        {"subsidies.claw_back": Act(f"/subsidies/desk/{made}/claw-back", year.bureau, terms)},
        made,
    )


def reclaimed_claims(site: Site) -> Walk:
    """Lead a claim to its way back."""
    year = _year(site)
    made = year.applied()
    year.paid(made)
    year.clawed_back(made)
    site.clock.moment = year.now
    amount = (year.claim(made).payable_fen or 0) / 100
    received = {"amount": f"{amount:.2f}", "reference": "SK20240001"}
    return Walk(
        _TABLE,
        _COLUMN,
        ClaimStatus,
        {"subsidies.confirm_receipt": Act(f"/subsidies/reclaims/{made}", year.treasurer, received)},
        made,
    )


def payments(site: Site) -> Walk:
    """Put an approved claim on a payment list."""
    year = _year(site)
    made = year.applied()
    year.approved(made)
    payment_id = year.listed(made)
    site.clock.moment = year.now
    list_id = _only_list(year)
    return Walk(
        "subsidies_payments",
        "status",
        PaymentStatus,
        {
            "subsidies.confirm_payment": Act(
                f"/subsidies/payments/{list_id}/{payment_id}",
                year.treasurer,
                {"reference": "JNCZ20240001"},
            )
        },
        payment_id,
    )


def _only_list(year: SubsidyYear) -> int:
    with year.database.reading() as session:
        (made,) = queries.payment_lists(session)
        return made.id
