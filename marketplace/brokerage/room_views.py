"""Pages of the data room: the owner's files, links and record; the buyer's files."""

from __future__ import annotations

from importlib import import_module

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.brokerage import queries, room_queries, room_rules, rules, service
from marketplace.brokerage.queries import DealView
from marketplace.brokerage.room_forms import RoomCloseForm, RoomFilesForm, RoomLinkForm
from marketplace.brokerage.room_rules import FileReach
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import LOCAL, local_date
from marketplace.foundation.errors import NotFound


@blueprint.route("/deals/<int:deal_id>/room")
@web.permits(rules.READ)
def room(deal_id: int) -> ResponseReturnValue:
    """Show the data room of a deal to its owner and to the buyer."""
    return _room_page(deal_id)


def _room_page(
    deal_id: int,
    *,
    files_form: RoomFilesForm | None = None,
    close_form: RoomCloseForm | None = None,
) -> ResponseReturnValue:
    session, actor = web.session(), web.actor()
    deal = queries.get_deal(session, actor, deal_id)
    if not deal.has("seller", "buyer"):
        raise NotFound()
    files_form = files_form or RoomFilesForm.fresh(reach=FileReach.ROOM)
    close_form = close_form or RoomCloseForm.fresh()
    view = room_queries.find_room(session, deal_id)
    page = render_template(
        "brokerage/room.html",
        deal=deal,
        room=view,
        ladder=room_queries.ladder(session, deal, now=web.now()),
        files=files_shown(deal, view),
        accesses=room_queries.accesses(session, deal),
        keeps=_keeps(deal),
        inside=_inside(deal),
        may_enter=deal.has("buyer") and permits(actor, room_rules.ENTER_ROOM),
        files_form=files_form,
        close_form=close_form,
        today=local_date(web.now()),
    )
    return page, max(files_form.status(), close_form.status())


def _keeps(deal: DealView) -> bool:
    return bool(deal.has("seller")) and permits(web.actor(), room_rules.KEEP_ROOM)


def _inside(deal: DealView) -> bool:
    return queries.has_agreement(
        web.session(), deal.buyer.id, deal.achievement_id, local_date(web.now())
    )


def files_shown(
    deal: DealView, room: room_queries.RoomView | None
) -> list[room_queries.RoomFileView]:
    """List a room's files for its keeper, and for a buyer while room and agreement are open."""
    if _keeps(deal) or (_inside(deal) and room is not None and room.is_open):
        return room_queries.files(web.session(), web.actor(), deal)
    return []


@blueprint.route("/deals/<int:deal_id>/room/open", methods=["POST"])
@web.permits(room_rules.KEEP_ROOM)
def open_room(deal_id: int) -> ResponseReturnValue:
    """Open the data room, or open it again."""
    here = url_for("brokerage.room", deal_id=deal_id)

    def use_case(session: Session) -> str:
        service.open_room(session, actor=web.actor(), now=web.now(), deal_id=deal_id)
        return here

    return web.act(use_case, back=here)


def own_room(deal_id: int) -> room_queries.RoomView:
    """Return the data room of a deal that the actor takes part in, else raise ``NotFound``."""
    queries.get_deal(web.session(), web.actor(), deal_id)
    view = room_queries.find_room(web.session(), deal_id)
    if view is None:
        raise NotFound()
    return view


