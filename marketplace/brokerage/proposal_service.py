"""Proposals of a broker: asked, answered, and what follows when everybody asked agrees."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.standing_queries import check_acting
from marketplace.achievements import queries as achievements
from marketplace.brokerage import proposal_rules, rules, terms_rules
from marketplace.brokerage.diary_service import write_note
from marketplace.brokerage.models import Introduction
from marketplace.brokerage.opening_service import create_deal, find_live, short_title
from marketplace.brokerage.pipeline_service import assign_broker
from marketplace.brokerage.proposal_end_service import lapse
from marketplace.brokerage.proposal_events import ProposalAnswered, ProposalMade
from marketplace.brokerage.proposal_models import Proposal
from marketplace.brokerage.proposal_rules import ProposalState, ProposalTo, SideAnswer
from marketplace.brokerage.rules import DealSource, NoteKind
from marketplace.brokerage.terms_service import (
    acknowledge_introduction,
    already_introduced,
    introduce,
)
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import SYSTEM, Actor, permits, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotAllowed, NotFound, RuleBroken
from marketplace.needs import queries as needs
from marketplace.needs import service as need_service


def subject(proposal_id: int) -> str:
    """Name a proposal for the audit."""
    return f"proposal:{proposal_id}"


def propose_pair(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    need_id: int,
    achievement_id: int,
    to: ProposalTo,
    words: str,
) -> int:
    """Propose a pair to one or both sides; return the proposal's id.

    Refused where the pair has a deal, an introduction that stands, or a proposal that waits.
    """
    require(actor, proposal_rules.PROPOSE)
    text = proposal_rules.check_words(words)
    offered = achievements.get_for(session, actor, achievement_id)
    asking = needs.get_for(session, actor, need_id)
    if not (offered.open_to_others and asking.open_to_others):
        raise Conflict("proposal.closed_record", "成果或需求已不在市场上，不能再提出对接")
    seller = offered.organisation_id
    buyer = needs.rows_of(session, [need_id])[need_id].organisation_id
    anonymous = asking.organisation_id is None
    buyer_answer, seller_answer = proposal_rules.asked(to, anonymous=anonymous)
    terms_rules.check_introduction(
        seller_organisation_id=seller,
        buyer_organisation_id=buyer,
        agency_organisation_id=actor.organisation_id,
    )
    check_acting(session, (seller, buyer))
    _refuse_taken(session, actor, need_id, achievement_id, seller=seller, buyer=buyer, now=now)
    row = Proposal(
        need_id=need_id,
        achievement_id=achievement_id,
        seller_organisation_id=seller,
        buyer_organisation_id=buyer,
        anonymous=anonymous,
        broker_user_id=actor.user_id,
        agency_organisation_id=actor.organisation_id,
        words=text,
        proposed_at=now,
        valid_to=proposal_rules.ends_on(local_date(now)),
        state=ProposalState.OPEN,
        buyer_answer=buyer_answer,
        seller_answer=seller_answer,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as taken:
        # Somebody committed the same pair while we looked.
        raise _asked_already() from taken
    audit.record(
        session,
        actor=actor,
        action="brokerage.propose_pair",
        subject=subject(row.id),
        now=now,
        after={"need_id": need_id, "achievement_id": achievement_id, "proposed_to": to},
    )
    outbox.publish(
        session,
        ProposalMade(
            proposal_id=row.id,
            title=offered.title,
            need_title=asking.title,
            seller_organisation_id=seller if seller_answer is SideAnswer.WAITING else None,
            buyer_organisation_id=buyer if buyer_answer is SideAnswer.WAITING else None,
            broker_user_id=row.broker_user_id,
        ),
        now=now,
    )
    return row.id


def _refuse_taken(
    session: Session,
    actor: Actor,
    need_id: int,
    achievement_id: int,
    *,
    seller: int,
    buyer: int,
    now: datetime,
) -> None:
    today = local_date(now)
    first = session.scalar(
        select(Introduction).where(
            Introduction.subject == f"achievement:{achievement_id}",
            Introduction.seller_organisation_id == seller,
            Introduction.buyer_organisation_id == buyer,
            Introduction.ended_at.is_(None),
            Introduction.valid_to >= today,
        )
    )
    if first is not None:
        if first.broker_user_id == actor.user_id:
            raise Conflict("introduction.done", "您已经把这两方介绍过，请在项目里继续")
        raise already_introduced(first.introduced_at)
    if find_live(
        session, achievement_id=achievement_id, need_id=need_id, seller=seller, buyer=buyer
    ):
        raise Conflict("deal.exists", "这一对供需已有进行中的项目，不必再提出对接")
    waiting = session.scalar(
        select(Proposal)
        .where(
            Proposal.need_id == need_id,
            Proposal.achievement_id == achievement_id,
            Proposal.state == ProposalState.OPEN,
        )
        .with_for_update()
    )
    if waiting is None:
        return
    if waiting.valid_to >= today:
        raise _asked_already()
    lapse(session, waiting, now=now)
    session.flush()


def _asked_already() -> Conflict:
    return Conflict("proposal.exists", "已经有技术经理人就这一对提出对接，正在等答复，以先到的为准")


def answer_proposal(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    proposal_id: int,
    accepted: bool,
    words: str,
) -> int | None:
    """Answer a proposal for one's side; return the deal's id when all who were asked agree."""
    require(actor, proposal_rules.ANSWER_PROPOSAL)
    row = lock(session, Proposal, proposal_id)
    buyer = actor.organisation_id == row.buyer_organisation_id
    own = row.buyer_answer if buyer else row.seller_answer
    if own is SideAnswer.NOT_ASKED or (
        not buyer and actor.organisation_id != row.seller_organisation_id
    ):
        raise NotFound()
    proposal_rules.check_answerable(row.state, own, row.valid_to, today=local_date(now))
    text = proposal_rules.check_answer(accepted, words)
    said = SideAnswer.ACCEPTED if accepted else SideAnswer.DECLINED
    if buyer:
        row.buyer_answer, row.buyer_words = said, text
    else:
        row.seller_answer, row.seller_words = said, text
    row.state = proposal_rules.outcome(row.buyer_answer, row.seller_answer)
    if row.state is ProposalState.AGREED:
        row.deal_id = _open(session, row, actor=actor, now=now)
    audit.record(
        session,
        actor=actor,
        action="brokerage.answer_proposal",
        subject=subject(row.id),
        now=now,
        after={"answer": said, "deal": row.deal_id},
    )
    outbox.publish(
        session,
        ProposalAnswered(
            proposal_id=row.id,
            title=achievements.rows_of(session, [row.achievement_id])[row.achievement_id].title,
            answer=said.value,
            words=text,
            side=rules.Side.BUYER.value if buyer else rules.Side.SELLER.value,
            broker_user_id=row.broker_user_id,
        ),
        now=now,
    )
    return row.deal_id


def _open(session: Session, row: Proposal, *, actor: Actor, now: datetime) -> int:
    """Open the deal of an agreed proposal in the broker's hands, with his introduction on it."""
    broker = accounts.actor_for(session, row.broker_user_id, row.agency_organisation_id)
    if broker is None or not permits(broker, proposal_rules.PROPOSE):
        raise Conflict(
            "proposal.broker_gone",
            "提出对接的技术经理人已不在原机构执业；请在技术经理人名录另请一位联系",
        )
    seller, buyer = row.seller_organisation_id, row.buyer_organisation_id
    check_acting(session, (seller, buyer))
    deal = find_live(
        session,
        achievement_id=row.achievement_id,
        need_id=row.need_id,
        seller=seller,
        buyer=buyer,
    )
    if deal is None:
        title = achievements.rows_of(session, [row.achievement_id])[row.achievement_id].title
        name = accounts.get_organisation(session, buyer).short_name
        deal = create_deal(
            session,
            actor=actor,
            now=now,
            title=f"{short_title(title)} × {name}",
            source=DealSource.BROKER,
            achievement_id=row.achievement_id,
            need_id=row.need_id,
            seller=seller,
            buyer=buyer,
            broker_user_id=broker.user_id,
            agency_organisation_id=broker.organisation_id,
        )
        need_service.mark_matched(session, actor=SYSTEM, now=now, need_id=row.need_id)
    elif deal.broker_user_id != broker.user_id:
        assign_broker(session, deal, actor=broker, now=now)
    write_note(
        session, deal, actor=broker, now=now, kind=NoteKind.MESSAGE, body=row.words, shared=True
    )
    try:
        # Another's may be committed at this moment: what has failed is undone, the deal stays.
        with session.begin_nested():
            introduction_id = introduce(session, actor=broker, now=now, deal_id=deal.id)
    except (Conflict, RuleBroken, NotAllowed):
        # The deal goes on without it: another's introduction stands first, or the certificate
        # has run out. The broker sees on the deal's page that there is none.
        return deal.id
    acknowledge_introduction(session, actor=actor, now=now, introduction_id=introduction_id)
    return deal.id
