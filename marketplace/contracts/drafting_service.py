"""The seller's side: draw a contract up and save it. Its papers are in ``paper_service``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements import queries as achievements
from marketplace.achievements.rules import IPKind, LegalStatus
from marketplace.brokerage import queries as brokerage
from marketplace.brokerage.family_queries import family_ids
from marketplace.brokerage.rules import DealStage
from marketplace.contracts import paper_service, parameters, rules
from marketplace.contracts.content_rules import content_problems
from marketplace.contracts.models import Contract, ContractInstalment, ContractItem
from marketplace.contracts.payment_rules import Instalment
from marketplace.contracts.record_queries import content_of, subject
from marketplace.contracts.rules import (
    Contact,
    ContractContent,
    ContractStatus,
    ContractSubtype,
    ContractType,
)
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, require, require_own
from marketplace.foundation.attachments import AttachmentStore, Upload
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken, raise_if_any

_SUBTYPE_OF_IP = {
    IPKind.SECRET: ContractSubtype.KNOW_HOW,
    IPKind.SOFTWARE: ContractSubtype.SOFTWARE,
    IPKind.LAYOUT: ContractSubtype.LAYOUT,
    IPKind.PLANT_VARIETY: ContractSubtype.PLANT_VARIETY,
    IPKind.BIOMEDICAL: ContractSubtype.BIOMEDICAL,
}


def draft(session: Session, *, actor: Actor, now: datetime) -> int:
    """Begin a contract without a deal; the actor's organisation is the seller. Return its id."""
    require(actor, rules.DRAW_UP)
    if actor.organisation_id is None:
        raise NotFound()
    seller = accounts.get_organisation(session, actor.organisation_id)
    row = _new(actor=actor, now=now, seller_organisation_id=seller.id)
    _fill_contact(row, "seller", seller)
    session.add(row)
    session.flush()
    _record_draft(session, row, actor=actor, now=now)
    return row.id


def draft_from_deal(session: Session, *, actor: Actor, now: datetime, deal_id: int) -> int:
    """Begin the contract of a deal, filled with what the deal and the achievement hold.

    The seller draws it up, once: a deal that has a live contract returns that contract's id.
    """
    require(actor, rules.DRAW_UP)
    prospect = brokerage.prospect_of(session, actor, deal_id)
    require_own(actor, prospect.seller_organisation_id)
    existing = session.scalar(
        select(Contract.id).where(
            Contract.deal_id.in_(family_ids(session, deal_id)),
            Contract.status.in_(rules.LIVE),
        )
    )
    if existing is not None:
        return existing
    if prospect.stage not in (DealStage.CONTRACT_DRAFT, DealStage.SIGNED):
        raise RuleBroken(
            "contracts.deal_stage",
            f"项目现在是“{prospect.stage.label}”，推进到“合同草拟”以后才能起草登记表",
        )
    pair = accounts.get_organisations(
        session, (prospect.seller_organisation_id, prospect.buyer_organisation_id)
    )
    row = _new(actor=actor, now=now, seller_organisation_id=prospect.seller_organisation_id)
    row.deal_id, row.listing_id = deal_id, prospect.listing_id
    row.achievement_id = prospect.achievement_id
    row.buyer_organisation_id = prospect.buyer_organisation_id
    row.agency_organisation_id = prospect.agency_organisation_id
    row.amount_fen = prospect.amount_fen
    row.signed_on = row.effective_on = prospect.signed_on
    row.project_name = prospect.title
    if prospect.trading_mode is not None:
        row.contract_type, row.subtype = rules.TYPE_OF_MODE[prospect.trading_mode]
    _fill_contact(row, "seller", pair[prospect.seller_organisation_id])
    _fill_contact(row, "buyer", pair[prospect.buyer_organisation_id])
    if prospect.achievement_id is not None:
        _fill_from_achievement(session, row, prospect.achievement_id)
    session.add(row)
    try:
        session.flush()
    except IntegrityError as taken:
        raise Conflict(
            "contracts.exists", "这个项目刚刚已起草了合同，请刷新项目页面后打开它"
        ) from taken
    _record_draft(session, row, actor=actor, now=now)
    return row.id


