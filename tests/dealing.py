"""A builder of deals and contracts for tests: seller, buyer, broker, registrar."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from threading import Barrier
from typing import Any

from sqlalchemy import func, select

from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.achievements import service as achievements
from marketplace.achievements.rules import IPKind
from marketplace.brokerage import service as brokerage
from marketplace.brokerage.models import Deal
from marketplace.brokerage.register_rules import FilingFigures
from marketplace.brokerage.rules import DealStage, NoteKind, NoteVisibility
from marketplace.brokerage.terms_rules import CommissionBasis, CommissionPayer, CommissionTerms
from marketplace.contracts import service as contracts
from marketplace.contracts.models import Contract, ContractItem
from marketplace.contracts.rules import (
    Contact,
    ContractContent,
    ContractSubtype,
    ContractType,
    Item,
    PlanSource,
)
from marketplace.foundation import audit
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.attachments import Attachment, AttachmentStore, Upload
from marketplace.foundation.db import Database
from marketplace.foundation.errors import DomainError
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.foundation.trade import PaymentMode, TechnologyField, TradingMode
from tests.achievement_contents import complete_content
from tests.world import World

PRICE = Fen(180_000_000)
TECHNOLOGY = Fen(150_000_000)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


# Figures that meet every condition of filing.
GOOD_FIGURES = FilingFigures(False, Fen(20_000_000), Fen(500_000_000), 5)


class Market:
    """Drives deals and contracts through the services at one moment that a test moves."""

    def __init__(self, database: Database, world: World, now: datetime, folder: Path) -> None:
        self.database = database
        self.world = world
        self.now = now
        self.store = AttachmentStore(folder)
        self.university = world.organisation(OrganisationKind.UNIVERSITY, name="泉城理工大学")
        self.officer = world.actor(Role.OFFICER, self.university, Role.LEADER, name="周敏")
        self.firm = world.organisation(OrganisationKind.ENTERPRISE, name="锐泉精密")
        self.buyer = world.actor(Role.ENTERPRISE, self.firm, name="高远")
        self.agency = world.organisation(
            OrganisationKind.SERVICE_INSTITUTION,
            subkinds=(OrganisationSubkind.AGENCY,),
            name="明湖技术转移",
        )
        self.broker = world.actor(Role.BROKER, self.agency, name="李静舒")
        self.head = world.actor(Role.AGENCY_HEAD, self.agency, name="卢海")
        self.registry = world.organisation(OrganisationKind.REGISTRAR, name="济南合同登记站")
        self.registrar = world.actor(Role.REGISTRAR, self.registry, name="王敏")

    def do(self, use_case: Callable[..., Any], actor: Actor, **arguments: Any) -> Any:
        """Run one use case in one transaction at the present moment."""
        with self.database.transaction() as session:
            return use_case(session, actor=actor, now=self.now, **arguments)

    def achievement(self, **changed: Any) -> int:
        """Publish a complete achievement of the university."""
        content = complete_content(self.university, **changed)
        made = int(self.do(achievements.create_draft, self.officer, content=content))
        self.do(achievements.publish, SYSTEM, achievement_id=made)
        return made

    def deal(self, achievement_id: int | None = None, *, broker: Actor | None = None) -> int:
        """Let the broker pair an achievement with the firm."""
        return int(
            self.do(
                brokerage.open_deal,
                broker or self.broker,
                achievement_id=achievement_id or self.achievement(),
                buyer_organisation_id=self.firm.id,
            )
        )

    def move(self, deal_id: int, *steps: str, actor: Actor | None = None) -> None:
        """Move a deal on, step by step; in the first pipeline they are named like the stages."""
        for step in steps:
            self.do(brokerage.move, actor or self.broker, deal_id=deal_id, to=step)

    def contact(self, deal_id: int, actor: Actor | None = None) -> None:
        """Log a call on a deal."""
        self.do(
            brokerage.add_note,
            actor or self.broker,
            deal_id=deal_id,
            kind=NoteKind.CALL,
            visibility=NoteVisibility.SHARED,
            body="企业想先看检测报告",
        )

    def agree(self, deal_id: int) -> int:
        """Let the owner offer and the buyer accept the confidentiality agreement."""
        agreement_id = int(self.do(brokerage.offer_agreement, self.officer, deal_id=deal_id))
        self.do(brokerage.accept_agreement, self.buyer, agreement_id=agreement_id)
        return agreement_id

    def terms(self, deal_id: int, **changed: Any) -> None:
        """Note the price, the mode and the day of signing."""
        values: dict[str, Any] = {
            "title": "低温脱硝 × 锐泉精密",
            "amount_fen": PRICE,
            "trading_mode": TradingMode.LICENCE_ORDINARY,
            "signed_on": self.today,
        }
        self.do(brokerage.set_terms, self.broker, deal_id=deal_id, **(values | changed))

    def drafted_deal(self, achievement_id: int | None = None) -> int:
        """Bring a deal to the contract draft."""
        deal_id = self.deal(achievement_id)
        self.contact(deal_id)
        self.move(deal_id, DealStage.CONTACTED, DealStage.CONFIDENTIALITY)
        self.agree(deal_id)
        self.move(deal_id, DealStage.TECHNICAL_TALK, DealStage.PRICE_TALK)
        self.terms(deal_id)
        self.move(deal_id, DealStage.CONTRACT_DRAFT)
        return deal_id

    @property
    def today(self) -> date:
        """Return the calendar day of the present moment in Jinan."""
        return self.now.date()

    def content(self, **changed: Any) -> ContractContent:
        """Return a complete registration form."""
        whole = ContractContent(
            project_name="低温脱硝催化剂普通许可",
            contract_type=ContractType.LICENCE,
            subtype=ContractSubtype.ORDINARY,
            seller_organisation_id=self.university.id,
            buyer_organisation_id=self.firm.id,
            registrar_organisation_id=self.registry.id,
            signed_on=self.today - timedelta(days=2),
            effective_on=self.today - timedelta(days=2),
            ends_on=self.today + timedelta(days=365),
            amount_fen=PRICE,
            technology_amount_fen=TECHNOLOGY,
            items=(Item("催化剂样品", Fen(PRICE - TECHNOLOGY)),),
            payment_mode=PaymentMode.LUMP_SUM,
            related_parties=False,
            plan_source=PlanSource.NONE,
            ip_kind=IPKind.INVENTION,
            technology_field=TechnologyField.ENVIRONMENT,
            objective_code="01",
            industry_code="26",
            fiscal_funds=False,
            seller_contact=Contact("丁文韬", "周敏", "0531-00001111"),
            buyer_contact=Contact("高远", "孙工", "0531-00002222"),
        )
        return replace(whole, **changed)

    def contract(self, *, deal_id: int | None = None, text: bytes = PDF, **changed: Any) -> int:
        """Draw up a contract with its text, ready to be sent."""
        if deal_id is None:
            made = int(self.do(contracts.draft, self.officer))
        else:
            made = int(self.do(contracts.draft_from_deal, self.officer, deal_id=deal_id))
        self.do(
            contracts.save,
            self.officer,
            contract_id=made,
            content=self.content(**changed),
            buyer_uscc=self.firm.uscc,
            uploads=[Upload("合同.pdf", text)],
            store=self.store,
        )
        return made

    def submitted(self, **changed: Any) -> int:
        """Draw up a contract and send it to the registrar."""
        made = self.contract(**changed)
        self.do(contracts.submit, self.officer, contract_id=made)
        return made

    def registered(self, **changed: Any) -> int:
        """Bring a contract into the register."""
        made = self.submitted(**changed)
        self.do(contracts.register, self.registrar, contract_id=made)
        return made

    def receipt(self, contract_id: int, amount: int, **changed: Any) -> int:
        """Declare a payment with its bank slip."""
        values: dict[str, Any] = {
            "received_on": self.today,
            "amount_fen": Fen(amount),
            "reference": f"HD-{amount}",
            "uploads": [Upload("回单.pdf", PDF)],
            "store": self.store,
        }
        return int(
            self.do(
                contracts.declare_receipt,
                self.officer,
                contract_id=contract_id,
                **(values | changed),
            )
        )

    def amendment(self, contract_id: int, **changed: Any) -> int:
        """Apply for new terms with the supplementary agreement."""
        values: dict[str, Any] = {
            "amount_fen": TECHNOLOGY,
            "technology_amount_fen": TECHNOLOGY,
            "items": (),
            "ends_on": None,
            "reason": "双方签补充协议一，取消样品",
            "uploads": [Upload("补充协议.pdf", PDF)],
            "store": self.store,
        }
        return int(
            self.do(
                contracts.apply_change,
                self.officer,
                contract_id=contract_id,
                **(values | changed),
            )
        )


def at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run calls in threads that start together; a refusal comes back as its error."""
    gate = Barrier(len(calls))

    def run(call: Callable[[], Any]) -> Any:
        gate.wait()
        try:
            return call()
        except DomainError as refusal:
            return refusal

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def stored(market: Market, contract_id: int) -> Contract:
    """Read a contract with its items."""
    with market.database.reading() as session:
        row = session.get_one(Contract, contract_id)
        assert row.items is not None
        return row


