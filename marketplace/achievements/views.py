"""The owner's pages: list, form with autosave, one record, attachments, settings."""

from __future__ import annotations

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries, service
from marketplace.achievements.completeness_rules import empty_claims, missing
from marketplace.achievements.forms import (
    AchievementForm,
    AchievementStartForm,
    FilesForm,
    stored,
)
from marketplace.achievements.market_service import CONFIRM_MANY
from marketplace.achievements.rules import (
    DRAFT,
    EDIT,
    MANAGE,
    OWN,
    AchievementContent,
    AchievementState,
    Owner,
    decides,
)
from marketplace.achievements.text_forms import remarks_of
from marketplace.foundation import attachments, web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.attachments import AttachmentStore, FileVisibility
from marketplace.foundation.classifications import industries
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import DomainError, NotFound, RuleBroken
from marketplace.foundation.trade import TechnologyField

blueprint = Blueprint(
    "achievements", __name__, template_folder="templates", url_prefix="/my/achievements"
)
EXPORT_LIMIT = 5_000


def _chosen() -> queries.OwnedFilter:
    state = web.argument("state")
    field = web.argument("field")
    return queries.OwnedFilter(
        state=next((s for s in AchievementState if s.value == state), None),
        field=next((f for f in TechnologyField if f.value == field), None),
        text=web.argument("q", longest=60),
        stale=web.argument("stale") == "1",
        incomplete=web.argument("incomplete") == "1",
    )


def _sorting() -> tuple[str, bool]:
    sort = web.argument("sort")
    known = sort if sort in queries.SORTS else "updated"
    return known, web.argument("order", "desc") != "asc"


def _filter_arguments() -> dict[str, str]:
    """Return the URL arguments of the list as it is shown, without the page."""
    names = ("q", "state", "field", "stale", "incomplete", "sort", "order")
    return {name: value for name in names if (value := web.argument(name))}


@blueprint.route("")
@web.permits(OWN)
def mine() -> ResponseReturnValue:
    """List the organisation's achievements with filters, sorting and batch acts."""
    sort, descending = _sorting()
    chosen = _chosen()
    after = web.argument("after") or None
    page = queries.owned_by(
        web.session(), web.actor(), chosen=chosen, sort=sort, descending=descending, after=after
    )
    return render_template(
        "achievements/mine.html",
        page=page,
        chosen=chosen,
        sort=sort,
        descending=descending,
        sorts=queries.SORTS,
        after=after,
        arguments=_filter_arguments(),
        counts=queries.owned_counts(web.session(), web.actor()),
        states=list(AchievementState),
        fields=list(TechnologyField),
        may_write=permits(web.actor(), DRAFT),
        may_manage=permits(web.actor(), MANAGE),
    )


@blueprint.route("/export")
@web.permits(OWN)
def export() -> Response:
    """Send the list as it is filtered as an Excel file; text stays text."""
    sort, descending = _sorting()
    page = queries.owned_by(
        web.session(),
        web.actor(),
        chosen=_chosen(),
        sort=sort,
        descending=descending,
        size=EXPORT_LIMIT,
    )
    header = (
        "成果编号",
        "名称",
        "状态",
        "技术领域",
        "成熟度",
        "期望价格（元）",
        "缺项",
        "发布日期",
        "最近确认",
        "有效期至",
    )
    rows = (
        (
            row.number or "",
            row.title,
            row.state.label,
            row.field.label if row.field else "",
            row.trl,
            "面议"
            if row.negotiable
            else (row.price_fen / 100 if row.price_fen is not None else ""),
            row.missing_count,
            local_date(row.published_at).isoformat() if row.published_at else "",
            local_date(row.confirmed_at).isoformat() if row.confirmed_at else "",
            row.valid_until.isoformat() if row.valid_until else "",
        )
        for row in page.items
    )
    return web.send_table("我的成果", header, rows, widths=(16, 50, 12, 20, 8, 16, 8, 12, 12, 12))


def _price(row: queries.AchievementRow) -> str | float:
    if row.price_fen is None:
        return "面议" if row.negotiable else ""
    return row.price_fen / 100


