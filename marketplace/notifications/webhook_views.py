"""Pages of pushes: one's own addresses, what became of each push, and the secret."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import Actor
from marketplace.notifications import rules, webhook_queries, webhook_service
from marketplace.notifications.forms import WebhookForm
from marketplace.notifications.views import blueprint
from marketplace.notifications.webhook_post import Secrets


@blueprint.route("/webhooks", methods=["GET", "POST"])
@web.permits(rules.READ)
@web.sensitive
def webhooks() -> ResponseReturnValue:
    """List the actor's push addresses and set up new ones."""
    form = WebhookForm.load()
    if form.validate_on_post():

        def use_case(session: Session) -> str:
            made = webhook_service.create_webhook(
                session,
                actor=web.actor(),
                now=web.now(),
                name=form.name.data,
                url=form.url.data,
                kinds=form.kinds.data or (),
            )
            return url_for("notifications.webhook", webhook_id=made)

        done = web.submit(form, use_case)
        if done is not None:
            flash("推送地址已设置。先发一条测试，再把密钥填进您的系统。", "success")
            return done
    listed = webhook_queries.webhooks_of(web.session(), web.actor())
    return render_template("notifications/webhooks.html", form=form, webhooks=listed), form.status()


@blueprint.route("/webhooks/<int:webhook_id>")
@web.permits(rules.READ)
def webhook(webhook_id: int) -> ResponseReturnValue:
    """Show one address with its pushes and their attempts."""
    session = web.session()
    view = webhook_queries.get_webhook(session, web.actor(), webhook_id)
    page = webhook_queries.deliveries_of(session, webhook_id, after=web.argument("after") or None)
    return render_template("notifications/webhook.html", webhook=view, page=page)


@blueprint.route("/webhooks/<int:webhook_id>/secret", methods=["POST"])
@web.permits(rules.READ)
@web.sensitive
def webhook_secret(webhook_id: int) -> ResponseReturnValue:
    """Show the secret with which the pushes to an address are signed."""
    view = webhook_queries.get_webhook(web.session(), web.actor(), webhook_id)
    with web.transaction() as session:
        webhook_service.note_secret_shown(
            session, actor=web.actor(), now=web.now(), webhook_id=webhook_id
        )
    secret = web.resource(Secrets).of(view.id, view.salt)
    return render_template("notifications/webhook_secret.html", webhook=view, secret=secret)


@blueprint.route("/webhooks/<int:webhook_id>/try", methods=["POST"])
@web.permits(rules.READ)
def try_webhook(webhook_id: int) -> ResponseReturnValue:
    """Send a trial push."""
    return _act(
        webhook_id, webhook_service.try_webhook, "测试推送正在发出，几秒后刷新本页看是否送达。"
    )


@blueprint.route("/webhooks/<int:webhook_id>/end", methods=["POST"])
@web.permits(rules.READ)
def end_webhook(webhook_id: int) -> ResponseReturnValue:
    """Push nothing more to an address."""
    return _act(webhook_id, webhook_service.end_webhook, "已停用，不再推送。")


@blueprint.route("/webhooks/<int:webhook_id>/resume", methods=["POST"])
@web.permits(rules.READ)
def resume_webhook(webhook_id: int) -> ResponseReturnValue:
    """Push again to an address that was stopped."""
    return _act(webhook_id, webhook_service.resume_webhook, "已恢复推送。")


@blueprint.route("/webhooks/pushes/<int:delivery_id>/again", methods=["POST"])
@web.permits(rules.READ)
def push_again(delivery_id: int) -> ResponseReturnValue:
    """Try a push that was given up once more."""

    def use_case(session: Session) -> str:
        webhook_id = webhook_service.push_again(
            session, actor=web.actor(), now=web.now(), delivery_id=delivery_id
        )
        return url_for("notifications.webhook", webhook_id=webhook_id)

    return web.act(use_case, back=url_for("notifications.webhooks"))


class _UseCase(Protocol):
    def __call__(
        self, session: Session, *, actor: Actor, now: datetime, webhook_id: int
    ) -> None: ...


def _act(webhook_id: int, service: _UseCase, done: str) -> ResponseReturnValue:
    back = url_for("notifications.webhook", webhook_id=webhook_id)

    def use_case(session: Session) -> str:
        service(session, actor=web.actor(), now=web.now(), webhook_id=webhook_id)
        flash(done, "success")
        return back

    return web.act(use_case, back=back)
