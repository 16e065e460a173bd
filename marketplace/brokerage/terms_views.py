"""Acts on a deal's terms: introductions, confidentiality agreement, commission."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage import queries, rules, service, terms_rules
from marketplace.brokerage.forms import CommissionForm, RevokeForm, WaiverForm
from marketplace.brokerage.terms_rules import CommissionBasis, CommissionPayer, DueWhen
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.errors import NotFound


def _home(deal_id: int | None, anchor: str = "") -> str:
    if deal_id is None:
        return url_for("brokerage.index")
    return url_for("brokerage.show", deal_id=deal_id, _anchor=anchor or None)


@blueprint.route("/deals/<int:deal_id>/introduction", methods=["POST"])
@web.permits(terms_rules.INTRODUCE)
def introduce(deal_id: int) -> ResponseReturnValue:
    """Record an introduction with its time and digest."""

    def use_case(session: Session) -> str:
        service.introduce(session, actor=web.actor(), now=web.now(), deal_id=deal_id)
        flash("介绍已存证，双方会收到通知并请他们确认。", "success")
        return _home(deal_id, "introductions")

    return web.act(use_case, back=_home(deal_id, "introductions"))


@blueprint.route("/deals/introductions/<int:introduction_id>/acknowledge", methods=["POST"])
@web.permits(terms_rules.ACKNOWLEDGE)
def acknowledge(introduction_id: int) -> ResponseReturnValue:
    """Confirm that the broker made the introduction."""

    def use_case(session: Session) -> str:
        deal_id = service.acknowledge_introduction(
            session, actor=web.actor(), now=web.now(), introduction_id=introduction_id
        )
        return _home(deal_id, "introductions")

    return web.act(use_case, back=url_for("brokerage.index"))


@blueprint.route("/deals/<int:deal_id>/agreement", methods=["POST"])
@web.permits(terms_rules.OFFER_AGREEMENT)
def offer_agreement(deal_id: int) -> ResponseReturnValue:
    """Offer the buyer the confidentiality agreement."""

    def use_case(session: Session) -> str:
        service.offer_agreement(session, actor=web.actor(), now=web.now(), deal_id=deal_id)
        flash("保密协议已提供，等买方接受。", "success")
        return _home(deal_id, "agreement")

    return web.act(use_case, back=_home(deal_id, "agreement"))


@blueprint.route("/deals/agreements/<int:agreement_id>")
@web.permits(rules.READ)
def agreement(agreement_id: int) -> ResponseReturnValue:
    """Show an agreement's text to its two parties."""
    return _agreement_page(agreement_id, RevokeForm.fresh())


def _agreement_page(agreement_id: int, form: RevokeForm) -> ResponseReturnValue:
    view = queries.get_agreement(web.session(), web.actor(), agreement_id)
    actor = web.actor()
    parties = accounts.get_organisations(
        web.session(), (view.seller_organisation_id, view.buyer_organisation_id)
    )
    page = render_template(
        "brokerage/agreement.html",
        agreement=view,
        seller=parties[view.seller_organisation_id],
        buyer=parties[view.buyer_organisation_id],
        form=form,
        may_accept=actor.organisation_id == view.buyer_organisation_id
        and permits(actor, terms_rules.ACCEPT_AGREEMENT),
        may_revoke=actor.organisation_id == view.seller_organisation_id
        and permits(actor, terms_rules.OFFER_AGREEMENT),
    )
    return page, form.status()


@blueprint.route("/deals/agreements/<int:agreement_id>/accept", methods=["POST"])
@web.permits(terms_rules.ACCEPT_AGREEMENT)
def accept_agreement(agreement_id: int) -> ResponseReturnValue:
    """Accept the agreement for the buyer."""
    here = url_for("brokerage.agreement", agreement_id=agreement_id)

    def use_case(session: Session) -> str:
        service.accept_agreement(
            session, actor=web.actor(), now=web.now(), agreement_id=agreement_id
        )
        flash("协议已生效，现在可以看到成果的保密内容。", "success")
        return here

    return web.act(use_case, back=here)


@blueprint.route("/deals/agreements/<int:agreement_id>/revoke", methods=["POST"])
@web.permits(terms_rules.OFFER_AGREEMENT)
def revoke_agreement(agreement_id: int) -> ResponseReturnValue:
    """Close the confidential layer for the buyer again."""
    form = RevokeForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.revoke_agreement(
                session,
                actor=web.actor(),
                now=web.now(),
                agreement_id=agreement_id,
                reason=str(form.reason.data),
            )
            return url_for("brokerage.agreement", agreement_id=agreement_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _agreement_page(agreement_id, form)


@blueprint.route("/deals/<int:deal_id>/waiver", methods=["GET", "POST"])
@web.permits(rules.LEAD)
def waive_agreement(deal_id: int) -> ResponseReturnValue:
    """Note why the talks need no confidentiality agreement."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    if not deal.leads:
        raise NotFound()
    form = WaiverForm.load(waiver_reason=deal.agreement_waiver)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.waive_agreement(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                reason=str(form.waiver_reason.data),
            )
            return _home(deal_id, "agreement")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("brokerage/waiver.html", deal=deal, form=form), form.status()


@blueprint.route("/deals/<int:deal_id>/commission", methods=["GET", "POST"])
@web.permits(terms_rules.PROPOSE_COMMISSION)
def propose_commission(deal_id: int) -> ResponseReturnValue:
    """Propose a commission to one side."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    if not deal.has("broker"):
        raise NotFound()
    form = CommissionForm.load(
        payer=CommissionPayer.BUYER,
        basis=CommissionBasis.RATE,
        due_when=DueWhen.REGISTRATION,
    )
    form.offer_brokers(queries.broker_choices(web.session(), web.actor()))
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.propose_commission(
                session,
                actor=web.actor(),
                now=web.now(),
                deal_id=deal_id,
                payer=form.payer.data,
                terms=form.terms(),
                partners=form.shares(),
            )
            return _home(deal_id, "commission")

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return render_template("brokerage/commission.html", deal=deal, form=form), form.status()


@blueprint.route("/deals/commissions/<int:commission_id>/confirm", methods=["POST"])
@web.permits(terms_rules.CONFIRM_COMMISSION)
def confirm_commission(commission_id: int) -> ResponseReturnValue:
    """Confirm a proposed commission for the paying side."""

    def use_case(session: Session) -> str:
        deal_id = service.confirm_commission(
            session, actor=web.actor(), now=web.now(), commission_id=commission_id
        )
        return _home(deal_id, "commission")

    return web.act(use_case, back=url_for("brokerage.index"))


@blueprint.route("/deals/commissions/<int:commission_id>/decline", methods=["POST"])
@web.permits(terms_rules.CONFIRM_COMMISSION)
def decline_commission(commission_id: int) -> ResponseReturnValue:
    """Decline a proposed commission for the paying side."""

    def use_case(session: Session) -> str:
        deal_id = service.decline_commission(
            session, actor=web.actor(), now=web.now(), commission_id=commission_id
        )
        return _home(deal_id, "commission")

    return web.act(use_case, back=url_for("brokerage.index"))


@blueprint.route("/deals/commissions/<int:commission_id>/received", methods=["POST"])
@web.permits(terms_rules.RECEIVE_COMMISSION)
def receive_commission(commission_id: int) -> ResponseReturnValue:
    """Note that a due commission has arrived."""

    def use_case(session: Session) -> str:
        deal_id = service.receive_commission(
            session, actor=web.actor(), now=web.now(), commission_id=commission_id
        )
        return _home(deal_id, "commission")

    return web.act(use_case, back=url_for("brokerage.index"))
