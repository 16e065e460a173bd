"""The owner's pages of needs: list, form with autosave, one record, attachments, closing."""

from __future__ import annotations

from dataclasses import replace

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.achievements import queries as achievements
from marketplace.foundation import attachments, web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.attachments import AttachmentStore, FileVisibility
from marketplace.foundation.classifications import industries
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import DomainError, NotFound, RuleBroken
from marketplace.needs import queries, service
from marketplace.needs.forms import FilesForm, NeedForm, NeedStartForm, ReasonForm, begun, stored
from marketplace.needs.rules import DRAFT, EDIT, OWN, TEXT_MAX, NeedContent, NeedState, missing
from marketplace.needs.term_rules import read, with_term

blueprint = Blueprint("needs", __name__, template_folder="templates")
EXPORT_LIMIT = 5_000


def _chosen() -> queries.OwnedFilter:
    state = web.argument("state")
    return queries.OwnedFilter(
        state=next((s for s in NeedState if s.value == state), None),
        text=web.argument("q", longest=60),
        incomplete=web.argument("incomplete") == "1",
    )


def _sorting() -> tuple[str, bool]:
    sort = web.argument("sort")
    return sort if sort in queries.SORTS else "updated", web.argument("order", "desc") != "asc"


def _filter_arguments() -> dict[str, str]:
    names = ("q", "state", "incomplete", "sort", "order")
    return {name: value for name in names if (value := web.argument(name))}


@blueprint.route("/my/needs")
@web.permits(OWN)
def mine() -> ResponseReturnValue:
    """List the organisation's needs with filters, sorting and their answers."""
    session, actor = web.session(), web.actor()
    sort, descending = _sorting()
    chosen = _chosen()
    after = web.argument("after") or None
    page = queries.owned_by(
        session, actor, chosen=chosen, sort=sort, descending=descending, after=after
    )
    return render_template(
        "needs/mine.html",
        page=page,
        chosen=chosen,
        sort=sort,
        descending=descending,
        after=after,
        arguments=_filter_arguments(),
        counts=queries.owned_counts(session, actor),
        answers=queries.answer_counts(session, [row.id for row in page.items]),
        states=list(NeedState),
        may_write=permits(actor, DRAFT),
    )


@blueprint.route("/my/needs/export")
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
        "需求编号",
        "标题",
        "状态",
        "技术领域",
        "预算上限（元）",
        "截止日期",
        "缺项",
        "发布日期",
    )
    rows = (
        (
            row.number or "",
            row.title,
            row.state.label,
            row.field.label if row.field else "",
            _budget(row),
            row.deadline.isoformat() if row.deadline else "",
            row.missing_count,
            local_date(row.opened_at).isoformat() if row.opened_at else "",
        )
        for row in page.items
    )
    return web.send_table("我的需求", header, rows, widths=(16, 50, 12, 20, 16, 12, 8, 12))


def _budget(row: queries.NeedRow) -> str | float:
    if row.budget_max_fen is None:
        return "面议" if row.budget_negotiable else ""
    return row.budget_max_fen / 100


