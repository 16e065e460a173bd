"""The parties' pages of contracts: list, form, pre-check, one contract with its papers."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.accounts.rules import OrganisationKind, OrganisationSubkind
from marketplace.contracts import forms, parameters, queries, rules, service
from marketplace.contracts.queries import ContractFilter, ContractView
from marketplace.contracts.record_queries import subject
from marketplace.contracts.rules import SUBTYPES, ContractStatus, ContractType
from marketplace.foundation import attachments, web
from marketplace.foundation.access import permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import DomainError, NotFound
from marketplace.foundation.words import Word

blueprint = Blueprint("contracts", __name__, template_folder="templates")


def chosen_word(kind: type[Word], name: str) -> Any:
    """Read a query argument as a word; an unknown one counts as none."""
    return next((word for word in kind if word.value == web.argument(name)), None)


def next_page(token: str | None, endpoint: str) -> str | None:
    """Return the address of a list's next page with the same filters."""
    if token is None:
        return None
    arguments: dict[str, Any] = {
        key: value for key, value in request.args.items() if not key.startswith("_")
    }
    return url_for(endpoint, **(arguments | {"after": token}))


@blueprint.route("/contracts")
@web.permits(rules.READ)
def index() -> ResponseReturnValue:
    """List the contracts of the actor's organisation, with filters in the address."""
    status = chosen_word(ContractStatus, "status")
    chosen = ContractFilter(
        statuses=(status,) if status else (),
        contract_type=chosen_word(ContractType, "type"),
        text=web.argument("q", longest=60),
    )
    page = queries.list_contracts(
        web.session(),
        web.actor(),
        chosen=chosen,
        after=web.argument("after", longest=800) or None,
    )
    return render_template(
        "contracts/index.html",
        page=page,
        chosen=chosen,
        status=status,
        statuses=list(ContractStatus),
        types=list(ContractType),
        next_url=next_page(page.next_token, "contracts.index"),
        may_draw_up=permits(web.actor(), rules.DRAW_UP),
    )


@blueprint.route("/contracts/new", methods=["POST"])
@web.permits(rules.DRAW_UP)
def draft() -> ResponseReturnValue:
    """Begin a contract that comes from no deal."""

    def use_case(session: Session) -> str:
        contract_id = service.draft(session, actor=web.actor(), now=web.now())
        return url_for("contracts.edit", contract_id=contract_id)

    return web.act(use_case, back=url_for("contracts.index"))


@blueprint.route("/contracts/from-deal/<int:deal_id>", methods=["POST"])
@web.permits(rules.DRAW_UP)
def draft_from_deal(deal_id: int) -> ResponseReturnValue:
    """Begin the contract of a deal, or open the one it has."""

    def use_case(session: Session) -> str:
        contract_id = service.draft_from_deal(
            session, actor=web.actor(), now=web.now(), deal_id=deal_id
        )
        return url_for("contracts.show", contract_id=contract_id)

    return web.act(use_case, back=url_for("brokerage.show", deal_id=deal_id))


@blueprint.route("/contracts/<int:contract_id>")
@web.permits(rules.READ)
def show(contract_id: int) -> ResponseReturnValue:
    """Show one contract to who takes part in it."""
    return _page(contract_id, web.UnmaskForm.fresh())


@blueprint.route("/contracts/<int:contract_id>/contacts", methods=["POST"])
@web.permits(rules.UNMASK)
def contacts(contract_id: int) -> ResponseReturnValue:
    """Show one contract with the whole numbers of its contacts; that is noted."""
    queries.get_contract(web.session(), web.actor(), contract_id)
    form = web.UnmaskForm.load()
    whole = web.unmasked(form, permission=rules.UNMASK, subject=subject(contract_id))
    return _page(contract_id, form, whole=whole)


def _page(contract_id: int, unmask: web.UnmaskForm, *, whole: bool = False) -> ResponseReturnValue:
    session = web.session()
    view = queries.get_contract(session, web.actor(), contract_id)
    checks = queries.checks(session, view, today=local_date(web.now())) if view.may_edit else []
    page = render_template(
        "contracts/show.html",
        contract=view,
        unmask=unmask,
        whole=whole,
        checks=checks,
        missing=sum(not check.passed for check in checks),
        files=attachments.of(session, subject(contract_id)),
        texts=queries.texts_of(session, contract_id),
        income=queries.income(session, contract_id, view.content, today=local_date(web.now())),
        amendments=queries.amendments(session, contract_id) if view.contract_no else [],
        changes=queries.changes(session, contract_id),
        history=queries.history(session, contract_id),
        **labels(view),
    )
    return page, unmask.status()


