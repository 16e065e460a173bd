"""The seller's and the operator's desks: apply, correct, accept, announce, qualify, settle."""

from __future__ import annotations

from collections.abc import Callable

from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.achievements import queries as achievements
from marketplace.achievements.queries import OwnedFilter
from marketplace.achievements.rules import AchievementState
from marketplace.assessments import queries as assessments
from marketplace.foundation import audit, web
from marketplace.foundation.access import permits
from marketplace.listings import notice_queries, queries, rules, service
from marketplace.listings.bidding_forms import TerminateForm
from marketplace.listings.forms import AnnounceForm, ListingForm, PriceForm, ReasonForm
from marketplace.listings.rules import IntentState, ListingState, PricingMode
from marketplace.listings.views import achievement_for, blueprint

_ACTIONS = {
    "apply": "提交挂牌申请",
    "correct": "修改申请",
    "return": "退回补正",
    "accept": "受理",
    "announce": "发布公告",
    "ask_holders": "征询优先受让权",
    "answer_priority": "优先受让权答复",
    "check_rights": "核对知识产权法律状态",
    "revise": "变更公告",
    "hand_over": "交拍卖企业或招标代理机构组织",
    "begin_trial": "开始试用",
    "end_trial": "试用结束",
    "end_announcement": "公告期满",
    "extend": "无合格意向方，公告延期",
    "schedule_bidding": "安排竞价",
    "open_bidding": "竞价开始",
    "choose_bidding": "选定竞价方式",
    "close_bidding": "报价截止",
    "decide_bidding": "竞价结束",
    "void_bidding": "本场竞价作废",
    "conclude": "确定受让方和价格，开始公示",
    "award": "公示通过，待签约",
    "sign": "签约，合同已登记",
    "withdraw": "撤牌",
    "fail": "交易终结",
}


@blueprint.route("/my/listings")
@web.permits(rules.SEE_OWN)
def own() -> ResponseReturnValue:
    """List the listings of the actor's organisation."""
    page = queries.own(web.session(), web.actor(), after=web.argument("after") or None)
    return render_template(
        "listings/own.html", page=page, applies=permits(web.actor(), rules.APPLY)
    )


@blueprint.route("/my/listings/apply")
@web.permits(rules.APPLY)
def choose() -> ResponseReturnValue:
    """Choose the achievement to list among the published ones."""
    page = achievements.owned_by(
        web.session(),
        web.actor(),
        chosen=OwnedFilter(state=AchievementState.PUBLISHED),
        after=web.argument("after") or None,
    )
    return render_template("listings/choose.html", page=page)


@blueprint.route("/my/listings/apply/<int:achievement_id>", methods=["GET", "POST"])
@web.permits(rules.APPLY)
def apply(achievement_id: int) -> ResponseReturnValue:
    """Take the application to list one achievement."""
    achievement = achievements.get_own(web.session(), web.actor(), achievement_id)
    form = ListingForm.load(
        title=achievement.content.title,
        trading_mode=achievement.content.modes[0] if achievement.content.modes else None,
        base_price_fen=achievement.content.price_fen,
    )
    if form.validate_on_post():

        def act(session: Session) -> str:
            listing_id = service.apply(
                session,
                actor=web.actor(),
                now=web.now(),
                achievement_id=achievement_id,
                content=form.content(),
            )
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "listings/apply.html",
        achievement=achievement,
        valuation=assessments.latest_valuation(web.session(), achievement_id),
        form=form,
        listing=None,
    )
    return page, form.status()


