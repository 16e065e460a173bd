"""Reads of certificates: by number, by listing, and what a file handed in is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from importlib import import_module

from pydantic import TypeAdapter
from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.db import Page, paginate
from marketplace.foundation.errors import NotFound
from marketplace.listings.certificate_models import Certificate
from marketplace.listings.certificate_rules import (
    CertificateState,
    FileFinding,
    Line,
    SealReading,
    TradeFacts,
    digest,
    first_difference,
    lines_of,
    numbers_in,
)

_FACTS = TypeAdapter(TradeFacts)


def _read_seal(content: bytes) -> SealReading | None:
    # Loaded when a file is judged: the libraries of seals would slow every start.
    sealing = import_module("marketplace.listings.document_seal")
    reading: SealReading | None = sealing.read_seal(content)
    return reading


def subject_of(number: str) -> str:
    """Return the subject under which a certificate's audit rows stand."""
    return f"certificate:{number}"


def facts_of(row: Certificate) -> TradeFacts:
    """Read the frozen facts of a certificate."""
    return _FACTS.validate_python(row.facts)


@dataclass(frozen=True)
class CertificateView:
    """A certificate as its public page shows it."""

    id: int
    listing_id: int
    number: str
    state: CertificateState
    subject: str
    price: str
    lines: tuple[Line, ...]
    issued_at: datetime
    sealed_at: datetime | None
    seal_owner: str
    sha256: str | None
    withdrawn_at: datetime | None
    reason: str

    @property
    def issued_on(self) -> date:
        """Return the day of issue."""
        return self.issued_at.date()


@dataclass(frozen=True)
class FileVerdict:
    """What a file is, of which certificate it claims to be, and where it first differs."""

    verdict: FileFinding
    certificate: CertificateView | None
    byte: int | None
    seal: SealReading | None


def _view(row: Certificate) -> CertificateView:
    facts = facts_of(row)
    return CertificateView(
        row.id,
        row.listing_id,
        row.number,
        row.state,
        facts.subject,
        facts.price,
        tuple(lines_of(facts)),
        row.issued_at,
        row.sealed_at,
        row.seal_owner,
        row.sha256,
        row.withdrawn_at,
        row.reason,
    )


def by_number(session: Session, number: str) -> CertificateView:
    """Return the certificate of a number, standing or withdrawn, else raise ``NotFound``."""
    row = session.scalar(select(Certificate).where(Certificate.number == number))
    if row is None:
        raise NotFound(
            "certificates.unknown", f"没有编号为“{number}”的交易凭证，请对照凭证再输一次"
        )
    return _view(row)


def of_listing(session: Session, listing_id: int) -> CertificateView | None:
    """Return the newest certificate of a listing, or None."""
    row = session.scalar(
        select(Certificate)
        .where(Certificate.listing_id == listing_id)
        .order_by(Certificate.id.desc())
        .limit(1)
    )
    return None if row is None else _view(row)


def page_of_certificates(
    session: Session, *, after: str | None = None, size: int = 30
) -> Page[CertificateView]:
    """Read one page of all certificates, the newest first."""
    page = paginate(
        session, select(Certificate), keys=[Certificate.id.desc()], after=after, size=size
    )
    return page.map(_view)


def file_of(session: Session, number: str, store: AttachmentStore) -> bytes:
    """Return the sealed file of a certificate, also of a withdrawn one; else ``NotFound``."""
    row = session.scalar(select(Certificate).where(Certificate.number == number))
    if row is None or row.stored_name is None:
        raise NotFound("certificates.unsealed", "凭证正在制作和盖章，通常一分钟内完成，请稍后再试")
    return store.read(row.stored_name)


def judge_file(session: Session, content: bytes, store: AttachmentStore) -> FileVerdict:
    """Say what a file is: what was issued, a changed copy of it, or something else.

    A changed copy is recognised by the number that stands in it, or by its length.
    """
    row = session.scalar(select(Certificate).where(Certificate.sha256 == digest(content)))
    if row is not None:
        withdrawn = row.state is CertificateState.WITHDRAWN
        return FileVerdict(
            FileFinding.WITHDRAWN if withdrawn else FileFinding.GENUINE,
            _view(row),
            None,
            _read_seal(content),
        )
    candidates = session.scalars(
        select(Certificate)
        .where(
            or_(
                Certificate.number.in_(numbers_in(content)[:10]),
                Certificate.byte_count == len(content),
            ),
            Certificate.stored_name.is_not(None),
        )
        .order_by(Certificate.id.desc())
        .limit(20)
    ).all()
    nearest: tuple[int, Certificate] | None = None
    for candidate in candidates:
        assert candidate.stored_name is not None
        at = first_difference(content, store.read(candidate.stored_name))
        # What agrees in its first kilobyte is a copy of it; an equal length alone proves nothing.
        named = candidate.number.encode() in content
        if at is not None and (named or at > 1024) and (nearest is None or at > nearest[0]):
            nearest = (at, candidate)
    if nearest is None:
        return FileVerdict(FileFinding.UNKNOWN, None, None, _read_seal(content))
    at, row = nearest
    return FileVerdict(FileFinding.CHANGED, _view(row), at, _read_seal(content))