def labels(view: ContractView) -> dict[str, str]:
    """Name the codes of a contract for its page."""
    return {
        "objective": parameters.objectives().get(view.content.objective_code, ""),
        "industry": parameters.industries().get(view.content.industry_code, ""),
    }


@blueprint.route("/contracts/<int:contract_id>/edit", methods=["GET", "POST"])
@web.permits(rules.DRAW_UP)
def edit(contract_id: int) -> ResponseReturnValue:
    """Fill in the registration form; drafts may lack anything."""
    view = queries.get_contract(web.session(), web.actor(), contract_id)
    if view.seller.id != web.actor().organisation_id:
        raise NotFound()
    if request.method == "GET" and not view.may_edit:
        return redirect(url_for("contracts.show", contract_id=contract_id))
    form = forms.ContractForm.load(
        **forms.stored(
            view.content,
            buyer_uscc=view.buyer.uscc if view.buyer else "",
            version=view.version,
        )
    )
    offer_lists(form)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.save(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                content=form.content(),
                buyer_uscc=form.buyer_uscc.data,
                version=form.version_number,
                uploads=web.read_uploads(form.attachments.uploads()),
                store=web.resource(AttachmentStore),
            )
            return url_for("contracts.show", contract_id=contract_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    page = render_template(
        "contracts/edit.html",
        contract=view,
        form=form,
        files=attachments.of(web.session(), subject(contract_id)),
        subtypes=SUBTYPES,
    )
    return page, form.status()


@blueprint.route("/contracts/<int:contract_id>/autosave", methods=["POST"])
@web.permits(rules.DRAW_UP)
def autosave(contract_id: int) -> ResponseReturnValue:
    """Keep the form while it is being filled in; answer with the version to build on."""
    form = forms.ContractForm.load()
    offer_lists(form)
    if not form.validate_on_post():
        return {"problems": ["有格式不对的地方，暂时没有自动保存"]}, 422
    try:
        with web.transaction() as session:
            version = service.save(
                session,
                actor=web.actor(),
                now=web.now(),
                contract_id=contract_id,
                content=form.content(),
                buyer_uscc=form.buyer_uscc.data,
                version=form.version_number,
            )
    except NotFound:
        raise
    except DomainError as refusal:
        return {"problems": [problem.message for problem in refusal.problems]}, refusal.status
    return {"version": version}


def offer_lists(form: forms.ContractForm) -> None:
    """Offer the agencies and registrars of the platform in the form's lists."""
    session = web.session()
    form.offer(
        agencies=_choices(
            accounts.list_organisations(session, subkinds=(OrganisationSubkind.AGENCY,))
        ),
        registrars=_choices(
            accounts.list_organisations(session, kinds=(OrganisationKind.REGISTRAR,))
        ),
    )


def _choices(organisations: list[accounts.OrganisationView]) -> list[tuple[str, str]]:
    return [(str(view.id), view.name) for view in organisations]


@blueprint.route("/contracts/<int:contract_id>/submit", methods=["POST"])
@web.permits(rules.SUBMIT)
def submit(contract_id: int) -> ResponseReturnValue:
    """Send a complete contract to its registrar."""
    here = url_for("contracts.show", contract_id=contract_id)
    sent = request.form.get("version", "")

    def use_case(session: Session) -> str:
        service.submit(
            session,
            actor=web.actor(),
            now=web.now(),
            contract_id=contract_id,
            version=int(sent) if sent.isdigit() else None,
        )
        flash("已提交登记机构，审核期限从今天起算。", "success")
        return here

    return web.act(use_case, back=here)


@blueprint.route("/contracts/<int:contract_id>/files/<int:attachment_id>")
@web.permits(rules.READ)
def attachment(contract_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send a contract's text to who takes part in it."""
    queries.get_contract(web.session(), web.actor(), contract_id)
    view, content = attachments.content(
        web.session(),
        subject=subject(contract_id),
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    return web.send_attachment(view, content)


@blueprint.route("/contracts/<int:contract_id>/files/<int:attachment_id>/remove", methods=["POST"])
@web.permits(rules.DRAW_UP)
def detach(contract_id: int, attachment_id: int) -> ResponseReturnValue:
    """Take a text off a contract that has not been sent."""

    def use_case(session: Session) -> str:
        service.detach(
            session,
            actor=web.actor(),
            now=web.now(),
            contract_id=contract_id,
            attachment_id=attachment_id,
        )
        return url_for("contracts.edit", contract_id=contract_id)

    return web.act(use_case, back=url_for("contracts.edit", contract_id=contract_id))
