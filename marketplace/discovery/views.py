"""The search page, suggestions while typing, and verdicts on matches."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response, flash, jsonify, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.discovery import fallback_queries, results, service
from marketplace.discovery.asked import Asked, in_wan
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.results import KINDS, SearchPage
from marketplace.discovery.rules import JUDGE, SORTINGS, Freshness, Tab, Verdict
from marketplace.discovery.subscription_rules import Frequency
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.errors import RuleBroken
from search import suggest as suggesting
from search.errors import SearchUnavailable
from search.highlight import Marks

blueprint = Blueprint("discovery", __name__, template_folder="templates")

_ENDPOINTS = {
    "achievement": ("discovery.achievement", "achievement_id", "成果"),
    "need": ("discovery.need", "need_id", "需求"),
    "expert": ("discovery.expert", "user_id", "专家"),
    "broker": ("brokerage.broker", "user_id", "技术经理人"),
    "organisation": ("accounts.institution", "organisation_id", "机构"),
}
_SUGGESTED = 6
_TAKEN_BACK = "none"


def record_url(kind: str, record_id: int) -> str:
    """Return the public page of a result."""
    endpoint, parameter, _ = _ENDPOINTS[kind]
    arguments: dict[str, Any] = {parameter: record_id}
    return url_for(endpoint, **arguments)


def search_url(asked: Asked) -> str:
    """Return the URL of a search."""
    arguments: dict[str, Any] = asked.arguments()
    return url_for("discovery.search", **arguments)


def feed_url(asked: Asked) -> str:
    """Return the URL of a search's public feed."""
    arguments: dict[str, Any] = asked.turned(1).arguments()
    return url_for("discovery.public_feed", **arguments)


@blueprint.route("/search")
@web.permits(PUBLIC)
def search() -> ResponseReturnValue:
    """Show results with tabs, filters and ways on; plain titles while search is down."""
    asked = Asked.of(request.args)
    try:
        page = results.answer(web.resource(SearchIndex), asked, web.actor(), now=web.now())
        titles = []
    except SearchUnavailable:
        page = SearchPage(asked=asked, down=True)
        titles = fallback_queries.titles(web.session(), asked.tab, asked.typed)
    return render_template(
        "discovery/search.html",
        page=page,
        asked=asked,
        titles=titles,
        tabs=list(Tab),
        sortings=SORTINGS[asked.tab],
        freshnesses=list(Freshness),
        frequencies=list(Frequency),
        in_wan=in_wan,
        search_url=search_url,
        feed_url=feed_url,
        record_url=record_url,
    )


@blueprint.route("/search/suggest")
@web.permits(PUBLIC)
def suggest() -> Response:
    """Return phrases and entries for what has been typed so far, as JSON."""
    typed = web.argument("q", longest=60)
    engine, actor = web.resource(SearchIndex).engine, web.actor()
    scope = results.scope_for(actor, *KINDS[Tab.ACHIEVEMENTS])
    try:
        found = suggesting.suggest(engine, typed, scope, limit=_SUGGESTED)
        first = found[0].phrase if found and typed.isascii() else typed
        direct = results.direct_hits(engine, first, actor) if typed else []
    except SearchUnavailable:
        found, direct = [], []
    marks = Marks([typed])
    answer = jsonify(
        phrases=[
            {
                "text": entry.phrase,
                "html": marks.mark(entry.phrase),
                "note": f"{entry.documents} 项",
                "url": search_url(Asked(typed=entry.phrase)),
            }
            for entry in found
        ],
        direct=[_direct(document_id, *shown) for document_id, shown in direct],
    )
    answer.headers["Cache-Control"] = "private, max-age=30"
    return answer


def _direct(document_id: str, title: str, note: str) -> dict[str, str]:
    kind, _, number = document_id.partition(":")
    return {
        "html": f"{_ENDPOINTS[kind][2]}：{title}",
        "note": note,
        "url": record_url(kind, int(number)),
    }


@blueprint.route("/matches/<int:need_id>/<int:achievement_id>", methods=["POST"])
@web.permits(JUDGE)
def judge(need_id: int, achievement_id: int) -> ResponseReturnValue:
    """Store whether a proposed match is useful, or take that back."""
    back = web.local_next(url_for("discovery.need", need_id=need_id))
    verdict = next((v for v in Verdict if v.value == request.form.get("verdict")), None)

    def act(session: Session) -> str:
        if request.form.get("verdict") == _TAKEN_BACK:
            service.retract_verdict(
                session,
                actor=web.actor(),
                now=web.now(),
                need_id=need_id,
                achievement_id=achievement_id,
            )
            flash("已撤销。", "success")
            return back
        if verdict is None:
            raise RuleBroken("discovery.verdict", "请选择“有用”或“无关”")
        service.judge_match(
            session,
            actor=web.actor(),
            now=web.now(),
            need_id=need_id,
            achievement_id=achievement_id,
            verdict=verdict,
        )
        flash("已记下，谢谢；以后的匹配会参考这些意见。", "success")
        return back

    return web.act(act, back=back)
