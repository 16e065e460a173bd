"""Pages of the commission ledger, necessary expenses, disputes and their evidence."""

from __future__ import annotations

from importlib import import_module

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import (
    dispute_queries,
    evidence_queries,
    introduction_rules,
    ledger_queries,
    queries,
    rules,
    service,
    terms_rules,
)
from marketplace.brokerage.introduction_rules import BROKER_GROUNDS, PARTY_GROUNDS, DisputeState
from marketplace.brokerage.ledger_forms import (
    DecisionForm,
    DisputeForm,
    ExpenseAnswerForm,
    ExpenseForm,
    InvoiceForm,
    RecognitionForm,
)
from marketplace.brokerage.ledger_queries import EntryState
from marketplace.brokerage.terms_rules import CommissionPayer
from marketplace.brokerage.views import blueprint, chosen_word, next_page
from marketplace.foundation import attachments, web
from marketplace.foundation.access import permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.errors import NotFound


def _deal(deal_id: int, anchor: str) -> str:
    return url_for("brokerage.show", deal_id=deal_id, _anchor=anchor)


@blueprint.route("/deals/ledger")
@web.permits(rules.READ)
def ledger() -> ResponseReturnValue:
    """Show what the actor receives or owes of commissions, by state."""
    return _ledger_page(InvoiceForm.fresh(), 0)


def _ledger_page(form: InvoiceForm, entry_id: int) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    state = chosen_word(EntryState, "state")
    chosen = EntryState(state) if state else None
    page = ledger_queries.ledger(
        session, actor, state=chosen, after=web.argument("after", longest=800) or None
    )
    body = render_template(
        "brokerage/ledger.html",
        page=page,
        totals=ledger_queries.ledger_totals(session, actor),
        chosen=chosen,
        states=list(EntryState),
        form=form,
        form_entry_id=entry_id,
        next_url=next_page(page.next_token, "brokerage.ledger"),
        may_decide=permits(actor, introduction_rules.DECIDE_DISPUTE),
    )
    return body, form.status()


@blueprint.route("/deals/ledger/<int:entry_id>/invoice", methods=["POST"])
@web.permits(terms_rules.RECEIVE_COMMISSION)
def note_invoice(entry_id: int) -> ResponseReturnValue:
    """Note the invoice of an amount that is due."""
    ledger_queries.get_own_entry(web.session(), web.actor(), entry_id)
    form = InvoiceForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.note_invoice(
                session,
                actor=web.actor(),
                now=web.now(),
                entry_id=entry_id,
                invoice_no=form.invoice_no.data,
            )
            return url_for("brokerage.ledger")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _ledger_page(form, entry_id)


@blueprint.route("/deals/ledger/<int:entry_id>/received", methods=["POST"])
@web.permits(terms_rules.RECEIVE_COMMISSION)
def receive_entry(entry_id: int) -> ResponseReturnValue:
    """Note that an amount has arrived."""
    back = url_for("brokerage.ledger")

    def use_case(session: Session) -> str:
        service.receive_entry(session, actor=web.actor(), now=web.now(), entry_id=entry_id)
        flash("已登记到账。", "success")
        return back

    return web.act(use_case, back=back)


@blueprint.route("/deals/<int:deal_id>/expenses", methods=["GET", "POST"])
@web.permits(terms_rules.PROPOSE_COMMISSION)
def claim_expense(deal_id: int) -> ResponseReturnValue:
    """Ask one side for necessary expenses when no contract came about."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    if not deal.has("broker"):
        raise NotFound()
    form = ExpenseForm.load(payer=CommissionPayer.BUYER)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.claim_expense(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                payer=form.payer.data,
                amount_fen=form.amount_fen.data,
                words=form.words.data,
            )
            return _deal(deal_id, "commission")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("brokerage/expense.html", deal=deal, form=form), form.status()


@blueprint.route("/deals/<int:deal_id>/expenses/<int:expense_id>", methods=["GET", "POST"])
@web.permits(terms_rules.CONFIRM_COMMISSION)
def answer_expense(deal_id: int, expense_id: int) -> ResponseReturnValue:
    """Agree to the broker's necessary expenses or decline them."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    expense = next(
        (each for each in ledger_queries.expenses_of_deal(web.session(), deal_id)
         if each.id == expense_id
         and each.payer_organisation_id == web.actor().organisation_id),
        None,
    )  # fmt: skip
    if expense is None:
        raise NotFound()
    form = ExpenseAnswerForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.answer_expense(
                session,
                actor=web.actor(),
                now=web.now(),
                expense_id=expense_id,
                accepted=form.decision.data == "yes",
                answer=form.answer.data,
            )
            return _deal(deal_id, "commission")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    page = render_template("brokerage/expense_answer.html", deal=deal, expense=expense, form=form)
    return page, form.status()


@blueprint.route("/deals/expenses/<int:expense_id>/settled", methods=["POST"])
@web.permits(terms_rules.RECEIVE_COMMISSION)
def settle_expense(expense_id: int) -> ResponseReturnValue:
    """Note that the expenses have arrived."""

    def use_case(session: Session) -> str:
        deal_id = service.settle_expense(
            session, actor=web.actor(), now=web.now(), expense_id=expense_id
        )
        return _deal(deal_id, "commission")

    return web.act(use_case, back=url_for("brokerage.index"))


