"""The bureau's what-if: what other documents would do to the registered contracts of a year."""

from __future__ import annotations

from dataclasses import dataclass

from flask import render_template, request
from flask.typing import ResponseReturnValue

from marketplace.foundation import web
from marketplace.foundation.errors import DomainError, NotFound
from marketplace.foundation.money import format_yuan
from marketplace.subsidies import chart_rules, whatif_queries, year_queries
from marketplace.subsidies.draft_forms import WhatIfForm
from marketplace.subsidies.draft_rules import TRY_POLICIES
from marketplace.subsidies.views import blueprint
from marketplace.subsidies.whatif_queries import Choice, Comparison
from marketplace.subsidies.whatif_rules import Place

_SHOWN = 15


@dataclass(frozen=True)
class _Asked:
    """What is compared, read from the address."""

    year: int
    left: Choice
    right: Choice
    place: Place

    def compare(self) -> Comparison:
        return whatif_queries.compare_year(
            web.session(), self.year, self.left, self.right, self.place
        )


@blueprint.route("/subsidies/what-if")
@web.permits(TRY_POLICIES)
def what_if() -> ResponseReturnValue:
    """Show winners, losers, the money needed and the caps hit, with charts and their tables."""
    form = _form()
    if form is None:
        return render_template("subsidies/whatif.html", form=None, asked=None)
    asked = _asked(form)
    if asked is None:
        page = render_template("subsidies/whatif.html", form=form, asked=None)
        return page, form.status()
    made = asked.compare()
    totals = made.found.totals()
    bands = made.found.bands()
    return render_template(
        "subsidies/whatif.html",
        form=form,
        asked=asked,
        made=made,
        totals=totals,
        pairs=chart_rules.pairs([(t.label, t.before_fen, t.after_fen) for t in totals[:-1]]),
        bands=bands,
        bars=chart_rules.diverging([(b.label, b.count, b.gain_fen < 0) for b in bands]),
        chart=chart_rules,
        budget=made.found.budget(form.budget.data) if form.budget.data else None,
        rows_shown=_SHOWN,
        query=_query(form),
    )


@blueprint.route("/subsidies/what-if.xlsx")
@web.permits(TRY_POLICIES)
def what_if_table() -> ResponseReturnValue:
    """Send every organisation's item on both sides as an Excel file."""
    form = _form()
    asked = _asked(form) if form else None
    if asked is None:
        raise NotFound()
    made = asked.compare()
    return web.send_table(
        f"政策试算 {asked.year} 年",
        [
            "单位",
            "项目",
            f"{asked.left.label}（元）",
            "依据",
            "到上限",
            f"{asked.right.label}（元）",
            "依据",
            "到上限",
            "增减（元）",
            "结果",
        ],
        [
            [
                shift.name,
                shift.item.label,
                format_yuan(shift.before_fen),
                shift.before_policy,
                "是" if shift.before_capped else "",
                format_yuan(shift.after_fen),
                shift.after_policy,
                "是" if shift.after_capped else "",
                format_yuan(shift.gain_fen),
                shift.effect.label,
            ]
            for shift in made.found.shifts
        ],
        widths=[32, 14, 20, 14, 8, 20, 14, 8, 18, 10],
    )


@blueprint.route("/subsidies/what-if/<int:organisation_id>")
@web.permits(TRY_POLICIES)
def what_if_of(organisation_id: int) -> ResponseReturnValue:
    """Show one organisation's items on both sides with their reasons."""
    form = _form()
    asked = _asked(form) if form else None
    if form is None or asked is None:
        raise NotFound()
    sides = whatif_queries.explain_both(
        web.session(), asked.year, asked.left, asked.right, asked.place, organisation_id
    )
    return render_template(
        "subsidies/whatif_of.html",
        asked=asked,
        sides=sides,
        name=sides[0][1].party_name,
        query=_query(form),
    )


def _form() -> WhatIfForm | None:
    """Build the form from the address; None while no contract is registered in any year."""
    session = web.session()
    years = year_queries.fact_years(session)
    if not years:
        return None
    return WhatIfForm.asked(request.args, years=years, choices=whatif_queries.choices(session))


def _asked(form: WhatIfForm) -> _Asked | None:
    """Return what a form asks for; None, with the reason on the form, where it cannot be had."""
    if not form.validate():
        return None
    try:
        left, right = (
            whatif_queries.get_choice(web.session(), field.data)
            for field in (form.left, form.right)
        )
    except NotFound:
        raise
    except DomainError as refusal:
        form.take(refusal)
        return None
    return _Asked(int(form.year.data), left, right, form.place.data)


def _query(form: WhatIfForm) -> dict[str, str]:
    """Return what leads to the same comparison again."""
    return {
        "year": form.year.data,
        "left": form.left.data,
        "right": form.right.data,
        "place": form.place.data.value,
    }
