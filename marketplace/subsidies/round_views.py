"""The bureau's pages of rounds: the notice, its board, putting settled claims before the public."""

from __future__ import annotations

from flask import flash, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.clock import local_date
from marketplace.subsidies import queries, rules, service
from marketplace.subsidies.forms import RoundForm
from marketplace.subsidies.rules import ClaimStatus, RoundTerms
from marketplace.subsidies.views import blueprint

# What a notice usually says; the bureau changes it.
_ELIGIBLE = (
    "在济南市登记注册、当年有认定登记技术合同的高校、科研院所、企业和服务机构；"
    "在科研失信记录期内的单位不得申报。"
)
_DOCUMENTS = "合同款支付凭证和发票；合同、登记证明由平台提供，不用重复上传。"


@blueprint.route("/subsidies/desk/rounds", methods=["GET", "POST"])
@web.permits(rules.OPEN_ROUND)
def rounds() -> ResponseReturnValue:
    """List the rounds and open a new one."""
    today = local_date(web.now())
    form = RoundForm.load(
        year=today.year,
        title=f"关于申报 {today.year} 年度技术转移转化补助的通知",
        items=list(rules.CONTRACT_ITEMS),
        opens_on=today,
        expert_count=RoundTerms.expert_count,
        eligible=_ELIGIBLE,
        documents=_DOCUMENTS,
    )
    if form.validate_on_post():

        def act(session: Session) -> str:
            round_id = service.open_round(
                session,
                actor=web.actor(),
                now=web.now(),
                terms=RoundTerms(
                    year=form.year.data,
                    title=form.title.data,
                    opens_on=form.opens_on.data,
                    closes_on=form.closes_on.data,
                    budget_fen=form.budget.data,
                    items=tuple(form.items.data or ()),
                    eligible=form.eligible.data,
                    documents=form.documents.data,
                    expert_count=form.expert_count.data,
                ),
                body=form.body.data,
            )
            return url_for("subsidies.round_board", round_id=round_id)

        done = web.submit(form, act)
        if done is not None:
            flash("通知已发布，单位现在可以按受理时间申报。", "success")
            return done
    page = render_template(
        "subsidies/rounds.html", form=form, rounds=queries.list_rounds(web.session()), today=today
    )
    return page, form.status()


@blueprint.route("/subsidies/desk/rounds/<int:round_id>")
@web.permits(rules.OPEN_ROUND)
def round_board(round_id: int) -> ResponseReturnValue:
    """Show a round: its budget, its claims, and which can be put before the public."""
    session = web.session()
    return render_template(
        "subsidies/round_board.html",
        round=queries.get_round(session, round_id),
        claims=queries.claims_of_round(session, round_id),
        settling=ClaimStatus.SETTLING,
        today=local_date(web.now()),
    )


@blueprint.route("/subsidies/desk/rounds/<int:round_id>/publicity", methods=["POST"])
@web.permits(rules.OPEN_ROUND)
def publicise(round_id: int) -> ResponseReturnValue:
    """Put the round's settled claims before the public."""

    def act(session: Session) -> str:
        count = service.publicise(session, actor=web.actor(), now=web.now(), round_id=round_id)
        flash(f"{count} 件已开始公示，5 个工作日无异议即通过。", "success")
        return url_for("subsidies.round_board", round_id=round_id)

    return web.act(act, back=url_for("subsidies.round_board", round_id=round_id))
