"""The offices' pages: the desk, a claim under review, sending back and clawing back."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import attachments, web
from marketplace.foundation.access import permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.foundation.parameters import value_on
from marketplace.subsidies import queries, rules, service
from marketplace.subsidies.clawback_rules import ClawBackTerms
from marketplace.subsidies.desk_queries import DeskFilter
from marketplace.subsidies.draft_rules import TRY_POLICIES
from marketplace.subsidies.forms import ClawBackForm, RecallForm, ReviewForm
from marketplace.subsidies.queries import ClaimView
from marketplace.subsidies.return_rules import RECALLABLE
from marketplace.subsidies.rules import ClaimStatus, ReviewStep
from marketplace.subsidies.service import Verdict
from marketplace.subsidies.views import blueprint
from marketplace.subsidies.word_rules import ClaimItem
from marketplace.subsidies.year_rules import SEE_YEARS


@blueprint.route("/subsidies/desk")
@web.permits(rules.SEE_DESK)
def desk() -> ResponseReturnValue:
    """List the claims that wait for the reviewer, or all that they may see."""
    session, actor = web.session(), web.actor()
    item = next((i for i in ClaimItem if i.value == web.argument("item")), None)
    status = next((s for s in ClaimStatus if s.value == web.argument("status")), None)
    shown = web.argument("show") or ("mine" if permits(actor, rules.REVIEW) else "all")
    round_id = request.args.get("round", type=int)
    chosen = DeskFilter(awaited=shown == "mine", item=item, status=status, round_id=round_id)
    return render_template(
        "subsidies/desk.html",
        page=queries.desk(session, actor, chosen, after=web.argument("after") or None),
        chosen=chosen,
        shown=shown,
        awaited_count=len(queries.awaited_ids(session, actor)),
        items=list(ClaimItem),
        rounds=queries.list_rounds(session),
        may_open=permits(actor, rules.OPEN_ROUND),
        may_pay=permits(actor, rules.SEE_PAYMENTS),
        may_see_years=permits(actor, SEE_YEARS),
        may_try=permits(actor, TRY_POLICIES),
    )


@blueprint.route("/subsidies/desk/<int:claim_id>")
@web.permits(rules.SEE_DESK)
def review(claim_id: int) -> ResponseReturnValue:
    """Show a claim under review: the calculation and the documents beside each other."""
    view = queries.get_claim_for_review(web.session(), web.actor(), claim_id)
    return _page(view, ReviewForm.load(version=view.attempt), _blank_claw_back(view))


@blueprint.route("/subsidies/desk/<int:claim_id>", methods=["POST"])
@web.permits(rules.REVIEW)
def decide(claim_id: int) -> ResponseReturnValue:
    """Take a reviewer's decision on the step they had before them."""
    view = queries.get_claim_for_review(web.session(), web.actor(), claim_id)
    step = next((s for s in ReviewStep if s.value == request.form.get("step")), None)
    if step is None:
        raise NotFound()
    form = ReviewForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.review(
                session,
                actor=web.actor(),
                now=web.now(),
                claim_id=claim_id,
                step=step,
                verdict=Verdict(
                    form.decision.data,
                    form.opinion.data,
                    form.score.data,
                    bool(form.unconcerned.data),
                ),
                attempt=form.version_number,
            )
            return url_for("subsidies.desk")

        done = web.submit(form, act)
        if done is not None:
            flash(f"{view.row.number} 的{step.label}结论已记录。", "success")
            return done
    view = queries.get_claim_for_review(web.session(), web.actor(), claim_id)
    return _page(view, form, _blank_claw_back(view))


@blueprint.route("/subsidies/desk/<int:claim_id>/payee", methods=["POST"])
@web.permits(rules.UNMASK)
def payee(claim_id: int) -> ResponseReturnValue:
    """Show a claim with the payee's whole account and telephone number; that is noted."""
    view = queries.get_claim_for_review(web.session(), web.actor(), claim_id)
    form = web.UnmaskForm.load()
    whole = web.unmasked(form, permission=rules.UNMASK, subject=f"claim:{claim_id}")
    review_form = ReviewForm.fresh(version=view.attempt)
    return _page(view, review_form, _blank_claw_back(view), unmask=form, whole=whole)


