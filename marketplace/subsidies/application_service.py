"""Open a round, prepare a claim from the registered facts, apply for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import District, OrganisationKind, OrganisationSubkind
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.numbering import next_number
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.subsidies import claim_queries, rules
from marketplace.subsidies.events import ClaimApplied, RoundOpened
from marketplace.subsidies.models import Claim, ClaimLine, Round
from marketplace.subsidies.rules import ClaimStatus, RoundTerms
from marketplace.subsidies.word_rules import Item

MAX_FILES = 20


@dataclass(frozen=True)
class Payee:
    """Whom to ask and where to pay."""

    contact_name: str
    contact_phone: str
    bank_name: str
    bank_account: str
    statement: str = ""


def open_round(
    session: Session, *, actor: Actor, now: datetime, terms: RoundTerms, body: str = ""
) -> int:
    """Announce a year's applications with their budget; return the round's id.

    A round may be opened for the running year, and more than one for a year.
    """
    require(actor, rules.OPEN_ROUND)
    rules.check_round(terms, today=local_date(now))
    row = Round(
        number=next_number(session, "TZ", terms.year),
        year=terms.year,
        title=terms.title.strip(),
        body=body.strip(),
        opens_on=terms.opens_on,
        closes_on=terms.closes_on,
        budget_fen=terms.budget_fen,
        opened_at=now,
        opened_by_id=actor.user_id,
    )
    session.add(row)
    session.flush()
    outbox.publish(
        session,
        RoundOpened(
            round_id=row.id,
            year=row.year,
            title=row.title,
            opens_on=row.opens_on,
            closes_on=row.closes_on,
            budget_fen=row.budget_fen,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="subsidies.open_round",
        subject=f"round:{row.id}",
        now=now,
        after={"year": row.year, "budget_fen": row.budget_fen, "closes_on": row.closes_on},
    )
    return row.id


def prepare(session: Session, *, actor: Actor, now: datetime, round_id: int, item: Item) -> int:
    """Make a claim out of the registered facts, nothing typed; return its id.

    The claim already being prepared or returned for correction is returned instead of a second.
    """
    require(actor, rules.CLAIM)
    organisation_id = _own_organisation(actor)
    # The round's lock makes two windows of one applicant wait for each other.
    opened = lock(session, Round, round_id)
    begun = session.scalar(
        select(Claim.id).where(
            Claim.round_id == opened.id,
            Claim.organisation_id == organisation_id,
            Claim.item == item,
            Claim.status.in_([ClaimStatus.ESTIMATED, ClaimStatus.RETURNED]),
        )
    )
    if begun is not None:
        return begun
    rules.check_round_open(
        opens_on=opened.opens_on, closes_on=opened.closes_on, today=local_date(now)
    )
    found = claim_queries.entitlements(session, organisation_id, opened.year).get(item)
    if found is None or found.claimable_fen <= 0:
        reason = "".join(found.explanation.sentences[1:]) if found else "没有登记过相应的合同。"
        taken = "登记的合同都已经申报过。" if found and found.result.amount_fen else ""
        raise RuleBroken(
            "claims.nothing",
            f"{opened.year} 年度{item.label}目前没有可以申报的金额：{taken or reason}",
        )
    claim = Claim(
        number=next_number(session, "BZ", opened.year),
        round_id=opened.id,
        organisation_id=organisation_id,
        item=item,
        year=opened.year,
        status=ClaimStatus.ESTIMATED,
        draft_key=f"{opened.id}:{organisation_id}:{item}",
        district=None,
        claimed_fen=found.claimable_fen,
        earlier_fen=found.earlier_fen,
        calculation=claim_queries.pack(found.explanation),
        created_at=now,
    )
    session.add(claim)
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="subsidies.prepare",
        subject=f"claim:{claim.id}",
        now=now,
        after={"item": item, "year": claim.year, "claimed_fen": claim.claimed_fen},
    )
    return claim.id


def apply(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    claim_id: int,
    confirmed_fen: int | None,
    declared: bool,
    payee: Payee,
    uploads: Sequence[Upload] = (),
    attachment_store: AttachmentStore | None = None,
) -> None:
    """Apply with the amount as computed now, or again after a correction.

    ``confirmed_fen`` is the amount the applicant saw; another one is refused, so a changed form
    or newer facts are never sent unseen. The contracts are taken under a unique constraint.
    """
    require(actor, rules.CLAIM)
    seen = session.get(Claim, claim_id)
    require_own(actor, seen.organisation_id if seen else None)
    assert seen is not None
    claim = _lock_year(session, seen)
    opened = session.get_one(Round, claim.round_id)
    first = claim.status is ClaimStatus.ESTIMATED
    if first:
        rules.check_round_open(
            opens_on=opened.opens_on, closes_on=opened.closes_on, today=local_date(now)
        )
    found = claim_queries.entitlements(
        session, claim.organisation_id, claim.year, without_claim_id=claim.id
    ).get(claim.item)
    computed = found.claimable_fen if found else Fen(0)
    rules.check_application(
        status=claim.status,
        confirmed_fen=confirmed_fen,
        computed_fen=computed,
        declared=declared,
    )
    assert found is not None
    rules.check_payee(
        bank_name=payee.bank_name,
        bank_account=payee.bank_account,
        contact_name=payee.contact_name,
        contact_phone=payee.contact_phone,
    )
    add_files(session, actor=actor, now=now, claim=claim, uploads=uploads, store=attachment_store)
    before = claim.status
    today = local_date(now)
    if not first:
        claim.attempt += 1
    claim.lines.clear()
    session.flush()
    claim.lines.extend(
        ClaimLine(
            contract_id=contract_id,
            item=claim.item,
            year=claim.year,
            organisation_id=claim.organisation_id,
            base_fen=base,
        )
        for contract_id, base in sorted(found.bases.items())
    )
    claim.status = ClaimStatus.DISTRICT_REVIEW
    claim.draft_key = None
    claim.district = _reviewing_district(session, claim.organisation_id)
    claim.claimed_fen, claim.earlier_fen = computed, found.earlier_fen
    claim.approved_fen = claim.payable_fen = None
    claim.factor = "1"
    claim.calculation = claim_queries.pack(found.explanation)
    claim.contact_name = payee.contact_name.strip()
    claim.contact_phone = payee.contact_phone.strip()
    claim.bank_name = payee.bank_name.strip()
    claim.bank_account = payee.bank_account.replace(" ", "")
    claim.statement = payee.statement.strip()
    claim.reason = ""
    claim.applied_at = now
    claim.due_on = add_workdays(today, value_on("claim_review_workdays", today))
    session.flush()
    outbox.publish(
        session,
        ClaimApplied(
            claim_id=claim.id,
            number=claim.number,
            organisation_id=claim.organisation_id,
            item=claim.item.value,
            year=claim.year,
            claimed_fen=claim.claimed_fen,
            district=claim.district,
            reapplied=not first,
            due_on=claim.due_on,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="subsidies.apply",
        subject=f"claim:{claim.id}",
        now=now,
        before={"status": before},
        after={
            "status": claim.status,
            "claimed_fen": claim.claimed_fen,
            "contracts": sorted(found.bases),
        },
    )


def add_files(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    claim: Claim,
    uploads: Sequence[Upload],
    store: AttachmentStore | None,
) -> None:
    """Attach the applicant's proofs to a claim."""
    if not uploads:
        return
    assert store is not None
    subject = f"claim:{claim.id}"
    if len(attachments.of(session, subject)) + len(uploads) > MAX_FILES:
        raise RuleBroken(
            "claims.too_many_files", f"最多附 {MAX_FILES} 个文件，请合并后再交", "attachments"
        )
    for upload in uploads:
        attachments.store(
            session,
            actor=actor,
            now=now,
            subject=subject,
            upload=upload,
            visibility=FileVisibility.OWNER,
            store=store,
        )


def _own_organisation(actor: Actor) -> int:
    if actor.organisation_id is None:
        raise NotAllowed("claims.no_organisation", "请先选择代表哪家单位办理，再申报补助")
    return actor.organisation_id


def _lock_year(session: Session, claim: Claim) -> Claim:
    """Hold all claims of the organisation's year, so that two of them are computed in turn."""
    rows = session.scalars(
        select(Claim)
        .where(Claim.organisation_id == claim.organisation_id, Claim.year == claim.year)
        .order_by(Claim.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return next(row for row in rows if row.id == claim.id)


def _reviewing_district(session: Session, organisation_id: int) -> str | None:
    """Return the claimant's district if its office is on the platform, else None."""
    district: District | None = accounts.get_organisation(session, organisation_id).district
    offices = accounts.list_organisations(
        session,
        kinds=[OrganisationKind.GOVERNMENT],
        subkinds=[OrganisationSubkind.DISTRICT],
    )
    if district is None or all(office.district is not district for office in offices):
        return None
    return district.value
