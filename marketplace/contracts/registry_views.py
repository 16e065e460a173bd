"""The registrar's pages: the queue with days left, the review and its decisions."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.contracts import parameters, queries, rules, service
from marketplace.contracts.after_forms import (
    CancelForm,
    DeclineForm,
    DisputeForm,
    RefuseForm,
    RegisterForm,
    ReturnForm,
)
from marketplace.contracts.queries import ContractFilter
from marketplace.contracts.record_queries import subject
from marketplace.contracts.rules import SUBTYPES, WITH_REGISTRAR, ContractStatus, ContractType
from marketplace.contracts.views import blueprint, chosen_word, labels, next_page
from marketplace.foundation import attachments, web
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound

_TABS: dict[str, tuple[str, tuple[ContractStatus, ...]]] = {
    "waiting": ("待审核", (ContractStatus.SUBMITTED, ContractStatus.REVIEW)),
    "correction": ("补正中", (ContractStatus.CORRECTION,)),
    "registered": ("已登记", (ContractStatus.REGISTERED, ContractStatus.CHANGED)),
    "refused": ("不予登记", (ContractStatus.REFUSED,)),
    "cancelled": ("已撤销", (ContractStatus.CANCELLED,)),
}


@blueprint.route("/registry")
@web.permits(rules.REVIEW)
def registry() -> ResponseReturnValue:
    """Show the registrar's queue, what is due first on top, with filters in the address."""
    own = web.actor().organisation_id or 0
    tab = web.argument("tab") if web.argument("tab") in _TABS else "waiting"
    today = local_date(web.now())
    chosen = ContractFilter(
        statuses=_TABS[tab][1],
        contract_type=chosen_word(ContractType, "type"),
        text=web.argument("q", longest=60),
    )
    page = queries.queue(
        web.session(), own, chosen=chosen, after=web.argument("after", longest=800) or None
    )
    counts = queries.queue_counts(web.session(), own, today=today)
    tabs = [
        (
            label,
            url_for("contracts.registry", tab=key),
            key == tab,
            sum(counts.by_status.get(status, 0) for status in statuses),
        )
        for key, (label, statuses) in _TABS.items()
    ]
    return render_template(
        "contracts/registry.html",
        page=page,
        counts=counts,
        tab=tab,
        tabs=tabs,
        chosen=chosen,
        types=list(ContractType),
        next_url=next_page(page.next_token, "contracts.registry"),
        terms=parameters.review_terms_on(today),
        year=today.year,
        amendments=queries.waiting_amendments(web.session(), own),
        receipts_count=queries.declared_count(web.session(), own),
        waiting_count=sum(counts.by_status.get(status, 0) for status in WITH_REGISTRAR),
    )


@blueprint.route("/registry/<int:contract_id>")
@web.permits(rules.REVIEW)
def review(contract_id: int) -> ResponseReturnValue:
    """Show a contract to its registrar, with the pre-check and what looks unusual."""
    return review_page(contract_id)


@blueprint.route("/registry/<int:contract_id>/contacts", methods=["POST"])
@web.permits(rules.REVIEW)
def review_contacts(contract_id: int) -> ResponseReturnValue:
    """Show the review with the whole numbers of the parties' contacts; that is noted."""
    if not queries.get_contract(web.session(), web.actor(), contract_id).may_review:
        raise NotFound()
    form = web.UnmaskForm.load()
    whole = web.unmasked(form, permission=rules.REVIEW, subject=subject(contract_id))
    return review_page(contract_id, unmask=form, whole=whole)