@blueprint.route("/subsidies/desk/<int:claim_id>/claw-back", methods=["POST"])
@web.permits(rules.CLAW_BACK)
def claw_back(claim_id: int) -> ResponseReturnValue:
    """Take a paid claim back."""
    view = queries.get_claim_for_review(web.session(), web.actor(), claim_id)
    form = ClawBackForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.claw_back(
                session,
                actor=web.actor(),
                now=web.now(),
                claim_id=claim_id,
                terms=ClawBackTerms(
                    ground=form.ground.data,
                    amount_fen=form.amount.data,
                    reason=form.reason.data,
                    document=form.document.data,
                    due_on=form.due_on.data,
                    dishonest_until=form.dishonest_until.data,
                ),
            )
            return url_for("subsidies.review", claim_id=claim_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(view, ReviewForm.fresh(), form)


@blueprint.route("/subsidies/desk/<int:claim_id>/recall", methods=["POST"])
@web.permits(rules.SEND_BACK)
def recall(claim_id: int) -> ResponseReturnValue:
    """Send a settled or approved claim back before it is listed."""
    view = queries.get_claim_for_review(web.session(), web.actor(), claim_id)
    form = RecallForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.recall(
                session,
                actor=web.actor(),
                now=web.now(),
                claim_id=claim_id,
                reason=form.reason.data,
            )
            return url_for("subsidies.review", claim_id=claim_id)

        done = web.submit(form, act)
        if done is not None:
            flash(f"{view.row.number} 已退回，申报单位会收到通知。", "success")
            return done
    return _page(view, ReviewForm.fresh(), _blank_claw_back(view), form)


@blueprint.route(
    "/subsidies/desk/<int:claim_id>/contracts/<int:contract_id>/files/<int:attachment_id>"
)
@web.permits(rules.SEE_DESK)
def contract_file(claim_id: int, contract_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send a file of one of the claim's contracts to its reviewer."""
    session = web.session()
    view = queries.get_claim_for_review(session, web.actor(), claim_id)
    facts = queries.facts_of(session, view.calculation)
    if contract_id not in {fact.contract_id for fact in facts.values()}:
        raise NotFound()
    found, content = attachments.content(
        session,
        subject=f"contract:{contract_id}",
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    return web.send_attachment(found, content)


def _blank_claw_back(view: ClaimView) -> ClawBackForm:
    today = local_date(web.now())
    return ClawBackForm.fresh(
        amount=view.payment.amount_fen if view.payment else None,
        due_on=today + timedelta(days=value_on("claw_back_days", today)),
    )


def _page(
    view: ClaimView,
    form: ReviewForm,
    claw_form: ClawBackForm,
    recall_form: RecallForm | None = None,
    *,
    unmask: web.UnmaskForm | None = None,
    whole: bool = False,
) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    recall_form = recall_form or RecallForm.fresh()
    unmask = unmask or web.UnmaskForm.fresh()
    computed = queries.computed_now(session, view, now=web.now())
    facts = queries.facts_of(session, view.calculation)
    chosen = web.argument("contract")
    if chosen not in facts:
        chosen = next((p.contract_no for p in view.calculation.parts if p.counted), "")
    waiting = queries.awaited_ids(session, actor)
    place = waiting.index(view.id) if view.id in waiting else None
    page = render_template(
        "subsidies/review.html",
        claim=view,
        form=form,
        claw_form=claw_form,
        why=view.calculation,
        corrected=queries.correction_notes(view, computed),
        computed_fen=computed.claimable_fen if computed else 0,
        facts=facts,
        fact=facts.get(chosen),
        chosen=chosen,
        urls={
            number: url_for("subsidies.review", claim_id=view.id, contract=number, _anchor="doc")
            for number in facts
        },
        place=place,
        waiting=waiting,
        may_decide=place is not None,
        may_claw_back=permits(actor, rules.CLAW_BACK) and view.status is ClaimStatus.PAID,
        recall_form=recall_form,
        may_recall=permits(actor, rules.SEND_BACK)
        and view.status in RECALLABLE
        and view.payment is None,
        timeline=queries.timeline(
            session, view.id, with_names=True, panel_open=queries.must_be_blind(view, actor)
        ),
        expert=view.step is ReviewStep.EXPERT,
        unmask=unmask if permits(actor, rules.UNMASK) and not whole else None,
        whole=whole,
    )
    refused = form.errors or claw_form.errors or recall_form.errors or unmask.errors
    return page, 422 if refused else 200