@blueprint.route("/deals/introductions/<int:introduction_id>/dispute", methods=["GET", "POST"])
@web.permits(introduction_rules.DISPUTE)
def open_dispute(introduction_id: int) -> ResponseReturnValue:
    """Raise a dispute about an introduction or its commission."""
    pair = dispute_queries.get_pair(web.session(), web.actor(), introduction_id)
    deal = queries.get_deal(web.session(), web.actor(), pair.deal_id or 0)
    form = DisputeForm.load()
    grounds = BROKER_GROUNDS if deal.has("broker", "agency") else PARTY_GROUNDS
    form.ground.offer([(ground.value, ground.label) for ground in grounds])
    if form.validate_on_post():
        uploads = web.read_uploads(form.attachments.uploads())

        def use_case(session: Session) -> str:
            dispute_id = service.open_dispute(
                session,
                actor=web.actor(),
                now=web.now(),
                introduction_id=introduction_id,
                ground=introduction_rules.DisputeGround(form.ground.data),
                words=form.words.data,
                uploads=uploads,
                store=web.resource(AttachmentStore),
            )
            return url_for("brokerage.dispute", dispute_id=dispute_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("争议已提交，对方和交易中心会收到通知。", "success")
            return done
    return render_template("brokerage/dispute_new.html", pair=pair, form=form), form.status()


@blueprint.route("/deals/disputes/<int:dispute_id>")
@web.permits(rules.READ)
def dispute(dispute_id: int) -> ResponseReturnValue:
    """Show a dispute to who takes part in it and to the operator."""
    return _dispute_page(dispute_id, DecisionForm.fresh())


def _dispute_page(dispute_id: int, form: DecisionForm) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    view = dispute_queries.get_dispute(session, actor, dispute_id)
    papers = attachments.of(session, introduction_rules.dispute_subject(dispute_id))
    is_open = view.state is DisputeState.OPEN
    page = render_template(
        "brokerage/dispute.html",
        dispute=view,
        papers=papers,
        form=form,
        may_decide=is_open and permits(actor, introduction_rules.DECIDE_DISPUTE),
        may_withdraw=is_open and view.opened_by_id == actor.user_id,
    )
    return page, form.status()


@blueprint.route("/deals/disputes/<int:dispute_id>/withdraw", methods=["POST"])
@web.permits(introduction_rules.DISPUTE)
def withdraw_dispute(dispute_id: int) -> ResponseReturnValue:
    """Take a dispute back."""
    here = url_for("brokerage.dispute", dispute_id=dispute_id)

    def use_case(session: Session) -> str:
        service.withdraw_dispute(session, actor=web.actor(), now=web.now(), dispute_id=dispute_id)
        return here

    return web.act(use_case, back=here)


@blueprint.route("/deals/disputes/<int:dispute_id>/decide", methods=["POST"])
@web.permits(introduction_rules.DECIDE_DISPUTE)
def decide_dispute(dispute_id: int) -> ResponseReturnValue:
    """Decide a dispute with its reasons."""
    form = DecisionForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.decide_dispute(
                session,
                actor=web.actor(),
                now=web.now(),
                dispute_id=dispute_id,
                upheld=form.decision.data == "yes",
                words=form.words.data,
            )
            return url_for("brokerage.dispute", dispute_id=dispute_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _dispute_page(dispute_id, form)


@blueprint.route("/deals/disputes/<int:dispute_id>/papers/<int:attachment_id>")
@web.permits(rules.READ)
def dispute_paper(dispute_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send a paper of a dispute to who may see the dispute."""
    dispute_queries.get_dispute(web.session(), web.actor(), dispute_id)
    view, content = attachments.content(
        web.session(),
        subject=introduction_rules.dispute_subject(dispute_id),
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    return web.send_attachment(view, content)


@blueprint.route("/deals/introductions/<int:introduction_id>/evidence")
@web.permits(rules.READ)
def evidence(introduction_id: int) -> ResponseReturnValue:
    """Send the evidence file of an introduction as a zip archive with digests."""
    facts, papers = evidence_queries.evidence_of(
        web.session(), web.actor(), introduction_id, store=web.resource(AttachmentStore)
    )
    packed: bytes = import_module("marketplace.brokerage.evidence").pack(facts, papers)
    return web.send_archive(packed, f"介绍存证 {introduction_id} 证据包")


@blueprint.route("/desk/introductions")
@web.permits(introduction_rules.DECIDE_DISPUTE)
def introduction_desk() -> ResponseReturnValue:
    """List for the operator the contracts to check and the disputes to decide."""
    session = web.session()
    return render_template(
        "brokerage/introduction_desk.html",
        to_check=dispute_queries.recognitions_to_check(session),
        open_disputes=dispute_queries.disputes(session, open_only=True),
        disputes=[
            each
            for each in dispute_queries.disputes(session, open_only=False)
            if each.state is not DisputeState.OPEN
        ],
    )


@blueprint.route("/desk/introductions/<int:recognition_id>", methods=["GET", "POST"])
@web.permits(introduction_rules.DECIDE_DISPUTE)
def check_recognition(recognition_id: int) -> ResponseReturnValue:
    """Say whether a contract is the fruit of an introduction."""
    view = dispute_queries.get_recognition(web.session(), recognition_id)
    form = RecognitionForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.decide_recognition(
                session,
                actor=web.actor(),
                now=web.now(),
                recognition_id=recognition_id,
                counts=form.decision.data == "yes",
                words=form.words.data,
            )
            return url_for("brokerage.introduction_desk")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("brokerage/recognition.html", view=view, form=form), form.status()
