"""The draft of a three-party contract as a Word file."""

from __future__ import annotations

from importlib import import_module

from flask.typing import ResponseReturnValue

from marketplace.brokerage import paper_queries, rules
from marketplace.brokerage.paper_rules import PaperType, values_of
from marketplace.brokerage.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.clock import local_date
from marketplace.foundation.errors import NotFound


@blueprint.route("/deals/<int:deal_id>/papers/<paper>")
@web.permits(rules.READ)
def paper(deal_id: int, paper: str) -> ResponseReturnValue:
    """Send the draft of a three-party contract of one type, filled from the deal."""
    chosen = next((each for each in PaperType if each.value == paper), None)
    if chosen is None:
        raise NotFound()
    facts = paper_queries.paper_facts(
        web.session(), web.actor(), deal_id, today=local_date(web.now())
    )
    content: bytes = import_module("marketplace.brokerage.paper").draft(chosen, values_of(facts))
    return web.send_word(content, f"三方{chosen.label} 项目 {deal_id}")
