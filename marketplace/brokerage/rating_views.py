"""Pages of ratings: what a party may rate, the operator's look at words, the broker's answer."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import rating_queries, rating_rules, service
from marketplace.brokerage.rating_forms import RatingAnswerForm, RatingForm, WordsDecisionForm
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web


@blueprint.route("/brokers/ratings")
@web.permits(rating_rules.RATE)
def ratings() -> ResponseReturnValue:
    """Show a party whom it may rate and what it has rated."""
    return render_template(
        "brokerage/ratings.html",
        open=rating_queries.ratables(web.session(), web.actor(), now=web.now()),
        done=rating_queries.ratings_by(web.session(), web.actor()),
    )


@blueprint.route("/brokers/ratings/<int:deal_id>", methods=["GET", "POST"])
@web.permits(rating_rules.RATE)
def rate(deal_id: int) -> ResponseReturnValue:
    """Take a party's rating of the broker who carried its contract."""
    form = RatingForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.rate_broker(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                scores=form.scores(),
                words=str(form.words.data or ""),
                consented=bool(form.consented.data),
            )
            return url_for("brokerage.ratings")

        done = web.submit(form, use_case)
        if done is not None:
            flash("评价已提交，谢谢。", "success")
            return done
    view = rating_queries.get_ratable(web.session(), web.actor(), deal_id, now=web.now())
    return render_template("brokerage/rate.html", form=form, ratable=view), form.status()


@blueprint.route("/brokers/ratings/<int:rating_id>/answer", methods=["GET", "POST"])
@web.permits(rating_rules.ANSWER_RATING)
def answer_rating(rating_id: int) -> ResponseReturnValue:
    """Take the broker's answer to words that the public reads."""
    form = RatingAnswerForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            user_id = service.answer_rating(
                session,
                actor=web.actor(),
                now=web.now(),
                rating_id=rating_id,
                answer=str(form.answer.data),
            )
            return url_for("brokerage.broker", user_id=user_id, _anchor="ratings")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    view = rating_queries.get_own(web.session(), web.actor(), rating_id)
    return render_template("brokerage/rating_answer.html", form=form, rating=view), form.status()


@blueprint.route("/desk/ratings")
@web.permits(rating_rules.REVIEW_RATINGS)
def rating_desk() -> ResponseReturnValue:
    """List the words that wait for the operator."""
    return render_template(
        "brokerage/rating_desk.html",
        waiting=rating_queries.waiting_words(web.session(), web.actor()),
    )


@blueprint.route("/desk/ratings/<int:rating_id>", methods=["GET", "POST"])
@web.permits(rating_rules.REVIEW_RATINGS)
def rating_words(rating_id: int) -> ResponseReturnValue:
    """Show the words of a rating to the operator and take the decision."""
    form = WordsDecisionForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.decide_words(
                session,
                actor=web.actor(),
                now=web.now(),
                rating_id=rating_id,
                shown=form.decision.data == "show",
                reason=str(form.reason.data or ""),
            )
            return url_for("brokerage.rating_desk")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    view = rating_queries.get_waiting(web.session(), web.actor(), rating_id)
    return render_template("brokerage/rating_words.html", form=form, rating=view), form.status()
