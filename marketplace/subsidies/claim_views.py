"""An applicant's pages: what can be claimed, a claim being confirmed, its history."""

from __future__ import annotations

from collections.abc import Callable

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import attachments, web
from marketplace.foundation.access import SIGNED_IN, permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.subsidies import queries, rules, service
from marketplace.subsidies.forms import ApplicationForm, RecognitionForm, TrainingForm
from marketplace.subsidies.queries import ClaimView
from marketplace.subsidies.rules import ReviewStep
from marketplace.subsidies.service import Payee
from marketplace.subsidies.single_entry_rules import ENTERED
from marketplace.subsidies.views import blueprint
from marketplace.subsidies.word_rules import ClaimItem

EntryForm = RecognitionForm | TrainingForm


def payee_of(form: ApplicationForm) -> Payee:
    """Return whom the applicant wants to be paid, and who answers questions."""
    return Payee(
        contact_name=form.contact_name.data,
        contact_phone=form.contact_phone.data,
        bank_name=form.bank_name.data,
        bank_account=form.bank_account.data,
        statement=form.statement.data,
    )


@blueprint.route("/subsidies")
@web.permits(rules.CLAIM)
def mine() -> ResponseReturnValue:
    """Show what one's organisation can claim now, item by item with reasons, and its claims."""
    session, organisation_id = web.session(), web.actor().organisation_id or 0
    rounds = queries.open_rounds(session, now=web.now())
    claims = queries.own_claims(session, organisation_id)
    years = dict.fromkeys(
        [view.year for view in rounds] + queries.years_with_facts(session, organisation_id)
    )
    begun = {(row.round_id, row.item): row for row in claims if row.status in rules.WITH_APPLICANT}
    return render_template(
        "subsidies/mine.html",
        rounds=rounds,
        claims=claims,
        years=[(year, queries.claimable(session, organisation_id, year)) for year in years],
        singles=[
            (view, queries.offered_singles(session, organisation_id, view, now=web.now()))
            for view in rounds
            if organisation_id
        ],
        begun=begun,
        today=local_date(web.now()),
    )


@blueprint.route("/subsidies/rounds/<int:round_id>/<item>", methods=["POST"])
@web.permits(rules.CLAIM)
def prepare(round_id: int, item: str) -> ResponseReturnValue:
    """Make a claim from the registered facts and lead to it."""
    wanted = next((known for known in ClaimItem if known.value == item), None)
    if wanted is None:
        raise NotFound()

    def act(session: Session) -> str:
        claim_id = service.prepare(
            session, actor=web.actor(), now=web.now(), round_id=round_id, item=wanted
        )
        return url_for("subsidies.claim", claim_id=claim_id)

    return web.act(act, back=url_for("subsidies.mine"))


@blueprint.route("/subsidies/claims/<int:claim_id>")
@web.permits(rules.CLAIM)
def claim(claim_id: int) -> ResponseReturnValue:
    """Show one of one's own claims: the calculation, where it stands, what is to be confirmed."""
    view = queries.get_own_claim(web.session(), web.actor(), claim_id)
    return _page(view, _application(view, ApplicationForm.load))


@blueprint.route("/subsidies/claims/<int:claim_id>", methods=["POST"])
@web.permits(rules.CLAIM)
def apply(claim_id: int) -> ResponseReturnValue:
    """Send a claim, for the first time or after a correction."""
    view = queries.get_own_claim(web.session(), web.actor(), claim_id)
    form = ApplicationForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.apply(
                session,
                actor=web.actor(),
                now=web.now(),
                claim_id=claim_id,
                confirmed_fen=form.confirmed_fen,
                declared=form.declared.data,
                payee=payee_of(form),
                uploads=web.read_uploads(form.attachments.uploads()),
                attachment_store=web.resource(AttachmentStore),
            )
            return url_for("subsidies.claim", claim_id=claim_id)

        done = web.submit(form, act)
        if done is not None:
            flash("申报已提交，审核进度在本页显示。", "success")
            return done
    view = queries.get_own_claim(web.session(), web.actor(), claim_id)
    return _page(view, form)