def review_page(
    contract_id: int,
    *,
    register_form: RegisterForm | None = None,
    decline_form: DeclineForm | None = None,
    return_form: ReturnForm | None = None,
    refuse_form: RefuseForm | None = None,
    dispute_form: DisputeForm | None = None,
    cancel_form: CancelForm | None = None,
    unmask: web.UnmaskForm | None = None,
    whole: bool = False,
) -> ResponseReturnValue:
    """Draw the review page; the form that was refused carries its problems."""
    session = web.session()
    view = queries.get_contract(session, web.actor(), contract_id)
    if not view.may_review:
        raise NotFound()
    shown = {
        "register_form": register_form or RegisterForm.fresh(),
        "decline_form": decline_form or DeclineForm.fresh(),
        "return_form": return_form or ReturnForm.fresh(),
        "refuse_form": refuse_form or RefuseForm.fresh(),
        "dispute_form": dispute_form or DisputeForm.fresh(),
        "cancel_form": cancel_form or CancelForm.fresh(),
        "unmask": unmask or web.UnmaskForm.fresh(),
    }
    today = local_date(web.now())
    page = render_template(
        "contracts/review.html",
        contract=view,
        whole=whole,
        checks=queries.checks(session, view, today=today),
        signs=(found := queries.signs(session, view, today=today)),
        mine=queries.own_ids(
            session, web.actor(), [other.contract_id for sign in found for other in sign.others]
        ),
        proposal=queries.proposal_of(session, contract_id, view.content.project_name),
        agreement=queries.agreement(
            session, registrar_organisation_id=view.registrar.id if view.registrar else None
        ),
        texts=queries.texts_of(session, contract_id),
        income=queries.income(session, contract_id, view.content, today=today)
        if view.contract_no
        else None,
        amendments=queries.amendments(session, contract_id) if view.contract_no else [],
        subtypes=SUBTYPES,
        files=attachments.of(session, subject(contract_id)),
        changes=queries.changes(session, contract_id),
        history=queries.history(session, contract_id),
        rules_in_force=parameters.rules_on(view.applied_on or today),
        terms=parameters.review_terms_on(view.applied_on or today),
        **labels(view),
        **shown,
    )
    return page, max(form.status() for form in shown.values())


@blueprint.route("/registry/<int:contract_id>/take-up", methods=["POST"])
@web.permits(rules.REVIEW)
def take_up(contract_id: int) -> ResponseReturnValue:
    """Begin the review."""
    here = url_for("contracts.review", contract_id=contract_id)

    def use_case(session: Session) -> str:
        service.take_up(session, actor=web.actor(), now=web.now(), contract_id=contract_id)
        return here

    return web.act(use_case, back=here)


@blueprint.route("/registry/<int:contract_id>/register", methods=["POST"])
@web.permits(rules.REVIEW)
def register(contract_id: int) -> ResponseReturnValue:
    """Register a contract under the type that the registrar decides on."""
    form = RegisterForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            number = service.register(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                contract_type=form.contract_type.data,
                subtype=form.subtype.data,
                type_reason=form.type_reason.data,
            )
            flash(f"已登记，编号 {number}。登记证明可以下载。", "success")
            return url_for("contracts.review", contract_id=contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return review_page(contract_id, register_form=form)


@blueprint.route("/registry/<int:contract_id>/return", methods=["POST"])
@web.permits(rules.REVIEW)
def return_(contract_id: int) -> ResponseReturnValue:
    """Send a contract back for correction."""
    form = ReturnForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.return_(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                reason=str(form.reason.data),
            )
            return url_for("contracts.registry")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return review_page(contract_id, return_form=form)


@blueprint.route("/registry/<int:contract_id>/refuse", methods=["POST"])
@web.permits(rules.REVIEW)
def refuse(contract_id: int) -> ResponseReturnValue:
    """Refuse to register a contract."""
    form = RefuseForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.refuse(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                reason_code=form.reason_code.data,
                reason=str(form.reason.data),
            )
            return url_for("contracts.review", contract_id=contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return review_page(contract_id, refuse_form=form)


@blueprint.route("/registry/<int:contract_id>/dispute", methods=["POST"])
@web.permits(rules.REVIEW)
def dispute(contract_id: int) -> ResponseReturnValue:
    """Declare a contract disputed, which lengthens the term."""
    form = DisputeForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.dispute(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                reason=str(form.reason.data),
            )
            return url_for("contracts.review", contract_id=contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return review_page(contract_id, dispute_form=form)
