"""The shape of what a person chooses about messages."""

from __future__ import annotations

from marketplace.foundation import web
from marketplace.notifications.rules import MessageKind


class PreferencesForm(web.Form):
    """Which kinds of messages come by mail."""

    by_mail = web.ChoicesField(
        "发邮件的消息", MessageKind, hint="没有勾选的只进消息列表；邮件发到您的登录邮箱"
    )