@blueprint.route("/my/listings/<int:listing_id>/edit", methods=["GET", "POST"])
@web.permits(rules.APPLY)
def edit(listing_id: int) -> ResponseReturnValue:
    """Correct an application that is not accepted yet."""
    listing = queries.get_for(web.session(), web.actor(), listing_id)
    form = ListingForm.load(
        version=listing.version,
        title=listing.title,
        pricing_mode=listing.pricing_mode,
        trading_mode=listing.trading_mode,
        base_price_fen=listing.base_price_fen,
        increment_fen=listing.increment_fen or None,
        deposit_fen=listing.deposit_fen or None,
        payment_mode=listing.payment_mode,
        payment_terms=listing.payment_terms,
        conditions=listing.conditions,
        agent_name=listing.agent_name,
        agent_licence=listing.agent_licence,
        **notice_queries.trial_fields(web.session(), listing_id),
    )
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.correct(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                content=form.content(),
                version=form.version_number,
            )
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "listings/apply.html",
        achievement=achievement_for(listing.achievement_id),
        valuation=assessments.latest_valuation(web.session(), listing.achievement_id),
        form=form,
        listing=listing,
    )
    return page, form.status()


@blueprint.route("/listings/desk")
@web.permits(rules.OPERATE)
def desk() -> ResponseReturnValue:
    """Show the operator the listings by what is to be done."""
    session = web.session()
    chosen = web.argument("tab") if web.argument("tab") in queries.DESK else "applied"
    counts = queries.desk_counts(session)
    tabs = [
        (label, url_for("listings.desk", tab=key), key == chosen, counts[key])
        for key, (label, _states) in queries.DESK.items()
    ]
    page = queries.desk(session, chosen, after=web.argument("after") or None)
    return render_template("listings/desk.html", page=page, tabs=tabs, chosen=chosen)


@blueprint.route("/listings/<int:listing_id>/manage")
@web.permits(rules.SEE_OWN_OR_OPERATE)
def manage(listing_id: int) -> ResponseReturnValue:
    """Show a listing with its intents, acts and history to its seller and the operator."""
    return _manage(listing_id)


@blueprint.route("/listings/<int:listing_id>/accept", methods=["POST"])
@web.permits(rules.OPERATE)
def accept(listing_id: int) -> ResponseReturnValue:
    """Accept an application."""
    return _act(
        listing_id,
        lambda session: service.accept(
            session, actor=web.actor(), now=web.now(), listing_id=listing_id
        ),
    )


@blueprint.route("/listings/<int:listing_id>/announce", methods=["POST"])
@web.permits(rules.OPERATE)
def announce(listing_id: int) -> ResponseReturnValue:
    """Announce an accepted listing."""
    form = AnnounceForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.announce(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                workdays=form.workdays.data,
            )
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return _manage(listing_id, announce=form)


@blueprint.route("/listings/<int:listing_id>/close-qualification", methods=["POST"])
@web.permits(rules.OPERATE)
def close_qualification(listing_id: int) -> ResponseReturnValue:
    """End the qualification before its term."""
    return _act(
        listing_id,
        lambda session: service.close_qualification(
            session, actor=web.actor(), now=web.now(), listing_id=listing_id
        ),
    )


