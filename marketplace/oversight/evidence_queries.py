"""The evidence of one deal: records, files and audit rows in an archive that proves itself.

``python -m marketplace.oversight.verify`` checks it without a database. Rows of other people's
affairs between the deal's own are in it by the digest of their content only.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, is_dataclass
from datetime import date, datetime
from enum import Enum
from typing import Any

from sqlalchemy.orm import Session

from marketplace.brokerage import deal_queries, diary_queries, seen_queries, terms_queries
from marketplace.contracts import queries as contracts
from marketplace.contracts import record_queries as contract_records
from marketplace.foundation import attachments, audit, audit_chain
from marketplace.foundation.access import Actor, require
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.audit_chain import FIRST_ALGORITHM, Link
from marketplace.foundation.clock import LOCAL
from marketplace.foundation.errors import NotFound
from marketplace.listings import intent_queries
from marketplace.listings import queries as listings
from marketplace.listings import record_queries as bidding_records
from marketplace.oversight import head_queries, rules
from marketplace.oversight.verify import FORMAT
from marketplace.payments import queries as payments
from marketplace.subsidies import contract_claims_queries

# So many rows between the first of the deal and the head are written as digests: 40 MB of text.
MOST_LINKS = 200_000
# Proof of who agreed to what needs no telephone numbers; names and organisations stay.
_LEFT_OUT = frozenset({"phone", "email", "contact_phone", "contact_email", "contact_name"})
_README = """本包是一个撮合项目的证据：records/ 是记录，files/ 是附件原件，audit.jsonl 是审计行，
chain.jsonl 把这些审计行连到平台公布的审计链摘要（他人事项只有内容摘要）。

核验（不需要数据库和网络）：
    python -m marketplace.oversight.verify 本包.zip
核验程序说出的链摘要，应与平台“审计链摘要”页或当日邮件中的一致。
"""


@dataclass(frozen=True)
class Package:
    """An archive and what to call it."""

    name: str
    content: bytes


def package(
    session: Session, actor: Actor, deal_id: int, *, now: datetime, store: AttachmentStore
) -> Package:
    """Put together what the platform holds on a deal, as the operator may see it.

    Raise ``NotFound`` for a deal that does not exist.
    """
    require(actor, rules.WATCH)
    records, subjects = _records(session, actor, deal_id)
    files = {f"records/{name}.json": _json(content) for name, content in records.items()}
    for subject in subjects:
        for entry in attachments.of(session, subject):
            _view, content = attachments.content(
                session, subject=subject, attachment_id=entry.id, store=store
            )
            files[f"files/{subject.replace(':', '-')}/{entry.id}-{entry.name}"] = content
    own = audit.links_of(session, subjects)
    files["audit.jsonl"] = _lines(own)
    start, head, between = _segment(session, own)
    if between:
        files["chain.jsonl"] = between
    files["README.txt"] = _README.encode()
    manifest = {
        "format": FORMAT,
        "deal": deal_id,
        "made_at": now.astimezone(LOCAL).isoformat(),
        "made_by": actor.name,
        "start": {"sequence": start[0], "digest": start[1]},
        "head": {"sequence": head[0], "digest": head[1]},
        "linked": bool(between),
        "files": {
            name: {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in sorted(files.items())
        },
    }
    files["manifest.json"] = _json(manifest)
    return Package(f"证据包 撮合项目 {deal_id}", _zip(files, now))


def _records(
    session: Session, actor: Actor, deal_id: int
) -> tuple[dict[str, Any], tuple[str, ...]]:
    deal = deal_queries.get_deal(session, actor, deal_id)
    records: dict[str, Any] = {
        "deal": deal,
        "notes": diary_queries.notes(session, actor, deal_id),
        "tasks": diary_queries.tasks_of_deal(session, actor, deal_id),
        "introductions": terms_queries.introductions_of_deal(session, actor, deal_id),
        "commissions": terms_queries.commissions_of_deal(session, actor, deal_id),
    }
    family = session.scalars(seen_queries.seen_family(session, actor, deal_id))
    subjects = [f"deal:{each}" for each in family]
    if deal.listing_id is not None:
        records["listing"] = listings.get_internal(session, deal.listing_id)
        intents = intent_queries.intents(session, deal.listing_id)
        records["intents"] = intents
        records["payments"] = [
            paid
            for intent in intents
            for paid in payments.of_subject(session, f"intent:{intent.id}")
        ]
        subjects += [f"listing:{deal.listing_id}", *(f"intent:{intent.id}" for intent in intents)]
        with suppress(NotFound):  # most listings never come to a bidding session
            records["bidding"] = bidding_records.document(session, deal.listing_id)
    contract = contracts.find_of_deal(session, actor, deal_id)
    if contract is not None:
        records["contract"] = contract_records.get_contract(session, actor, contract.id)
        records["claims"] = contract_claims_queries.claims_on_contract(session, contract.id)
        subjects.append(contract_records.subject(contract.id))
    return records, tuple(subjects)


def _segment(session: Session, own: list[Link]) -> tuple[tuple[int, str], tuple[int, str], bytes]:
    """Return the chain from before the first own row to the first head published after the last.

    Without a published head yet it leads to the newest row. Empty where it would be too long, or
    where rows of the first form, of which nothing can be left out, lie between.
    """
    if not own:
        none = (0, audit_chain.GENESIS)
        return none, none, b""
    first, last = own[0], own[-1]
    start = (first.sequence - 1, first.previous)
    published = head_queries.head_from(session, last.sequence)
    head = (published.sequence, published.digest) if published else audit.head(session)
    if head[0] - start[0] > MOST_LINKS:
        return start, head, b""
    shown = {link.sequence for link in own}
    lines = []
    for link in audit.links(session, first=first.sequence, last=head[0]):
        if link.sequence in shown:
            lines.append(_line(link))
            continue
        if link.entry is None or link.entry.algorithm == FIRST_ALGORITHM:
            return start, head, b""
        lines.append(
            json.dumps(
                {
                    "sequence": link.sequence,
                    "previous": link.previous,
                    "digest": link.digest,
                    "content": audit_chain.content_digest(link.entry),
                }
            )
        )
    return start, head, ("\n".join(lines) + "\n").encode()


def _lines(links: Collection[Link]) -> bytes:
    return "".join(f"{_line(link)}\n" for link in links).encode()


def _line(link: Link) -> str:
    assert link.entry is not None
    return audit_chain.entry_as_text(link.entry, previous=link.previous, digest=link.digest)


def _json(content: Any) -> bytes:
    return json.dumps(_plain(content), ensure_ascii=False, indent=1, sort_keys=True).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, Enum):
        return value.value
    if is_dataclass(value) and not isinstance(value, type):
        return _plain(asdict(value))
    if isinstance(value, Mapping):
        return {
            str(_plain(key)): _plain(found) for key, found in value.items() if key not in _LEFT_OUT
        }
    if isinstance(value, (set, frozenset)):
        return sorted((_plain(found) for found in value), key=str)
    if isinstance(value, (list, tuple)):
        return [_plain(found) for found in value]
    if isinstance(value, (date, datetime)):
        return value.isoformat()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    return str(value)


def _zip(files: Mapping[str, bytes], now: datetime) -> bytes:
    buffer = io.BytesIO()
    moment = now.astimezone(LOCAL)
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, date_time=moment.timetuple()[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