def row_of(market: Market, model: type[Any], row_id: int) -> Any:
    """Read a row."""
    with market.database.reading() as session:
        return session.get_one(model, row_id)


def footprint(market: Market) -> list[int]:
    """Count everything that a use case of contracts may leave behind."""
    models = (Contract, ContractItem, Attachment, OutboxEvent, audit.AuditRow)
    return [count(market, model) for model in models]


def stage(market: Market, deal_id: int) -> DealStage:
    """Return where a deal stands."""
    with market.database.reading() as session:
        return session.get_one(Deal, deal_id).stage


def events(market: Market, name: str) -> list[dict[str, Any]]:
    """List what the events of a name told, oldest first."""
    with market.database.reading() as session:
        rows = session.scalars(
            select(OutboxEvent).where(OutboxEvent.name == name).order_by(OutboxEvent.id)
        )
        return [row.body for row in rows]


def count(market: Market, model: type[Any]) -> int:
    """Count the rows of a table."""
    with market.database.reading() as session:
        return session.scalar(select(func.count()).select_from(model)) or 0


def propose(market: Market, deal_id: int, rate: int = 300) -> int:
    """Let the broker propose a commission to the buyer; return its id."""
    return int(
        market.do(
            brokerage.propose_commission,
            market.broker,
            deal_id=deal_id,
            payer=CommissionPayer.BUYER,
            terms=CommissionTerms(CommissionBasis.RATE, rate, None),
        )
    )
