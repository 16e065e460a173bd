"""The operator judges buyers: the checklist, rejection, barring."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.listings import queries, rules, service
from marketplace.listings.bidding_forms import AdmissionForm
from marketplace.listings.desk_views import with_reason
from marketplace.listings.qualification_queries import signs_of_relation
from marketplace.listings.qualification_rules import CheckItem
from marketplace.listings.views import blueprint


@blueprint.route("/listings/intents/<int:intent_id>/admit", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
def admit_intent(intent_id: int) -> ResponseReturnValue:
    """Go through a buyer's checklist and find it eligible."""
    intent = queries.get_intent(web.session(), web.actor(), intent_id)
    form = AdmissionForm.load(related=intent.related_party)
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.admit_intent(
                session,
                actor=web.actor(),
                now=web.now(),
                intent_id=intent_id,
                ticked=[CheckItem(item) for item in form.ticked.data or ()],
                related=bool(form.related.data),
                note=form.note.data,
            )
            return url_for("listings.manage", listing_id=intent.listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "listings/admit.html",
        intent=intent,
        listing=queries.get_for(web.session(), web.actor(), intent.listing_id),
        signs=signs_of_relation(web.session(), intent.listing_id, intent.organisation_id),
        form=form,
    )
    return page, form.status()


@blueprint.route("/listings/intents/<int:intent_id>/reject", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
def reject_intent(intent_id: int) -> ResponseReturnValue:
    """Find a buyer not eligible, with the reason."""
    intent = queries.get_intent(web.session(), web.actor(), intent_id)
    return with_reason(
        intent.listing_id,
        title=f"不予确认资格：{intent.buyer_name}",
        text="意向方会看到原因；已交的保证金无息退还。",
        button="不予确认",
        use_case=lambda session, reason: service.reject_intent(
            session, actor=web.actor(), now=web.now(), intent_id=intent_id, reason=reason
        ),
    )


@blueprint.route("/listings/intents/<int:intent_id>/bar", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
def bar_intent(intent_id: int) -> ResponseReturnValue:
    """Take the right to bid from a qualified buyer, with the reason."""
    intent = queries.get_intent(web.session(), web.actor(), intent_id)
    return with_reason(
        intent.listing_id,
        title=f"取消竞价资格：{intent.buyer_name}",
        text="用于资格确认后才发现的关联关系等。竞价开始前可以办理；意向方会看到原因，保证金无息退还。",
        button="取消竞价资格",
        use_case=lambda session, reason: service.bar_intent(
            session, actor=web.actor(), now=web.now(), intent_id=intent_id, reason=reason
        ),
    )
