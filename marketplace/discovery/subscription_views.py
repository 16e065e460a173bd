"""Saved searches: keep one, look after one's own, and the feeds that reader programs fetch."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.discovery import (
    alerts,
    feeds,
    results,
    standing_queries,
    subscription_queries,
    subscription_service,
)
from marketplace.discovery.asked import Asked
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.rules import Sorting
from marketplace.discovery.standing_queries import Entry
from marketplace.discovery.subscription_forms import SavedSearchForm
from marketplace.discovery.subscription_queries import SavedView
from marketplace.discovery.subscription_rules import MOST_KEPT, SUBSCRIBE, Frequency
from marketplace.discovery.views import blueprint, record_url, search_url
from marketplace.foundation import web
from marketplace.foundation.access import ANONYMOUS, PUBLIC, Actor
from marketplace.foundation.errors import NotFound
from marketplace.settings import Settings
from search.errors import SearchUnavailable

_ENTRIES = 50
_ATOM = "application/atom+xml; charset=utf-8"


@blueprint.route("/my/searches")
@web.permits(SUBSCRIBE)
def saved_searches() -> ResponseReturnValue:
    """List what the actor keeps, with what each one asks for and how it tells."""
    kept = subscription_queries.list_own(web.session(), web.actor())
    return render_template(
        "discovery/saved_searches.html",
        kept=[(saved, alerts.stated(saved.arguments), _feed_url(saved)) for saved in kept],
        chips_of=results.chips_of,
        search_url=search_url,
        most=MOST_KEPT,
    )


@blueprint.route("/my/searches/new", methods=["POST"])
@web.permits(SUBSCRIBE)
def save_search() -> ResponseReturnValue:
    """Keep the search that the form states; back to its results where that is refused."""
    asked = Asked.of(request.form)
    name = " ".join(request.form.get("name", "").split())
    often = request.form.get("frequency")

    def act(session: Session) -> str:
        subscription_service.save(
            session,
            actor=web.actor(),
            now=web.now(),
            name=name or asked.typed[:40] or f"全部{asked.tab.label}",
            arguments=asked.turned(1).arguments(),
            frequency=next((each for each in Frequency if each == often), Frequency.DAILY),
        )
        flash("已保存。有新发布的内容时，会发到消息和邮箱。", "success")
        return url_for("discovery.saved_searches")

    return web.act(act, back=search_url(asked))


@blueprint.route("/my/searches/<int:saved_search_id>")
@web.permits(SUBSCRIBE)
def saved_search(saved_search_id: int) -> ResponseReturnValue:
    """Lead to the results of a saved search, what changed last first."""
    saved = subscription_queries.get_own(web.session(), web.actor(), saved_search_id)
    asked = alerts.stated(saved.arguments)
    return redirect(search_url(asked.sorted_by(Sorting.UPDATED)))


@blueprint.route("/my/searches/<int:saved_search_id>/change", methods=["GET", "POST"])
@web.permits(SUBSCRIBE)
def change_search(saved_search_id: int) -> ResponseReturnValue:
    """Give a saved search another name, or let it tell more or less often."""
    saved = subscription_queries.get_own(web.session(), web.actor(), saved_search_id)
    form = SavedSearchForm.load(name=saved.name, frequency=saved.frequency)
    if form.validate_on_post():

        def act(session: Session) -> str:
            subscription_service.change(
                session,
                actor=web.actor(),
                now=web.now(),
                saved_search_id=saved_search_id,
                name=form.name.data or "",
                frequency=form.frequency.data or saved.frequency,
            )
            flash("已保存。", "success")
            return url_for("discovery.saved_searches")

        done = web.submit(form, act)
        if done is not None:
            return done
    page = render_template("discovery/saved_search.html", form=form, saved=saved)
    return page, form.status()


@blueprint.route("/my/searches/<int:saved_search_id>/<what>", methods=["POST"])
@web.permits(SUBSCRIBE)
def pause_search(saved_search_id: int, what: str) -> ResponseReturnValue:
    """Stop a saved search from telling, or let it go on."""
    if what not in ("pause", "resume"):
        raise NotFound()

    def act(session: Session) -> str:
        subscription_service.pause(
            session,
            actor=web.actor(),
            now=web.now(),
            saved_search_id=saved_search_id,
            paused=what == "pause",
        )
        flash("已暂停，不再告诉您。" if what == "pause" else "已恢复。", "success")
        return url_for("discovery.saved_searches")

    return web.act(act, back=url_for("discovery.saved_searches"))


@blueprint.route("/my/searches/<int:saved_search_id>/remove", methods=["POST"])
@web.permits(SUBSCRIBE)
def remove_search(saved_search_id: int) -> ResponseReturnValue:
    """Let a saved search go."""

    def act(session: Session) -> str:
        subscription_service.remove(
            session, actor=web.actor(), now=web.now(), saved_search_id=saved_search_id
        )
        flash("已删除。", "success")
        return url_for("discovery.saved_searches")

    return web.act(act, back=url_for("discovery.saved_searches"))


@blueprint.route("/my/searches/<int:saved_search_id>/feed/<what>", methods=["POST"])
@web.permits(SUBSCRIBE)
def change_feed(saved_search_id: int, what: str) -> ResponseReturnValue:
    """Give a saved search a new secret feed address, or take its feed away."""
    if what not in ("renew", "close"):
        raise NotFound()
    use_case = (
        subscription_service.renew_feed if what == "renew" else subscription_service.close_feed
    )

    def act(session: Session) -> str:
        use_case(session, actor=web.actor(), now=web.now(), saved_search_id=saved_search_id)
        flash(
            "新的 Atom 地址已生成，以前的地址不能再用。"
            if what == "renew"
            else "Atom 地址已停用。",
            "success",
        )
        return url_for("discovery.saved_searches")

    return web.act(act, back=url_for("discovery.saved_searches"))


@blueprint.route("/search.atom")
@web.permits(PUBLIC)
def public_feed() -> ResponseReturnValue:
    """Send a search as a feed, always as a visitor sees it, whoever asks."""
    asked = Asked.of(request.args)
    answer = _feed(asked, ANONYMOUS, title=f"检索：{asked.typed or asked.tab.label}")
    answer.headers["Cache-Control"] = "public, max-age=300"
    return answer


@blueprint.route("/feeds/searches/<int:saved_search_id>/<secret>")
@web.permits(PUBLIC)
def saved_feed(saved_search_id: int, secret: str) -> ResponseReturnValue:
    """Send a saved search to whoever holds its address, as its keeper may see it at this moment.

    An address that was renewed or closed, or whose keeper has left, leads nowhere.
    """
    session = web.session()
    saved = subscription_queries.find(session, saved_search_id)
    if saved is None or not saved.feed_open:
        raise NotFound()
    if not feeds.is_token(secret, _key(), saved.id, saved.feed_version):
        raise NotFound()
    reader = alerts.keeper(session, saved)
    if reader is None:
        raise NotFound()
    answer = _feed(alerts.stated(saved.arguments), reader, title=saved.name)
    answer.headers["Cache-Control"] = "private, no-store"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["X-Robots-Tag"] = "noindex"
    return answer


def _feed(asked: Asked, reader: Actor, *, title: str) -> Response:
    try:
        hits = alerts.newest(web.resource(SearchIndex), asked, reader, now=web.now())
    except SearchUnavailable:
        abort(503)
    names = [hit.document.id for hit in hits[:_ENTRIES]]
    body = feeds.atom(
        _newest_first(standing_queries.standing(web.session(), names)),
        title=f"{title} - 济南科技成果转化平台",
        own_url=request.url,
        page_url=_outside(search_url(asked)),
        url_of=lambda kind, record_id: _outside(record_url(kind, record_id)),
        now=web.now(),
    )
    return Response(body, content_type=_ATOM)


def _newest_first(entries: list[Entry]) -> list[Entry]:
    return sorted(entries, key=lambda e: e.since.timestamp() if e.since else 0.0, reverse=True)


def _outside(path: str) -> str:
    """Return a path with the host by which the platform is known."""
    site = web.resource(Settings).site_url or request.host_url
    return site.rstrip("/") + path


def _feed_url(saved: SavedView) -> str:
    if not saved.feed_open:
        return ""
    arguments: dict[str, Any] = {
        "saved_search_id": saved.id,
        "secret": feeds.token(_key(), saved.id, saved.feed_version),
    }
    return _outside(url_for("discovery.saved_feed", **arguments))


def _key() -> str:
    return web.resource(Settings).signing_key()
