"""Public notices and objections for programs: the pages' forms and services as JSON."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.foundation import api, web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.attachments import AttachmentStore
from marketplace.publicity import queries, service, views
from marketplace.publicity.forms import ObjectionForm
from marketplace.publicity.rules import ObjectionState, PublicityKind, PublicityState

routes = api.Routes("publicity", __name__, tag="公示与异议")


class NoticeLine(api.Answer):
    """One public notice."""

    id: int
    kind: PublicityKind
    state: PublicityState
    subject: str
    title: str
    organisation_name: str
    opened_on: api.Days
    ends_on: api.Days
    closes_at: api.Moment
    closed_at: api.Moment | None
    objection_count: int
    open_objection_count: int


class NoticeList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[NoticeLine]
    next: str | None = Field(validation_alias="next_token")


class ObjectionLine(api.Answer):
    """What the public learns of an objection: when, and after the decision its answer."""

    id: int
    state: ObjectionState
    raised_at: api.Moment
    answer_by: api.Days | None
    decided_at: api.Moment | None
    answer: str


class OwnObjection(api.Answer):
    """An objection in full, for who raised it or answers it."""

    id: int
    text: str
    name: str
    contact: str
    files: list[api.FileLine]


class NoticeRecord(NoticeLine):
    """One notice with its objections as its reader may see them."""

    body: str
    facts: list[tuple[str, str]]
    objections: list[ObjectionLine]
    readable_objections: list[OwnObjection]


class NoticeQuery(api.PageQuery):
    """What the board is narrowed to."""

    kind: PublicityKind | None = None
    state: PublicityState | None = None


@routes.reads(
    "/notices",
    permission=SIGNED_IN,
    summary="列出公示",
    answer=NoticeList,
    query=NoticeQuery,
)
def list_notices(asked: NoticeQuery) -> Any:
    """Read one page of the notice board, the newest first."""
    return queries.list_notices(
        web.session(),
        kind=asked.kind,
        states=(asked.state,) if asked.state else (),
        after=asked.after,
        size=asked.limit,
    )


@routes.reads(
    "/notices/<int:notice_id>", permission=SIGNED_IN, summary="读取一项公示", answer=NoticeRecord
)
def get_notice(_asked: api.AnyQuery, notice_id: int) -> Any:
    """Return one notice; objections in full only to who raised or answers them."""
    session = web.session()
    readable = queries.objection_files(session, web.actor(), notice_id)
    return {
        **vars(queries.get_notice(session, notice_id)),
        "objections": queries.published_objections(session, notice_id),
        "readable_objections": [
            {**vars(found), "files": list(found.attachments)} for found in readable
        ],
    }


@routes.writes(
    "/notices/<int:notice_id>/objections",
    permission=SIGNED_IN,
    scope=api.Scope.WRITE_OBJECTIONS,
    summary="对公示提出异议，可附证明材料",
    form=ObjectionForm,
    status=201,
)
def object_to_notice(session: Session, form: ObjectionForm, notice_id: int) -> Any:
    """Raise an objection as the token's owner; name and contact come from the account."""
    objection_id = service.raise_objection(
        session,
        actor=web.actor(),
        now=web.now(),
        publicity_id=notice_id,
        text=form.text.data,
        uploads=web.read_uploads(form.attachments.uploads()),
        attachment_store=web.resource(AttachmentStore),
    )
    return api.Made(id=objection_id)


@routes.sends(
    "/notices/<int:notice_id>/objections/<int:objection_id>/files/<int:attachment_id>",
    permission=SIGNED_IN,
    summary="下载异议的证明材料",
)
def get_objection_file(notice_id: int, objection_id: int, attachment_id: int) -> Any:
    """Send an objection's file to who raised or answers it."""
    return views.attachment(notice_id, objection_id, attachment_id)
