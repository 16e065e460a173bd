"""Achievements for programs: the pages' forms and services as JSON."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries, service, views
from marketplace.achievements.forms import (
    AchievementForm,
    AchievementStartForm,
    FilesForm,
    ReasonForm,
    stored,
)
from marketplace.achievements.rules import (
    DRAFT,
    EDIT,
    MANAGE,
    OWN,
    AchievementContent,
    AchievementState,
    FieldGroup,
    Owner,
)
from marketplace.foundation import api, web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.attachments import AttachmentStore, FileVisibility
from marketplace.foundation.trade import TechnologyField

routes = api.Routes("achievements", __name__, tag="成果")


class AchievementLine(api.Answer):
    """One achievement in the owner's list."""

    id: int
    number: str | None
    title: str
    state: AchievementState
    field: TechnologyField | None
    trl: int | None
    price: api.Yuan | None = Field(validation_alias="price_fen")
    negotiable: bool
    missing_count: int
    stale: bool
    updated_at: api.Moment
    published_at: api.Moment | None
    valid_until: api.Days | None


class AchievementList(api.Answer):
    """One page of a list; ``next`` goes into ``after``."""

    items: list[AchievementLine]
    next: str | None = Field(validation_alias="next_token")


class AchievementRecord(api.Answer):
    """One achievement as its reader may see it; groups that stay closed are named in hidden."""

    id: int
    number: str | None
    organisation_id: int
    state: AchievementState
    version: int
    missing_count: int
    return_reason: str
    hidden: list[FieldGroup]
    updated_at: api.Moment
    published_at: api.Moment | None
    valid_until: api.Days | None
    files: list[api.FileLine]
    content: Annotated[dict[str, Any], api.shaped_as(AchievementForm)]


class AchievementQuery(api.PageQuery):
    """What the owner's list is narrowed to."""

    state: AchievementState | None = None


@routes.reads(
    "/achievements",
    permission=OWN,
    summary="列出本单位的成果",
    answer=AchievementList,
    query=AchievementQuery,
)
def list_achievements(asked: AchievementQuery) -> Any:
    """List the records of the token's organisation."""
    return queries.owned_by(
        web.session(),
        web.actor(),
        chosen=queries.OwnedFilter(state=asked.state),
        after=asked.after,
        size=asked.limit,
    )


@routes.reads(
    "/achievements/<int:achievement_id>",
    permission=SIGNED_IN,
    summary="读取一项成果",
    answer=AchievementRecord,
)
def get_achievement(_asked: api.AnyQuery, achievement_id: int) -> Any:
    """Return one record as its reader may see it."""
    view = queries.get_for(web.session(), web.actor(), achievement_id)
    return {
        **vars(view),
        "hidden": list(view.hidden),
        "files": queries.readable_files(web.session(), web.actor(), achievement_id),
        "content": api.payload_of(AchievementForm, stored(view.content, version=view.version)),
    }


@routes.writes(
    "/achievements",
    permission=DRAFT,
    scope=api.Scope.WRITE_ACHIEVEMENTS,
    summary="登记一项成果",
    form=AchievementStartForm,
    status=201,
)
def create_achievement(session: Session, form: AchievementStartForm) -> Any:
    """Begin an achievement with its name."""
    own = accounts.get_organisation(session, web.actor().organisation_id or 0)
    achievement_id = service.create_draft(
        session,
        actor=web.actor(),
        now=web.now(),
        content=AchievementContent(
            title=form.title.data or "", owners=(Owner(own.name, 10_000, own.id),)
        ),
    )
    return api.Made(id=achievement_id, version=1)


@routes.writes(
    "/achievements/<int:achievement_id>",
    method="PUT",
    versioned=True,
    permission=DRAFT,
    scope=api.Scope.WRITE_ACHIEVEMENTS,
    summary="保存一项成果的全部内容",
    form=AchievementForm,
)
def save_achievement(session: Session, form: AchievementForm, achievement_id: int) -> Any:
    """Store the whole content of a draft, or correct what is published."""
    version = service.save_draft(
        session,
        actor=web.actor(),
        now=web.now(),
        achievement_id=achievement_id,
        content=form.to_content(),
        version=form.version_number,
    )
    return api.Made(id=achievement_id, version=version)