@blueprint.route("/my/needs/new", methods=["GET", "POST"])
@web.permits(DRAFT)
def create() -> ResponseReturnValue:
    """Begin a need with its first lines; the form that follows saves itself."""
    form = NeedStartForm.load(**begun(web.argument("text", longest=TEXT_MAX)))
    if form.validate_on_post():

        def act(session: Session) -> str:
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
            return url_for("needs.edit", need_id=need_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    return render_template("needs/create.html", form=form), form.status()


@blueprint.route("/my/needs/<int:need_id>/edit", methods=["GET", "POST"])
@web.permits(DRAFT)
def edit(need_id: int) -> ResponseReturnValue:
    """Show the whole form; save it as a draft, or save and submit it."""
    view = queries.get_own(web.session(), web.actor(), need_id)
    form = NeedForm.load(**stored(view.content, version=view.version))
    if form.validate_on_post():
        done = web.submit(form, lambda session: _save(session, form, need_id))
        if done is not None:
            return done
    elif request.method == "GET" and web.argument("check") == "1":
        problems = missing(view.content)
        if problems:
            form.take(RuleBroken.of(problems))
    page = _edit_page(view, form, FilesForm(formdata=None))
    return page, form.status() if request.method == "POST" else 200


def _save(session: Session, form: NeedForm, need_id: int) -> str:
    content = form.to_content()
    accepted = request.form.get("accept_term")
    if accepted is not None or request.form.get("then") == "terms":
        if accepted is not None:
            content = replace(content, expert_terms=with_term(content.expert_terms, accepted))
        service.save_draft(
            session,
            actor=web.actor(),
            now=web.now(),
            need_id=need_id,
            content=content,
            version=form.version_number,
        )
        return url_for("needs.edit", need_id=need_id, _anchor="terms")
    if request.form.get("then") != "submit":
        service.save_draft(
            session,
            actor=web.actor(),
            now=web.now(),
            need_id=need_id,
            content=content,
            version=form.version_number,
        )
        flash("已保存。", "success")
        return url_for("needs.show", need_id=need_id)
    lacking = service.save_and_submit(
        session,
        actor=web.actor(),
        now=web.now(),
        need_id=need_id,
        content=content,
        version=form.version_number,
    )
    if lacking:
        flash(f"草稿已保存，但还不能提交：有 {len(lacking)} 处需要补充。", "warning")
        return url_for("needs.edit", need_id=need_id, check=1)
    flash("已提交，交易中心通常在 3 个工作日内审核。", "success")
    return url_for("needs.show", need_id=need_id)


def _edit_page(view: queries.NeedView, form: NeedForm, files: FilesForm) -> str:
    return render_template(
        "needs/edit.html",
        view=view,
        form=form,
        files=files,
        attached=attachments.of(web.session(), f"need:{view.id}"),
        industries=industries(),
        reading=read(view.content),
    )


@blueprint.route("/my/needs/terms", methods=["POST"])
@web.permits(DRAFT)
def propose_terms() -> ResponseReturnValue:
    """Answer with the professional terms for what is being written; nothing is stored."""
    form = NeedForm.load()
    return render_template("needs/_terms.html", reading=read(form.to_content()))


@blueprint.route("/my/needs/<int:need_id>/autosave", methods=["POST"])
@web.permits(DRAFT)
def autosave(need_id: int) -> ResponseReturnValue:
    """Keep the draft while it is being written; answer with the version to build on."""
    form = NeedForm.load()
    if not form.validate_on_post():
        return {"problems": ["有格式不对的地方，暂时没有自动保存"]}, 422
    try:
        with web.transaction() as session:
            version = service.save_draft(
                session,
                actor=web.actor(),
                now=web.now(),
                need_id=need_id,
                content=form.to_content(),
                version=form.version_number,
            )
    except NotFound:
        raise
    except DomainError as refusal:
        return {"problems": [problem.message for problem in refusal.problems]}, refusal.status
    return {"version": version}


@blueprint.route("/my/needs/<int:need_id>")
@web.permits(OWN)
def show(need_id: int) -> ResponseReturnValue:
    """Show one need to those who work on it, with its answers and what can be done next."""
    session, actor = web.session(), web.actor()
    view = queries.get_own(session, actor, need_id)
    answers = queries.answers_for(session, actor, need_id)
    offered = [answer.achievement_id for answer in answers if answer.achievement_id]
    return render_template(
        "needs/show.html",
        view=view,
        organisation=accounts.get_organisation(session, view.organisation_id or 0),
        answers=answers,
        answerers=accounts.get_organisations(session, [a.organisation_id for a in answers]),
        offered=achievements.rows_of(session, offered),
        lacking=missing(view.content),
        history=queries.history(session, view),
        attached=attachments.of(session, f"need:{need_id}"),
        may_write=permits(actor, DRAFT),
        may_submit=permits(actor, EDIT),
    )


@blueprint.route("/my/needs/<int:need_id>/attachments", methods=["POST"])
@web.permits(DRAFT)
def attach(need_id: int) -> ResponseReturnValue:
    """Attach files; a refused one is explained beside the field."""
    view = queries.get_own(web.session(), web.actor(), need_id)
    form = FilesForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.attach(
                session,
                actor=web.actor(),
                now=web.now(),
                need_id=need_id,
                uploads=web.read_uploads(form.attachments.uploads()),
                visibility=FileVisibility(form.visibility.data or "public"),
                store=web.resource(AttachmentStore),
            )
            return url_for("needs.edit", need_id=need_id, _anchor="attachments-part")

        done = web.submit(form, act)
        if done is not None:
            return done
    main = NeedForm(data=stored(view.content, version=view.version))
    main.version.data = str(view.version)
    return _edit_page(view, main, form), form.status()


@blueprint.route("/my/needs/<int:need_id>/attachments/<int:attachment_id>/remove", methods=["POST"])
@web.permits(DRAFT)
def detach(need_id: int, attachment_id: int) -> ResponseReturnValue:
    """Take an attachment off."""
    back = url_for("needs.edit", need_id=need_id, _anchor="attachments-part")

    def act(session: Session) -> str:
        service.detach(
            session,
            actor=web.actor(),
            now=web.now(),
            need_id=need_id,
            attachment_id=attachment_id,
        )
        return back

    return web.act(act, back=back)


@blueprint.route("/my/needs/<int:need_id>/files/<int:attachment_id>")
@web.permits(PUBLIC)
def file(need_id: int, attachment_id: int) -> ResponseReturnValue:
    """Send an attachment to a reader who may open it."""
    session = web.session()
    readable = queries.readable_files(session, web.actor(), need_id)
    if attachment_id not in {found.id for found in readable}:
        raise NotFound()
    view, content = attachments.content(
        session,
        subject=f"need:{need_id}",
        attachment_id=attachment_id,
        store=web.resource(AttachmentStore),
    )
    return web.send_attachment(view, content)


@blueprint.route("/my/needs/<int:need_id>/submit", methods=["POST"])
@web.permits(EDIT)
def submit(need_id: int) -> ResponseReturnValue:
    """Submit a stored draft as it is."""

    def act(session: Session) -> str:
        service.submit(session, actor=web.actor(), now=web.now(), need_id=need_id)
        flash("已提交，交易中心通常在 3 个工作日内审核。", "success")
        return url_for("needs.show", need_id=need_id)

    return web.act(act, back=url_for("needs.edit", need_id=need_id, check=1))


@blueprint.route("/my/needs/<int:need_id>/recall", methods=["POST"])
@web.permits(EDIT)
def recall(need_id: int) -> ResponseReturnValue:
    """Take a need back from review."""

    def act(session: Session) -> str:
        service.recall(session, actor=web.actor(), now=web.now(), need_id=need_id)
        flash("已撤回到草稿。", "success")
        return url_for("needs.edit", need_id=need_id)

    return web.act(act, back=url_for("needs.show", need_id=need_id))


@blueprint.route("/my/needs/<int:need_id>/close", methods=["GET", "POST"])
@web.permits(EDIT)
def close(need_id: int) -> ResponseReturnValue:
    """Close a need with the reason."""
    view = queries.get_own(web.session(), web.actor(), need_id)
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.close(
                session,
                actor=web.actor(),
                now=web.now(),
                need_id=need_id,
                reason=form.reason.data or "",
            )
            flash("需求已关闭，不再公开。", "success")
            return url_for("needs.show", need_id=need_id)

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template(
        "needs/reason.html",
        form=form,
        view=view,
        heading="关闭需求",
        lead="关闭后别人检索不到它；以后可以恢复为草稿，重新提交。",
        label="关闭需求",
        action=url_for("needs.close", need_id=need_id),
        back=url_for("needs.show", need_id=need_id),
    )
    return page, form.status()


@blueprint.route("/my/needs/<int:need_id>/reopen", methods=["POST"])
@web.permits(EDIT)
def reopen(need_id: int) -> ResponseReturnValue:
    """Take a closed or expired need up again."""

    def act(session: Session) -> str:
        service.reopen(session, actor=web.actor(), now=web.now(), need_id=need_id)
        flash("已恢复为草稿，修改后重新提交。", "success")
        return url_for("needs.edit", need_id=need_id)

    return web.act(act, back=url_for("needs.show", need_id=need_id))
