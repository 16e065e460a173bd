"""The bank's statement and the ledger: import, match, confirm by a second person, check."""

from __future__ import annotations

from flask import flash, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.payments import ledger_queries, rules, service, statement_service
from marketplace.payments.forms import LineForm, ReturnForm, StatementForm
from marketplace.payments.statement_rules import LineState
from marketplace.payments.views import blueprint

_TABS: dict[str, tuple[str, tuple[LineState, ...]]] = {
    "matched": ("待另一人确认", (LineState.MATCHED,)),
    "open": ("待认领", (LineState.OPEN,)),
    "over": ("已了结", (LineState.CONFIRMED, LineState.RETURNED)),
}


@blueprint.route("/statement", methods=["GET", "POST"])
@web.permits(rules.RECONCILE)
def statement() -> ResponseReturnValue:
    """Show the statement's lines, and take a bank's file."""
    form = StatementForm.load()
    if form.validate_on_post():
        files = web.read_uploads(form.file.uploads())

        def act(session: Session) -> str:
            report = statement_service.import_statement(
                session,
                actor=web.actor(),
                now=web.now(),
                name=files[0].name if files else "",
                content=files[0].content if files else b"",
            )
            flash(
                f"登记 {report.recorded_count} 笔，其中匹配 {report.matched_count} 笔；"
                f"已登记过 {report.known_count} 笔，有误 {len(report.refused)} 行。",
                "warning" if report.refused else "success",
            )
            for number, reason in report.refused[:20]:
                flash(f"第 {number} 行没有登记：{reason}", "warning")
            return url_for("payments.statement")

        done = web.submit(form, act)
        if done is not None:
            return done
    return _page(form)


@blueprint.route("/statement/lines", methods=["POST"])
@web.permits(rules.RECONCILE)
def record_line() -> ResponseReturnValue:
    """Record one line by hand."""
    form = LineForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            statement_service.record_line(
                session, actor=web.actor(), now=web.now(), line=form.line()
            )
            return url_for("payments.statement")

        done = web.submit(form, act)
        if done is not None:
            flash("已登记，由另一位业务员确认到账。", "success")
            return done
    return _page(StatementForm.fresh(), line=form)


@blueprint.route("/statement/lines/<int:line_id>/confirm", methods=["POST"])
@web.permits(rules.RECONCILE)
@web.sensitive
def confirm_line(line_id: int) -> ResponseReturnValue:
    """Confirm, as a second person, that a line pays the payment it was matched to."""
    back = url_for("payments.statement")

    def act(session: Session) -> str:
        service.confirm_line(session, actor=web.actor(), now=web.now(), line_id=line_id)
        return back

    return web.act(act, back=back)


@blueprint.route("/statement/lines/<int:line_id>/return", methods=["GET", "POST"])
@web.permits(rules.RECONCILE)
@web.sensitive
def return_line(line_id: int) -> ResponseReturnValue:
    """Note that money which belongs to no payment was sent back."""
    line = ledger_queries.get_line(web.session(), line_id)
    form = ReturnForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            statement_service.return_line(
                session,
                actor=web.actor(),
                now=web.now(),
                line_id=line_id,
                reference=form.reference.data,
            )
            return url_for("payments.statement", tab="over")

        done = web.submit(form, act)
        if done is not None:
            return done
    return render_template("payments/return_line.html", line=line, form=form), form.status()


@blueprint.route("/ledger")
@web.permits(rules.RECONCILE)
def ledger() -> ResponseReturnValue:
    """Show the ledger with its balances and whether it agrees with what it tells of."""
    session = web.session()
    return render_template(
        "payments/ledger.html",
        balances=ledger_queries.balances(session),
        problems=ledger_queries.ledger_problems(session),
        page=ledger_queries.postings(session, after=web.argument("after") or None),
    )


def _page(form: StatementForm, line: LineForm | None = None) -> ResponseReturnValue:
    session = web.session()
    chosen = web.argument("tab") if web.argument("tab") in _TABS else "matched"
    counts = ledger_queries.line_counts(session)
    tabs = [
        (
            label,
            url_for("payments.statement", tab=key),
            key == chosen,
            sum(counts.get(state, 0) for state in states),
        )
        for key, (label, states) in _TABS.items()
    ]
    wrong = next((sent for sent in (form, line) if sent is not None and sent.errors), None)
    page = render_template(
        "payments/statement.html",
        tabs=tabs,
        chosen=chosen,
        page=ledger_queries.lines(
            session, states=_TABS[chosen][1], after=web.argument("after") or None
        ),
        file_form=form,
        line_form=line or LineForm.fresh(),
        form=wrong,
        user_id=web.actor().user_id,
    )
    return page, 422 if wrong and request.method == "POST" else 200
