"""Deals are opened, talked over, carried to the contract or lost; brokers are asked for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from functools import partial

from marketplace.brokerage import deal_queries, service, talk_queries, terms_queries
from marketplace.brokerage.pipeline_rules import Condition
from marketplace.brokerage.rules import (
    ORDER,
    DealStage,
    LostReason,
    NoteKind,
    NoteVisibility,
)
from marketplace.brokerage.talk_rules import Slot, TalkKind
from marketplace.brokerage.terms_rules import (
    CommissionBasis,
    CommissionPayer,
    CommissionStatus,
    CommissionTerms,
)
from marketplace.foundation.access import Actor
from marketplace.foundation.clock import DEMO_START
from marketplace.foundation.trade import TradingMode
from marketplace.foundation.workdays import add_workdays, workdays_between
from seed.demo.content import Commission, Deal, Request
from seed.demo.stage import Stage, Story, yuan

Step = Callable[[], None]


def deal(stage: Stage, record: Deal) -> Story:
    """Carry one deal as far as people carry it; the hall and the registrar do the rest."""
    yield stage.at(record.opened_on, record.key)
    play = PlayedDeal(stage, record)
    play.open()
    days = play.steps()
    if days:
        gap = max(1, workdays_between(stage.today, _end(stage, record)) // len(days))
        for acts in days:
            yield stage.after(gap, record.key)
            for act in acts:
                act()
    if record.lost is not None and record.lost.lost_on is not None:
        yield stage.at(record.lost.lost_on, record.key)
        play.lose()
    if record.revoked:
        yield stage.after(2, record.key)
        play.revoke_agreement()
    if record.task is not None:
        yield stage.after(1, record.key)
        play.task()


def request(stage: Stage, record: Request) -> Story:
    """Let an enterprise ask a broker to get in touch, and the broker answer."""
    key = record.asker + record.broker
    yield stage.at(record.asked_on, key)
    asker = stage.buyer(record.asker)
    request_id = service.request_contact(
        stage.session,
        actor=asker,
        now=stage.now,
        broker_user_id=stage.users[record.broker],
        message=record.text,
        contact_name=asker.name,
    )
    if record.state == "open":
        return
    yield stage.after(1, key)
    service.answer_request(
        stage.session,
        actor=stage.actor(record.broker),
        now=stage.now,
        request_id=request_id,
        accepted=record.state == "accepted",
        answer=record.answer,
    )


def settle(stage: Stage, record: Deal) -> Story:
    """Note the payment of a registered contract, and the broker's commission with it."""
    assert record.contract is not None
    play = PlayedDeal(stage, record)
    yield stage.at(record.opened_on + timedelta(days=21), record.key)
    while play.stage_now() is not DealStage.REGISTERED:
        yield stage.evening(5)
    yield stage.after(18, record.key)
    play.note(NoteKind.REMARK, record.outcome)
    play.move(DealStage.PAID)
    for commission in terms_queries.commissions_of_deal(stage.session, play.leader, play.id):
        if commission.status is CommissionStatus.DUE:
            service.receive_commission(
                stage.session, actor=play.leader, now=stage.now, commission_id=commission.id
            )


def _end(stage: Stage, record: Deal) -> date:
    """Return when the talks are over: before the contract, before the hall opens, or now."""
    if record.listing is not None:
        listing = next(x for x in stage.content.listings if x.key == record.listing)
        buyer = next(x for x in listing.intents if x.buyer == record.buyer)
        return add_workdays(listing.applied_on, 1 + buyer.after)
    if record.contract is not None:
        contract = next(x for x in stage.content.contracts if x.key == record.contract)
        assert contract.signed_on is not None
        return contract.signed_on - timedelta(days=4)
    if record.lost is not None:
        return min(record.opened_on + timedelta(days=40), date(2024, 3, 8))
    return DEMO_START.date() - timedelta(days=3)


