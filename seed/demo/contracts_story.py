"""Contracts are drawn up, sent, corrected, registered or refused."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

from marketplace.achievements.rules import IPKind
from marketplace.brokerage.rules import DealStage
from marketplace.contracts import queries, service
from marketplace.contracts.rules import (
    Contact,
    ContractContent,
    ContractSubtype,
    ContractType,
    Item,
    PlanSource,
    RefusalReason,
)
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.attachments import Upload
from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.foundation.trade import PaymentMode, TechnologyField
from seed.demo import receipts_story
from seed.demo.content import Contract
from seed.demo.deals_story import PlayedDeal
from seed.demo.paper import contract_paper
from seed.demo.stage import Stage, Story, yuan


def contract(stage: Stage, record: Contract) -> Story:
    """Bring one contract to the outcome that the content names."""
    seller = _seller(stage, record)
    if record.deal is not None:
        yield from _from_deal(stage, record, seller)
    else:
        assert record.signed_on is not None
        yield stage.at(record.signed_on + timedelta(days=2), record.key)
        stage.contracts[record.key] = service.draft(
            stage.session, actor=stage.seller(seller), now=stage.now
        )
        _fill(stage, record, seller, record.signed_on)
    if record.outcome == "draft":
        return
    yield stage.after(1, record.key)
    contract_id = stage.contracts[record.key]
    service.submit(
        stage.session, actor=stage.seller(seller), now=stage.now, contract_id=contract_id
    )
    if record.outcome == "submitted":
        return
    yield from _review(stage, record, seller)


def _from_deal(stage: Stage, record: Contract, seller: str) -> Story:
    deal = next(x for x in stage.content.deals if x.key == record.deal)
    play = PlayedDeal(stage, deal)
    yield stage.at(record.signed_on or deal.opened_on + timedelta(days=14), record.key)
    while deal.key not in stage.deals or play.stage_now() is not DealStage.CONTRACT_DRAFT:
        yield stage.evening()
    yield stage.after(1, record.key)
    signed_on = stage.today
    play.sign(signed_on)
    yield stage.after(1, record.key)
    stage.contracts[record.key] = service.draft_from_deal(
        stage.session, actor=stage.seller(seller), now=stage.now, deal_id=play.id
    )
    _fill(stage, record, seller, signed_on)


def _review(stage: Stage, record: Contract, seller: str) -> Story:
    contract_id = stage.contracts[record.key]
    yield stage.after(2, record.key)
    service.take_up(
        stage.session, actor=_registrar(stage, record), now=stage.now, contract_id=contract_id
    )
    if record.outcome == "review":
        return
    yield stage.after(2, record.key)
    if record.outcome == "correction" or record.corrected:
        service.return_(
            stage.session,
            actor=_registrar(stage, record),
            now=stage.now,
            contract_id=contract_id,
            reason=record.corrected or record.words,
        )
        if record.outcome == "correction":
            return
        yield stage.after(3, record.key)
        service.resubmit(
            stage.session, actor=stage.seller(seller), now=stage.now, contract_id=contract_id
        )
        yield stage.after(2, record.key)
    if record.outcome == "refused":
        service.refuse(
            stage.session,
            actor=_registrar(stage, record),
            now=stage.now,
            contract_id=contract_id,
            reason_code=RefusalReason(record.reason),
            reason=record.words,
        )
        return
    contract_type, subtype = record.decided or (None, None)
    service.register(
        stage.session,
        actor=_registrar(stage, record),
        now=stage.now,
        contract_id=contract_id,
        contract_type=ContractType(contract_type) if contract_type else None,
        subtype=ContractSubtype(subtype) if subtype else None,
        type_reason=record.words if record.decided else "",
    )
    if record.asked is not None:
        yield from receipts_story.application(stage, record, seller)
    if record.outcome != "cancelled" and record.paid:
        yield from receipts_story.receipts(stage, record, seller)


def _seller(stage: Stage, record: Contract) -> str:
    if record.seller is not None:
        return record.seller
    deal = next(x for x in stage.content.deals if x.key == record.deal)
    return next(a.owners[0].org for a in stage.content.achievements if a.key == deal.achievement)


def _registrar(stage: Stage, record: Contract) -> Actor:
    return stage.member(record.registrar, Role.REGISTRAR)


def _fill(stage: Stage, record: Contract, seller: str, signed_on: date) -> None:
    actor = stage.seller(seller)
    view = queries.get_contract(stage.session, actor, stage.contracts[record.key])
    drafted = view.content
    amount = drafted.amount_fen if record.amount is None else yuan(record.amount)
    assert amount is not None
    items = tuple(Item(label, yuan(price)) for label, price in record.items)
    technology = Fen(amount - sum(item.amount_fen for item in items))
    field = TechnologyField.labelled(record.field) if record.field else drafted.technology_field
    agency = stage.organisations[record.agency] if record.agency else None
    text = contract_paper(record, signed_on, amount // FEN_PER_YUAN)
    seller_contact, buyer_contact = drafted.seller_contact, drafted.buyer_contact
    if record.phone:
        seller_contact = replace(seller_contact, phone=record.phone)
        buyer_contact = Contact(buyer_contact.representative, buyer_contact.name, record.phone)
    service.save(
        stage.session,
        actor=actor,
        now=stage.now,
        contract_id=view.id,
        buyer_uscc=_uscc(stage, record.buyer),
        uploads=[Upload(f"{record.name}.pdf", text)],
        store=stage.store,
        content=ContractContent(
            project_name=record.name,
            contract_type=ContractType(record.type),
            subtype=ContractSubtype(record.subtype),
            agency_organisation_id=agency,
            registrar_organisation_id=stage.organisations[record.registrar],
            signed_on=signed_on,
            effective_on=signed_on,
            ends_on=signed_on + timedelta(days=30 * record.months),
            amount_fen=amount,
            technology_amount_fen=technology,
            items=items,
            tax_exempt_amount_fen=technology if record.exempt else None,
            payment_mode=PaymentMode(record.pay),
            payment_terms=record.terms,
            schedule=receipts_story.schedule(record, amount, signed_on),
            related_parties=bool(record.related),
            related_explanation=record.related,
            plan_source=PlanSource(record.plan),
            ip_kind=IPKind(record.ip) if record.ip else None,
            no_ip=record.ip is None,
            technology_field=field,
            objective_code=record.objective,
            industry_code=record.industry,
            fiscal_funds=record.fiscal,
            project_id=record.project,
            activity_id=record.activity,
            seller_contact=seller_contact,
            buyer_contact=buyer_contact,
        ),
    )


def _uscc(stage: Stage, organisation: str | None) -> str | None:
    return next((o.uscc for o in stage.content.organisations if o.key == organisation), None)
