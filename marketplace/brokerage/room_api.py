"""The data room of a deal for programs: what its owner keeps there, what the buyer opens."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.brokerage import queries, room_queries, room_rules, room_views, rules, service
from marketplace.brokerage.api import routes
from marketplace.brokerage.room_forms import RoomCloseForm, RoomFilesForm
from marketplace.brokerage.room_rules import FileReach
from marketplace.foundation import api, web
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.errors import NotFound


class RoomFileLine(api.Answer):
    """One file of the room; its bytes are sent after it was opened."""

    id: int
    name: str
    reach: FileReach
    byte_count: int
    added_at: api.Moment
    watermarked: bool = Field(validation_alias="marked")


class RoomRecord(api.Answer):
    """A data room with the files that the caller may open."""

    id: int
    deal_id: int
    opened_at: api.Moment
    closed_at: api.Moment | None
    closed_reason: str
    files: list[RoomFileLine]


@routes.reads(
    "/deals/<int:deal_id>/room",
    permission=rules.READ,
    summary="读取资料室及可以打开的资料",
    answer=RoomRecord,
)
def get_room(_asked: api.AnyQuery, deal_id: int) -> Any:
    """Return a deal's data room to its owner and to the buyer."""
    session, actor = web.session(), web.actor()
    deal = queries.get_deal(session, actor, deal_id)
    view = room_queries.find_room(session, deal_id)
    if view is None or not deal.has("seller", "buyer"):
        raise NotFound()
    shown = room_views.files_shown(deal, view)
    return {**vars(view), "files": shown}


@routes.writes(
    "/deals/<int:deal_id>/room",
    permission=room_rules.KEEP_ROOM,
    scope=api.Scope.WRITE_DEALS,
    summary="开放资料室，或重新开放",
)
def open_deal_room(session: Session, _form: None, deal_id: int) -> Any:
    """Open the data room, or open it again."""
    service.open_room(session, actor=web.actor(), now=web.now(), deal_id=deal_id)
    return api.Made(id=deal_id)


@routes.writes(
    "/deals/<int:deal_id>/room/closure",
    permission=room_rules.KEEP_ROOM,
    scope=api.Scope.WRITE_DEALS,
    summary="说明理由，关闭资料室",
    form=RoomCloseForm,
)
def close_deal_room(session: Session, form: RoomCloseForm, deal_id: int) -> Any:
    """Close the data room at once."""
    service.close_room(
        session,
        actor=web.actor(),
        now=web.now(),
        room_id=room_views.own_room(deal_id).id,
        reason=form.reason.data,
    )
    return api.Made(id=deal_id)


@routes.writes(
    "/deals/<int:deal_id>/room/files",
    permission=room_rules.KEEP_ROOM,
    scope=api.Scope.WRITE_DEALS,
    summary="把资料放进资料室",
    form=RoomFilesForm,
    answer=RoomRecord,
    status=201,
)
def add_room_files(session: Session, form: RoomFilesForm, deal_id: int) -> Any:
    """Put files into the data room."""
    room = room_views.own_room(deal_id)
    service.add_files(
        session,
        actor=web.actor(),
        now=web.now(),
        room_id=room.id,
        uploads=web.read_uploads(form.attachments.uploads()),
        reach=form.reach.data,
        store=web.resource(AttachmentStore),
    )
    deal = queries.get_deal(session, web.actor(), deal_id)
    return {**vars(room), "files": room_queries.files(session, web.actor(), deal)}


@routes.writes(
    "/deals/<int:deal_id>/room/files/<int:file_id>",
    method="DELETE",
    permission=room_rules.KEEP_ROOM,
    scope=api.Scope.WRITE_DEALS,
    summary="从资料室撤出资料",
)
def withdraw_room_file(session: Session, _form: None, deal_id: int, file_id: int) -> Any:
    """Take a file out of the data room at once."""
    _check_file(session, deal_id, file_id)
    service.withdraw_file(session, actor=web.actor(), now=web.now(), file_id=file_id)
    return api.Made(id=file_id)


@routes.writes(
    "/deals/<int:deal_id>/room/files/<int:file_id>/openings",
    permission=room_rules.ENTER_ROOM,
    scope=api.Scope.WRITE_DEALS,
    summary="打开一份资料，留下记录；用返回的编号下载",
    status=201,
)
def open_room_file(session: Session, _form: None, deal_id: int, file_id: int) -> Any:
    """Open a file; the opening is recorded, and the file can be fetched for some minutes."""
    _check_file(session, deal_id, file_id)
    access_id = service.open_file(session, actor=web.actor(), now=web.now(), file_id=file_id)
    return api.Made(id=access_id)


def _check_file(session: Session, deal_id: int, file_id: int) -> None:
    """Raise ``NotFound`` for a file that is not in this deal's room."""
    deal = queries.get_deal(session, web.actor(), deal_id)
    if file_id not in {file.id for file in room_queries.files(session, web.actor(), deal)}:
        raise NotFound()


@routes.sends(
    "/room-openings/<int:access_id>/content",
    permission=room_rules.ENTER_ROOM,
    summary="下载刚打开的资料，每页带打开人的水印",
)
def get_opened_file(access_id: int) -> Any:
    """Send a file that its reader has just opened, with his name on every page."""
    return room_views.opened_file(access_id)
