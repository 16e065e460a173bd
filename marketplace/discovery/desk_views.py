"""The match desk: a broker works through new pairs one after another."""

from __future__ import annotations

from datetime import timedelta

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.brokerage.proposal_rules import ProposalTo
from marketplace.discovery import desk_queries, desk_service
from marketplace.discovery.desk_forms import DismissForm, ProposeForm, SnoozeForm
from marketplace.discovery.desk_queries import Desk, DeskItem
from marketplace.discovery.desk_rules import WORK, DismissReason
from marketplace.discovery.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.clock import local_date
from marketplace.foundation.db import written_id
from marketplace.foundation.errors import NotFound

_SNOOZES = (1, 7, 30)


@blueprint.route("/matches/desk")
@web.permits(WORK)
def desk() -> ResponseReturnValue:
    """Show what waits for the broker and the pair that he opened, else the first."""
    found = desk_queries.desk(web.session(), web.actor(), now=web.now())
    wanted = written_id(web.argument("at", longest=12))
    item = _find(wanted)
    if item is None and found.entries:
        item = _find(found.entries[0].pair_id)
    return _page(found, item)


def _find(pair_id: int | None) -> DeskItem | None:
    """Read a pair; None where it has left the market meanwhile."""
    if pair_id is None:
        return None
    try:
        return desk_queries.item(web.session(), web.actor(), pair_id, now=web.now())
    except NotFound:
        return None


def _page(
    found: Desk,
    item: DeskItem | None,
    *,
    propose: ProposeForm | None = None,
    snooze: SnoozeForm | None = None,
    dismiss: DismissForm | None = None,
) -> ResponseReturnValue:
    """Draw the desk; a refused form stands where it was sent from."""
    forms = (
        propose or ProposeForm.fresh(words=item.draft if item else ""),
        snooze or SnoozeForm.fresh(),
        dismiss or DismissForm.fresh(),
    )
    numbers = [entry.pair_id for entry in found.entries]
    place = numbers.index(item.pair_id) if item and item.pair_id in numbers else None
    today = local_date(web.now())
    page = render_template(
        "discovery/desk.html",
        desk=found,
        item=item,
        place=place,
        previous_id=numbers[place - 1] if place else None,
        next_id=_after(numbers, place),
        propose_form=forms[0],
        snooze_form=forms[1],
        dismiss_form=forms[2],
        targets=list(ProposalTo),
        reasons=list(DismissReason),
        snoozes=[(days, today + timedelta(days=days)) for days in _SNOOZES],
    )
    return page, max(form.status() for form in forms)


def _after(numbers: list[int], place: int | None) -> int | None:
    following = 0 if place is None else place + 1
    return numbers[following] if following < len(numbers) else None


def _next_of(pair_id: int) -> str:
    """Return the address of the desk at the pair after this one, as the list stands now."""
    found = desk_queries.desk(web.session(), web.actor(), now=web.now())
    numbers = [entry.pair_id for entry in found.entries]
    place = numbers.index(pair_id) if pair_id in numbers else None
    return url_for("discovery.desk", at=_after(numbers, place))


def _again(
    pair_id: int,
    *,
    propose: ProposeForm | None = None,
    snooze: SnoozeForm | None = None,
    dismiss: DismissForm | None = None,
) -> ResponseReturnValue:
    """Show a refused form at its pair; where that has left the market, lead on."""
    item = _find(pair_id)
    if item is None:
        flash("这一对已不在市场上，没有办理。", "warning")
        return redirect(url_for("discovery.desk"), 303)
    found = desk_queries.desk(web.session(), web.actor(), now=web.now())
    return _page(found, item, propose=propose, snooze=snooze, dismiss=dismiss)


@blueprint.route("/matches/desk/<int:pair_id>/propose", methods=["POST"])
@web.permits(WORK)
def propose_pair(pair_id: int) -> ResponseReturnValue:
    """Propose a pair to one or both sides and go on with the next."""
    form, following = ProposeForm.load(), _next_of(pair_id)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            desk_service.propose(
                session,
                actor=web.actor(),
                now=web.now(),
                pair_id=pair_id,
                to=form.to.data,
                words=str(form.words.data),
            )
            return following

        done = web.submit(form, use_case)
        if done is not None:
            flash("已送出，对方会在待办里看到；答复会发到您的消息。", "success")
            return done
    return _again(pair_id, propose=form)


@blueprint.route("/matches/desk/<int:pair_id>/snooze", methods=["POST"])
@web.permits(WORK)
def snooze_pair(pair_id: int) -> ResponseReturnValue:
    """Let a pair rest until a day and go on with the next."""
    form, following = SnoozeForm.load(), _next_of(pair_id)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            desk_service.snooze(
                session,
                actor=web.actor(),
                now=web.now(),
                pair_id=pair_id,
                until=form.until.data,
            )
            return following

        done = web.submit(form, use_case)
        if done is not None:
            flash(f"已推迟到 {form.until.data}。", "success")
            return done
    return _again(pair_id, snooze=form)


@blueprint.route("/matches/desk/<int:pair_id>/dismiss", methods=["POST"])
@web.permits(WORK)
def dismiss_pair(pair_id: int) -> ResponseReturnValue:
    """Lay a pair aside with its reason and go on with the next."""
    form, following = DismissForm.load(), _next_of(pair_id)
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            desk_service.dismiss(
                session,
                actor=web.actor(),
                now=web.now(),
                pair_id=pair_id,
                reason=form.reason.data,
                words=str(form.words.data or ""),
            )
            return following

        done = web.submit(form, use_case)
        if done is not None:
            flash("已记下，资料不变就不再出现。", "success")
            return done
    return _again(pair_id, dismiss=form)


@blueprint.route("/matches/desk/aside")
@web.permits(WORK)
def laid_aside() -> ResponseReturnValue:
    """List what the broker let rest or dismissed, each to be taken back."""
    return render_template(
        "discovery/desk_aside.html",
        aside=desk_queries.laid_aside(web.session(), web.actor()),
    )


@blueprint.route("/matches/desk/<int:pair_id>/take-back", methods=["POST"])
@web.permits(WORK)
def take_back(pair_id: int) -> ResponseReturnValue:
    """Put a pair back on the desk."""

    def use_case(session: Session) -> str:
        desk_service.take_back(session, actor=web.actor(), now=web.now(), pair_id=pair_id)
        flash("已放回撮合台。", "success")
        return url_for("discovery.laid_aside")

    return web.act(use_case, back=url_for("discovery.laid_aside"))
