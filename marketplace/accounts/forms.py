"""Shapes of the account pages' input."""

from __future__ import annotations

from collections.abc import Iterable

from wtforms import validators
from wtforms.form import BaseForm

from marketplace.accounts import rules
from marketplace.accounts.access_token_rules import MOST_DAYS, NAME_LONGEST
from marketplace.accounts.password_rules import PasswordProfile, check_password
from marketplace.accounts.rules import (
    District,
    OrganisationKind,
    OrganisationSubkind,
    PaperKind,
    Scale,
)
from marketplace.accounts.service import OrganisationContent, PersonContent
from marketplace.accounts.tokens import hash_password
from marketplace.foundation import web
from marketplace.foundation.access import Role
from marketplace.foundation.api.scopes import Scope
from marketplace.foundation.attachments import Upload

_OUTSIDE = "370000"
_JINAN = "370100"


class EmailField(web.TextField):
    """An e-mail address."""

    def pre_validate(self, form: BaseForm) -> None:
        text = str(self.data or "")
        name, at, host = text.partition("@")
        if text and (not name or not at or "." not in host or " " in text):
            raise validators.StopValidation("邮箱写法不对，应形如 name@example.com")


class PersonForm(web.Form):
    """Who the person is, and a password of their own."""

    person_name = web.TextField("姓名", required=True, longest=50)
    title = web.TextField("职务", longest=50)
    phone = web.TextField("手机", longest=30, hint="只在办理业务时给对方看")
    password = web.PasswordField(
        "设置密码", hint="至少 12 个字符，可以用一句自己记得住的话", autocomplete="new-password"
    )
    again = web.PasswordField("再输一次密码", autocomplete="new-password")

    def validate_again(self, field: web.PasswordField) -> None:
        """Refuse a second password that differs from the first."""
        if field.data != self.password.data:
            raise validators.ValidationError("两次输入的密码不一致，请重新输入")

    def to_person(
        self, email: str, *, names: Iterable[str], profile: PasswordProfile
    ) -> PersonContent:
        """Check the password by the profile, against the names known here, and hash it."""
        password = str(self.password.data)
        known = [str(self.person_name.data), email.partition("@")[0], *names]
        check_password(password, names=known, profile=profile)
        return PersonContent(
            email=email,
            name=str(self.person_name.data),
            password_hash=hash_password(password),
            title=str(self.title.data),
            phone=str(self.phone.data),
        )


class OrganisationFields(web.Form):
    """What an organisation says of itself and may change later."""

    name = web.TextField("单位全称", required=True, longest=100, hint="与营业执照或法人证书一致")
    short_name = web.TextField("简称", longest=30)
    district = web.ChoiceField(
        "所在区县", District, empty="不在济南市", hint="补助政策要求在济南市注册"
    )
    industry = web.TextField("所属行业", longest=60)
    scale = web.ChoiceField("企业规模", Scale, empty="不适用")
    high_tech = web.FlagField("高新技术企业")
    address = web.TextField("地址", longest=200)
    representative = web.TextField("法定代表人", longest=50)
    contact_name = web.TextField("联系人", longest=50)
    contact_phone = web.TextField("联系电话", longest=30)
    contact_email = EmailField("联系邮箱", longest=100)
    introduction = web.LongTextField("单位简介", longest=2000)

    def to_content(
        self, uscc: str, kind: OrganisationKind, subkinds: Iterable[OrganisationSubkind]
    ) -> OrganisationContent:
        """Return the content; the region follows the district."""
        return OrganisationContent(
            uscc=uscc,
            name=str(self.name.data),
            short_name=str(self.short_name.data),
            kind=kind,
            subkinds=tuple(subkinds),
            district=self.district.data,
            region_code=_JINAN if self.district.data else _OUTSIDE,
            industry=str(self.industry.data),
            scale=self.scale.data,
            high_tech=bool(self.high_tech.data),
            address=str(self.address.data),
            representative=str(self.representative.data),
            contact_name=str(self.contact_name.data),
            contact_phone=str(self.contact_phone.data),
            contact_email=str(self.contact_email.data),
            introduction=str(self.introduction.data),
        )


