"""Prepare a claim from what the platform knows, complete it, apply for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import District, OrganisationKind, OrganisationSubkind
from marketplace.brokerage import register_queries as brokerage
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken
from marketplace.foundation.money import Fen
from marketplace.foundation.numbering import next_number
from marketplace.foundation.parameters import value_on
from marketplace.foundation.workdays import add_workdays
from marketplace.integrity import queries as integrity
from marketplace.subsidies import claim_queries, claimable_queries, rules, single_entry_rules
from marketplace.subsidies.claim_queries import Entitlement
from marketplace.subsidies.deadline_service import set_due
from marketplace.subsidies.events import ClaimApplied
from marketplace.subsidies.models import Claim, ClaimGround, ClaimLine, Round
from marketplace.subsidies.rules import ClaimStatus
from marketplace.subsidies.single_entry_rules import ENTERED, ENTRIES, NOTHING, Entries
from marketplace.subsidies.single_queries import SingleEntitlement
from marketplace.subsidies.word_rules import ClaimItem

MAX_FILES = 20


@dataclass(frozen=True)
class Payee:
    """Whom to ask and where to pay."""

    contact_name: str
    contact_phone: str
    bank_name: str
    bank_account: str
    statement: str = ""


def prepare(
    session: Session, *, actor: Actor, now: datetime, round_id: int, item: ClaimItem
) -> int:
    """Make a claim out of what the platform knows, nothing typed; return its id.

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
    rules.check_offered(item, [ClaimItem(value) for value in opened.items])
    check_honest(session, organisation_id, now)
    found = claimable_queries.found_for(session, organisation_id, opened.year, item, now=now)
    if found is None or (found.claimable_fen <= 0 and item not in ENTERED):
        raise RuleBroken(
            "claims.nothing",
            f"{opened.year} 年度{item.label}目前没有可以申报的金额：{_why_nothing(found)}",
        )
    if item.once:
        _check_first(session, organisation_id, item)
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
        particulars=ENTRIES.dump_python(NOTHING, mode="json"),
        created_at=now,
    )
    set_due(claim, opened.closes_on, today=local_date(now))
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


def enter(
    session: Session, *, actor: Actor, now: datetime, claim_id: int, entries: Entries
) -> None:
    """Keep what the platform cannot know of a claim's grounds, and compute with it."""
    require(actor, rules.CLAIM)
    claim = _lock_own(session, actor, claim_id)
    numbers = {training.certificate_no for training in entries.trainings}
    single_entry_rules.check_entries(
        entries,
        item=claim.item,
        status=claim.status,
        year=claim.year,
        today=local_date(now),
        names=brokerage.brokers_by_certificate(session, numbers),
    )
    found = claimable_queries.found_for(
        session,
        claim.organisation_id,
        claim.year,
        claim.item,
        now=now,
        entries=entries,
        without_claim_id=claim.id,
    )
    assert found is not None
    claim.particulars = ENTRIES.dump_python(entries, mode="json")
    claim.claimed_fen = found.claimable_fen
    claim.calculation = claim_queries.pack(found.explanation)
    audit.record(
        session,
        actor=actor,
        action="subsidies.enter",
        subject=f"claim:{claim.id}",
        now=now,
        after={"claimed_fen": claim.claimed_fen},
    )


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
    or newer facts are never sent unseen. Contracts and grounds are taken under unique constraints.
    """
    require(actor, rules.CLAIM)
    claim = _lock_own(session, actor, claim_id)
    opened = session.get_one(Round, claim.round_id)
    first = claim.status is ClaimStatus.ESTIMATED
    if first:
        rules.check_round_open(
            opens_on=opened.opens_on, closes_on=opened.closes_on, today=local_date(now)
        )
    check_honest(session, claim.organisation_id, now)
    found = claimable_queries.found_for(
        session,
        claim.organisation_id,
        claim.year,
        claim.item,
        now=now,
        entries=ENTRIES.validate_python(claim.particulars),
        without_claim_id=claim.id,
    )
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
    _take(session, claim, found)
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
    due_on = add_workdays(today, value_on("claim_review_workdays", today))
    set_due(claim, due_on, today=today)
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
            due_on=due_on,
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
            "grounds": [ground.key for ground in claim.grounds],
        },
    )


def _take(session: Session, claim: Claim, found: Entitlement | SingleEntitlement) -> None:
    """Take the contracts and grounds for this claim, in place of those it had before."""
    claim.lines.clear()
    claim.grounds.clear()
    session.flush()
    if isinstance(found, Entitlement):
        claim.lines.extend(
            ClaimLine(
                contract_id=contract_id,
                item=found.result.item,
                year=claim.year,
                organisation_id=claim.organisation_id,
                base_fen=base,
            )
            for contract_id, base in sorted(found.bases.items())
        )
    else:
        claim.grounds.extend(
            ClaimGround(
                item=claim.item,
                key=part.ground.key,
                what=part.ground.what,
                proof=part.ground.proof,
                happened_on=part.ground.happened_on,
                paid_fen=part.ground.paid_fen,
                counted_fen=part.counted_fen,
                excellent=part.ground.excellent,
                counterparty_organisation_id=part.ground.counterparty_id,
            )
            for part in found.grounds
        )
    session.flush()


def check_honest(session: Session, organisation_id: int, now: datetime) -> None:
    """Refuse to go on while an organisation stands on the integrity record."""
    found = integrity.dishonesty_on(session, organisation_id, local_date(now))
    rules.check_honest(
        reason=found.reason if found else None, until=found.ends_on if found else None
    )


def _why_nothing(found: Entitlement | SingleEntitlement | None) -> str:
    if found is None:
        return "没有登记过相应的合同。"
    if isinstance(found, Entitlement) and found.result.amount_fen:
        return "登记的合同都已经申报过。"
    return "".join(found.explanation.sentences[1:]) + found.explanation.missing


def _check_first(session: Session, organisation_id: int, item: ClaimItem) -> None:
    taken = session.scalar(
        select(Claim.number)
        .join(ClaimGround, ClaimGround.claim_id == Claim.id)
        .where(ClaimGround.item == item, Claim.organisation_id == organisation_id)
        .limit(1)
    )
    if taken is not None:
        raise Conflict("claims.once", f"{item.label}一个单位只有一次，已在 {taken} 申报过")


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


def _lock_own(session: Session, actor: Actor, claim_id: int) -> Claim:
    seen = session.get(Claim, claim_id)
    require_own(actor, seen.organisation_id if seen else None)
    assert seen is not None
    return _lock_year(session, seen)


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