class PlayedDeal:
    """One deal of the stage with the steps that its record asks for."""

    def __init__(self, stage: Stage, record: Deal) -> None:
        self.stage = stage
        self.record = record
        self._talk_id = 0
        self.owner = next(
            a.owners[0].org for a in stage.content.achievements if a.key == record.achievement
        )

    @property
    def id(self) -> int:
        return self.stage.deals[self.record.key]

    @property
    def leader(self) -> Actor:
        if self.record.broker is not None:
            return self.stage.actor(self.record.broker)
        return self.stage.seller(self.owner)

    def stage_now(self) -> DealStage:
        return deal_queries.get_deal(self.stage.session, self.leader, self.id).stage

    def open(self) -> None:
        stage, record = self.stage, self.record
        need = next((n for n in stage.content.needs if n.key == record.need), None)
        if need is not None and need.anonymous and record.broker is not None:
            self._be_asked(need.key)
        stage.deals[record.key] = service.open_deal(
            stage.session,
            actor=self.leader,
            now=stage.now,
            achievement_id=stage.achievements[record.achievement],
            need_id=stage.needs[need.key] if need else None,
            buyer_organisation_id=stage.organisations[record.buyer],
            pipeline=record.pipeline,
        )
        if record.broker is not None:
            self._introduce()

    def _be_asked(self, need: str) -> None:
        """Let the anonymous asker turn to the broker, who thereby learns who it is."""
        assert self.record.broker is not None
        asker = self.stage.buyer(self.record.buyer)
        title = next(n.title for n in self.stage.content.needs if n.key == need)
        request_id = service.request_contact(
            self.stage.session,
            actor=asker,
            now=self.stage.now,
            broker_user_id=self.stage.users[self.record.broker],
            message=f"我们匿名发布了“{title}”，请帮忙物色成果方，先不透露单位名称",
            contact_name=asker.name,
            need_id=self.stage.needs[need],
        )
        service.answer_request(
            self.stage.session,
            actor=self.leader,
            now=self.stage.now,
            request_id=request_id,
            accepted=True,
            answer=f"收到，{title[:12]}这类成果我有两家在谈，先帮您探一探",
        )

    def _introduce(self) -> None:
        introduction_id = service.introduce(
            self.stage.session, actor=self.leader, now=self.stage.now, deal_id=self.id
        )
        for party in (
            self.stage.seller(self.owner),
            self.stage.buyer(self.record.buyer),
        ):
            # The newest leads still wait for the parties' word.
            if self.record.stage != "lead":
                service.acknowledge_introduction(
                    self.stage.session,
                    actor=party,
                    now=self.stage.now,
                    introduction_id=introduction_id,
                )

    def steps(self) -> list[list[Step]]:
        """List what is done on each day until people leave the deal."""
        target = self._target()
        if target is DealStage.LEAD:
            return []
        if self.record.lost is not None and self.record.commission is not None:
            target = DealStage.PRICE_TALK
        notes = [partial(self.note, NoteKind(kind), text) for kind, text in self.record.notes]
        days: list[list[Step]] = [[notes.pop(0), partial(self.move, DealStage.CONTACTED)]]
        if _reaches(target, DealStage.CONFIDENTIALITY):
            days.append([self._agreement, partial(self.move, DealStage.CONFIDENTIALITY)])
        elif self.record.agreement == "offered":
            days.append([self._agreement])
        if self.record.changed_to is not None:
            days.append([self._change])
        if _reaches(target, DealStage.TECHNICAL_TALK):
            before: list[Step] = []
            if self.record.talk is not None:
                days.append([self._meet])
                before.append(self._minutes)
            if self.record.pipeline == "trial":
                before.append(self.terms)
            days.append([*before, *notes[:1], partial(self.move, DealStage.TECHNICAL_TALK)])
            notes = notes[1:]
        if _reaches(target, DealStage.PRICE_TALK):
            days.append([self._commission])
            days.append([*notes[:1], partial(self.move, DealStage.PRICE_TALK)])
            notes = notes[1:]
        days += [[note] for note in notes]
        if _reaches(target, DealStage.CONTRACT_DRAFT):
            days.append([self.terms, partial(self.move, DealStage.CONTRACT_DRAFT)])
        if self.record.lost is not None and self.record.lost.lost_on is None:
            days.append([self.lose])
        return days

    def _target(self) -> DealStage:
        if self.record.listing is not None and self.record.contract is not None:
            return DealStage.PRICE_TALK
        if self.record.contract is not None:
            return DealStage.CONTRACT_DRAFT
        if self.record.lost is not None:
            if len(self.record.notes) > 1:
                return DealStage.TECHNICAL_TALK
            agreed = self.record.agreement == "accepted"
            return DealStage.CONFIDENTIALITY if agreed else DealStage.CONTACTED
        return DealStage(self.record.stage)

    def note(self, kind: NoteKind, text: str) -> None:
        service.add_note(
            self.stage.session,
            actor=self.leader,
            now=self.stage.now,
            deal_id=self.id,
            kind=kind,
            visibility=NoteVisibility.PRIVATE if kind is NoteKind.REMARK else NoteVisibility.SHARED,
            body=text,
        )

    def move(self, to: DealStage) -> None:
        """Move on to the step of a stage; a pipeline that has none goes on to the next one."""
        session, actor, now = self.stage.session, self.leader, self.stage.now
        view = deal_queries.get_deal(session, actor, self.id)
        step = next((each for each in view.pipeline.steps if each.stage is to), None)
        if step is None:
            return
        planned = None
        if Condition.NEXT_TASK in step.needs:
            planned = service.add_task(
                session,
                actor=actor,
                now=now,
                deal_id=self.id,
                what=step.does,
                due_on=self.stage.today,
            )
        service.move(session, actor=actor, now=now, deal_id=self.id, to=step.code)
        if planned is not None:
            service.finish_task(session, actor=actor, now=now, task_id=planned)

    def _change(self) -> None:
        assert self.record.changed_to is not None
        service.change_pipeline(
            self.stage.session,
            actor=self.leader,
            now=self.stage.now,
            deal_id=self.id,
            to=self.record.changed_to,
        )

    def _meet(self) -> None:
        """Fix a meeting for the afternoon."""
        assert self.record.talk is not None
        session, now = self.stage.session, self.stage.now
        begins = now + timedelta(hours=5)
        self._talk_id = service.propose_talk(
            session,
            actor=self.leader,
            now=now,
            deal_id=self.id,
            kind=TalkKind(self.record.talk.kind),
            topic=self.record.talk.topic,
            place=self.record.talk.place,
            slots=[Slot(begins, begins + timedelta(hours=2))],
        )
        buyer = self.stage.buyer(self.record.buyer)
        [slot] = talk_queries.get_talk(session, buyer, self._talk_id).slots
        service.choose_slots(
            session, actor=buyer, now=now, talk_id=self._talk_id, slot_ids=[slot.id]
        )
        service.fix_talk(
            session, actor=self.leader, now=now, talk_id=self._talk_id, slot_id=slot.id
        )

    def _minutes(self) -> None:
        assert self.record.talk is not None
        service.write_minutes(
            self.stage.session,
            actor=self.leader,
            now=self.stage.now,
            talk_id=self._talk_id,
            minutes=self.record.talk.minutes,
        )

    def _talk(self, note: tuple[NoteKind, str] | None, to: DealStage) -> None:
        if note is not None:
            self.note(*note)
        self.move(to)

    def _agreement(self) -> None:
        words = self.record.agreement
        if words not in ("accepted", "offered"):
            service.waive_agreement(
                self.stage.session,
                actor=self.leader,
                now=self.stage.now,
                deal_id=self.id,
                reason=words,
            )
            return
        agreement_id = service.offer_agreement(
            self.stage.session,
            actor=self.stage.seller(self.owner),
            now=self.stage.now,
            deal_id=self.id,
        )
        if words == "accepted":
            service.accept_agreement(
                self.stage.session,
                actor=self.stage.buyer(self.record.buyer),
                now=self.stage.now,
                agreement_id=agreement_id,
            )

    def _commission(self) -> None:
        wanted = self.record.commission
        if wanted is None:
            return
        payer = CommissionPayer(wanted.payer)
        commission_id = service.propose_commission(
            self.stage.session,
            actor=self.leader,
            now=self.stage.now,
            deal_id=self.id,
            payer=payer,
            terms=_commission_terms(wanted),
        )
        paying = (
            self.stage.seller(self.owner)
            if payer is CommissionPayer.SELLER
            else self.stage.buyer(self.record.buyer)
        )
        if not wanted.confirmed:
            return
        service.confirm_commission(
            self.stage.session, actor=paying, now=self.stage.now, commission_id=commission_id
        )

    def terms(self, signed_on: date | None = None) -> None:
        view = deal_queries.get_deal(self.stage.session, self.leader, self.id)
        amount = self.record.amount_yuan
        service.set_terms(
            self.stage.session,
            actor=self.leader,
            now=self.stage.now,
            deal_id=self.id,
            title=view.title,
            amount_fen=view.amount_fen or (None if amount is None else yuan(amount)),
            trading_mode=view.trading_mode or TradingMode(self.record.mode),
            signed_on=signed_on,
        )

    def lose(self) -> None:
        """Close the deal with the reason that its record gives."""
        assert self.record.lost is not None
        service.lose(
            self.stage.session,
            actor=self.leader,
            now=self.stage.now,
            deal_id=self.id,
            reason_code=LostReason(self.record.lost.reason),
            reason=self.record.lost.words,
        )

    def revoke_agreement(self) -> None:
        """Close the confidential layer again, as the owner."""
        found = terms_queries.find_agreement(
            self.stage.session,
            self.stage.achievements[self.record.achievement],
            self.stage.organisations[self.record.buyer],
        )
        assert found is not None
        service.revoke_agreement(
            self.stage.session,
            actor=self.stage.seller(self.owner),
            now=self.stage.now,
            agreement_id=found.id,
            reason=self.record.revoked,
        )

    def task(self) -> None:
        assert self.record.task is not None
        service.add_task(
            self.stage.session,
            actor=self.leader,
            now=self.stage.now,
            deal_id=self.id,
            what=self.record.task.what,
            due_on=self.record.task.due_on,
        )

    def sign(self, signed_on: date) -> None:
        """Set the day of signing and move the deal there."""
        self.terms(signed_on)
        self.move(DealStage.SIGNED)


def _reaches(target: DealStage, stage: DealStage) -> bool:
    return ORDER.index(target) >= ORDER.index(stage)


def _commission_terms(wanted: Commission) -> CommissionTerms:
    if wanted.fixed_yuan is not None:
        return CommissionTerms(CommissionBasis.FIXED, None, yuan(wanted.fixed_yuan))
    assert wanted.rate_percent is not None
    return CommissionTerms(CommissionBasis.RATE, round(wanted.rate_percent * 100), None)
