"""An applicant's pages: what can be claimed, a claim being confirmed, its history."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import attachments, web
from marketplace.foundation.access import SIGNED_IN, permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.subsidies import queries, rules, service
from marketplace.subsidies.desk_queries import ClaimView
from marketplace.subsidies.forms import ApplicationForm
from marketplace.subsidies.rules import ClaimStatus
from marketplace.subsidies.service import Payee
from marketplace.subsidies.views import blueprint
from marketplace.subsidies.word_rules import Item

_EDITABLE = (ClaimStatus.ESTIMATED, ClaimStatus.RETURNED)


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
    begun = {(row.round_id, row.item): row for row in claims if row.status in _EDITABLE}
    return render_template(
        "subsidies/mine.html",
        rounds=rounds,
        claims=claims,
        years=[(year, queries.claimable(session, organisation_id, year)) for year in years],
        begun=begun,
        today=local_date(web.now()),
    )


@blueprint.route("/subsidies/rounds/<int:round_id>/<item>", methods=["POST"])
@web.permits(rules.CLAIM)
def prepare(round_id: int, item: str) -> ResponseReturnValue:
    """Make a claim from the registered facts and lead to it."""
    wanted = next((known for known in Item if known.value == item), None)
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
    computed = queries.computed_now(web.session(), view)
    form = ApplicationForm.load(
        confirmed=str(computed.claimable_fen) if computed else "0",
        contact_name=view.contact_name or view.organisation.contact_name,
        contact_phone=view.contact_phone or view.organisation.contact_phone,
        bank_name=view.bank_name,
        bank_account=view.bank_account,
        statement=view.statement,
    )
    return _page(view, form)


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
                payee=Payee(
                    contact_name=form.contact_name.data,
                    contact_phone=form.contact_phone.data,
                    bank_name=form.bank_name.data,
                    bank_account=form.bank_account.data,
                    statement=form.statement.data,
                ),
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


def _page(view: ClaimView, form: ApplicationForm) -> ResponseReturnValue:
    session = web.session()
    editable = view.status in _EDITABLE
    recomputed = queries.computed_now(session, view)
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
        corrected=() if editable else queries.correction_notes(view, recomputed),
        computed=computed,
        why=computed.explanation if computed else view.calculation,
        amount_fen=computed.claimable_fen if computed else view.row.amount_fen,
        timeline=queries.timeline(session, view.id, with_names=False),
        today=local_date(web.now()),
    )
    return page, form.status()
