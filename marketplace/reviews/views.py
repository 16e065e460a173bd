"""Pages of yearly reviews: public results, one review, the desk, the report as PDF."""

from __future__ import annotations

from flask import Blueprint, flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import pdf, web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.clock import local_date
from marketplace.reviews import parameters, queries, rules, service
from marketplace.reviews.forms import (
    AppealDecisionForm,
    AppealForm,
    ConfirmForm,
    GradeForm,
    OpenForm,
)
from marketplace.reviews.queries import ReviewView
from marketplace.reviews.rules import Grade, ReviewState

blueprint = Blueprint("reviews", __name__, template_folder="templates")


@blueprint.route("/agencies/reviews")
@web.permits(PUBLIC)
def index() -> ResponseReturnValue:
    """Show the results of a year, and the agency's own reviews to it."""
    session, actor = web.session(), web.actor()
    known = queries.years(session)
    asked = web.argument("year", longest=4)
    chosen = [each for each in known if str(each) == asked] or known
    year = chosen[0] if chosen else None
    return render_template(
        "reviews/index.html",
        years=known,
        year=year,
        reviews=queries.published(session, year) if year else [],
        own=queries.own(session, actor) if permits(actor, rules.SUPPLEMENT) else [],
        rule=parameters.rule_on(local_date(web.now())),
        awards=parameters.awards(),
        may_conduct=permits(actor, rules.CONDUCT),
    )


@blueprint.route("/agencies/reviews/<int:review_id>")
@web.permits(PUBLIC)
def review(review_id: int) -> ResponseReturnValue:
    """Show one review with what its reader may do."""
    return _page(queries.get_review(web.session(), web.actor(), review_id))


@blueprint.route("/agencies/reviews/<int:review_id>/report.pdf")
@web.permits(PUBLIC)
def report(review_id: int) -> ResponseReturnValue:
    """Send the review as PDF; the records behind the figures only to who takes part."""
    view = queries.get_review(web.session(), web.actor(), review_id)
    made = pdf.render(
        "reviews/report_pdf.html",
        {
            "review": view,
            "whole": queries.takes_part(web.actor(), view),
            "grade_before": queries.grade_before(web.session(), view.organisation_id, view.year),
        },
    )
    return web.send_pdf(made, f"年度评价 {view.year} {view.organisation_name}")


