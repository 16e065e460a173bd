"""Pages of the import: upload, preview with columns, progress, result with every row's fate."""

from __future__ import annotations

from flask import Blueprint, Response, flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.exchange import queries, service
from marketplace.exchange.forms import UploadForm, mapping_of
from marketplace.exchange.rules import (
    COLUMNS,
    IMPORT,
    ImportKind,
    ImportState,
    RowFate,
    check_mapping,
    kinds_for,
)
from marketplace.foundation import web
from marketplace.foundation.access import Role
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.errors import NotFound, RuleBroken

blueprint = Blueprint("exchange", __name__, template_folder="templates", url_prefix="/imports")


@blueprint.route("")
@web.permits(IMPORT)
def index() -> ResponseReturnValue:
    """List the imports."""
    after = web.argument("after") or None
    page = queries.listed(web.session(), web.actor(), after=after)
    return render_template("exchange/index.html", page=page, after=after)


@blueprint.route("/new", methods=["GET", "POST"])
@web.permits(IMPORT)
def upload() -> ResponseReturnValue:
    """Take a file; what is wrong with it is said beside the field, and nothing is kept."""
    actor = web.actor()
    kinds = kinds_for(actor.roles)
    wanted = next((k for k in kinds if k.value == web.argument("kind")), kinds[0])
    form = UploadForm.load(kind=wanted)
    form.kind.offer([(kind.value, kind.label) for kind in kinds])
    operator = actor.has(Role.OPERATOR)
    if form.validate_on_post():
        files = web.read_uploads(form.file.uploads())
        if not files:
            form.take(RuleBroken("exchange.no_file", "还没有选择文件", "file"))
        elif len(files) > 1:
            form.take(RuleBroken("exchange.one_file", "一次选择一个文件", "file"))
        else:

            def act(session: Session) -> str:
                import_id = service.upload(
                    session,
                    actor=actor,
                    now=web.now(),
                    kind=form.kind.data,
                    organisation_id=_organisation_id(session, form, operator=operator),
                    file=files[0],
                    store=web.resource(AttachmentStore),
                )
                return url_for("exchange.show", import_id=import_id)

            done = web.submit(form, act)
            if done is not None:
                return done
    page = render_template(
        "exchange/upload.html",
        form=form,
        operator=operator,
        kinds=kinds,
        columns={kind: COLUMNS[kind] for kind in kinds},
    )
    return page, form.status()


def _organisation_id(session: Session, form: UploadForm, *, operator: bool) -> int:
    if not operator:
        return web.actor().organisation_id or 0
    if not form.uscc.data:
        raise RuleBroken("exchange.uscc", "请填写为哪个单位导入", "uscc")
    found = accounts.find_organisation_by_uscc(session, form.uscc.data)
    if found is None:
        raise RuleBroken("exchange.unknown_uscc", "平台上没有这个单位，请先请它入驻", "uscc")
    return found.id


@blueprint.route("/<int:import_id>")
@web.permits(IMPORT)
def show(import_id: int) -> ResponseReturnValue:
    """Show one import: its preview, its progress or its result."""
    session = web.session()
    view = queries.get(session, web.actor(), import_id)
    if view.state is ImportState.UPLOADED:
        return _preview_page(view, view.mapping, [])
    if view.running:
        return render_template("exchange/running.html", view=view)
    fate = next((f for f in RowFate if f.value == web.argument("fate")), None)
    after = web.argument("after") or None
    return render_template(
        "exchange/result.html",
        view=view,
        page=queries.rows(session, import_id, fate=fate, after=after),
        fate=fate,
        after=after,
        fates=list(RowFate),
        counts={
            RowFate.IMPORTED: view.imported_count,
            RowFate.INCOMPLETE: view.incomplete_count,
            RowFate.EXISTING: view.existing_count,
            RowFate.REFUSED: view.refused_count,
        },
    )


def _preview_page(view: queries.ImportView, mapping: dict[str, int], problems: list[str]) -> str:
    return render_template(
        "exchange/preview.html",
        view=view,
        mapping=mapping,
        problems=problems,
        columns=COLUMNS[view.kind],
        preview=queries.preview(
            web.session(),
            view,
            mapping=mapping,
            now=web.now(),
            store=web.resource(AttachmentStore),
        )
        if not problems
        else None,
    )


@blueprint.route("/<int:import_id>/start", methods=["POST"])
@web.permits(IMPORT)
def start(import_id: int) -> ResponseReturnValue:
    """Take the columns as chosen and start, or show the preview again with them."""
    view = queries.get(web.session(), web.actor(), import_id)
    mapping = mapping_of(view.kind, request.form)
    back = url_for("exchange.show", import_id=import_id)
    try:
        check_mapping(view.kind, view.header, mapping)
    except RuleBroken as refusal:
        return _preview_page(view, mapping, [p.message for p in refusal.problems]), 422

    def act(session: Session) -> str:
        service.set_mapping(
            session, actor=web.actor(), now=web.now(), import_id=import_id, mapping=mapping
        )
        if request.form.get("then") != "preview":
            service.start(session, actor=web.actor(), now=web.now(), import_id=import_id)
        return back

    return web.act(act, back=back)


@blueprint.route("/<int:import_id>/cancel", methods=["POST"])
@web.permits(IMPORT)
def cancel(import_id: int) -> ResponseReturnValue:
    """Give an import up."""

    def act(session: Session) -> str:
        service.cancel(session, actor=web.actor(), now=web.now(), import_id=import_id)
        flash("已取消，没有写入任何内容。", "success")
        return url_for("exchange.index")

    return web.act(act, back=url_for("exchange.show", import_id=import_id))


@blueprint.route("/<int:import_id>/progress")
@web.permits(IMPORT)
def progress(import_id: int) -> Response:
    """Answer how far an import is; once over, lead the page to its result."""
    view = queries.get(web.session(), web.actor(), import_id)
    response = Response(render_template("exchange/_progress.html", view=view))
    if not view.running:
        response.headers["HX-Redirect"] = url_for("exchange.show", import_id=import_id)
    return response


@blueprint.route("/<int:import_id>/result.xlsx")
@web.permits(IMPORT)
def result(import_id: int) -> Response:
    """Send the file's rows with their fates; text stays text."""
    view = queries.get(web.session(), web.actor(), import_id)
    if view.running or view.state is ImportState.UPLOADED:
        raise NotFound("exchange.no_result", "导入还没有完成，暂时没有结果文件")
    rows = queries.result_rows(web.session(), view, store=web.resource(AttachmentStore))
    return web.send_table(
        f"{view.file_name.rsplit('.', 1)[0]}-导入结果",
        (*queries.RESULT_HEADER, *view.header),
        rows,
        widths=queries.RESULT_WIDTHS,
    )


@blueprint.route("/template/<kind>.xlsx")
@web.permits(IMPORT)
def template(kind: str) -> Response:
    """Send an empty file with the column names that are known."""
    chosen = next((k for k in ImportKind if k.value == kind), None)
    if chosen is None:
        raise NotFound()
    header = [column.aliases[0] for column in COLUMNS[chosen]]
    return web.send_table(f"{chosen.label}导入模板", header, [])