def _new(*, actor: Actor, now: datetime, seller_organisation_id: int) -> Contract:
    return Contract(
        status=ContractStatus.DRAFT,
        created_at=now,
        touched_at=now,
        created_by_id=actor.user_id,
        seller_organisation_id=seller_organisation_id,
    )


def _fill_contact(row: Contract, side: str, organisation: accounts.OrganisationView) -> None:
    setattr(row, f"{side}_representative", organisation.representative)
    setattr(row, f"{side}_contact_name", organisation.contact_name)
    setattr(row, f"{side}_contact_phone", organisation.contact_phone)


def _fill_from_achievement(session: Session, row: Contract, achievement_id: int) -> None:
    view = achievements.get_internal(session, achievement_id)
    content = view.content
    row.project_name = content.title or row.project_name
    row.project_id = view.number or ""
    row.technology_field = content.field
    # GB/T 4754 class codes are the section's letter and four digits; the form asks the division.
    division = content.industry_code[1:3]
    row.industry_code = division if division in parameters.industries() else ""
    right = next((right for right in content.ip_rights if right.kind is not None), None)
    if right is None or right.kind is None:
        return
    row.ip_kind = right.kind
    if row.contract_type is ContractType.TRANSFER and row.subtype is None:
        granted = right.legal_status is LegalStatus.GRANTED
        patent = ContractSubtype.PATENT if granted else ContractSubtype.PATENT_APPLICATION
        row.subtype = _SUBTYPE_OF_IP.get(right.kind, patent)


def _record_draft(session: Session, row: Contract, *, actor: Actor, now: datetime) -> None:
    audit.record(
        session,
        actor=actor,
        action="contracts.draft",
        subject=subject(row.id),
        now=now,
        after={"deal": row.deal_id, "seller": row.seller_organisation_id},
    )


def save(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    contract_id: int,
    content: ContractContent,
    buyer_uscc: str | None = None,
    version: int | None = None,
    uploads: Sequence[Upload] = (),
    store: AttachmentStore | None = None,
) -> int:
    """Save the form and return its new version; what contradicts itself is refused.

    What is missing may stay so. ``buyer_uscc`` names the buyer of a contract without a deal; a
    deal's parties and agency stand.
    """
    require(actor, rules.DRAW_UP)
    row = paper_service.load_editable(session, actor, contract_id)
    if version is not None and version != row.version:
        raise Conflict(
            "contracts.stale",
            "这份合同刚在别处改过；请另开一页核对最新内容，再提交您的修改（您填写的内容还在）",
        )
    content = replace(content, **_parties(session, row, content, buyer_uscc))
    raise_if_any(content_problems(content, today=local_date(now)))
    _check_choices(session, content)
    before = content_of(row)
    _write(row, content)
    if row.buyer_organisation_id != before.buyer_organisation_id:
        _complete_buyer(session, row)
    row.touched_at = now
    row.version += 1
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="contracts.save",
        subject=subject(row.id),
        now=now,
        before={"amount_fen": before.amount_fen, "technology": before.technology_amount_fen},
        after={"amount_fen": row.amount_fen, "technology": row.technology_amount_fen},
    )
    if uploads and store is not None:
        paper_service.keep(session, row, actor=actor, now=now, uploads=uploads, store=store)
    return row.version