@blueprint.route("/subsidies/claims/<int:claim_id>/files/<int:attachment_id>")
@web.permits(SIGNED_IN)
def file(claim_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send a claim's file to its applicant or to a reviewer who may see the claim."""
    actor, session = web.actor(), web.session()
    if permits(actor, rules.SEE_DESK):
        queries.get_claim_for_review(session, actor, claim_id)
    else:
        queries.get_own_claim(session, actor, claim_id)
    view, content = attachments.content(
        session,
        subject=f"claim:{claim_id}",
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    return web.send_attachment(view, content)


@blueprint.route("/subsidies/claims/<int:claim_id>/entries", methods=["POST"])
@web.permits(rules.CLAIM)
def enter(claim_id: int) -> ResponseReturnValue:
    """Keep what the platform cannot know of a claim's grounds, and compute with it."""
    view = queries.get_own_claim(web.session(), web.actor(), claim_id)
    kind = entry_form_of(view)
    if kind is None:
        raise NotFound()
    form: EntryForm = kind.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.enter(
                session,
                actor=web.actor(),
                now=web.now(),
                claim_id=claim_id,
                entries=form.entries(),
            )
            return url_for("subsidies.claim", claim_id=claim_id, _anchor="apply")

        done = web.submit(form, act)
        if done is not None:
            flash("已保存并计算，请核对金额后提交。", "success")
            return done
    view = queries.get_own_claim(web.session(), web.actor(), claim_id)
    return _page(view, _application(view, ApplicationForm.fresh), form)


def _application(view: ClaimView, build: Callable[..., ApplicationForm]) -> ApplicationForm:
    """Fill the form with what was sent before, or with what the organisation's record says."""
    return build(
        contact_name=view.contact_name or view.organisation.contact_name,
        contact_phone=view.contact_phone or view.organisation.contact_phone,
        bank_name=view.bank_name,
        bank_account=view.bank_account,
        statement=view.statement,
    )


def entry_form_of(view: ClaimView) -> type[RecognitionForm] | type[TrainingForm] | None:
    """Return the form of what the platform cannot know of a claim, None where it knows all."""
    if view.row.item not in ENTERED:
        return None
    return TrainingForm if view.row.item is ClaimItem.TRAINING_FEE else RecognitionForm


def _entry_form(view: ClaimView) -> EntryForm | None:
    """Return the form of what is entered for a claim, filled with what was entered before."""
    kind = entry_form_of(view)
    if kind is None:
        return None
    recognition = view.entries.recognition
    if kind is TrainingForm:
        return TrainingForm.fresh(
            trainings=[
                {
                    "person": training.person,
                    "certificate_no": training.certificate_no,
                    "ended_on": training.ended_on,
                    "fee": training.fee_fen,
                }
                for training in view.entries.trainings
            ]
        )
    return RecognitionForm.fresh(
        recognition_document=recognition.document if recognition else "",
        recognised_on=recognition.recognised_on if recognition else None,
        excellent=recognition.excellent if recognition else False,
    )


def _page(
    view: ClaimView, form: ApplicationForm, entry_form: EntryForm | None = None
) -> ResponseReturnValue:
    session = web.session()
    editable = view.status in rules.WITH_APPLICANT
    recomputed = queries.computed_now(session, view, now=web.now())
    entry_form = entry_form or (_entry_form(view) if editable else None)
    computed = recomputed if editable else None
    if computed is not None:
        # What is confirmed is always the amount that this page shows.
        form.confirmed.data = str(computed.claimable_fen)
        form.confirmed.raw_data = None
    page = render_template(
        "subsidies/claim.html",
        claim=view,
        form=form,
        editable=editable,
        entry_form=entry_form,
        corrected=() if editable else queries.correction_notes(view, recomputed),
        computed=computed,
        why=computed.explanation if computed else view.calculation,
        amount_fen=computed.claimable_fen if computed else view.row.amount_fen,
        timeline=queries.timeline(
            session, view.id, with_names=False, panel_open=view.step is ReviewStep.EXPERT
        ),
        today=local_date(web.now()),
    )
    return page, entry_form.status() if entry_form and entry_form.errors else form.status()
