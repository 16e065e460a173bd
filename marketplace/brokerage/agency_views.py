"""The filing of agencies (备案): an agency's application and the operator's decision."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import parameters, queries, register_rules, service
from marketplace.brokerage.forms import ApprovalForm, DeclineForm, FilingForm
from marketplace.brokerage.register_queries import ContractBook
from marketplace.brokerage.register_rules import FilingStatus
from marketplace.brokerage.views import blueprint, chosen_word
from marketplace.foundation import web
from marketplace.foundation.clock import local_date


@blueprint.route("/agencies/filing", methods=["GET", "POST"])
@web.permits(register_rules.APPLY_FILING)
def own_filing() -> ResponseReturnValue:
    """Show an agency its filings and take a new application."""
    day = local_date(web.now())
    form = FilingForm.load(internal="no", figures_year=day.year - 1)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.apply_for_filing(
                session,
                actor=web.actor(),
                now=web.now(),
                figures=form.figures(),
                figures_year=form.figures_year.data,
                statement=str(form.statement.data or ""),
                contract_nos=form.contracts(),
                book=web.resource(ContractBook),
            )
            return url_for("brokerage.own_filing")

        done = web.submit(form, use_case)
        if done is not None:
            flash("备案申请已提交，交易中心审核后会通知您。", "success")
            return done
    own = web.actor().organisation_id or 0
    page = render_template(
        "brokerage/own_filing.html",
        form=form,
        filings=queries.filings_of(web.session(), own),
        current=queries.agency_filing_on(web.session(), own, day),
        conditions=parameters.filing_conditions_on(day),
    )
    return page, form.status()


@blueprint.route("/desk/filings")
@web.permits(register_rules.DECIDE_FILING)
def filings() -> ResponseReturnValue:
    """List the filings for the operator."""
    status = chosen_word(FilingStatus, "status")
    chosen = FilingStatus(status) if status else None
    return render_template(
        "brokerage/filings.html",
        filings=queries.list_filings(web.session(), status=chosen),
        chosen=chosen,
        statuses=list(FilingStatus),
    )


@blueprint.route("/desk/filings/<int:filing_id>", methods=["GET", "POST"])
@web.permits(register_rules.DECIDE_FILING)
def filing(filing_id: int) -> ResponseReturnValue:
    """Show one filing and take its approval."""
    day = local_date(web.now())
    form = ApprovalForm.load(valid_from=day, valid_to=parameters.filing_ends_on(day))
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.approve_filing(
                session,
                actor=web.actor(),
                now=web.now(),
                filing_id=filing_id,
                valid_from=form.valid_from.data,
                valid_to=form.valid_to.data,
            )
            return url_for("brokerage.filing", filing_id=filing_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _filing_page(filing_id, form, DeclineForm.fresh())


@blueprint.route("/desk/filings/<int:filing_id>/decline", methods=["POST"])
@web.permits(register_rules.DECIDE_FILING)
def decline_filing(filing_id: int) -> ResponseReturnValue:
    """Decline a filing with a reason."""
    form = DeclineForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.decline_filing(
                session,
                actor=web.actor(),
                now=web.now(),
                filing_id=filing_id,
                reason=str(form.reason.data),
            )
            return url_for("brokerage.filing", filing_id=filing_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    day = local_date(web.now())
    approval = ApprovalForm.fresh(valid_from=day, valid_to=parameters.filing_ends_on(day))
    return _filing_page(filing_id, approval, form)


def _filing_page(
    filing_id: int, approval: ApprovalForm, decline: DeclineForm
) -> ResponseReturnValue:
    view = queries.get_filing(web.session(), filing_id)
    page = render_template(
        "brokerage/filing.html",
        filing=view,
        approval=approval,
        decline=decline,
        conditions=parameters.filing_conditions_on(local_date(view.applied_at)),
        contracts=web.resource(ContractBook).find(web.session(), view.contract_nos),
    )
    return page, max(approval.status(), decline.status())
