"""Listings go through the hall: application, announcement, intents, deposits, bids, publicity."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from marketplace.accounts import queries as accounts
from marketplace.foundation.access import ANONYMOUS, Role
from marketplace.foundation.clock import DEMO_START, LOCAL
from marketplace.foundation.trade import PaymentMode, TradingMode
from marketplace.foundation.workdays import add_workdays
from marketplace.listings import intent_queries, notice_queries, queries, service
from marketplace.listings.bidding_rules import BiddingKind
from marketplace.listings.qualification_rules import JUDGED
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.listings.sealed_rules import Criterion
from marketplace.listings.service import IntentContent, ListingContent
from marketplace.listings.trial_rules import PriceFormula, TrialTerms
from marketplace.payments import queries as payments
from marketplace.payments import service as payment_service
from marketplace.payments import statement_service
from marketplace.payments.rules import PaymentState
from marketplace.payments.statement_rules import Line
from marketplace.publicity import service as publicity
from seed.demo.content import Intent, Listing, Objection
from seed.demo.sign_ins import OPENING_PASSPHRASE
from seed.demo.stage import Stage, Story, yuan

_HALL = "zhanzixuan"
_CASHIER = "xionganran"
_CLERK = "youxueqin"
_ADMISSION = "fanghuaying"


def listing(stage: Stage, record: Listing) -> Story:
    """Bring one listing up to its announcement, and further where the seller acts."""
    owner = _owner(stage, record)
    yield stage.at(record.applied_on, record.key)
    listing_id = service.apply(
        stage.session,
        actor=stage.member(owner, Role.OFFICER, Role.LEADER),
        now=stage.now,
        achievement_id=stage.achievements[record.achievement],
        content=_content(record),
    )
    stage.listings[record.key] = listing_id
    if record.outcome == "applied":
        return
    for asked in notice_queries.priorities(stage.session, listing_id):
        service.answer_priority(
            stage.session,
            actor=stage.member(owner, Role.OFFICER, Role.LEADER),
            now=stage.now,
            priority_id=asked.id,
            claims=False,
            note=f"{asked.name}书面声明放弃，{stage.today.isoformat()}",
        )
    yield stage.after(1, record.key)
    hall = stage.actor(_HALL)
    if record.outcome == "returned":
        service.return_(
            stage.session, actor=hall, now=stage.now, listing_id=listing_id, reason=record.reason
        )
        return
    if record.bidding != "ascending":
        service.choose_bidding(
            stage.session,
            actor=stage.member(owner, Role.OFFICER, Role.LEADER),
            now=stage.now,
            listing_id=listing_id,
            kind=BiddingKind(record.bidding),
            criteria=[Criterion(name, weight) for name, weight in record.criteria],
        )
    service.accept(stage.session, actor=hall, now=stage.now, listing_id=listing_id)
    if record.outcome == "accepted":
        return
    yield stage.after(1, record.key)
    service.announce(stage.session, actor=hall, now=stage.now, listing_id=listing_id)
    if record.agreed is not None:
        yield from _agree(stage, record, owner)
    elif record.outcome == "withdrawn":
        yield stage.after(8, record.key)
        service.withdraw(
            stage.session,
            actor=stage.member(owner, Role.OFFICER, Role.LEADER),
            now=stage.now,
            listing_id=listing_id,
            reason=record.reason,
        )
    elif record.pricing == "bidding":
        yield from _bid(stage, record)


def intent(stage: Stage, record: Listing, buyer: Intent) -> Story:
    """Let one buyer register, be judged, and pay the deposit."""
    key = record.key + buyer.buyer
    announced = add_workdays(add_workdays(record.applied_on, 1), 1)
    yield stage.at(add_workdays(announced, buyer.after), key)
    actor = stage.buyer(buyer.buyer)
    intent_id = service.register_intent(
        stage.session,
        actor=actor,
        now=stage.now,
        listing_id=stage.listings[record.key],
        content=IntentContent(offer_fen=yuan(buyer.offer_yuan), plan=buyer.plan, promised=True),
    )
    if buyer.result == "registered":
        return
    yield stage.after(1, key)
    hall = stage.actor(_HALL)
    if buyer.result == "rejected":
        service.reject_intent(
            stage.session, actor=hall, now=stage.now, intent_id=intent_id, reason=buyer.reason
        )
        return
    service.admit_intent(
        stage.session,
        actor=hall,
        now=stage.now,
        intent_id=intent_id,
        ticked=JUDGED,
        note="已电话核实，成员与完成人没有任职和持股关系",
    )
    if buyer.result == "withdrawn":
        yield stage.after(1, key)
        service.withdraw_intent(stage.session, actor=actor, now=stage.now, intent_id=intent_id)
    elif record.deposit_yuan:
        arrives = buyer.result in ("qualified", "barred")
        yield from pay(stage, f"intent:{intent_id}", key, payer=buyer.buyer, arrives=arrives)
        if buyer.result == "barred":
            yield stage.after(1, key)
            service.bar_intent(
                stage.session, actor=hall, now=stage.now, intent_id=intent_id, reason=buyer.reason
            )


def pay(stage: Stage, subject: str, key: str, *, payer: str, arrives: bool = True) -> Story:
    """Let a payer send what is expected for a subject, and the hall confirm its arrival."""
    yield stage.after(1, key)
    (due,) = [
        payment
        for payment in payments.of_subject(stage.session, subject)
        if payment.state is PaymentState.EXPECTED
    ]
    reference = f"JN{stage.today:%Y%m%d}{due.id:05d}"
    payment_service.report_transfer(
        stage.session,
        actor=stage.member(payer, Role.ENTERPRISE, Role.OFFICER, Role.ORG_ADMIN),
        now=stage.now,
        payment_id=due.id,
        reference=reference,
        transferred_on=stage.today,
        gateway=stage.gateways.default,
    )
    yield stage.after(1, key)
    statement_service.record_line(
        stage.session,
        actor=stage.actor(_CLERK),
        now=stage.now,
        line=Line(
            reference=reference,
            booked_on=stage.today,
            amount_fen=due.amount_fen,
            account_name=accounts.get_organisation(stage.session, stage.organisations[payer]).name,
            remark=due.number,
        ),
    )
    if not arrives:
        return
    payment_service.confirm(
        stage.session,
        actor=stage.actor(_HALL),
        now=stage.now,
        payment_id=due.id,
        reference=reference,
    )


def refunds(stage: Stage) -> Story:
    """Send back, twice a week, what has to go back; the last days' refunds wait for the demo."""
    day = date(2023, 3, 1)
    while day < date(2024, 3, 11):
        yield datetime.combine(day, datetime.min.time(), tzinfo=LOCAL) + timedelta(hours=15)
        waiting = payments.reconciliation(
            stage.session, states=(PaymentState.REFUND_DUE,), size=100
        )
        for payment in waiting.items:
            payment_service.refund(
                stage.session,
                actor=stage.actor(_CASHIER),
                now=stage.now,
                payment_id=payment.id,
                reference=f"TH{stage.today:%Y%m%d}{payment.id:05d}",
                gateway=stage.gateways.default,
            )
        day = add_workdays(day, 2)


