"""专家会这样说: accept a proposed term for an open need, or take one off."""

from __future__ import annotations

from flask import flash, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.discovery import learning_queries
from marketplace.discovery.views import blueprint
from marketplace.foundation import web
from marketplace.needs import queries as needs
from marketplace.needs import service as needs_service
from marketplace.needs import term_rules
from search import expansion, learning


@blueprint.route("/needs/<int:need_id>/terms", methods=["POST"])
@web.permits(term_rules.ACCEPT)
def accept_term(need_id: int) -> ResponseReturnValue:
    """Store a term with a need; from then on it is matched with full weight."""
    back = _back(need_id)
    term = request.form.get("term", "")

    def act(session: Session) -> str:
        needs_service.accept_term(
            session,
            actor=web.actor(),
            now=web.now(),
            need_id=need_id,
            term=term,
            proposed=_proposed(session, need_id),
        )
        flash(f"已采纳“{term[:30]}”，匹配随后更新。", "success")
        return back

    return web.act(act, back=back)


@blueprint.route("/needs/<int:need_id>/terms/drop", methods=["POST"])
@web.permits(term_rules.ACCEPT)
def drop_term(need_id: int) -> ResponseReturnValue:
    """Take a term off a need."""
    back = _back(need_id)
    term = request.form.get("term", "")

    def act(session: Session) -> str:
        needs_service.drop_term(
            session, actor=web.actor(), now=web.now(), need_id=need_id, term=term
        )
        flash(f"已去掉“{term[:30]}”。", "success")
        return back

    return web.act(act, back=back)


def _proposed(session: Session, need_id: int) -> list[str]:
    """Return what the platform proposes for a need, as the reader may see it."""
    content = needs.get_for(session, web.actor(), need_id).content
    written = "\n".join((content.title, content.problem, content.present_solution))
    lines = [
        f"{line.name} {line.present} → {line.target} {line.unit}" for line in content.indicators
    ]
    spoken = "\n".join((written, *lines))
    taught = learning.expand(learning_queries.pairs_for_need(session, spoken), spoken)
    return [term.text for term in (*expansion.expand(spoken), *taught)]


def _back(need_id: int) -> str:
    return web.local_next(url_for("discovery.need", need_id=need_id, _anchor="terms"))