_PAPERS = "PDF、PNG 或 JPG，单个不超过 15 MB；只有本单位和交易中心能看到"


class PapersForm(web.Form):
    """What the operator verifies an organisation by."""

    licence = web.FilesField("营业执照或法人证书", hint=_PAPERS, accept=".pdf,.png,.jpg,.jpeg")
    authorisation = web.FilesField(
        "授权书",
        hint="盖章的授权书，写明经办人；经办人就是法定代表人的不用传",
        accept=".pdf,.png,.jpg,.jpeg",
    )

    def chosen(self) -> dict[PaperKind, list[Upload]]:
        """Read the files that were chosen, by kind."""
        fields = ((PaperKind.LICENCE, self.licence), (PaperKind.AUTHORISATION, self.authorisation))
        return {
            kind: web.read_uploads(field.uploads()) for kind, field in fields if field.uploads()
        }


class HandoverForm(web.Form):
    """Which colleague takes over, and whether the giver leaves."""

    taker = web.ChoiceField("移交给", [], required=True)
    leaving = web.FlagField("同时离开本单位：取消全部角色，登录随即退出")


class RegistrationForm(OrganisationFields, PersonForm, PapersForm):
    """An organisation and its first member."""

    uscc = web.UsccField("统一社会信用代码", required=True, hint="营业执照上的 18 位代码")
    kind = web.ChoiceField(
        "机构类型",
        [(kind.value, kind.label) for kind in rules.SELF_REGISTERED],
        required=True,
    )
    subkinds = web.ChoicesField(
        "服务类别",
        [
            (subkind.value, subkind.label)
            for subkind in OrganisationSubkind
            if subkind
            in (
                OrganisationSubkind.ASSESSOR,
                OrganisationSubkind.IP_FIRM,
                OrganisationSubkind.FINANCE,
                OrganisationSubkind.PARK,
                OrganisationSubkind.AGENCY,
            )
        ],
        hint="仅服务机构填写，可多选",
    )
    email = EmailField("登录邮箱", required=True, longest=100)
    agreed = web.FlagField("我已获本单位授权，并同意平台的交易规则与隐私政策", required=True)

    def to_organisation(self) -> OrganisationContent:
        """Return the organisation's content."""
        return self.to_content(
            str(self.uscc.data),
            OrganisationKind(self.kind.data),
            [OrganisationSubkind(code) for code in self.subkinds.data or ()],
        )


class JoinForm(PersonForm):
    """Somebody new who joins by an invitation."""

    agreed = web.FlagField("我同意平台的交易规则与隐私政策", required=True)


class SetupForm(PersonForm):
    """The operator and its first member."""

    name = web.TextField("运营机构全称", required=True, longest=100)
    uscc = web.UsccField("统一社会信用代码", required=True)
    email = EmailField("登录邮箱", required=True, longest=100)


class InvitationForm(web.Form):
    """Whom to invite, with which roles."""

    email = EmailField("邮箱", required=True, longest=100)
    roles = web.ChoicesField("角色", Role, required=True)


class RolesForm(web.Form):
    """The roles of one member."""

    roles = web.ChoicesField("角色", Role)


class DecisionForm(web.Form):
    """The operator's reason for not verifying an organisation."""

    reason = web.LongTextField(
        "不通过的原因", required=True, longest=500, hint="写明缺什么、怎样补正"
    )


class TokenForm(web.Form):
    """A new access token: for which program, for what, for how long."""

    name = web.TextField(
        "用途", required=True, longest=NAME_LONGEST, hint="写明给哪个系统用，如 科研管理系统同步"
    )
    scopes = web.ChoicesField("可以办的事", Scope, required=True)
    days = web.IntField("有效期", required=True, least=1, most=MOST_DAYS, unit="天")