def _agree(stage: Stage, record: Listing, owner: str) -> Story:
    assert record.agreed is not None
    yield stage.after(record.agreed.after, record.key)
    seller = stage.member(owner, Role.OFFICER, Role.LEADER)
    (chosen,) = [
        intent.id
        for intent in intent_queries.intents(stage.session, stage.listings[record.key])
        if intent.state is IntentState.QUALIFIED
    ]
    notice_id = service.agree_price(
        stage.session,
        actor=seller,
        now=stage.now,
        intent_id=chosen,
        price_fen=yuan(record.agreed.price_yuan),
    )
    if record.objection is not None:
        yield from _object(stage, record.objection, record.key, notice_id)
        if record.objection.upheld:
            return
    if record.outcome == "failed":
        while _state(stage, record) is not ListingState.AWARDED:
            yield stage.evening()
        yield stage.after(14, record.key)
        service.terminate(
            stage.session,
            actor=stage.actor(_HALL),
            now=stage.now,
            listing_id=stage.listings[record.key],
            reason=record.reason,
            forfeits=record.forfeits,
        )


def _object(stage: Stage, objection: Objection, key: str, notice_id: int) -> Story:
    yield stage.now + timedelta(days=objection.after_days, hours=1)
    objection_id = publicity.raise_objection(
        stage.session,
        actor=ANONYMOUS,
        now=stage.now,
        publicity_id=notice_id,
        text=objection.text,
        name=objection.name,
        contact=objection.contact,
    )
    if not objection.answer:
        return
    yield stage.after(3, key)
    publicity.decide_objection(
        stage.session,
        actor=stage.actor("youxueqin"),
        now=stage.now,
        objection_id=objection_id,
        upheld=objection.upheld,
        answer=objection.answer,
    )


