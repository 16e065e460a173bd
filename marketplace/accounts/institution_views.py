"""The public list of verified institutions, and one of them."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.accounts import queries, rules
from marketplace.accounts.rules import District, OrganisationKind, OrganisationState
from marketplace.accounts.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.errors import NotFound


@blueprint.route("/institutions")
@web.permits(PUBLIC)
def institutions() -> ResponseReturnValue:
    """List verified institutions by kind, district and name."""
    kind = next((k for k in OrganisationKind if k.value == web.argument("kind")), None)
    district = next((d for d in District if d.value == web.argument("district")), None)
    name = web.argument("name", longest=60)
    page = queries.page_of_organisations(
        web.session(),
        kinds=[kind] if kind else list(rules.SELF_REGISTERED),
        district=district,
        name=name,
        after=web.argument("after", longest=400) or None,
    )
    return render_template(
        "accounts/institutions.html",
        page=page,
        kind=kind,
        kinds=rules.SELF_REGISTERED,
        district=district,
        districts=list(District),
        name=name,
    )


@blueprint.route("/institutions/<int:organisation_id>")
@web.permits(PUBLIC)
def institution(organisation_id: int) -> ResponseReturnValue:
    """Show one verified institution."""
    view = queries.get_organisation(web.session(), organisation_id)
    # Who dealt with a suspended one must still find it, and see that it is.
    if view.state not in (OrganisationState.VERIFIED, OrganisationState.SUSPENDED):
        raise NotFound()
    return render_template("accounts/institution.html", view=view)