@blueprint.route("/agencies/reviews/<int:review_id>/confirm", methods=["POST"])
@web.permits(rules.SUPPLEMENT)
def confirm(review_id: int) -> ResponseReturnValue:
    """Take the agency's confirmation."""
    view = _own(review_id)
    form = ConfirmForm.load(version=view.version)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.confirm(
                session,
                actor=web.actor(),
                now=web.now(),
                review_id=review_id,
                statement=str(form.statement.data or ""),
                version=form.version_number,
            )
            return url_for("reviews.review", review_id=review_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("已确认。评定结果公布后会通知您。", "success")
            return done
    return _page(view, confirm_form=form)


@blueprint.route("/agencies/reviews/<int:review_id>/appeal", methods=["POST"])
@web.permits(rules.SUPPLEMENT)
def appeal(review_id: int) -> ResponseReturnValue:
    """Take the agency's appeal."""
    view = _own(review_id)
    form = AppealForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.appeal(
                session,
                actor=web.actor(),
                now=web.now(),
                review_id=review_id,
                words=str(form.words.data),
            )
            return url_for("reviews.review", review_id=review_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("申诉已提交，处理期间评价结果不生效。", "success")
            return done
    return _page(view, appeal_form=form)


@blueprint.route("/desk/agency-reviews", methods=["GET", "POST"])
@web.permits(rules.CONDUCT)
def desk() -> ResponseReturnValue:
    """List the reviews of a year for who conducts them, and open a year."""
    last = local_date(web.now()).year - 1
    form = OpenForm.load(year=last)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            opened = service.open_reviews(
                session, actor=web.actor(), now=web.now(), year=form.year.data
            )
            flash(f"新开 {len(opened)} 家机构的评价，已通知机构补充确认。", "success")
            return url_for("reviews.desk", year=form.year.data)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    asked = web.argument("year", longest=4)
    year = int(asked) if asked.isdecimal() else last
    page = render_template(
        "reviews/desk.html",
        form=form,
        year=year,
        reviews=queries.desk(web.session(), web.actor(), year),
    )
    return page, form.status()


@blueprint.route("/desk/agency-reviews/<int:review_id>/recompute", methods=["POST"])
@web.permits(rules.CONDUCT)
def recompute(review_id: int) -> ResponseReturnValue:
    """Compute the figures of a review anew."""
    back = url_for("reviews.review", review_id=review_id)

    def use_case(session: Session) -> str:
        service.recompute(session, actor=web.actor(), now=web.now(), review_id=review_id)
        return back

    return web.act(use_case, back=back)


@blueprint.route("/desk/agency-reviews/<int:review_id>/grade", methods=["POST"])
@web.permits(rules.CONDUCT)
def decide(review_id: int) -> ResponseReturnValue:
    """Take the grade of a year and publish it."""
    form = GradeForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.decide(
                session,
                actor=web.actor(),
                now=web.now(),
                review_id=review_id,
                grade=form.grade.data,
                reason=str(form.reason.data or ""),
            )
            return url_for("reviews.review", review_id=review_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    view = queries.get_review(web.session(), web.actor(), review_id)
    return _page(view, grade_form=form)


@blueprint.route("/desk/agency-reviews/<int:review_id>/appeal", methods=["POST"])
@web.permits(rules.CONDUCT)
def decide_appeal(review_id: int) -> ResponseReturnValue:
    """Take the decision on an appeal."""
    form = AppealDecisionForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.decide_appeal(
                session,
                actor=web.actor(),
                now=web.now(),
                review_id=review_id,
                grade=form.grade.data,
                reason=str(form.reason.data),
            )
            return url_for("reviews.review", review_id=review_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    view = queries.get_review(web.session(), web.actor(), review_id)
    return _page(view, appeal_decision_form=form)


def _own(review_id: int) -> ReviewView:
    """Return a review of the reader's own agency; of another's strangers are told nothing."""
    view = queries.get_review(web.session(), web.actor(), review_id)
    rules.check_party(web.actor(), view.organisation_id)
    return view


def _page(
    view: ReviewView,
    *,
    confirm_form: ConfirmForm | None = None,
    appeal_form: AppealForm | None = None,
    grade_form: GradeForm | None = None,
    appeal_decision_form: AppealDecisionForm | None = None,
) -> ResponseReturnValue:
    session, actor, today = web.session(), web.actor(), local_date(web.now())
    own = permits(actor, rules.SUPPLEMENT) and actor.organisation_id == view.organisation_id
    conducts = permits(actor, rules.CONDUCT)
    forms = {
        "confirm_form": confirm_form or ConfirmForm.fresh(version=view.version),
        "appeal_form": appeal_form or AppealForm.fresh(),
        "grade_form": grade_form or GradeForm.fresh(grade=view.proposed),
        "appeal_decision_form": appeal_decision_form or AppealDecisionForm.fresh(grade=view.grade),
    }
    undecided = view.state in (ReviewState.OPEN, ReviewState.CONFIRMED)
    page = render_template(
        "reviews/review.html",
        review=view,
        whole=queries.takes_part(actor, view),
        linked=queries.opens_contracts(actor, view),
        may_confirm=own and view.state is ReviewState.OPEN,
        may_appeal=own
        and view.state is ReviewState.PUBLISHED
        and view.appeal_by is not None
        and today <= view.appeal_by,
        may_decide=conducts
        and undecided
        and (view.state is ReviewState.CONFIRMED or today > view.confirm_by),
        may_recompute=conducts and undecided,
        may_decide_appeal=conducts and view.state is ReviewState.APPEALED,
        grade_before=queries.grade_before(session, view.organisation_id, view.year),
        unfit=Grade.UNFIT,
        **forms,
    )
    return page, max(form.status() for form in forms.values())
