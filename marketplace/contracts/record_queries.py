"""One contract: who may read it, what it holds, its pre-check, its changes, its history."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, false, or_, select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.contracts.models import Contract, ContractChange
from marketplace.contracts.payment_rules import Instalment
from marketplace.contracts.precheck_rules import Check, precheck
from marketplace.contracts.proposal_rules import Certainty
from marketplace.contracts.rules import (
    DRAW_UP,
    EDITABLE,
    IN_REGISTER,
    REVIEW,
    WITH_REGISTRAR,
    Contact,
    ContractContent,
    ContractStatus,
    ContractSubtype,
    ContractType,
    Item,
    RefusalReason,
)
from marketplace.foundation import attachments, audit
from marketplace.foundation.access import SYSTEM, Actor, Role, permits
from marketplace.foundation.errors import NotFound
from marketplace.foundation.money import Fen

_PARTY_ROLES = (Role.OFFICER, Role.ORG_ADMIN, Role.LEADER, Role.INVENTOR, Role.ENTERPRISE)


@dataclass(frozen=True, kw_only=True)
class ContractView:
    """One contract with its parties and its way through the register."""

    id: int
    version: int
    status: ContractStatus
    content: ContractContent
    seller: accounts.OrganisationView
    buyer: accounts.OrganisationView | None
    agency: accounts.OrganisationView | None
    registrar: accounts.OrganisationView | None
    seller_snapshot: dict[str, Any]
    buyer_snapshot: dict[str, Any]
    deal_id: int | None
    listing_id: int | None
    achievement_id: int | None
    created_at: datetime
    submitted_at: datetime | None
    round: int
    due_on: date | None
    disputed_reason: str
    reviewer_name: str
    returned_reason: str
    contract_no: str | None
    registered_on: date | None
    rule_version: str
    refusal_reason: RefusalReason | None
    decision_words: str
    decided_at: datetime | None
    cancelled_on: date | None
    applied_on: date | None
    applied_type: ContractType | None
    applied_subtype: ContractSubtype | None
    proposed_type: ContractType | None
    proposed_certainty: Certainty | None
    check_code: str
    may_edit: bool
    may_follow: bool
    may_review: bool

    @property
    def title(self) -> str:
        """Return the project's name, or what stands for it in a draft."""
        return self.content.project_name or "（未命名合同）"

    @property
    def in_register(self) -> bool:
        """Tell whether the contract stands in the register."""
        return self.status in IN_REGISTER

    @property
    def with_registrar(self) -> bool:
        """Tell whether the registrar has to decide."""
        return self.status in WITH_REGISTRAR

    @property
    def non_technical_fen(self) -> Fen:
        """Sum the items that pay for no technology."""
        return Fen(sum(item.amount_fen for item in self.content.items))


