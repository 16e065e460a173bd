"""The brokers' register and requests to brokers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from marketplace.accounts import service as accounts_service
from marketplace.accounts.consent_rules import ConsentPurpose
from marketplace.achievements import queries as achievements
from marketplace.brokerage import opening_service, register_rules
from marketplace.brokerage.models import Broker, ContactRequest
from marketplace.brokerage.register_events import (
    BrokerProfileChanged,
    ContactAnswered,
    ContactRequested,
)
from marketplace.brokerage.register_rules import (
    Certificate,
    RequestStatus,
)
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken
from marketplace.foundation.trade import TechnologyField


def save_profile(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    certificate: Certificate,
    fields: Sequence[TechnologyField],
    introduction: str,
    listed: bool = True,
    version: int | None = None,
) -> int:
    """Let a broker write his own entry in the register; return his user id.

    A changed certificate has to be confirmed by the operator again.
    """
    require(actor, register_rules.EDIT_PROFILE)
    if actor.user_id is None:
        raise NotFound()
    register_rules.check_certificate(certificate, today=local_date(now))
    row = session.get(Broker, actor.user_id, with_for_update=True)
    if row is None:
        row = Broker(user_id=actor.user_id, version=0)
        session.add(row)
    elif version is not None and version != row.version:
        raise Conflict("broker.stale", "资料刚在别处改过；请另开一页核对后再提交您的修改")
    stated = (
        certificate.level,
        certificate.number,
        certificate.issuer,
        certificate.valid_to,
    )
    known = (
        row.level,
        row.certificate_no,
        row.certificate_issuer,
        row.certificate_valid_to,
    )
    if stated != known:
        row.confirmed_at = None
    row.level, row.certificate_no, row.certificate_issuer, row.certificate_valid_to = stated
    row.organisation_id, row.name = actor.organisation_id, actor.name
    row.fields = [field.value for field in fields]
    row.introduction, row.listed = introduction.strip(), listed
    row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="brokerage.save_profile",
        subject=f"broker:{row.user_id}",
        now=now,
        after={"level": row.level, "certificate_no": row.certificate_no, "listed": listed},
    )
    outbox.publish(session, BrokerProfileChanged(user_id=row.user_id), now=now)
    return row.user_id


def confirm_profile(session: Session, *, actor: Actor, now: datetime, user_id: int) -> None:
    """Let the operator confirm that a broker's certificate is genuine. Idempotent."""
    require(actor, register_rules.CONFIRM_PROFILE)
    row = session.get(Broker, user_id, with_for_update=True)
    if row is None:
        raise NotFound()
    if row.level is None:
        raise RuleBroken("broker.no_certificate", "这位经理人还没有填写证书，没有可核验的内容")
    if row.confirmed_at is not None:
        return
    row.confirmed_at = now
    audit.record(
        session,
        actor=actor,
        action="brokerage.confirm_profile",
        subject=f"broker:{user_id}",
        now=now,
        after={"certificate_no": row.certificate_no},
    )
    outbox.publish(session, BrokerProfileChanged(user_id=user_id), now=now)


def take_certificate(
    session: Session, *, actor: Actor, now: datetime, certificate: Certificate
) -> bool:
    """Put a certificate that the platform itself issued into the actor's entry, confirmed.

    A higher level that still holds is kept; return whether the entry changed.
    """
    require(actor, register_rules.EDIT_PROFILE)
    row = session.get(Broker, actor.user_id, with_for_update=True)
    if row is None:
        row = Broker(
            user_id=actor.user_id,
            version=0,
            organisation_id=actor.organisation_id,
            name=actor.name,
            fields=[],
            updated_at=now,
        )
        session.add(row)
    elif not register_rules.replaces(
        certificate, row.level, row.certificate_valid_to, today=local_date(now)
    ):
        return False
    row.level, row.certificate_no = certificate.level, certificate.number
    row.certificate_issuer, row.certificate_valid_to = certificate.issuer, certificate.valid_to
    row.confirmed_at = row.updated_at = now
    row.version += 1
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="brokerage.take_certificate",
        subject=f"broker:{row.user_id}",
        now=now,
        after={"level": row.level, "certificate_no": row.certificate_no},
    )
    outbox.publish(session, BrokerProfileChanged(user_id=row.user_id), now=now)
    return True