def _bid(stage: Stage, record: Listing) -> Story:
    while _state(stage, record) is not ListingState.QUALIFYING:
        yield stage.evening()
    if record.outcome == "bidding":
        service.close_qualification(
            stage.session,
            actor=stage.actor(_HALL),
            now=stage.now,
            listing_id=stage.listings[record.key],
        )
        yield DEMO_START
    else:
        while _state(stage, record) is not ListingState.BIDDING:
            yield stage.evening()
        starts_at = queries.get_internal(
            stage.session, stage.listings[record.key]
        ).bidding_starts_at
        assert starts_at is not None
        yield starts_at.astimezone(LOCAL) + timedelta(minutes=2)
    if record.bidding != "ascending":
        yield from _seal(stage, record)
        return
    for bidder, limit in record.limits:
        service.set_limit(
            stage.session,
            actor=stage.buyer(bidder),
            now=stage.now,
            listing_id=stage.listings[record.key],
            limit_fen=yuan(limit),
        )
    for position, (bidder, amount) in enumerate(record.bids):
        if position and record.outcome != "bidding":
            yield stage.now + timedelta(minutes=3, seconds=17 * position)
        service.place_bid(
            stage.session,
            actor=stage.buyer(bidder),
            now=stage.now,
            listing_id=stage.listings[record.key],
            amount_fen=yuan(amount),
            submission_key=f"{record.key}-{position}",
        )


def _seal(stage: Stage, record: Listing) -> Story:
    """Let the bidders seal their bids, and two officers open them unless the demo begins before."""
    listing_id = stage.listings[record.key]
    for position, (bidder, amount) in enumerate(record.bids):
        service.submit_sealed_bid(
            stage.session,
            actor=stage.buyer(bidder),
            now=stage.now,
            listing_id=listing_id,
            amount_fen=yuan(amount),
            submission_key=f"{record.key}-{position}",
        )
    if record.outcome == "bidding":
        return
    yield stage.at(stage.today, "afternoon")
    if record.criteria:
        plates = {
            intent.organisation_id: intent.plate
            for intent in intent_queries.intents(stage.session, listing_id)
        }
        service.record_scores(
            stage.session,
            actor=stage.actor(_HALL),
            now=stage.now,
            listing_id=listing_id,
            scores={
                plates[stage.organisations[buyer.buyer]] or "": buyer.scores
                for buyer in record.intents
                if buyer.scores
            },
        )
    for officer in (_HALL, _CASHIER):
        service.give_opening_share(
            stage.session,
            actor=stage.actor(officer),
            now=stage.now,
            listing_id=listing_id,
            passphrase=OPENING_PASSPHRASE,
        )


def strangers(stage: Stage) -> Story:
    """Let money arrive that belongs to nobody's payment: one went back, one still waits."""
    for day, reference, name, amount in (
        (date(2024, 3, 4), "JN2024030400991", "济南百川商贸有限公司", 39_000),
        (date(2024, 3, 13), "JN2024031300415", "济南玄枢卫星应用有限公司", 99_000),
    ):
        yield stage.at(day, reference)
        line_id = statement_service.record_line(
            stage.session,
            actor=stage.actor(_CLERK),
            now=stage.now,
            line=Line(reference, stage.today, yuan(amount), name, "保证金"),
        )
        if day.day == 4:
            yield stage.after(1, reference)
            statement_service.return_line(
                stage.session,
                actor=stage.actor(_CASHIER),
                now=stage.now,
                line_id=line_id,
                reference="TH2024030500012",
            )


def opening_keys(stage: Stage) -> Story:
    """Let three officers set their opening passphrases."""
    yield stage.at(date(2023, 2, 1), "keys")
    for officer in (_HALL, _CASHIER, _ADMISSION):
        service.make_key(
            stage.session,
            actor=stage.actor(officer),
            now=stage.now,
            passphrase=OPENING_PASSPHRASE,
        )


def _state(stage: Stage, record: Listing) -> ListingState:
    return queries.get_internal(stage.session, stage.listings[record.key]).state


def _owner(stage: Stage, record: Listing) -> str:
    return next(a.owners[0].org for a in stage.content.achievements if a.key == record.achievement)


def _content(record: Listing) -> ListingContent:
    return ListingContent(
        title=record.title,
        pricing_mode=PricingMode(record.pricing),
        trading_mode=TradingMode(record.mode),
        base_price_fen=yuan(record.base_price_yuan),
        increment_fen=yuan(record.increment_yuan),
        deposit_fen=yuan(record.deposit_yuan),
        payment_mode=PaymentMode(record.payment_mode),
        payment_terms=record.payment_terms,
        conditions=record.conditions,
        agent_name=record.agent[0],
        agent_licence=record.agent[1],
        trial=None
        if record.trial is None
        else TrialTerms(
            months=record.trial.months,
            conditions=record.trial.conditions,
            formula=PriceFormula.PER_UNIT,
            rate_fen=yuan(record.trial.rate_yuan),
            unit=record.trial.unit,
            cap_fen=yuan(record.trial.cap_yuan),
        ),
    )