def content_of(row: Contract) -> ContractContent:
    """Read the whole form of a stored contract."""
    return ContractContent(
        project_name=row.project_name,
        contract_type=row.contract_type,
        subtype=row.subtype,
        seller_organisation_id=row.seller_organisation_id,
        buyer_organisation_id=row.buyer_organisation_id,
        agency_organisation_id=row.agency_organisation_id,
        registrar_organisation_id=row.registrar_organisation_id,
        signed_on=row.signed_on,
        effective_on=row.effective_on,
        ends_on=row.ends_on,
        amount_fen=row.amount_fen,
        technology_amount_fen=row.technology_amount_fen,
        items=tuple(Item(item.label, item.amount_fen) for item in row.items),
        tax_exempt_amount_fen=row.tax_exempt_amount_fen,
        payment_mode=row.payment_mode,
        payment_terms=row.payment_terms,
        schedule=tuple(
            Instalment(each.due_on, each.label, each.amount_fen) for each in row.schedule
        ),
        related_parties=row.related_parties,
        related_explanation=row.related_explanation,
        plan_source=row.plan_source,
        ip_kind=row.ip_kind,
        no_ip=row.no_ip,
        technology_field=row.technology_field,
        objective_code=row.objective_code,
        industry_code=row.industry_code,
        fiscal_funds=row.fiscal_funds,
        project_id=row.project_id,
        activity_id=row.activity_id,
        seller_contact=Contact(
            row.seller_representative, row.seller_contact_name, row.seller_contact_phone
        ),
        buyer_contact=Contact(
            row.buyer_representative, row.buyer_contact_name, row.buyer_contact_phone
        ),
    )


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Return the condition for the contracts that an actor may see; strangers see none."""
    if actor is SYSTEM or actor.has(Role.OPERATOR):
        return Contract.status != ContractStatus.DRAFT
    own = actor.organisation_id
    if actor.user_id is None or own is None:
        return false()
    ways: list[ColumnElement[bool]] = []
    sent = Contract.submitted_at.is_not(None)
    if actor.has(*_PARTY_ROLES):
        ways.append(Contract.seller_organisation_id == own)
        # The other side sees what was sent; a draft is the seller's own.
        ways.append((Contract.buyer_organisation_id == own) & sent)
    if actor.has(Role.BROKER, Role.AGENCY_HEAD):
        ways.append((Contract.agency_organisation_id == own) & sent)
    if actor.has(Role.REGISTRAR):
        ways.append((Contract.registrar_organisation_id == own) & sent)
    return or_(*ways) if ways else false()


def get_contract(session: Session, actor: Actor, contract_id: int) -> ContractView:
    """Return one contract to a party, its agency or its registrar; others get ``NotFound``."""
    row = session.scalar(select(Contract).where(Contract.id == contract_id, visible_to(actor)))
    if row is None:
        raise NotFound()
    ids = (
        row.seller_organisation_id,
        row.buyer_organisation_id,
        row.agency_organisation_id,
        row.registrar_organisation_id,
    )
    found = accounts.get_organisations(session, [value for value in ids if value is not None])
    own = actor.organisation_id
    return ContractView(
        id=row.id,
        version=row.version,
        status=row.status,
        content=content_of(row),
        seller=found[row.seller_organisation_id],
        buyer=found.get(row.buyer_organisation_id or 0),
        agency=found.get(row.agency_organisation_id or 0),
        registrar=found.get(row.registrar_organisation_id or 0),
        seller_snapshot=row.seller_snapshot,
        buyer_snapshot=row.buyer_snapshot,
        deal_id=row.deal_id,
        listing_id=row.listing_id,
        achievement_id=row.achievement_id,
        created_at=row.created_at,
        submitted_at=row.submitted_at,
        round=row.round,
        due_on=row.due_on,
        disputed_reason=row.disputed_reason,
        reviewer_name=row.reviewer_name,
        returned_reason=row.returned_reason,
        contract_no=row.contract_no,
        registered_on=row.registered_on,
        rule_version=row.rule_version,
        refusal_reason=row.refusal_reason,
        decision_words=row.decision_words,
        decided_at=row.decided_at,
        cancelled_on=row.cancelled_on,
        applied_on=row.applied_on,
        applied_type=row.applied_type,
        applied_subtype=row.applied_subtype,
        proposed_type=row.proposed_type,
        proposed_certainty=row.proposed_certainty,
        check_code=row.check_code,
        may_edit=row.status in EDITABLE
        and row.seller_organisation_id == own
        and permits(actor, DRAW_UP),
        may_follow=row.status in IN_REGISTER
        and row.seller_organisation_id == own
        and permits(actor, DRAW_UP),
        may_review=row.registrar_organisation_id == own and permits(actor, REVIEW),
    )


def subject(contract_id: int) -> str:
    """Name a contract for audit and attachments."""
    return f"contract:{contract_id}"


def checks(session: Session, view: ContractView, *, today: date) -> list[Check]:
    """Run the pre-check on a contract."""
    has_text = bool(attachments.of(session, subject(view.id)))
    return precheck(view.content, has_text=has_text, today=today)


@dataclass(frozen=True)
class ChangeView:
    """A recorded change of a registered contract."""

    changed_on: date
    reason: str
    amount_before_fen: Fen
    amount_after_fen: Fen
    technology_before_fen: Fen
    technology_after_fen: Fen
    ends_before_on: date | None
    ends_after_on: date | None
    recorded_by: str


def changes(session: Session, contract_id: int) -> list[ChangeView]:
    """List the recorded changes of a contract, oldest first."""
    rows = session.scalars(
        select(ContractChange)
        .where(ContractChange.contract_id == contract_id)
        .order_by(ContractChange.id)
    )
    return [
        ChangeView(
            row.changed_on,
            row.reason,
            row.amount_before_fen,
            row.amount_after_fen,
            row.technology_before_fen,
            row.technology_after_fen,
            row.ends_before_on,
            row.ends_after_on,
            row.recorded_by,
        )
        for row in rows
    ]


_ACTIONS = {
    "contracts.draft": "起草",
    "contracts.save": "修改",
    "contracts.submit": "提交登记",
    "contracts.take_up": "登记员开始审核",
    "contracts.dispute": "列为有争议，审核期限延长",
    "contracts.return": "退回补正",
    "contracts.register": "准予登记",
    "contracts.refuse": "不予登记",
    "contracts.change": "变更登记",
    "contracts.cancel": "撤销登记",
    "contracts.declare_receipt": "登记到账",
    "contracts.confirm_receipt": "核定技术性收入",
    "contracts.withdraw_receipt": "撤回到账登记",
    "contracts.apply_change": "申请变更登记",
    "contracts.apply_cancel": "申请撤销登记",
    "contracts.withdraw_amendment": "撤回申请",
    "contracts.grant_amendment": "同意申请",
    "contracts.decline_amendment": "不同意申请",
    "attachments.store": "上传合同文本",
    "attachments.remove": "删除合同文本",
}


_BAD = (
    "contracts.return",
    "contracts.refuse",
    "contracts.cancel",
    "contracts.decline_amendment",
)


@dataclass(frozen=True)
class HistoryLine:
    """One line of a contract's timeline."""

    at: datetime
    what: str
    who: str
    note: str
    state: str


def history(session: Session, contract_id: int) -> list[HistoryLine]:
    """List what was done to a contract, newest first; repeated saves are one line."""
    lines: list[HistoryLine] = []
    for entry in audit.history(session, subject(contract_id)):
        label = _ACTIONS.get(entry.action)
        if label is None:
            continue
        after = entry.after or {}
        note = str(after.get("reason", "") or after.get("contract_no", ""))
        bad = entry.action in _BAD
        line = HistoryLine(entry.happened_at, label, entry.actor_name, note, "bad" if bad else "")
        if lines and entry.action == "contracts.save" and lines[-1].what == label:
            lines[-1] = line
        else:
            lines.append(line)
    return lines[::-1]


def get_registered(session: Session, contract_id: int) -> ContractContent:
    """Return a registered contract's content for the slice's own handlers."""
    return content_of(session.get_one(Contract, contract_id))
