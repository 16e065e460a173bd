"""The shapes of what a person chooses about messages."""

from __future__ import annotations

from marketplace.foundation import web
from marketplace.notifications.rules import MessageKind


class PreferencesForm(web.Form):
    """Which kinds of messages come by mail."""

    by_mail = web.ChoicesField(
        "发邮件的消息", MessageKind, hint="没有勾选的只进消息列表；邮件发到您的登录邮箱"
    )


class WebhookForm(web.Form):
    """A new push address: of which system, where, for which messages."""

    name = web.TextField(
        "用途", required=True, longest=60, hint="写明推给哪个系统，如 科研管理系统待办"
    )
    url = web.TextField(
        "网址",
        required=True,
        longest=500,
        placeholder="https://system.example.edu.cn/hook",
        hint="平台用 POST 把消息送到这里；要用 https，内部网络的地址须由运营机构先放行",
    )
    kinds = web.ChoicesField("推送的消息", MessageKind, required=True)
