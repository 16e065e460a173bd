"""Needs for programs: the pages' forms and services as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import api, web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.attachments import AttachmentStore, FileVisibility
from marketplace.foundation.trade import TechnologyField
from marketplace.needs import queries, service, views
from marketplace.needs.forms import (
    FilesForm,
    NeedForm,
    NeedStartForm,
    ReasonForm,
    stored,
)
from marketplace.needs.rules import DRAFT, EDIT, OWN, NeedContent, NeedState

routes = api.Routes("needs", __name__, tag="需求")


class NeedLine(api.Answer):
    """One need in the owner's list."""

    id: int
    number: str | None
    title: str
    state: NeedState
    field: TechnologyField | None
    budget_max: api.Yuan | None = Field(validation_alias="budget_max_fen")
    budget_negotiable: bool
    deadline: api.Days | None
    challenge: bool
    anonymous: bool
    missing_count: int
    updated_at: api.Moment
    opened_at: api.Moment | None


class NeedList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[NeedLine]
    next: str | None = Field(validation_alias="next_token")


class NeedRecord(api.Answer):
    """One need as its reader may see it; an anonymous one does not say whose it is."""

    id: int
    number: str | None
    organisation_id: int | None
    state: NeedState
    version: int
    missing_count: int
    return_reason: str
    confidential_hidden: bool
    updated_at: api.Moment
    opened_at: api.Moment | None
    files: list[api.FileLine]
    content: Annotated[dict[str, Any], api.shaped_as(NeedForm)]


class NeedQuery(api.PageQuery):
    """What the owner's list is narrowed to."""

    state: NeedState | None = None


@routes.reads(
    "/needs", permission=OWN, summary="列出本单位的需求", answer=NeedList, query=NeedQuery
)
def list_needs(asked: NeedQuery) -> Any:
    """List the needs of the token's organisation."""
    return queries.owned_by(
        web.session(),
        web.actor(),
        chosen=queries.OwnedFilter(state=asked.state),
        after=asked.after,
        size=asked.limit,
    )


@routes.reads(
    "/needs/<int:need_id>", permission=SIGNED_IN, summary="读取一项需求", answer=NeedRecord
)
def get_need(_asked: api.AnyQuery, need_id: int) -> Any:
    """Return one need as its reader may see it."""
    view = queries.get_for(web.session(), web.actor(), need_id)
    return {
        **vars(view),
        "files": queries.readable_files(web.session(), web.actor(), need_id),
        "content": api.payload_of(NeedForm, stored(view.content, version=view.version)),
    }


@routes.writes(
    "/needs",
    permission=DRAFT,
    scope=api.Scope.WRITE_NEEDS,
    summary="登记一项需求",
    form=NeedStartForm,
    status=201,
)
def create_need(session: Session, form: NeedStartForm) -> Any:
    """Begin a need with its first lines."""
    own = accounts.get_organisation(session, web.actor().organisation_id or 0)
    need_id = service.create_draft(
        session,
        actor=web.actor(),
        now=web.now(),
        content=NeedContent(
            title=form.title.data or "",
            problem=form.problem.data or "",
            region_code=own.region_code,
        ),
    )
    return api.Made(id=need_id, version=1)


@routes.writes(
    "/needs/<int:need_id>",
    method="PUT",
    versioned=True,
    permission=DRAFT,
    scope=api.Scope.WRITE_NEEDS,
    summary="保存一项需求的全部内容",
    form=NeedForm,
)
def save_need(session: Session, form: NeedForm, need_id: int) -> Any:
    """Store the whole content of a draft, or correct an open need."""
    version = service.save_draft(
        session,
        actor=web.actor(),
        now=web.now(),
        need_id=need_id,
        content=form.to_content(),
        version=form.version_number,
    )
    return api.Made(id=need_id, version=version)


@routes.writes(
    "/needs/<int:need_id>/submission",
    permission=EDIT,
    scope=api.Scope.WRITE_NEEDS,
    summary="提交交易中心审核",
)
def submit_need(session: Session, _form: None, need_id: int) -> Any:
    """Hand a complete draft to the operator."""
    service.submit(session, actor=web.actor(), now=web.now(), need_id=need_id)
    return api.Made(id=need_id)


@routes.writes(
    "/needs/<int:need_id>/recall",
    permission=EDIT,
    scope=api.Scope.WRITE_NEEDS,
    summary="从审核中撤回到草稿",
)
def recall_need(session: Session, _form: None, need_id: int) -> Any:
    """Take a need back from review."""
    service.recall(session, actor=web.actor(), now=web.now(), need_id=need_id)
    return api.Made(id=need_id)


@routes.writes(
    "/needs/<int:need_id>/closure",
    permission=EDIT,
    scope=api.Scope.WRITE_NEEDS,
    summary="说明原因，关闭需求",
    form=ReasonForm,
)
def close_need(session: Session, form: ReasonForm, need_id: int) -> Any:
    """Close a need with the reason."""
    service.close(
        session,
        actor=web.actor(),
        now=web.now(),
        need_id=need_id,
        reason=form.reason.data or "",
    )
    return api.Made(id=need_id)


@routes.writes(
    "/needs/<int:need_id>/reopening",
    permission=EDIT,
    scope=api.Scope.WRITE_NEEDS,
    summary="恢复为草稿",
)
def reopen_need(session: Session, _form: None, need_id: int) -> Any:
    """Take a closed or expired need up again."""
    service.reopen(session, actor=web.actor(), now=web.now(), need_id=need_id)
    return api.Made(id=need_id)


@routes.writes(
    "/needs/<int:need_id>/files",
    permission=DRAFT,
    scope=api.Scope.WRITE_NEEDS,
    summary="上传附件",
    form=FilesForm,
    answer=api.FileList,
    status=201,
)
def attach_to_need(session: Session, form: FilesForm, need_id: int) -> Any:
    """Attach files with the layer from which on they open."""
    service.attach(
        session,
        actor=web.actor(),
        now=web.now(),
        need_id=need_id,
        uploads=web.read_uploads(form.attachments.uploads()),
        visibility=FileVisibility(form.visibility.data or "public"),
        store=web.resource(AttachmentStore),
    )
    return {"items": queries.readable_files(session, web.actor(), need_id)}


@routes.sends(
    "/needs/<int:need_id>/files/<int:attachment_id>", permission=SIGNED_IN, summary="下载附件"
)
def get_need_file(need_id: int, attachment_id: int) -> Any:
    """Send an attachment to a reader who may open it."""
    return views.file(need_id, attachment_id)


@routes.writes(
    "/needs/<int:need_id>/files/<int:attachment_id>",
    method="DELETE",
    permission=DRAFT,
    scope=api.Scope.WRITE_NEEDS,
    summary="删除附件",
)
def detach_from_need(session: Session, _form: None, need_id: int, attachment_id: int) -> Any:
    """Take an attachment off."""
    service.detach(
        session,
        actor=web.actor(),
        now=web.now(),
        need_id=need_id,
        attachment_id=attachment_id,
    )
    return api.Made(id=need_id)
