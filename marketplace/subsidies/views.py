"""Public pages of subsidies: the calculator, the documents, the rounds."""

from __future__ import annotations

from datetime import date

from flask import Blueprint, render_template, request
from flask.typing import ResponseReturnValue

from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound
from marketplace.subsidies import queries
from marketplace.subsidies.correction_rules import corrections
from marketplace.subsidies.estimate_rules import compare_days, estimate, side_by_side
from marketplace.subsidies.forms import CalculatorForm
from marketplace.subsidies.parameters import (
    Policy,
    editions_of,
    policies,
    readings,
    select_policies,
)
from marketplace.subsidies.word_rules import Item
from marketplace.subsidies.wording_rules import (
    holder_caps,
    in_force_text,
    kinds_text,
    rate_text,
    short_yuan,
    types_text,
)

blueprint = Blueprint("subsidies", __name__, template_folder="templates")


@blueprint.route("/calculator")
@web.permits(PUBLIC)
def calculator() -> ResponseReturnValue:
    """Show what each party of a contract would get on a day, under each document, and why."""
    today = local_date(web.now())
    form = CalculatorForm.asked(request.args, today=today)
    if not form.validate():
        page = render_template("subsidies/calculator.html", form=form, found=None, today=today)
        return page, form.status()
    question = form.question()
    others = question.others()
    issued = select_policies()
    found = estimate(question.contract, others=others, parties=question.parties, policies=issued)
    days = compare_days(question.contract, others=others, parties=question.parties, policies=issued)
    drafts = [
        (
            draft,
            estimate(
                question.contract,
                others=others,
                parties=question.parties,
                policies=[draft.as_if_in_force()],
            ),
        )
        for draft in policies()
        if draft.draft
    ]
    return render_template(
        "subsidies/calculator.html",
        form=form,
        found=found,
        days=days,
        drafts=drafts,
        beside=side_by_side(found, {draft.id: would for draft, would in drafts}, policies()),
        items=list(Item),
        today=today,
        amount_fen=question.contract.amount_fen,
        ended=_ended(question.contract.registered_on),
    )


@blueprint.route("/policies")
@web.permits(PUBLIC)
def documents() -> ResponseReturnValue:
    """List the documents with what they pay and until when."""
    today = local_date(web.now())
    listed = list(reversed(policies()))
    return render_template(
        "subsidies/documents.html",
        current=[p for p in listed if not p.draft and p.in_force.covers(today)],
        past=[p for p in listed if not p.draft and not p.in_force.covers(today)],
        drafts=[p for p in listed if p.draft],
        rounds=queries.open_rounds(web.session(), now=web.now()),
        today=today,
    )


@blueprint.route("/policies/<policy_id>")
@web.permits(PUBLIC)
def document(policy_id: str) -> ResponseReturnValue:
    """Show one document: its items, rates, caps, conditions and readings."""
    policy = _policy(policy_id)
    used = dict.fromkeys(key for terms in policy.items for key in terms.readings)
    return render_template(
        "subsidies/document.html",
        policy=policy,
        corrections=corrections(editions_of(policy.id)),
        readings=[readings()[key] for key in sorted(used)],
        reference_pairs=[(provision.article, provision.text) for provision in policy.references],
        today=local_date(web.now()),
        types_text=types_text,
        kinds_text=kinds_text,
        rate_text=rate_text,
        short_yuan=short_yuan,
        holder_caps=holder_caps,
    )


@blueprint.route("/subsidies/rounds/<int:round_id>")
@web.permits(PUBLIC)
def round_notice(round_id: int) -> ResponseReturnValue:
    """Show a round's notice: the year, the dates, the budget, how to apply."""
    return render_template(
        "subsidies/round_notice.html",
        round=queries.get_round(web.session(), round_id),
        today=local_date(web.now()),
    )


def _ended(on: date) -> list[str]:
    """Name each document that pays on contracts and is not in force on a day."""
    paying = [policy for policy in reversed(select_policies()) if policy.items]
    return [in_force_text(policy, on) for policy in paying if not policy.in_force.covers(on)]


def _policy(policy_id: str) -> Policy:
    for policy in policies():
        if policy.id == policy_id:
            return policy
    raise NotFound("policies.unknown", "没有这份文件；文件清单在“政策文件”页")
