"""The filing of agencies: application, decision, and its end after two failed yearly reviews."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import OrganisationSubkind
from marketplace.brokerage import parameters, register_rules
from marketplace.brokerage.models import Filing
from marketplace.brokerage.register_events import (
    FilingApplied,
    FilingApproved,
    FilingDeclined,
    FilingEnded,
)
from marketplace.brokerage.register_queries import ContractBook
from marketplace.brokerage.register_rules import FilingFigures, FilingStatus
from marketplace.foundation import audit, outbox
from marketplace.foundation.access import Actor, require
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import lock
from marketplace.foundation.errors import Conflict, NotFound, RuleBroken, raise_if_any


def apply_for_filing(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    figures: FilingFigures,
    figures_year: int,
    statement: str = "",
    contract_nos: Sequence[str] = (),
    book: ContractBook | None = None,
) -> int:
    """Let an agency apply for its filing with last year's figures; return the filing's id.

    Figures below the dated conditions of a filing are refused with what is missing, contracts
    that are not its own or not of that year by their numbers. ``book`` reads the register, which
    lies downstream; without it no contract can be named.
    """
    require(actor, register_rules.APPLY_FILING)
    if actor.organisation_id is None:
        raise NotFound()
    organisation = accounts.get_organisation(session, actor.organisation_id)
    if not register_rules.may_file(
        organisation.kind, is_agency=organisation.offers(OrganisationSubkind.AGENCY)
    ):
        raise RuleBroken(
            "filing.kind",
            "备案面向技术转移转化服务机构，以及高校院所的内设转化机构；贵单位不在此列",
        )
    today = local_date(now)
    if not today.year - 2 <= figures_year <= today.year:
        raise RuleBroken("filing.year", "请填写最近一个完整年度的数据", "figures_year")
    raise_if_any(register_rules.filing_problems(figures, parameters.filing_conditions_on(today)))
    named = tuple(dict.fromkeys(contract_nos))
    raise_if_any(
        register_rules.contract_problems(
            named,
            book.find(session, named) if book is not None else {},
            organisation_id=organisation.id,
            internal=figures.internal,
            year=figures_year,
        )
    )
    row = Filing(
        organisation_id=organisation.id,
        internal=figures.internal,
        figures_year=figures_year,
        service_income_fen=figures.service_income_fen,
        brokered_fen=figures.brokered_fen,
        conversion_count=figures.conversion_count,
        statement=statement.strip(),
        contract_nos=list(named),
        status=FilingStatus.APPLIED,
        applied_at=now,
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as open_already:
        raise Conflict(
            "filing.open", "贵单位已有一项备案申请在审核中，请等交易中心答复"
        ) from open_already
    audit.record(
        session,
        actor=actor,
        action="brokerage.apply_for_filing",
        subject=f"filing:{row.id}",
        now=now,
        after={
            "brokered_fen": figures.brokered_fen,
            "year": figures_year,
            "contracts": list(named),
        },
    )
    outbox.publish(
        session, FilingApplied(filing_id=row.id, organisation_id=organisation.id), now=now
    )
    return row.id


def approve_filing(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    filing_id: int,
    valid_from: date,
    valid_to: date,
) -> None:
    """Let the operator file an agency for a period, both ends included."""
    require(actor, register_rules.DECIDE_FILING)
    row = lock(session, Filing, filing_id)
    register_rules.check_validity(valid_from, valid_to)
    row.status = register_rules.decide_filing(row.status, FilingStatus.APPROVED)
    row.valid_from, row.valid_to, row.decided_at = valid_from, valid_to, now
    audit.record(
        session,
        actor=actor,
        action="brokerage.approve_filing",
        subject=f"filing:{row.id}",
        now=now,
        after={"valid_from": valid_from, "valid_to": valid_to},
    )
    outbox.publish(
        session,
        FilingApproved(
            filing_id=row.id,
            organisation_id=row.organisation_id,
            valid_from=valid_from,
            valid_to=valid_to,
        ),
        now=now,
    )


def decline_filing(
    session: Session, *, actor: Actor, now: datetime, filing_id: int, reason: str
) -> None:
    """Let the operator decline a filing with a reason."""
    require(actor, register_rules.DECIDE_FILING)
    row = lock(session, Filing, filing_id)
    if len(reason.strip()) < 5:
        raise RuleBroken(
            "filing.reason", "请写明不通过的理由（至少 5 个字），申请机构要据此补充", "reason"
        )
    row.status = register_rules.decide_filing(row.status, FilingStatus.DECLINED)
    row.reason, row.decided_at = reason.strip(), now
    audit.record(
        session,
        actor=actor,
        action="brokerage.decline_filing",
        subject=f"filing:{row.id}",
        now=now,
        after={"reason": row.reason},
    )
    outbox.publish(
        session,
        FilingDeclined(filing_id=row.id, organisation_id=row.organisation_id, reason=row.reason),
        now=now,
    )


def end_filing(
    session: Session,
    *,
    actor: Actor,
    now: datetime,
    organisation_id: int,
    ends_on: date,
    reason: str,
) -> list[int]:
    """End what is filed of an agency with a day; return the filings that ended.

    Contracts registered until that day count on; later ones do not (reading J). A filing that
    would only begin afterwards is declined. Nothing filed: nothing changes.
    """
    require(actor, register_rules.END_FILING)
    rows = session.scalars(
        select(Filing)
        .where(
            Filing.organisation_id == organisation_id,
            Filing.status == FilingStatus.APPROVED,
            Filing.valid_to > ends_on,
        )
        .order_by(Filing.id)
        .with_for_update()
    ).all()
    for row in rows:
        before = {"status": row.status, "valid_to": row.valid_to}
        assert row.valid_from is not None
        if row.valid_from > ends_on:
            row.status = FilingStatus.DECLINED
        else:
            row.valid_to = ends_on
        row.ended_on, row.reason = ends_on, reason
        audit.record(
            session,
            actor=actor,
            action="brokerage.end_filing",
            subject=f"filing:{row.id}",
            now=now,
            before=before,
            after={"status": row.status, "valid_to": row.valid_to, "reason": reason},
        )
    if rows:
        outbox.publish(
            session,
            FilingEnded(organisation_id=organisation_id, ended_on=ends_on, reason=reason),
            now=now,
        )
    return [row.id for row in rows]
