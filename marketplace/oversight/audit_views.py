"""Pages of the audit trail: the operator's list, a deal's evidence, the published heads."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.accounts import queries as accounts
from marketplace.accounts import sign_in_queries
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.audit_actions import action_words
from marketplace.oversight import audit_queries, evidence_queries, head_queries, rules
from marketplace.oversight.audit_queries import AuditFilter
from marketplace.oversight.rules import AuditedKind
from marketplace.oversight.views import blueprint


@blueprint.route("/audit-heads")
@web.permits(PUBLIC)
def heads() -> ResponseReturnValue:
    """Publish where the audit chain stood at the end of each day."""
    page = head_queries.page_of_heads(
        web.session(), after=web.argument("after", longest=400) or None
    )
    return render_template("oversight/heads.html", page=page)


@dataclass
class _Asked:
    """The filter as it was typed, and what is wrong with it."""

    person: str
    organisation: str
    action: str
    kind: str
    number: str
    since: str
    until: str
    errors: dict[str, str]

    @classmethod
    def read(cls) -> _Asked:
        names = ("person", "organisation", "action", "kind", "number", "since", "until")
        return cls(**{name: web.argument(name, longest=200) for name in names}, errors={})

    def filled(self) -> dict[str, str]:
        """Return what was typed, for the address of the next page."""
        return {
            name: value for name, value in vars(self).items() if name != "errors" and value != ""
        }

    def to_filter(self) -> AuditFilter:
        """Find what was named; what cannot be found is noted beside its field."""
        session = web.session()
        user_id = sign_in_queries.find_user_id(session, self.person) if self.person else None
        if self.person and user_id is None:
            self.errors["person"] = "没有用这个邮箱登录的账号，请填写完整的登录邮箱"
        house = (
            accounts.find_organisation_by_uscc(session, self.organisation)
            if self.organisation
            else None
        )
        house_id = house.id if house else None
        if self.organisation and house is None:
            named = accounts.organisation_ids_by_name(session, [self.organisation])
            house_id = named.get(self.organisation)
            if house_id is None:
                self.errors["organisation"] = "没有这家机构，请填写全称或统一社会信用代码"
        kind = next((k for k in AuditedKind if k.value == self.kind), None)
        if self.number and (kind is None or not self.number.isdecimal()):
            self.errors["number"] = "编号是数字，并请同时选择对象的类型"
        if kind is not None and not self.number:
            self.errors["number"] = "请填写对象的编号，即它网址里的数字"
        return AuditFilter(
            user_id=user_id,
            organisation_id=house_id,
            action=self.action if self.action in action_words() else "",
            subject=f"{kind.value}:{self.number}" if kind and self.number.isdecimal() else "",
            since=self._day("since", self.since),
            until=self._day("until", self.until),
        )

    def _day(self, name: str, text: str) -> date | None:
        if not text:
            return None
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.errors[name] = "日期写成 2024-03-15 这样"
            return None


@blueprint.route("/desk/audit")
@web.permits(rules.WATCH)
def audit_rows() -> ResponseReturnValue:
    """List the audit by person, organisation, action, object and period."""
    asked = _Asked.read()
    chosen = asked.to_filter()
    page = None
    if not asked.errors:
        page = audit_queries.page_of_rows(
            web.session(), web.actor(), chosen, after=web.argument("after", longest=400) or None
        )
    following: dict[str, Any] = {**asked.filled(), "after": page.next_token if page else None}
    shown = render_template(
        "oversight/audit.html",
        asked=asked,
        page=page,
        actions=action_words(),
        kinds=list(AuditedKind),
        latest=head_queries.latest_head(web.session()),
        next_url=url_for("oversight.audit_rows", **following) if following["after"] else None,
        deal_id=int(asked.number)
        if asked.kind == AuditedKind.DEAL and asked.number.isdecimal()
        else None,
    )
    return shown, 422 if asked.errors else 200


@blueprint.route("/desk/evidence/deals/<int:deal_id>")
@web.permits(rules.WATCH)
def evidence(deal_id: int) -> ResponseReturnValue:
    """Send the evidence of one deal as an archive that proves itself."""
    made = evidence_queries.package(
        web.session(),
        web.actor(),
        deal_id,
        now=web.now(),
        store=web.resource(AttachmentStore),
    )
    return web.send_archive(made.content, made.name)
