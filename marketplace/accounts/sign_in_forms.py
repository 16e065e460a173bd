"""Shapes of what is typed at sign-in, for passwords and for the second factor."""

from __future__ import annotations

from wtforms import validators

from marketplace.accounts.forms import EmailField
from marketplace.foundation import web

_CODE_INPUT = {"autocomplete": "one-time-code", "inputmode": "numeric"}


class SignInForm(web.Form):
    """E-mail and password."""

    email = EmailField("邮箱", required=True, longest=100, render_kw={"autocomplete": "username"})
    password = web.PasswordField("密码", autocomplete="current-password")


class CodeForm(web.Form):
    """A one-time code, or a recovery code where one is allowed."""

    code = web.TextField(
        "动态口令", required=True, longest=30, render_kw={"autocomplete": "one-time-code"}
    )


class KeyForm(web.Form):
    """What a passkey answered, as the browser wrote it down."""

    credential = web.TextField("通行密钥", longest=20_000)


class KeyNameForm(web.Form):
    """What a passkey's owner calls it."""

    name = web.TextField(
        "名称", required=True, longest=40, hint="自己认得出就行，例如“办公电脑”“蓝色 U 盾”"
    )


class NewKeyForm(KeyNameForm):
    """A new passkey and what its owner calls it."""

    credential = web.TextField("通行密钥", longest=20_000)


class FirstCodeForm(web.Form):
    """The first code of a new second factor."""

    code = web.TextField("App 上显示的 6 位口令", required=True, longest=10, render_kw=_CODE_INPUT)


class ProofForm(web.Form):
    """The password once more, and a code where there is a second factor."""

    id_prefix = "proof"

    proof_password = web.PasswordField("密码", autocomplete="current-password")
    proof_code = web.TextField(
        "动态口令", longest=30, hint="App 上的 6 位口令", render_kw=_CODE_INPUT
    )
    proof_credential = web.TextField("通行密钥", longest=20_000)


class _NewPassword(web.Form):
    """A password typed twice."""

    password = web.PasswordField(
        "新密码", hint="至少 12 个字符，可以用一句自己记得住的话", autocomplete="new-password"
    )
    again = web.PasswordField("再输一次新密码", autocomplete="new-password")

    def validate_again(self, field: web.PasswordField) -> None:
        """Refuse a second password that differs from the first."""
        if field.data != self.password.data:
            raise validators.ValidationError("两次输入的密码不一致，请重新输入")


class PasswordForm(_NewPassword):
    """A new password, after the present one."""

    present = web.PasswordField("现在的密码", autocomplete="current-password")


class ResetForm(_NewPassword):
    """A new password, by a mailed link."""


class ForgottenForm(web.Form):
    """Whose password was forgotten."""

    email = EmailField(
        "登录邮箱", required=True, longest=100, render_kw={"autocomplete": "username"}
    )


class ContactForm(web.Form):
    """What colleagues and partners read of a person."""

    id_prefix = "contact"

    name = web.TextField("姓名", required=True, longest=50)
    title = web.TextField("职务", longest=50)
    phone = web.TextField("手机", longest=30, hint="只在办理业务时给对方看")


class NewAddressForm(web.Form):
    """Another sign-in address."""

    id_prefix = "address"

    email = EmailField(
        "新的登录邮箱", required=True, longest=100, hint="会向新邮箱发送确认链接，打开后才更换"
    )


class FindPersonForm(web.Form):
    """Whose account the operator looks for."""

    email = EmailField("登录邮箱", required=True, longest=100)


class ReasonForm(web.Form):
    """Why something is done to a person's account."""

    reason = web.LongTextField("原因", required=True, longest=500, rows=2)


class IdentityCheckForm(web.Form):
    """How the operator made sure of who asks for a reset."""

    id_prefix = "reset"

    reason = web.LongTextField(
        "怎样核实了本人身份",
        required=True,
        longest=500,
        rows=2,
        hint="例如：电话回拨单位登记的号码，并核对了盖章的书面申请",
    )