@blueprint.route("/deals/<int:deal_id>/room/close", methods=["POST"])
@web.permits(room_rules.KEEP_ROOM)
def close_room(deal_id: int) -> ResponseReturnValue:
    """Close the data room at once."""
    view = own_room(deal_id)
    form = RoomCloseForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.close_room(
                session,
                actor=web.actor(),
                now=web.now(),
                room_id=view.id,
                reason=form.reason.data,
            )
            return url_for("brokerage.room", deal_id=deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            return done
    return _room_page(deal_id, close_form=form)


@blueprint.route("/deals/<int:deal_id>/room/files", methods=["POST"])
@web.permits(room_rules.KEEP_ROOM)
def add_files(deal_id: int) -> ResponseReturnValue:
    """Put files into the data room."""
    view = own_room(deal_id)
    form = RoomFilesForm.load()
    if form.validate_on_post():
        uploads = web.read_uploads(form.attachments.uploads())

        def use_case(session: Session) -> str:
            service.add_files(
                session,
                actor=web.actor(),
                now=web.now(),
                room_id=view.id,
                uploads=uploads,
                reach=form.reach.data,
                store=web.resource(AttachmentStore),
            )
            return url_for("brokerage.room", deal_id=deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("已放进资料室，需求方会收到通知。", "success")
            return done
    return _room_page(deal_id, files_form=form)


@blueprint.route("/deals/<int:deal_id>/room/files/<int:file_id>/withdraw", methods=["POST"])
@web.permits(room_rules.KEEP_ROOM)
def withdraw_file(deal_id: int, file_id: int) -> ResponseReturnValue:
    """Take a file out of the data room at once."""
    here = url_for("brokerage.room", deal_id=deal_id)

    def use_case(session: Session) -> str:
        service.withdraw_file(session, actor=web.actor(), now=web.now(), file_id=file_id)
        return here

    return web.act(use_case, back=here)


@blueprint.route("/deals/<int:deal_id>/room/files/<int:file_id>/links", methods=["GET", "POST"])
@web.permits(room_rules.KEEP_ROOM)
def issue_link(deal_id: int, file_id: int) -> ResponseReturnValue:
    """Give one member of the buyer a personal link to a file."""
    deal = queries.get_deal(web.session(), web.actor(), deal_id)
    listed = room_queries.files(web.session(), web.actor(), deal) if deal.has("seller") else []
    file = next((each for each in listed if each.id == file_id), None)
    if file is None:
        raise NotFound()
    form = RoomLinkForm.load(single_use=True)
    people = accounts.members(web.session(), deal.buyer.id)
    form.person.offer(
        [
            ("", "选择经办人"),
            *((str(person.user_id), person.name) for person in people),
        ]
    )
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            service.issue_link(
                session,
                actor=web.actor(),
                now=web.now(),
                file_id=file_id,
                user_id=int(form.person.data),
                single_use=bool(form.single_use.data),
                valid_to=form.valid_to.data,
            )
            return url_for("brokerage.room", deal_id=deal_id)

        done = web.submit(form, use_case)
        if done is not None:
            flash("链接已发到对方的消息里，只有他本人能打开。", "success")
            return done
    return render_template("brokerage/room_link_new.html", deal=deal, file=file, form=form), (
        form.status()
    )


@blueprint.route("/deals/<int:deal_id>/room/links/<int:link_id>/revoke", methods=["POST"])
@web.permits(room_rules.KEEP_ROOM)
def revoke_link(deal_id: int, link_id: int) -> ResponseReturnValue:
    """Take a personal link back at once."""
    here = url_for("brokerage.room", deal_id=deal_id)

    def use_case(session: Session) -> str:
        service.revoke_link(session, actor=web.actor(), now=web.now(), link_id=link_id)
        return here

    return web.act(use_case, back=here)


@blueprint.route("/deals/<int:deal_id>/room/files/<int:file_id>/open", methods=["POST"])
@web.permits(room_rules.ENTER_ROOM)
def open_file(deal_id: int, file_id: int) -> ResponseReturnValue:
    """Open a file; the opening is recorded, then the file is sent."""

    def use_case(session: Session) -> str:
        access_id = service.open_file(session, actor=web.actor(), now=web.now(), file_id=file_id)
        return url_for("brokerage.opened_file", access_id=access_id)

    return web.act(use_case, back=url_for("brokerage.room", deal_id=deal_id))


@blueprint.route("/deals/room-links/<token>")
@web.permits(room_rules.ENTER_ROOM)
def room_link(token: str) -> ResponseReturnValue:
    """Show what a personal link opens and ask before it is used."""
    link = room_queries.get_link(web.session(), web.actor(), token)
    return render_template(
        "brokerage/room_link.html",
        link=link,
        mine=link.user_id == web.actor().user_id,
        over=link.valid_to < local_date(web.now()),
    )


@blueprint.route("/deals/room-links/<token>", methods=["POST"])
@web.permits(room_rules.ENTER_ROOM)
def use_link(token: str) -> ResponseReturnValue:
    """Open the file of a personal link."""

    def use_case(session: Session) -> str:
        access_id = service.use_link(session, actor=web.actor(), now=web.now(), token=token)
        return url_for("brokerage.opened_file", access_id=access_id)

    return web.act(use_case, back=url_for("brokerage.room_link", token=token))


@blueprint.route("/deals/room-files/<int:access_id>")
@web.permits(room_rules.ENTER_ROOM)
def opened_file(access_id: int) -> ResponseReturnValue:
    """Send a file that its reader has just opened, with his name on every page."""
    opened = room_queries.fetch(
        web.session(),
        web.actor(),
        access_id,
        now=web.now(),
        store=web.resource(AttachmentStore),
    )
    when = opened.opened_at.astimezone(LOCAL).strftime("%Y-%m-%d %H:%M")
    name, content = import_module("marketplace.brokerage.watermark").mark(
        opened.attachment,
        opened.content,
        words=f"{opened.user_name} {opened.organisation_name} {when}",
    )
    return web.send_marked(opened.attachment, name, content)
