"""学习所得: the operator sees what answers have taught, and refuses what should not be used."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.discovery import learning_queries, learning_service
from marketplace.discovery.learning_rules import CURATE
from marketplace.discovery.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.errors import NotFound


@blueprint.route("/search/learned")
@web.permits(CURATE)
def learned() -> ResponseReturnValue:
    """List the learned pairs with their voices for and against."""
    session = web.session()
    return render_template(
        "discovery/learned.html",
        pairs=learning_queries.list_pairs(session),
        learned_at=learning_queries.learned_at(session),
    )


@blueprint.route("/search/learned/<int:pair_id>/<what>", methods=["POST"])
@web.permits(CURATE)
def refuse_pair(pair_id: int, what: str) -> ResponseReturnValue:
    """Take a learned pair out of use, or take it back."""
    if what not in ("refuse", "admit"):
        raise NotFound()

    def act(session: Session) -> str:
        learning_service.refuse_pair(
            session,
            actor=web.actor(),
            now=web.now(),
            pair_id=pair_id,
            refused=what == "refuse",
        )
        flash("已停用，以后重新学习也不再使用。" if what == "refuse" else "已恢复使用。", "success")
        return url_for("discovery.learned")

    return web.act(act, back=url_for("discovery.learned"))
