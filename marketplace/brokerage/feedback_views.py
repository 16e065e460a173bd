"""Pages of answers owed and given, and of a month's lost deals."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.brokerage import feedback_queries, feedback_rules, rules
from marketplace.brokerage.parameters import reminder_terms_on
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound


@blueprint.route("/deals/answers")
@web.permits(rules.READ)
def answers() -> ResponseReturnValue:
    """Show what waits for an answer and how organisations answer; the operator sees all."""
    session, actor = web.session(), web.actor()
    everybody = permits(actor, feedback_rules.WATCH_ANSWERS)
    own = [actor.organisation_id] if actor.organisation_id is not None else []
    return render_template(
        "brokerage/answers.html",
        owed=feedback_queries.owed_answers(session, actor),
        times=feedback_queries.answer_times(
            session, now=web.now(), organisation_ids=None if everybody else own
        ),
        everybody=everybody,
        terms=reminder_terms_on(local_date(web.now())),
    )


@blueprint.route("/deals/lessons/<month>")
@web.permits(rules.LEARN)
def lessons_of_month(month: str) -> ResponseReturnValue:
    """Show a university what its lost deals of a month said, with what to do about it."""
    first = feedback_rules.read_month(month)
    if first is None or first > local_date(web.now()):
        raise NotFound()
    digest = feedback_queries.month_digest(web.session(), web.actor().organisation_id or 0, first)
    return render_template("brokerage/lessons_month.html", digest=digest)
