"""What the evidence file of an introduction is made of."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.brokerage.deal_queries import get_deal
from marketplace.brokerage.diary_queries import history, notes
from marketplace.brokerage.dispute_queries import (
    disputes_of_deal,
    get_pair,
    recognitions_of_deal,
)
from marketplace.brokerage.introduction_rules import dispute_subject
from marketplace.brokerage.ledger_queries import entries_of_deal
from marketplace.brokerage.models import Agreement, Introduction
from marketplace.brokerage.rules import NoteVisibility
from marketplace.brokerage.terms_queries import commissions_of_deal
from marketplace.foundation import attachments
from marketplace.foundation.access import Actor
from marketplace.foundation.attachments import AttachmentStore


def evidence_of(
    session: Session, actor: Actor, introduction_id: int, *, store: AttachmentStore
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """Collect the facts and papers of an introduction for who takes part in its deal.

    Everybody gets the same: only what both sides and the broker may read.
    """
    pair = get_pair(session, actor, introduction_id)
    assert pair.deal_id is not None
    row = session.get_one(Introduction, introduction_id)
    deal = get_deal(session, actor, pair.deal_id)
    disputes = disputes_of_deal(session, actor, deal.id)
    facts: dict[str, Any] = {
        "介绍存证": {
            "seller": row.seller_uscc,
            "seller_name": pair.seller_name,
            "buyer": row.buyer_uscc,
            "buyer_name": pair.buyer_name,
            "subject": row.subject,
            "subject_title": row.subject_title,
            "introduced_at": row.introduced_at.astimezone(UTC).isoformat(timespec="microseconds"),
            "valid_to": row.valid_to.isoformat(),
            "digest": row.digest,
            "broker": pair.broker_name,
            "seller_acknowledged_at": row.seller_acknowledged_at,
            "buyer_acknowledged_at": row.buyer_acknowledged_at,
        },
        "佣金约定": [
            {
                "payer": view.payer_name,
                "terms": view.rate_text or f"{view.fixed_fen} 分",
                "minimum_fen": view.minimum_fen,
                "due_when": view.due_when.label,
                "shares": [[share.name, share.text] for share in view.shares],
                "status": view.status.label,
                "agreed_at": view.agreed_at,
                "agreed_by": view.agreed_by_name,
                "contract_no": view.contract_no,
                "total_fen": view.total_fen,
            }
            for view in commissions_of_deal(session, actor, deal.id)
        ],
        "佣金账": [
            {
                "payer": entry.payer_name,
                "broker": entry.broker_name,
                "cause": entry.cause.label,
                "amount_fen": entry.amount_fen,
                "due_on": entry.due_on,
                "invoice_no": entry.invoice_no,
                "received_on": entry.received_on,
            }
            for entry in entries_of_deal(session, actor, deal.id)
        ],
        "保密协议": _agreements(session, row),
        "合同识别": [
            {
                "contract_no": view.contract_no,
                "amount_fen": view.amount_fen,
                "signed_on": view.signed_on,
                "ground": view.ground.label,
                "state": view.state.label,
                "decision": view.decision,
            }
            for view in recognitions_of_deal(session, actor, deal.id)
        ],
        "争议": [
            {
                "ground": view.ground.label,
                "words": view.words,
                "opened_at": view.opened_at,
                "opened_by": view.opened_by_name,
                "state": view.state.label,
                "decision": view.decision,
            }
            for view in disputes
        ],
        "共享备注": [
            {
                "at": note.written_at,
                "kind": note.kind.label,
                "author": note.author,
                "body": note.body,
            }
            for note in notes(session, actor, deal.id)
            if note.visibility is NoteVisibility.SHARED
        ],
        "经过": [asdict(line) for line in history(session, deal.id)],
    }
    papers: dict[str, bytes] = {}
    for view in disputes:
        subject = dispute_subject(view.id)
        for listed in attachments.of(session, subject):
            found, content = attachments.content(
                session, subject=subject, attachment_id=listed.id, store=store
            )
            papers[f"争议附件/{found.id}-{found.name}"] = content
    return facts, papers


def _agreements(session: Session, row: Introduction) -> list[dict[str, Any]]:
    rows = session.scalars(
        select(Agreement).where(
            Agreement.deal_id == row.deal_id,
            Agreement.buyer_organisation_id == row.buyer_organisation_id,
        )
    )
    return [
        {
            "text_version": each.text_version,
            "text_digest": each.text_digest,
            "status": each.status.label,
            "accepted_at": each.accepted_at,
            "accepted_by": each.accepted_by_name,
            "valid_to": each.valid_to,
        }
        for each in rows
    ]
