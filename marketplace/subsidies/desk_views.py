"""The offices' pages: the desk, a claim under review, rounds and their publicity."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import attachments, web
from marketplace.foundation.access import permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.subsidies import queries, rules, service
from marketplace.subsidies.desk_queries import ClaimView, DeskFilter
from marketplace.subsidies.draft_rules import TRY_POLICIES
from marketplace.subsidies.forms import ClawBackForm, ReviewForm, RoundForm
from marketplace.subsidies.rules import ClaimStatus, ReviewStep, RoundTerms
from marketplace.subsidies.service import Verdict
from marketplace.subsidies.views import blueprint
from marketplace.subsidies.word_rules import Item
from marketplace.subsidies.year_rules import SEE_YEARS


@blueprint.route("/subsidies/desk")
@web.permits(rules.SEE_DESK)
def desk() -> ResponseReturnValue:
    """List the claims that wait for the reviewer, or all that they may see."""
    session, actor = web.session(), web.actor()
    item = next((i for i in Item if i.value == web.argument("item")), None)
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
        items=list(Item),
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
    return _page(view, ReviewForm.load(version=view.attempt), ClawBackForm.load())


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
    return _page(view, form, ClawBackForm.fresh())


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
                reason=form.reason.data,
                document=form.document.data,
                dishonest_until=form.dishonest_until.data,
            )
            return url_for("subsidies.review", claim_id=claim_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(view, ReviewForm.fresh(), form)


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


@blueprint.route("/subsidies/desk/rounds", methods=["GET", "POST"])
@web.permits(rules.OPEN_ROUND)
def rounds() -> ResponseReturnValue:
    """List the rounds and open a new one."""
    today = local_date(web.now())
    form = RoundForm.load(
        year=today.year,
        title=f"关于申报 {today.year} 年度技术转移转化补助的通知",
        opens_on=today,
    )
    if form.validate_on_post():

        def act(session: Session) -> str:
            round_id = service.open_round(
                session,
                actor=web.actor(),
                now=web.now(),
                terms=RoundTerms(
                    year=form.year.data,
                    title=form.title.data,
                    opens_on=form.opens_on.data,
                    closes_on=form.closes_on.data,
                    budget_fen=form.budget.data,
                ),
                body=form.body.data,
            )
            return url_for("subsidies.round_board", round_id=round_id)

        done = web.submit(form, act)
        if done is not None:
            flash("通知已发布，单位现在可以按受理时间申报。", "success")
            return done
    page = render_template(
        "subsidies/rounds.html", form=form, rounds=queries.list_rounds(web.session()), today=today
    )
    return page, form.status()


@blueprint.route("/subsidies/desk/rounds/<int:round_id>")
@web.permits(rules.OPEN_ROUND)
def round_board(round_id: int) -> ResponseReturnValue:
    """Show a round: its budget, its claims, and which can be put before the public."""
    session = web.session()
    return render_template(
        "subsidies/round_board.html",
        round=queries.get_round(session, round_id),
        claims=queries.claims_of_round(session, round_id),
        settling=ClaimStatus.SETTLING,
        today=local_date(web.now()),
    )


@blueprint.route("/subsidies/desk/rounds/<int:round_id>/publicity", methods=["POST"])
@web.permits(rules.OPEN_ROUND)
def publicise(round_id: int) -> ResponseReturnValue:
    """Put the round's settled claims before the public."""

    def act(session: Session) -> str:
        count = service.publicise(session, actor=web.actor(), now=web.now(), round_id=round_id)
        flash(f"{count} 件已开始公示，5 个工作日无异议即通过。", "success")
        return url_for("subsidies.round_board", round_id=round_id)

    return web.act(act, back=url_for("subsidies.round_board", round_id=round_id))


def _page(view: ClaimView, form: ReviewForm, claw_form: ClawBackForm) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    computed = queries.computed_now(session, view)
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
        timeline=queries.timeline(session, view.id, with_names=True),
        expert=view.step is ReviewStep.EXPERT,
    )
    return page, 422 if form.errors or claw_form.errors else 200