@routes.writes(
    "/achievements/<int:achievement_id>/submission",
    permission=EDIT,
    scope=api.Scope.WRITE_ACHIEVEMENTS,
    summary="提交单位审批",
)
def submit_achievement(session: Session, _form: None, achievement_id: int) -> Any:
    """Hand a complete draft to the organisation's review."""
    service.submit_for_review(
        session, actor=web.actor(), now=web.now(), achievement_id=achievement_id
    )
    return api.Made(id=achievement_id)


@routes.writes(
    "/achievements/<int:achievement_id>/withdrawal",
    permission=MANAGE,
    scope=api.Scope.WRITE_ACHIEVEMENTS,
    summary="说明原因，撤下成果",
    form=ReasonForm,
)
def withdraw_achievement(session: Session, form: ReasonForm, achievement_id: int) -> Any:
    """Take an achievement off the market with the reason."""
    service.withdraw(
        session,
        actor=web.actor(),
        now=web.now(),
        achievement_id=achievement_id,
        reason=form.reason.data or "",
    )
    return api.Made(id=achievement_id)


@routes.writes(
    "/achievements/<int:achievement_id>/reopening",
    permission=MANAGE,
    scope=api.Scope.WRITE_ACHIEVEMENTS,
    summary="恢复为草稿",
)
def reopen_achievement(session: Session, _form: None, achievement_id: int) -> Any:
    """Take up a record again that was withdrawn or has expired."""
    service.reopen(session, actor=web.actor(), now=web.now(), achievement_id=achievement_id)
    return api.Made(id=achievement_id)


@routes.writes(
    "/achievements/<int:achievement_id>/confirmation",
    permission=MANAGE,
    scope=api.Scope.WRITE_ACHIEVEMENTS,
    summary="确认内容仍然有效，有效期重新起算",
)
def confirm_achievement(session: Session, _form: None, achievement_id: int) -> Any:
    """Confirm that a published record is still true."""
    service.confirm_current(
        session, actor=web.actor(), now=web.now(), achievement_ids=[achievement_id]
    )
    return api.Made(id=achievement_id)


@routes.writes(
    "/achievements/<int:achievement_id>/files",
    permission=DRAFT,
    scope=api.Scope.WRITE_ACHIEVEMENTS,
    summary="上传附件",
    form=FilesForm,
    answer=api.FileList,
    status=201,
)
def attach_to_achievement(session: Session, form: FilesForm, achievement_id: int) -> Any:
    """Attach files with the layer from which on they open."""
    service.attach(
        session,
        actor=web.actor(),
        now=web.now(),
        achievement_id=achievement_id,
        uploads=web.read_uploads(form.attachments.uploads()),
        visibility=form.visibility.data or FileVisibility.PUBLIC,
        store=web.resource(AttachmentStore),
    )
    return {"items": queries.readable_files(session, web.actor(), achievement_id)}


@routes.sends(
    "/achievements/<int:achievement_id>/files/<int:attachment_id>",
    permission=SIGNED_IN,
    summary="下载附件",
)
def get_achievement_file(achievement_id: int, attachment_id: int) -> Any:
    """Send an attachment to a reader whose layer reaches it."""
    return views.file(achievement_id, attachment_id)


@routes.writes(
    "/achievements/<int:achievement_id>/files/<int:attachment_id>",
    method="DELETE",
    permission=DRAFT,
    scope=api.Scope.WRITE_ACHIEVEMENTS,
    summary="删除附件",
)
def detach_from_achievement(
    session: Session, _form: None, achievement_id: int, attachment_id: int
) -> Any:
    """Take an attachment off."""
    service.detach(
        session,
        actor=web.actor(),
        now=web.now(),
        achievement_id=achievement_id,
        attachment_id=attachment_id,
    )
    return api.Made(id=achievement_id)