def drop_certificate(
    session: Session, *, actor: Actor, now: datetime, user_id: int, certificate_no: str
) -> None:
    """Take a certificate that was revoked out of a broker's entry; another one there stays.

    The entry keeps that there was one until yesterday: who holds no valid certificate any more
    does nothing that asks for one.
    """
    require(actor, register_rules.CONFIRM_PROFILE)
    row = session.get(Broker, user_id, with_for_update=True)
    if row is None or row.certificate_no != certificate_no:
        return
    row.level, row.confirmed_at = None, None
    row.certificate_no = row.certificate_issuer = ""
    row.certificate_valid_to = local_date(now) - timedelta(days=1)
    row.updated_at = now
    row.version += 1
    audit.record(
        session,
        actor=actor,
        action="brokerage.drop_certificate",
        subject=f"broker:{row.user_id}",
        now=now,
        after={"certificate_no": certificate_no},
    )
    outbox.publish(session, BrokerProfileChanged(user_id=row.user_id), now=now)


def request_contact(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    broker_user_id: int,
    message: str,
    contact_name: str,
    phone: str = "",
    achievement_id: int | None = None,
    need_id: int | None = None,
) -> int:
    """Ask a broker to get in touch; return the request's id.

    ``phone`` is handed on only when the person has agreed to that separately.
    """
    require(actor, register_rules.REQUEST_CONTACT)
    broker = session.get(Broker, broker_user_id)
    if broker is None or not broker.listed or actor.organisation_id is None:
        raise NotFound()
    if len(message.strip()) < 5:
        raise RuleBroken("request.message", "请写几句想谈什么（至少 5 个字）", "message")
    opening_service.check_subject(session, actor, achievement_id=achievement_id, need_id=need_id)
    row = ContactRequest(
        broker_user_id=broker_user_id,
        organisation_id=actor.organisation_id,
        requested_by_id=actor.user_id,
        contact_name=contact_name.strip() or actor.name,
        phone=phone.strip(),
        achievement_id=achievement_id,
        need_id=need_id,
        message=message.strip(),
        status=RequestStatus.OPEN,
        requested_at=now,
    )
    session.add(row)
    session.flush()
    if row.phone and actor.user_id is not None:
        accounts_service.give_consent(
            session,
            actor=actor,
            now=now,
            user_id=actor.user_id,
            purpose=ConsentPurpose.PHONE_TO_BROKER,
            recipient=f"user:{broker_user_id}",
        )
    audit.record(
        session,
        actor=actor,
        action="brokerage.request_contact",
        subject=f"request:{row.id}",
        now=now,
        after={"broker": broker_user_id, "phone_consented": bool(row.phone)},
    )
    about = (
        f"achievement:{achievement_id}"
        if achievement_id is not None
        else f"need:{need_id}"
        if need_id is not None
        else ""
    )
    outbox.publish(
        session,
        ContactRequested(
            request_id=row.id,
            organisation_id=row.organisation_id,
            broker_user_id=broker_user_id,
            subject=about,
        ),
        now=now,
    )
    return row.id


def answer_request(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    request_id: int,
    accepted: bool,
    answer: str,
) -> int | None:
    """Take up or decline a request with an answer; return the deal it led to, if any.

    A request about an achievement becomes a deal, or the pair's deal gets its broker.
    """
    require(actor, register_rules.ANSWER_REQUEST)
    row = lock(session, ContactRequest, request_id)
    if row.broker_user_id != actor.user_id:
        raise NotFound()
    if row.status is not RequestStatus.OPEN:
        raise Conflict("request.answered", f"这条请求已经是“{row.status.label}”，不必再答复")
    row.answer = register_rules.check_answer(answer)
    row.answered_at = now
    row.status = RequestStatus.ACCEPTED if accepted else RequestStatus.DECLINED
    if accepted and row.achievement_id is not None:
        view = achievements.get_internal(session, row.achievement_id)
        if view.organisation_id != row.organisation_id and view.open_to_others:
            row.deal_id = opening_service.open_for_request(
                session,
                actor=actor,
                now=now,
                achievement_id=row.achievement_id,
                buyer_organisation_id=row.organisation_id,
            )
    audit.record(
        session,
        actor=actor,
        action="brokerage.answer_request",
        subject=f"request:{row.id}",
        now=now,
        after={"status": row.status, "deal": row.deal_id},
    )
    outbox.publish(
        session,
        ContactAnswered(
            request_id=row.id,
            organisation_id=row.organisation_id,
            broker_user_id=row.broker_user_id,
            accepted=accepted,
            answer=row.answer,
            deal_id=row.deal_id,
        ),
        now=now,
    )
    return row.deal_id