@blueprint.route("/new", methods=["GET", "POST"])
@web.permits(DRAFT)
def create() -> ResponseReturnValue:
    """Begin an achievement with its name; the form that follows saves itself."""
    form = AchievementStartForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            own = accounts.get_organisation(session, web.actor().organisation_id or 0)
            achievement_id = service.create_draft(
                session,
                actor=web.actor(),
                now=web.now(),
                content=AchievementContent(
                    title=form.title.data or "", owners=(Owner(own.name, 10_000, own.id),)
                ),
            )
            return url_for("achievements.edit", achievement_id=achievement_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return render_template("achievements/create.html", form=form), form.status()


@blueprint.route("/<int:achievement_id>/edit", methods=["GET", "POST"])
@web.permits(DRAFT)
def edit(achievement_id: int) -> ResponseReturnValue:
    """Show the whole form; save it as a draft, or save and submit it."""
    view = queries.get_own(web.session(), web.actor(), achievement_id)
    form = AchievementForm.load(**stored(view.content, version=view.version))
    if "check_text" in request.form:
        return _edit_page(view, form, FilesForm(formdata=None))
    if form.validate_on_post():
        done = web.submit(form, lambda session: _save(session, form, achievement_id))
        if done is not None:
            return done
    elif request.method == "GET" and web.argument("check") == "1":
        problems = missing(view.content, own_organisation_id=view.organisation_id)
        if problems:
            form.take(RuleBroken.of(problems))
    page = _edit_page(view, form, FilesForm(formdata=None))
    return page, form.status() if request.method == "POST" else 200


def _save(session: Session, form: AchievementForm, achievement_id: int) -> str:
    content = form.to_content()
    if request.form.get("then") != "submit":
        service.save_draft(
            session,
            actor=web.actor(),
            now=web.now(),
            achievement_id=achievement_id,
            content=content,
            version=form.version_number,
        )
        flash("已保存。", "success")
        return url_for("achievements.show", achievement_id=achievement_id)
    lacking = service.save_and_submit(
        session,
        actor=web.actor(),
        now=web.now(),
        achievement_id=achievement_id,
        content=content,
        version=form.version_number,
    )
    if lacking:
        flash(f"草稿已保存，但还不能提交：有 {len(lacking)} 处需要补充。", "warning")
        return url_for("achievements.edit", achievement_id=achievement_id, check=1)
    flash("已提交单位审批。", "success")
    return url_for("achievements.show", achievement_id=achievement_id)


def _edit_page(view: queries.AchievementView, form: AchievementForm, files: FilesForm) -> str:
    return render_template(
        "achievements/edit.html",
        view=view,
        form=form,
        files=files,
        attached=attachments.of(web.session(), f"achievement:{view.id}"),
        industries=industries(),
        **remarks_of(form, view.content),
    )


@blueprint.route("/<int:achievement_id>/autosave", methods=["POST"])
@web.permits(DRAFT)
def autosave(achievement_id: int) -> ResponseReturnValue:
    """Keep the draft while it is being written; answer with the version to build on."""
    form = AchievementForm.load()
    if not form.validate_on_post():
        return {"problems": ["有格式不对的地方，暂时没有自动保存"]}, 422
    try:
        with web.transaction() as session:
            version = service.save_draft(
                session,
                actor=web.actor(),
                now=web.now(),
                achievement_id=achievement_id,
                content=form.to_content(),
                version=form.version_number,
            )
    except NotFound:
        raise
    except DomainError as refusal:
        return {"problems": [problem.message for problem in refusal.problems]}, refusal.status
    return {"version": version}


@blueprint.route("/<int:achievement_id>")
@web.permits(OWN)
def show(achievement_id: int) -> ResponseReturnValue:
    """Show one record to those who work on it, with what can be done next."""
    session, actor = web.session(), web.actor()
    view = queries.get_own(session, actor, achievement_id)
    step = queries.current_step(session, achievement_id)
    granted = queries.grants(session, achievement_id)
    return render_template(
        "achievements/show.html",
        view=view,
        organisation=accounts.get_organisation(session, view.organisation_id),
        step=step,
        decides=step is not None and decides(step.role, actor.roles),
        steps=queries.reviews(session, achievement_id),
        history=queries.history(session, view),
        lacking=missing(view.content, own_organisation_id=view.organisation_id),
        claims=empty_claims(view.content.title, view.content.solution, view.content.benefit),
        attached=attachments.of(session, f"achievement:{achievement_id}"),
        granted=granted,
        readers=accounts.get_organisations(session, [grant.organisation_id for grant in granted]),
        may_write=permits(actor, DRAFT),
        may_submit=permits(actor, EDIT),
        may_manage=permits(actor, MANAGE),
    )


@blueprint.route("/<int:achievement_id>/attachments", methods=["POST"])
@web.permits(DRAFT)
def attach(achievement_id: int) -> ResponseReturnValue:
    """Attach files; a refused one is explained beside the field."""
    view = queries.get_own(web.session(), web.actor(), achievement_id)
    form = FilesForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.attach(
                session,
                actor=web.actor(),
                now=web.now(),
                achievement_id=achievement_id,
                uploads=web.read_uploads(form.attachments.uploads()),
                visibility=form.visibility.data or FileVisibility.PUBLIC,
                store=web.resource(AttachmentStore),
            )
            return url_for(
                "achievements.edit", achievement_id=achievement_id, _anchor="attachments-part"
            )

        done = web.submit(form, act)
        if done is not None:
            return done
    main = AchievementForm(data=stored(view.content, version=view.version))
    main.version.data = str(view.version)
    return _edit_page(view, main, form), form.status()


@blueprint.route("/<int:achievement_id>/attachments/<int:attachment_id>/remove", methods=["POST"])
@web.permits(DRAFT)
def detach(achievement_id: int, attachment_id: int) -> ResponseReturnValue:
    """Take an attachment off."""
    back = url_for("achievements.edit", achievement_id=achievement_id, _anchor="attachments-part")

    def act(session: Session) -> str:
        service.detach(
            session,
            actor=web.actor(),
            now=web.now(),
            achievement_id=achievement_id,
            attachment_id=attachment_id,
        )
        return back

    return web.act(act, back=back)


@blueprint.route("/<int:achievement_id>/files/<int:attachment_id>")
@web.permits(PUBLIC)
def file(achievement_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send an attachment to a reader whose layer reaches it."""
    session = web.session()
    view, content = attachments.content(
        session,
        subject=f"achievement:{achievement_id}",
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    if attachment_id not in {
        found.id for found in queries.readable_files(session, web.actor(), achievement_id)
    }:
        raise NotFound()
    return web.send_attachment(view, content)


@blueprint.route("/<int:achievement_id>/confirm", methods=["POST"])
@web.permits(MANAGE)
def confirm(achievement_id: int) -> ResponseReturnValue:
    """Confirm one record."""
    back = url_for("achievements.show", achievement_id=achievement_id)

    def act(session: Session) -> str:
        service.confirm_current(
            session, actor=web.actor(), now=web.now(), achievement_ids=[achievement_id]
        )
        flash("已确认，有效期重新起算。", "success")
        return back

    return web.act(act, back=back)


@blueprint.route("/batch", methods=["POST"])
@web.permits(MANAGE)
def batch() -> ResponseReturnValue:
    """Confirm or submit the records that were ticked."""
    ids = [int(value) for value in request.form.getlist("chosen") if value.isdigit()]
    back = web.local_next(url_for("achievements.mine"))

    def act(session: Session) -> str:
        if request.form.get("act") == "submit":
            outcome = service.submit_many(
                session, actor=web.actor(), now=web.now(), achievement_ids=ids
            )
            flash(f"已提交 {outcome.submitted} 项。", "success" if outcome.submitted else "info")
            for title, reason in outcome.refused[:20]:
                flash(f"“{title}”没有提交：{reason}", "warning")
        else:
            chosen = ids
            if request.form.get("act") == "confirm_stale":
                chosen = queries.owned_ids(
                    session, web.actor(), queries.OwnedFilter(stale=True), limit=CONFIRM_MANY
                )
            count = service.confirm_current(
                session, actor=web.actor(), now=web.now(), achievement_ids=chosen
            )
            flash(f"已确认 {count} 项，有效期重新起算。", "success")
        return back

    return web.act(act, back=back)