@blueprint.route("/listings/intents/<int:intent_id>/agree", methods=["GET", "POST"])
@web.permits(rules.APPLY)
def agree_price(intent_id: int) -> ResponseReturnValue:
    """Note the price agreed with a qualified buyer; it goes before the public at once."""
    intent = queries.get_intent(web.session(), web.actor(), intent_id)
    listing = queries.get_for(web.session(), web.actor(), intent.listing_id)
    form = PriceForm.load(price_fen=intent.offer_fen)
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.agree_price(
                session,
                actor=web.actor(),
                now=web.now(),
                intent_id=intent_id,
                price_fen=form.price_fen.data,
            )
            return url_for("listings.manage", listing_id=listing.id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template("listings/agree.html", listing=listing, intent=intent, form=form)
    return page, form.status()


@blueprint.route("/listings/<int:listing_id>/return", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
def return_application(listing_id: int) -> ResponseReturnValue:
    """Send an application back with what is to be corrected."""
    return with_reason(
        listing_id,
        title="退回补正",
        text="转让方会看到原因，修改后可以重新提交。",
        button="退回申请",
        use_case=lambda session, reason: service.return_(
            session, actor=web.actor(), now=web.now(), listing_id=listing_id, reason=reason
        ),
    )


@blueprint.route("/listings/<int:listing_id>/withdraw", methods=["GET", "POST"])
@web.permits(rules.APPLY)
def withdraw(listing_id: int) -> ResponseReturnValue:
    """Take a listing back with its reason."""
    return with_reason(
        listing_id,
        title="撤牌",
        text="撤牌后不能恢复，已交的保证金无息退还，成果回到“已发布”。原因会通知意向方。",
        button="撤牌",
        use_case=lambda session, reason: service.withdraw(
            session, actor=web.actor(), now=web.now(), listing_id=listing_id, reason=reason
        ),
    )


@blueprint.route("/listings/<int:listing_id>/terminate", methods=["GET", "POST"])
@web.permits(rules.OPERATE)
def terminate(listing_id: int) -> ResponseReturnValue:
    """End an awarded listing that nobody signed; the deposit is forfeited by the one at fault."""
    listing = queries.get_for(web.session(), web.actor(), listing_id)
    form = TerminateForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.terminate(
                session,
                actor=web.actor(),
                now=web.now(),
                listing_id=listing_id,
                reason=form.reason.data,
                forfeits=bool(form.forfeits.data),
            )
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "listings/reason.html",
        listing=listing,
        title="终止交易",
        text="双方没有签约时使用。项目转为“未成交”，成果可以重新挂牌。",
        button="终止交易",
        form=form,
    )
    return page, form.status()


def _act(listing_id: int, use_case: Callable[[Session], None]) -> ResponseReturnValue:
    page = url_for("listings.manage", listing_id=listing_id)

    def act(session: Session) -> str:
        use_case(session)
        return page

    return web.act(act, back=page)


def with_reason(
    listing_id: int,
    *,
    title: str,
    text: str,
    button: str,
    use_case: Callable[[Session, str], None],
) -> ResponseReturnValue:
    """Take an act that needs a reason."""
    listing = queries.get_for(web.session(), web.actor(), listing_id)
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            use_case(session, form.reason.data)
            return url_for("listings.manage", listing_id=listing_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "listings/reason.html", listing=listing, title=title, text=text, button=button, form=form
    )
    return page, form.status()


def _manage(listing_id: int, announce: AnnounceForm | None = None) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    listing = queries.get_for(session, actor, listing_id)
    found = queries.intents(session, listing_id)
    owns = listing.organisation_id == actor.organisation_id and permits(actor, rules.APPLY)
    open_states = (ListingState.ANNOUNCED, ListingState.QUALIFYING, ListingState.NEGOTIATING)
    undecided = any(i.state in (IntentState.REGISTERED, IntentState.ADMITTED) for i in found)
    page = render_template(
        "listings/manage.html",
        listing=listing,
        achievement=achievement_for(listing.achievement_id),
        valuation=assessments.latest_valuation(session, listing.achievement_id),
        intents=found,
        operates=permits(actor, rules.OPERATE),
        owns=owns,
        may_withdraw=owns and ListingState.WITHDRAWN in rules.reachable(listing.state),
        may_choose_bidding=owns
        and listing.pricing_mode is not PricingMode.NEGOTIATED
        and listing.state in rules.UNPUBLISHED,
        may_bar=listing.state in (*open_states, ListingState.BIDDING),
        may_edit=owns and listing.state in rules.EDITABLE,
        may_qualify=listing.state in open_states,
        may_close=listing.state is ListingState.QUALIFYING and not undecided,
        may_agree=owns
        and listing.pricing_mode is PricingMode.NEGOTIATED
        and listing.state in open_states,
        public=listing.state in rules.PUBLIC_STATES,
        history=[
            (_ACTIONS.get(entry.action.removeprefix("listings."), entry.action), entry)
            for entry in reversed(audit.history(session, f"listing:{listing_id}"))
        ],
        form=announce or AnnounceForm.fresh(),
        versions=notice_queries.versions(session, listing_id),
        priorities=notice_queries.priorities(session, listing_id),
        checks=notice_queries.checks(session, listing_id),
        trial=notice_queries.trial_of(session, listing_id),
    )
    return page, announce.status() if announce else 200
