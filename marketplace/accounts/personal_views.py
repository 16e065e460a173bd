"""Pages of one's own personal data: consents, a copy of everything, and the end of the account."""

from __future__ import annotations

import json

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import consent_service, personal_queries, personal_service
from marketplace.accounts import session_cookie as cookie
from marketplace.accounts.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.errors import DomainError
from marketplace.foundation.handover import Handovers
from marketplace.foundation.personal import PersonalParts
from marketplace.foundation.processing import records


@blueprint.route("/account/privacy")
@web.permits(SIGNED_IN)
def own_privacy() -> ResponseReturnValue:
    """Show what one has agreed to, and the ways to a copy and to the end of the account."""
    return render_template(
        "accounts/privacy.html",
        consents=personal_queries.consents_of(web.session(), web.actor().user_id or 0),
        records=records(),
    )


@blueprint.route("/account/privacy/consents/<int:consent_id>/withdraw", methods=["POST"])
@web.permits(SIGNED_IN)
def withdraw_consent(consent_id: int) -> ResponseReturnValue:
    """Take back one consent."""
    back = url_for("accounts.own_privacy")

    def use_case(session: Session) -> str:
        consent_service.withdraw_consent(
            session, actor=web.actor(), now=web.now(), consent_id=consent_id
        )
        flash("已撤回，对方不再能看到您的电话。", "success")
        return back

    return web.act(use_case, back=back)


@blueprint.route("/account/privacy/data")
@web.permits(SIGNED_IN)
def own_data() -> ResponseReturnValue:
    """Send a copy of all that is held on the person who asks."""
    found = web.resource(PersonalParts).own_data(web.session(), user_id=web.actor().user_id or 0)
    text = json.dumps(found, ensure_ascii=False, indent=1, default=str)
    return web.send_json(text.encode(), "我的个人信息")


@blueprint.route("/account/close", methods=["POST"])
@web.permits(SIGNED_IN)
@web.sensitive
def close_account() -> ResponseReturnValue:
    """Close one's own account, after a fresh proof of who asks."""
    try:
        with web.transaction() as session:
            personal_service.close_account(
                session,
                actor=web.actor(),
                now=web.now(),
                works=web.resource(Handovers),
                parts=web.resource(PersonalParts),
            )
    except DomainError as refusal:
        for problem in refusal.problems:
            flash(problem.message, "danger")
        return redirect(url_for("accounts.own_privacy"), 303)
    cookie.forget()
    flash("账号已注销，姓名、邮箱和电话已清除。", "success")
    return redirect(url_for("accounts.sign_in"), 303)
