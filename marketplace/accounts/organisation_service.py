"""Use cases of organisations: registered, established, verified, refused, changed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import rules
from marketplace.accounts.consent_rules import ConsentPurpose
from marketplace.accounts.consent_service import give_consent
from marketplace.accounts.events import (
    OrganisationChanged,
    OrganisationRegistered,
    OrganisationRejected,
    OrganisationVerified,
)
from marketplace.accounts.models import Organisation
from marketplace.accounts.papers_service import paper_subject
from marketplace.accounts.people_service import PersonContent, create_user, join
from marketplace.accounts.rules import (
    District,
    OrganisationKind,
    OrganisationState,
    OrganisationSubkind,
    PaperKind,
    Scale,
)
from marketplace.foundation import attachments, audit, outbox
from marketplace.foundation.access import ANONYMOUS, Actor, require, require_own
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, RuleBroken


@dataclass(frozen=True)
class OrganisationContent:
    """What an organisation says of itself."""

    uscc: str
    name: str
    short_name: str
    kind: OrganisationKind
    subkinds: tuple[OrganisationSubkind, ...] = ()
    district: District | None = None
    region_code: str = "370100"
    industry: str = ""
    scale: Scale | None = None
    high_tech: bool = False
    address: str = ""
    representative: str = ""
    contact_name: str = ""
    contact_phone: str = ""
    contact_email: str = ""
    introduction: str = ""


def register(
    session: Session, *, now: datetime, organisation: OrganisationContent, person: PersonContent
) -> tuple[int, int]:
    """Register an organisation with its first member; return both ids.

    Refuses kinds that the operator makes itself, a code or an e-mail address already known.
    """
    if organisation.kind not in rules.SELF_REGISTERED:
        raise RuleBroken("accounts.kind", "这类机构由交易中心开通，请联系 0531-0000 1600", "kind")
    made = _create_organisation(session, organisation, now=now)
    user = create_user(session, person, now=now)
    join(session, made.id, user.id, rules.first_roles(made.kind, organisation.subkinds))
    made.authorised_user_id = user.id
    give_consent(
        session,
        actor=Actor(user.id, made.id, name=user.name),
        now=now,
        user_id=user.id,
        purpose=ConsentPurpose.PLATFORM,
    )
    audit.record(
        session,
        actor=ANONYMOUS,
        action="accounts.register",
        subject=f"organisation:{made.id}",
        now=now,
        after={"uscc": made.uscc, "name": made.name, "kind": made.kind, "user": user.id},
    )
    outbox.publish(session, OrganisationRegistered(organisation_id=made.id), now=now)
    return made.id, user.id


def establish(
    session: Session, *, actor: Actor, now: datetime, organisation: OrganisationContent
) -> int:
    """Create a verified organisation of any kind, as the operator or the set-up does."""
    require(actor, rules.VERIFY)
    made = _create_organisation(session, organisation, now=now)
    made.state = OrganisationState.VERIFIED
    made.verified_at = now
    audit.record(
        session,
        actor=actor,
        action="accounts.establish",
        subject=f"organisation:{made.id}",
        now=now,
        after={"uscc": made.uscc, "name": made.name, "kind": made.kind},
    )
    outbox.publish(session, OrganisationVerified(organisation_id=made.id), now=now)
    return made.id


def verify(session: Session, *, actor: Actor, now: datetime, organisation_id: int) -> None:
    """Confirm, as the operator, that an organisation is who it says it is.

    Refused unless it waits: a suspension ends by being resumed alone.
    """
    require(actor, rules.VERIFY)
    organisation = lock(session, Organisation, organisation_id)
    if organisation.state is OrganisationState.VERIFIED:
        raise Conflict("accounts.verified", "这家机构已经核验通过，不需要再次办理")
    if organisation.state is not OrganisationState.REGISTERED:
        raise Conflict(
            "accounts.not_waiting",
            f"这家机构现在是“{organisation.state.label}”，不在待核验状态；"
            "已暂停的请用“恢复办理”，没有通过的等对方改好资料后再核验",
        )
    if not attachments.of(session, paper_subject(organisation_id, PaperKind.LICENCE)):
        raise RuleBroken(
            "accounts.no_licence",
            "对方还没有上传营业执照或法人证书，不能通过；可以写明原因退回，请对方补正",
        )
    _set_state(session, actor, organisation, OrganisationState.VERIFIED, "", now=now)
    organisation.verified_at = now
    outbox.publish(session, OrganisationVerified(organisation_id=organisation_id), now=now)


def reject(
    session: Session, *, actor: Actor, now: datetime, organisation_id: int, reason: str
) -> None:
    """Refuse, as the operator, to verify an organisation; the reason goes to its members."""
    require(actor, rules.VERIFY)
    organisation = lock(session, Organisation, organisation_id)
    if organisation.state is not OrganisationState.REGISTERED:
        raise Conflict("accounts.not_waiting", "这家机构已不在待核验状态，请刷新后再看")
    if not reason.strip():
        raise RuleBroken("accounts.reason", "请写明不通过的原因和补正办法，对方据此修改", "reason")
    _set_state(session, actor, organisation, OrganisationState.REJECTED, reason, now=now)
    outbox.publish(
        session, OrganisationRejected(organisation_id=organisation_id, reason=reason), now=now
    )


def update_organisation(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    content: OrganisationContent,
    version: int | None,
) -> None:
    """Change what an organisation says of itself; kind and code stay.

    A rejected organisation goes back to the operator's queue. A suspended one keeps the name and
    address under which it was suspended: who dealt with it must find it, and see that it is.
    """
    require(actor, rules.MANAGE_MEMBERS)
    require_own(actor, organisation_id)
    row = lock(session, Organisation, organisation_id)
    rules.check_profile_change(row.state)
    if version is not None and version != row.version:
        raise Conflict(
            "accounts.stale",
            "这些资料在您打开页面后已被同事修改；您填写的内容仍在下面，请核对后再保存",
        )
    before = {"name": row.name, "address": row.address, "state": row.state}
    row.name, row.short_name = content.name, content.short_name or content.name
    row.district, row.region_code = content.district, content.region_code
    row.industry, row.scale, row.high_tech = content.industry, content.scale, content.high_tech
    row.address, row.representative = content.address, content.representative
    row.contact_name, row.contact_phone = content.contact_name, content.contact_phone
    row.contact_email, row.introduction = content.contact_email, content.introduction
    row.version += 1
    if row.state is OrganisationState.REJECTED:
        row.state, row.state_reason = OrganisationState.REGISTERED, ""
        outbox.publish(session, OrganisationRegistered(organisation_id=row.id), now=now)
    audit.record(
        session,
        actor=actor,
        action="accounts.update",
        subject=f"organisation:{row.id}",
        now=now,
        before=before,
        after={"name": row.name, "address": row.address, "state": row.state},
    )
    outbox.publish(session, OrganisationChanged(organisation_id=row.id), now=now)


def _create_organisation(
    session: Session, content: OrganisationContent, *, now: datetime
) -> Organisation:
    rules.check_subkinds(content.kind, content.subkinds)
    if session.scalar(select(Organisation.id).where(Organisation.uscc == content.uscc)):
        raise Conflict(
            "accounts.uscc_known",
            "这个统一社会信用代码已经入驻；请联系本单位的机构管理员邀请您加入",
            "uscc",
        )
    row = Organisation(
        uscc=content.uscc,
        name=content.name,
        short_name=content.short_name or content.name,
        kind=content.kind,
        subkinds=[subkind.value for subkind in content.subkinds],
        district=content.district,
        region_code=content.region_code,
        industry=content.industry,
        scale=content.scale,
        high_tech=content.high_tech,
        address=content.address,
        representative=content.representative,
        contact_name=content.contact_name,
        contact_phone=content.contact_phone,
        contact_email=content.contact_email,
        introduction=content.introduction,
        state=OrganisationState.REGISTERED,
        registered_at=now,
        verified_at=None,
    )
    session.add(row)
    session.flush()
    return row


def _set_state(
    session: Session,
    actor: Actor,
    organisation: Organisation,
    state: OrganisationState,
    reason: str,
    *,
    now: datetime,
) -> None:
    before = organisation.state
    organisation.state, organisation.state_reason = state, reason
    organisation.version += 1
    audit.record(
        session,
        actor=actor,
        action=f"accounts.{state.value}",
        subject=f"organisation:{organisation.id}",
        now=now,
        before={"state": before},
        after={"state": state, "reason": reason},
    )
