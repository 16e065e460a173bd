"""A subsidy year to act in: parties, offices, registered facts, and a claim led to any step."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts.queries import OrganisationView
from marketplace.accounts.rules import District, OrganisationKind, OrganisationSubkind, Scale
from marketplace.contracts.events import ContractRegistered
from marketplace.contracts.rules import ContractType
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.db import Database
from marketplace.foundation.money import Fen
from marketplace.foundation.outbox import OutboxEvent
from marketplace.publicity import service as publicity
from marketplace.subsidies import queries, service
from marketplace.subsidies.clawback_rules import ClawBackGround, ClawBackTerms
from marketplace.subsidies.models import Claim
from marketplace.subsidies.rules import ClaimStatus, ReviewDecision, ReviewStep, RoundTerms
from marketplace.subsidies.service import Payee, Verdict
from marketplace.subsidies.word_rules import ClaimItem
from tests.world import World

PAYEE = Payee("经办人甲", "0531-66600000", "齐鲁银行历城支行", "1234 5678 9012 3456")
PASSED = Verdict(ReviewDecision.PASS)
# What an applicant types into the form beside the amount.
APPLICATION = {
    "contact_name": "经办人甲",
    "contact_phone": "0531-66600000",
    "bank_name": "齐鲁银行历城支行",
    "bank_account": "1234567890123456",
    "declared": "y",
}


@dataclass
class SubsidyYear:
    """Builds what a test needs, through the services, at one moment unless moved."""

    world: World
    now: datetime
    contract_count: int = 0
    made: dict[str, Any] = field(default_factory=dict)

    @property
    def database(self) -> Database:
        """Return the world's database."""
        return self.world.database

    def _once(self, name: str, make: Any) -> Any:
        if name not in self.made:
            self.made[name] = make()
        return self.made[name]

    @property
    def university(self) -> OrganisationView:
        """Return the selling university in 历城区."""
        return self._once("university", lambda: self.world.organisation(name="泉城理工大学"))

    @property
    def company(self) -> OrganisationView:
        """Return the buying small enterprise in 历下区."""
        return self._once(
            "company",
            lambda: self.world.organisation(
                OrganisationKind.ENTERPRISE, scale=Scale.SMALL, district=District.LIXIA
            ),
        )

    @property
    def registrar(self) -> OrganisationView:
        """Return the registrar."""
        return self._once("registrar", lambda: self.world.organisation(OrganisationKind.REGISTRAR))

    @property
    def officer(self) -> Actor:
        """Return the university's officer."""
        return self._once("officer", lambda: self.world.actor(Role.OFFICER, self.university))

    @property
    def buyer(self) -> Actor:
        """Return the enterprise's member."""
        return self._once("buyer", lambda: self.world.actor(Role.ENTERPRISE, self.company))

    def office(
        self, role: Role, subkind: OrganisationSubkind, district: District = District.LICHENG
    ) -> Actor:
        """Return a member of a government office."""

        def make() -> Actor:
            home = self.world.organisation(
                OrganisationKind.GOVERNMENT, subkinds=(subkind,), district=district
            )
            return self.world.actor(role, home)

        made: Actor = self._once(f"{role}{district}", make)
        return made

    @property
    def district(self) -> Actor:
        """Return 历城区's reviewer."""
        return self.office(Role.DISTRICT_REVIEWER, OrganisationSubkind.DISTRICT)

    @property
    def centre(self) -> Actor:
        """Return the promotion centre's reviewer."""
        return self.office(Role.CENTRE_REVIEWER, OrganisationSubkind.PROMOTION_CENTRE)

    @property
    def bureau(self) -> Actor:
        """Return the bureau's reviewer."""
        return self.office(Role.BUREAU_REVIEWER, OrganisationSubkind.BUREAU)

    @property
    def treasurer(self) -> Actor:
        """Return the finance bureau's treasurer."""
        return self.office(Role.TREASURER, OrganisationSubkind.FINANCE_BUREAU)

    @property
    def expert(self) -> Actor:
        """Return an expert of a third institution."""
        return self._once(
            "expert",
            lambda: self.world.actor(
                Role.EXPERT, self.world.organisation(OrganisationKind.RESEARCH_INSTITUTE)
            ),
        )

    def another_expert(self, number: int) -> Actor:
        """Return one more expert, each of an institution of their own."""
        made: Actor = self._once(
            f"expert{number}",
            lambda: self.world.actor(
                Role.EXPERT, self.world.organisation(OrganisationKind.RESEARCH_INSTITUTE)
            ),
        )
        return made

    def do(self, use_case: Any, **arguments: Any) -> Any:
        """Run one use case in one transaction, at the present moment unless given."""
        with self.database.transaction() as session:
            return use_case(session, **{"now": self.now, **arguments})

    def register(
        self,
        amount_yuan: int = 2_600_000,
        *,
        on: date = date(2024, 3, 12),
        kind: ContractType = ContractType.TRANSFER,
        seller: OrganisationView | None = None,
        buyer: OrganisationView | None = None,
        agency: OrganisationView | None = None,
        project_id: str = "",
        activity_id: str = "",
        fiscal_funds: bool = False,
    ) -> ContractRegistered:
        """Let a registered contract's event arrive."""
        self.contract_count += 1
        event = ContractRegistered(
            contract_id=1000 + self.contract_count,
            contract_no=f"2024370100{self.contract_count:06d}",
            contract_type=kind.value,
            project_name="低温脱硝催化剂专利权转让",
            registered_on=on,
            amount_fen=amount_yuan * 100,
            technology_amount_fen=amount_yuan * 100,
            tax_exempt_amount_fen=None,
            seller_organisation_id=(seller or self.university).id,
            buyer_organisation_id=(buyer or self.company).id,
            agency_organisation_id=agency.id if agency else None,
            registrar_organisation_id=self.registrar.id,
            project_id=project_id,
            activity_id=activity_id,
            fiscal_funds=fiscal_funds,
            deal_id=None,
            listing_id=None,
            achievement_id=None,
        )
        with self.database.transaction() as session:
            service.keep_registered(session, event, now=self.now)
        return event

    def open_round(
        self,
        budget_yuan: int = 10_000_000,
        *,
        year: int = 2024,
        items: tuple[ClaimItem, ...] = tuple(ClaimItem),
        expert_count: int = 1,
    ) -> int:
        """Let the bureau open a round that runs for 30 days from now."""
        today = self.now.date()
        round_id: int = self.do(
            service.open_round,
            actor=self.bureau,
            terms=RoundTerms(
                year=year,
                title=f"{year} 年度技术转移转化补助申报通知",
                opens_on=today,
                closes_on=today + timedelta(days=30),
                budget_fen=Fen(budget_yuan * 100),
                items=items,
                eligible="在济南市登记注册的单位",
                documents="合同款支付凭证和发票",
                expert_count=expert_count,
            ),
        )
        return round_id

    def prepared(
        self, round_id: int, *, item: ClaimItem = ClaimItem.SELLER, actor: Actor | None = None
    ) -> int:
        """Prepare a claim and return its id."""
        claim_id: int = self.do(
            service.prepare, actor=actor or self.officer, round_id=round_id, item=item
        )
        return claim_id

    def apply(self, claim_id: int, *, actor: Actor | None = None, **changed: Any) -> None:
        """Apply with the amount that the applicant's page shows."""
        actor = actor or self.officer
        with self.database.reading() as session:
            view = queries.get_own_claim(session, actor, claim_id)
            found = queries.computed_now(session, view, now=self.now)
        arguments = {
            "confirmed_fen": found.claimable_fen if found else Fen(0),
            "declared": True,
            "payee": PAYEE,
        } | changed
        self.do(service.apply, actor=actor, claim_id=claim_id, **arguments)

    def applied(self, *, round_id: int | None = None, item: ClaimItem = ClaimItem.SELLER) -> int:
        """Register a contract where there is none, and apply for it."""
        _offices = self.district, self.centre, self.bureau
        if self.contract_count == 0:
            self.register()
        actor = self.officer if item is ClaimItem.SELLER else self.buyer
        claim_id = self.prepared(round_id or self.open_round(), item=item, actor=actor)
        self.apply(claim_id, actor=actor)
        return claim_id

    def review(
        self, claim_id: int, step: ReviewStep, verdict: Verdict = PASSED, *, actor: Any = None
    ) -> None:
        """Decide one step by its own reviewer unless another one is given."""
        reviewers = {
            ReviewStep.DISTRICT: self.district,
            ReviewStep.CENTRE: self.centre,
            ReviewStep.BUREAU: self.bureau,
            ReviewStep.EXPERT: self.expert,
        }
        if step is ReviewStep.EXPERT and verdict is PASSED:
            verdict = Verdict(ReviewDecision.PASS, "", 86, unconcerned=True)
        self.do(
            service.review,
            actor=actor or reviewers[step],
            claim_id=claim_id,
            step=step,
            verdict=verdict,
        )

    def settled(self, claim_id: int) -> None:
        """Lead an applied claim through all reviews."""
        for step in ReviewStep:
            self.review(claim_id, step)

    def publicised(self, claim_id: int) -> int:
        """Lead an applied claim into its publicity and return the notice's id."""
        self.settled(claim_id)
        self.do(service.publicise, actor=self.bureau, round_id=self.claim(claim_id).round_id)
        notice_id = self.claim(claim_id).publicity_id
        assert notice_id is not None
        return notice_id

    def approved(self, claim_id: int) -> None:
        """Lead an applied claim through its publicity."""
        notice_id = self.publicised(claim_id)
        self.now += timedelta(days=14)
        with self.database.transaction() as session:
            assert publicity.close_due(session, now=self.now) == 1
        self.do(service.take_publicity, claim_id=claim_id, publicity_id=notice_id, upheld=False)

    def listed(self, claim_id: int) -> int:
        """Put an approved claim on a payment list and return the payment's id."""
        list_id = self.do(service.list_payments, actor=self.bureau, claim_ids=[claim_id])
        with self.database.reading() as session:
            return queries.get_payment_list(session, list_id).rows[0].payment.id

    def paid(self, claim_id: int) -> None:
        """Lead an applied claim to its payment."""
        self.approved(claim_id)
        self.do(
            service.confirm_payment,
            actor=self.treasurer,
            payment_id=self.listed(claim_id),
            reference="JNCZ20240001",
        )

    def clawed_back(self, claim_id: int, **changed: Any) -> None:
        """Let the bureau decide to take a paid claim back for deceit, unless told otherwise."""
        terms = ClawBackTerms(
            ground=ClawBackGround.SHAM_CONTRACT,
            amount_fen=self.claim(claim_id).payable_fen or Fen(0),
            reason="合同没有实际履行，付款凭证系伪造",
            document="济科处〔2024〕3号",
            due_on=self.now.date() + timedelta(days=30),
            dishonest_until=date(2025, 1, 31),
        )
        self.do(
            service.claw_back,
            actor=self.bureau,
            claim_id=claim_id,
            terms=replace(terms, **changed),
        )

    def claim(self, claim_id: int) -> Claim:
        """Read a claim with its lines."""
        with self.database.reading() as session:
            found = session.scalar(select(Claim).where(Claim.id == claim_id))
            assert found is not None
            assert found.lines is not None
            session.expunge_all()
            return found

    def status(self, claim_id: int) -> ClaimStatus:
        """Return where a claim stands."""
        return self.claim(claim_id).status


def names_of(session: Session) -> list[str]:
    """List the names of all published events, oldest first."""
    return list(session.scalars(select(OutboxEvent.name).order_by(OutboxEvent.id)))
