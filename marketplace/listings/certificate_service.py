"""Certificates: issued when a trade is signed, sealed by the worker, withdrawn with a reason."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.foundation import audit, outbox, pdf
from marketplace.foundation.access import SYSTEM, Actor, require
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.capitals import capital_yuan
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.money import format_yuan
from marketplace.foundation.numbering import next_number
from marketplace.listings import certificate_rules, rules
from marketplace.listings.bidding_models import Bid, BiddingSession
from marketplace.listings.certificate_models import Certificate
from marketplace.listings.certificate_queries import facts_of, subject_of
from marketplace.listings.certificate_rules import CertificateState, TradeFacts
from marketplace.listings.events import CertificateIssued, CertificateWithdrawn
from marketplace.listings.models import Intent, Listing
from marketplace.publicity import queries as publicity

if TYPE_CHECKING:  # the libraries of seals are loaded when there is something to seal
    from marketplace.listings.document_seal import Sealer


def issue(session: Session, listing: Listing, *, actor: Actor, now: datetime) -> str:
    """Issue the certificate of a signed listing with the facts as they stand; return its number."""
    certificate = Certificate(
        listing_id=listing.id,
        number=next_number(session, "JY", local_date(now).year),
        state=CertificateState.ISSUED,
        facts=_json(_facts(session, listing, now)),
        issued_at=now,
        sealed_at=None,
        stored_name=None,
        sha256=None,
        byte_count=None,
        withdrawn_at=None,
    )
    session.add(certificate)
    session.flush()
    assert listing.buyer_id is not None
    outbox.publish(
        session,
        CertificateIssued(
            certificate_id=certificate.id,
            listing_id=listing.id,
            number=certificate.number,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=listing.buyer_id,
            title=listing.title,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="certificates.issue",
        subject=subject_of(certificate.number),
        now=now,
        after={"listing": listing.id, "number": certificate.number},
    )
    return certificate.number


def seal_next(
    session: Session,
    *,
    now: datetime,
    open_seal: Callable[[], Sealer | None],
    store: AttachmentStore,
    site_url: str,
) -> int:
    """Make and seal the file of the oldest certificate that has none; return how many were."""
    found = session.scalar(
        select(Certificate)
        .where(Certificate.sealed_at.is_(None), Certificate.state == CertificateState.ISSUED)
        .order_by(Certificate.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    # The seal is opened when there is something to seal, not when a process starts.
    sealer = open_seal() if found is not None else None
    if found is None or sealer is None:
        return 0
    content = sealer.seal(_document(found, sealer, site_url), number=found.number)
    found.stored_name = store.write(content)
    found.sha256 = certificate_rules.digest(content)
    found.byte_count = len(content)
    found.sealed_at, found.seal_owner = now, sealer.owner
    audit.record(
        session,
        actor=SYSTEM,
        action="certificates.seal",
        subject=subject_of(found.number),
        now=now,
        after={"sha256": found.sha256, "seal": sealer.owner},
    )
    return 1


def withdraw_certificate(
    session: Session, *, actor: Actor, now: datetime, certificate_id: int, reason: str
) -> None:
    """Withdraw a certificate with the reason, which the public page shows from now on."""
    require(actor, rules.OPERATE)
    rules.check_reason(reason, "撤销凭证")
    row = lock(session, Certificate, certificate_id)
    certificate_rules.check_standing(row.state)
    row.state = CertificateState.WITHDRAWN
    row.withdrawn_at, row.reason = now, reason.strip()
    listing = session.get_one(Listing, row.listing_id)
    assert listing.buyer_id is not None
    outbox.publish(
        session,
        CertificateWithdrawn(
            certificate_id=row.id,
            listing_id=listing.id,
            number=row.number,
            seller_organisation_id=listing.organisation_id,
            buyer_organisation_id=listing.buyer_id,
            title=listing.title,
            reason=row.reason,
        ),
        now=now,
    )
    audit.record(
        session,
        actor=actor,
        action="certificates.withdraw",
        subject=subject_of(row.number),
        now=now,
        before={"state": CertificateState.ISSUED},
        after={"state": row.state, "reason": row.reason},
    )


def reissue(session: Session, *, actor: Actor, now: datetime, listing_id: int) -> str:
    """Issue a new certificate for a signed listing whose certificate was withdrawn."""
    require(actor, rules.OPERATE)
    listing = lock(session, Listing, listing_id)
    rules.check_signed(listing.state)
    standing = session.scalar(
        select(Certificate.number).where(
            Certificate.listing_id == listing_id, Certificate.state == CertificateState.ISSUED
        )
    )
    if standing is not None:
        return standing
    return issue(session, listing, actor=actor, now=now)


def _facts(session: Session, listing: Listing, now: datetime) -> TradeFacts:
    assert listing.buyer_id is not None
    assert listing.price_fen is not None
    assert listing.publicity_id is not None
    assert listing.announced_at is not None
    assert listing.announcement_ends_on is not None
    sides = accounts.get_organisations(session, (listing.organisation_id, listing.buyer_id))
    seller, buyer = sides[listing.organisation_id], sides[listing.buyer_id]
    notice = publicity.get_notice(session, listing.publicity_id)
    outcomes = publicity.published_objections(session, listing.publicity_id)
    content = achievements.get_internal(session, listing.achievement_id).content
    bids = select(func.count()).select_from(Bid).join(BiddingSession)
    return TradeFacts(
        listing_number=listing.number or "",
        subject=listing.title,
        rights=tuple(
            f"{right.kind.label if right.kind else '权利'} {right.number or right.title}"
            for right in content.ip_rights
        ),
        seller=seller.name,
        seller_uscc=seller.uscc,
        buyer=buyer.name,
        buyer_uscc=buyer.uscc,
        trading_mode=listing.trading_mode.label,
        pricing_mode=listing.pricing_mode.label,
        base_price=f"{format_yuan(listing.base_price_fen)} 元",
        listed_from=local_date(listing.announced_at),
        listed_to=listing.announcement_ends_on,
        intent_count=session.scalar(
            select(func.count()).select_from(Intent).where(Intent.listing_id == listing.id)
        )
        or 0,
        bid_count=session.scalar(bids.where(BiddingSession.listing_id == listing.id)) or 0,
        price=f"{format_yuan(listing.price_fen)} 元",
        price_capital=capital_yuan(listing.price_fen),
        payment=f"{listing.payment_mode.label}；{listing.payment_terms}",
        publicity_from=notice.opened_on,
        publicity_to=notice.ends_on,
        objections=certificate_rules.objections_text([one.state.label for one in outcomes]),
        contract_no=listing.contract_no,
        registered_on=local_date(now),
        related=listing.related_party,
    )


def _json(facts: TradeFacts) -> dict[str, object]:
    stored = asdict(facts)
    return {
        key: value.isoformat() if hasattr(value, "isoformat") else value
        for key, value in stored.items()
    }


def _document(row: Certificate, sealer: Sealer, site_url: str) -> bytes:
    address = f"{site_url.rstrip('/')}/verify/{row.number}"
    return pdf.render(
        "listings/certificate_pdf.html",
        {
            "number": row.number,
            "lines": certificate_rules.lines_of(facts_of(row)),
            "issued_on": local_date(row.issued_at),
            "qr": pdf.qr_code(address, title="核验二维码"),
            "address": address,
            "owner": sealer.owner,
            "is_test": sealer.is_test,
        },
    )
