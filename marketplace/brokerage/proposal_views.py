"""Pages of proposals: what a broker has proposed, what an organisation is asked, and its answer."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage import proposal_queries, service
from marketplace.brokerage.proposal_forms import ProposalAnswerForm
from marketplace.brokerage.proposal_rules import ANSWER_PROPOSAL, READ_PROPOSALS
from marketplace.brokerage.views import blueprint, next_page
from marketplace.foundation import web


@blueprint.route("/deals/proposals")
@web.permits(READ_PROPOSALS)
def proposals() -> ResponseReturnValue:
    """List the proposals that the actor made or is asked about."""
    page = proposal_queries.list_proposals(
        web.session(),
        web.actor(),
        now=web.now(),
        after=web.argument("after", longest=800) or None,
    )
    return render_template(
        "brokerage/proposals.html",
        page=page,
        next_url=next_page(page.next_token, "brokerage.proposals"),
    )


@blueprint.route("/deals/proposals/<int:proposal_id>")
@web.permits(READ_PROPOSALS)
def proposal(proposal_id: int) -> ResponseReturnValue:
    """Show a proposal to who made it or is asked."""
    return _page(proposal_id, ProposalAnswerForm.fresh())


def _page(proposal_id: int, form: ProposalAnswerForm) -> ResponseReturnValue:
    view = proposal_queries.get_proposal(web.session(), web.actor(), proposal_id, now=web.now())
    return render_template("brokerage/proposal.html", proposal=view, form=form), form.status()


@blueprint.route("/deals/proposals/<int:proposal_id>", methods=["POST"])
@web.permits(ANSWER_PROPOSAL)
def answer_proposal(proposal_id: int) -> ResponseReturnValue:
    """Answer a proposal for one's organisation."""
    form = ProposalAnswerForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            deal_id = service.answer_proposal(
                session,
                actor=web.actor(),
                now=web.now(),
                proposal_id=proposal_id,
                accepted=form.decision.data == "yes",
                words=str(form.words.data or ""),
            )
            if deal_id is not None:
                return url_for("brokerage.show", deal_id=deal_id)
            return url_for("brokerage.proposal", proposal_id=proposal_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("已答复，经理人会收到消息。", "success")
            return done
    return _page(proposal_id, form)