def _parties(
    session: Session, row: Contract, content: ContractContent, buyer_uscc: str | None
) -> dict[str, Any]:
    parties: dict[str, Any] = {"seller_organisation_id": row.seller_organisation_id}
    if row.deal_id is not None:
        parties["buyer_organisation_id"] = row.buyer_organisation_id
        parties["agency_organisation_id"] = row.agency_organisation_id
        return parties
    if not buyer_uscc:
        parties["buyer_organisation_id"] = None
        return parties
    buyer = accounts.find_organisation_by_uscc(session, buyer_uscc)
    if buyer is None or not buyer.verified:
        raise RuleBroken(
            "contracts.unknown_buyer",
            "买方还没有在平台注册并通过核验；请核对代码，或请买方先注册",
            "buyer_uscc",
        )
    parties["buyer_organisation_id"] = buyer.id
    return parties


def _check_choices(session: Session, content: ContractContent) -> None:
    wrong = None
    registrar_id, agency_id = content.registrar_organisation_id, content.agency_organisation_id
    if registrar_id is not None:
        registrar = accounts.get_organisation(session, registrar_id)
        if registrar.kind is not OrganisationKind.REGISTRAR or not registrar.verified:
            wrong = ("请从列表选择登记机构", "registrar_organisation_id")
    if agency_id is not None:
        agency = accounts.get_organisation(session, agency_id)
        if not agency.offers(OrganisationSubkind.AGENCY):
            wrong = ("请从列表选择技术转移转化服务机构", "agency_organisation_id")
    if content.objective_code and content.objective_code not in parameters.objectives():
        wrong = ("请从列表选择社会经济目标", "objective_code")
    if content.industry_code and content.industry_code not in parameters.industries():
        wrong = ("请从列表选择国民经济行业", "industry_code")
    if wrong is not None:
        raise RuleBroken("contracts.choice", *wrong)


def _write(row: Contract, content: ContractContent) -> None:
    for name in (
        "project_name",
        "contract_type",
        "subtype",
        "buyer_organisation_id",
        "agency_organisation_id",
        "registrar_organisation_id",
        "signed_on",
        "effective_on",
        "ends_on",
        "amount_fen",
        "technology_amount_fen",
        "tax_exempt_amount_fen",
        "payment_mode",
        "payment_terms",
        "related_parties",
        "related_explanation",
        "plan_source",
        "ip_kind",
        "no_ip",
        "technology_field",
        "objective_code",
        "industry_code",
        "fiscal_funds",
        "project_id",
        "activity_id",
    ):
        setattr(row, name, getattr(content, name))
    for side, contact in (("seller", content.seller_contact), ("buyer", content.buyer_contact)):
        setattr(row, f"{side}_representative", contact.representative)
        setattr(row, f"{side}_contact_name", contact.name)
        setattr(row, f"{side}_contact_phone", contact.phone)
    write_items(row, content.items)
    _write_schedule(row, content.schedule)


def _write_schedule(row: Contract, schedule: Sequence[Instalment]) -> None:
    if [Instalment(each.due_on, each.label, each.amount_fen) for each in row.schedule] == list(
        schedule
    ):
        return
    row.schedule = [
        ContractInstalment(
            position=position, due_on=each.due_on, label=each.label, amount_fen=each.amount_fen
        )
        for position, each in enumerate(schedule)
    ]


def write_items(row: Contract, items: Sequence[rules.Item]) -> None:
    """Replace a contract's non-technical items where they differ."""
    if [(item.label, item.amount_fen) for item in row.items] == [
        (item.label, item.amount_fen) for item in items
    ]:
        return
    row.items = [
        ContractItem(position=position, label=item.label, amount_fen=item.amount_fen)
        for position, item in enumerate(items)
    ]


def _complete_buyer(session: Session, row: Contract) -> None:
    """Take the buyer's contacts from its profile where the form left them empty."""
    if row.buyer_organisation_id is None:
        return
    buyer = accounts.get_organisation(session, row.buyer_organisation_id)
    typed = Contact(row.buyer_representative, row.buyer_contact_name, row.buyer_contact_phone)
    row.buyer_representative = typed.representative or buyer.representative
    row.buyer_contact_name = typed.name or buyer.contact_name
    row.buyer_contact_phone = typed.phone or buyer.contact_phone
