"""The operator's page of the library of assessors: houses, experts, ties."""

from __future__ import annotations

from typing import Any

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.assessments import library_queries, rules, service
from marketplace.assessments.library_forms import ExpertForm, HouseForm, ReleaseForm, TieForm
from marketplace.assessments.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.errors import RuleBroken


@blueprint.route("/library")
@web.permits(rules.KEEP_LIBRARY)
def library() -> ResponseReturnValue:
    """Show the library with the forms that keep it."""
    return _page()


@blueprint.route("/library/houses", methods=["POST"])
@web.permits(rules.KEEP_LIBRARY)
def enter_house() -> ResponseReturnValue:
    """Enter a house, or bring its entry up to date."""
    form = _house_form()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.enter_house(
                session,
                actor=web.actor(),
                now=web.now(),
                organisation_id=int(form.organisation.data),
                grade=form.grade.data,
                fields=tuple(form.fields.data or ()),
                basis=form.basis.data,
            )
            return url_for("assessments.library")

        done = web.submit(form, act)
        if done is not None:
            flash("评估机构已入库。", "success")
            return done
    return _page(house_form=form)


@blueprint.route("/library/experts", methods=["POST"])
@web.permits(rules.KEEP_LIBRARY)
def enter_expert() -> ResponseReturnValue:
    """Enter an expert, or bring the entry up to date."""
    form = _expert_form()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.enter_expert(
                session,
                actor=web.actor(),
                now=web.now(),
                user_id=int(form.user.data),
                grade=form.grade.data,
                fields=tuple(form.fields.data or ()),
                basis=form.basis.data,
            )
            return url_for("assessments.library")

        done = web.submit(form, act)
        if done is not None:
            flash("专家已入库。", "success")
            return done
    return _page(expert_form=form)


@blueprint.route("/library/experts/<int:user_id>/release", methods=["POST"])
@web.permits(rules.KEEP_LIBRARY)
def release_expert(user_id: int) -> ResponseReturnValue:
    """Take an expert out of the library."""
    form = ReleaseForm.load()
    back = url_for("assessments.library")

    def act(session: Session) -> str:
        service.release_expert(
            session, actor=web.actor(), now=web.now(), user_id=user_id, reason=form.reason.data
        )
        return back

    return web.act(act, back=back)


@blueprint.route("/library/ties", methods=["POST"])
@web.permits(rules.KEEP_LIBRARY)
def record_tie() -> ResponseReturnValue:
    """Record what ties two organisations."""
    form = TieForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.record_tie(
                session,
                actor=web.actor(),
                now=web.now(),
                first_id=_organisation(session, form.first.data, "first"),
                second_id=_organisation(session, form.second.data, "second"),
                kind=form.kind.data,
                since=form.since.data,
                until=form.until.data,
                source=form.source.data,
            )
            return url_for("assessments.library")

        done = web.submit(form, act)
        if done is not None:
            flash("关联关系已登记，从现在起参与利益冲突核对。", "success")
            return done
    return _page(tie_form=form)


def _organisation(session: Session, uscc: str, field: str) -> int:
    found = accounts.find_organisation_by_uscc(session, uscc)
    if found is None:
        raise RuleBroken(
            "assessments.unknown_organisation", "平台上没有这家单位，请核对代码", field
        )
    return found.id


def _house_form(*, fresh: bool = False) -> HouseForm:
    form = HouseForm.fresh() if fresh else HouseForm.load()
    form.offer(
        [
            (house.organisation.id, house.organisation.name)
            for house in library_queries.houses(web.session())
        ]
    )
    return form


def _expert_form(*, fresh: bool = False) -> ExpertForm:
    form = ExpertForm.fresh() if fresh else ExpertForm.load()
    form.offer(library_queries.candidates_for_entry(web.session()))
    return form


def _page(**sent: Any) -> ResponseReturnValue:
    session = web.session()
    forms = {
        "house_form": _house_form(fresh=True),
        "expert_form": _expert_form(fresh=True),
        "tie_form": TieForm.fresh(),
        **sent,
    }
    body = render_template(
        "assessments/library.html",
        houses=library_queries.houses(session),
        experts=library_queries.experts(session),
        ties=library_queries.ties(session),
        **forms,
    )
    return body, 422 if any(form.errors for form in sent.values()) else 200
