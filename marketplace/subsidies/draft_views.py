"""The bureau's drafts of documents: begun from a document, changed edition by edition."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import reference, web
from marketplace.subsidies import draft_queries, service
from marketplace.subsidies.correction_rules import changes_between
from marketplace.subsidies.draft_forms import DraftForm
from marketplace.subsidies.draft_queries import DraftView
from marketplace.subsidies.draft_rules import TRY_POLICIES, read_draft
from marketplace.subsidies.parameters import FOLDER, policies
from marketplace.subsidies.views import blueprint


@blueprint.route("/subsidies/drafts")
@web.permits(TRY_POLICIES)
def drafts() -> ResponseReturnValue:
    """List the drafts with their authors, and the documents to begin one from."""
    return render_template(
        "subsidies/drafts.html",
        drafts=draft_queries.list_drafts(web.session()),
        documents=[policy for policy in reversed(policies()) if policy.items],
    )


@blueprint.route("/subsidies/drafts/new", methods=["GET", "POST"])
@web.permits(TRY_POLICIES)
def new_draft() -> ResponseReturnValue:
    """Begin a draft, with the text of a document where one is named."""
    wanted = web.argument("from")
    copied = next((policy for policy in policies() if policy.id == wanted), None)
    form = DraftForm.load(
        name=f"{copied.short} 修改稿" if copied else "",
        text=reference.text(f"{FOLDER}/{copied.file_name}") if copied else "",
    )
    if form.validate_on_post():

        def act(session: Session) -> str:
            draft_id = service.begin_draft(
                session,
                actor=web.actor(),
                now=web.now(),
                name=form.name.data,
                text=form.text.data,
                note=form.note.data,
            )
            return url_for("subsidies.draft", draft_id=draft_id)

        done = web.submit(form, act)
        if done is not None:
            flash("草案已保存。它不支付，也不公开，只供试算。", "success")
            return done
    return render_template("subsidies/draft.html", form=form, view=None), form.status()


@blueprint.route("/subsidies/drafts/<int:draft_id>", methods=["GET", "POST"])
@web.permits(TRY_POLICIES)
def draft(draft_id: int) -> ResponseReturnValue:
    """Show a draft and take its next edition."""
    view = draft_queries.get_draft(web.session(), draft_id)
    form = DraftForm.load(name=view.name, text=view.latest.text, version=view.edition)
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.change_draft(
                session,
                actor=web.actor(),
                now=web.now(),
                draft_id=draft_id,
                edition=form.version_number,
                name=form.name.data,
                text=form.text.data,
                note=form.note.data,
            )
            return url_for("subsidies.draft", draft_id=draft_id)

        done = web.submit(form, act)
        if done is not None:
            flash("已保存为新的一版，此前各版都在下面。", "success")
            return done
    return render_template("subsidies/draft.html", form=form, view=view), form.status()


@blueprint.route("/subsidies/drafts/<int:draft_id>/editions/<int:number>")
@web.permits(TRY_POLICIES)
def draft_edition(draft_id: int, number: int) -> ResponseReturnValue:
    """Show one saved edition and what it changed in the one before it."""
    view = draft_queries.get_draft(web.session(), draft_id)
    edition = draft_queries.get_edition(view, number)
    return render_template(
        "subsidies/draft_edition.html", view=view, edition=edition, changes=_changes(view, number)
    )


def _changes(view: DraftView, number: int) -> list[tuple[str, str, str]]:
    """List what an edition changed in the one before it: place, before, after."""
    if number == 1:
        return []
    earlier, later = (
        read_draft(draft_queries.get_edition(view, n).text) for n in (number - 1, number)
    )
    return [(c.place, c.before, c.after) for c in changes_between(earlier, later)]
