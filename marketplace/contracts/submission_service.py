"""Send a contract to its registrar: the pre-check, the frozen parties, the term."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.contracts import parameters, rules
from marketplace.contracts.events import ContractSubmitted
from marketplace.contracts.models import Contract
from marketplace.contracts.precheck_rules import precheck
from marketplace.contracts.record_queries import content_of, subject
from marketplace.contracts.rules import ContractStatus
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, raise_if_any
from marketplace.foundation.numbering import next_number
from marketplace.foundation.workdays import add_workdays
from marketplace.listings import service as listings


def submit(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    version: int | None = None,
) -> None:
    """Send a complete contract to its registrar; the registrar's term begins.

    15 working days, 30 for large ones (see ``parameters``); a correction restarts the term. Rules
    and terms are those of the day on which the contract was first sent. Sent
    already: do nothing, so that a second click sends nothing a second time.
    """
    require(actor, rules.SUBMIT)
    row = lock(session, Contract, contract_id)
    require_own(actor, row.seller_organisation_id)
    if row.status in rules.WITH_REGISTRAR:
        return
    if version is not None and version != row.version:
        raise Conflict("contracts.stale", "这份合同刚在别处改过；请核对最新内容后再提交登记")
    resubmitted = row.status is ContractStatus.CORRECTION
    status = rules.move(row.status, ContractStatus.SUBMITTED)
    today = local_date(now)
    content = content_of(row)
    has_text = bool(attachments.of(session, subject(row.id)))
    lines = precheck(content, has_text=has_text, today=today)
    raise_if_any(line.problem for line in lines if line.problem is not None)
    if row.listing_id is not None:
        # What was offered may have lapsed since: the rights are looked at again.
        listings.check_before_signing(session, actor=actor, now=now, listing_id=row.listing_id)
    assert row.buyer_organisation_id is not None
    assert row.registrar_organisation_id is not None
    assert row.technology_amount_fen is not None
    rules.check_reviewer(
        row.registrar_organisation_id, (row.seller_organisation_id, row.buyer_organisation_id)
    )
    pair = accounts.get_organisations(
        session, (row.seller_organisation_id, row.buyer_organisation_id)
    )
    row.seller_snapshot = _snapshot(pair[row.seller_organisation_id])
    row.buyer_snapshot = _snapshot(pair[row.buyer_organisation_id])
    row.project_id = row.project_id or next_number(session, "XM", today.year)
    row.activity_id = row.activity_id or next_number(session, "HD", today.year)
    # The rules in force on the day of application hold, whenever a correction comes.
    row.applied_on = row.applied_on or today
    terms = parameters.review_terms_on(row.applied_on)
    row.status = status
    row.submitted_at = row.touched_at = now
    row.round += 1
    row.due_on = add_workdays(
        today,
        rules.review_workdays(terms, row.technology_amount_fen, disputed=bool(row.disputed_reason)),
    )
    row.rule_version = parameters.rules_on(row.applied_on).name
    row.returned_reason = row.reviewer_name = ""
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="contracts.submit",
        subject=subject(row.id),
        now=now,
        after={"round": row.round, "due_on": row.due_on, "text": row.text_sha256},
    )
    outbox.publish(
        session,
        ContractSubmitted(
            contract_id=row.id,
            project_name=row.project_name,
            seller_organisation_id=row.seller_organisation_id,
            buyer_organisation_id=row.buyer_organisation_id,
            registrar_organisation_id=row.registrar_organisation_id,
            resubmitted=resubmitted,
            due_on=row.due_on,
        ),
        now=now,
    )


def resubmit(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    version: int | None = None,
) -> None:
    """Send a corrected contract again; the registrar's term restarts."""
    submit(session, actor=actor, now=now, contract_id=contract_id, version=version)


def _snapshot(organisation: accounts.OrganisationView) -> dict[str, Any]:
    """Freeze what the form states about a party, as it is on the day of submission."""
    return {
        "name": organisation.name,
        "uscc": organisation.uscc,
        "nature": organisation.kind.label,
        "region_code": organisation.region_code,
        "district": organisation.district.label if organisation.district else "",
        "address": organisation.address,
        "high_tech": organisation.high_tech,
        "scale": organisation.scale.label if organisation.scale else "",
    }
