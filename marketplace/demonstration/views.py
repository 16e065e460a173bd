"""The one button of the demo clock."""

from __future__ import annotations

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.demonstration import service
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.due import DueTasks

blueprint = Blueprint("demonstration", __name__)


@blueprint.route("/demo-clock/advance", methods=["POST"])
@web.permits(PUBLIC)
def advance() -> ResponseReturnValue:
    """Move the demo clock to the next due moment and return to the page."""
    target = web.local_next("/")

    def use_case(session: Session) -> str:
        service.advance(session, actor=web.actor(), now=web.now(), due=web.resource(DueTasks))
        return target

    return web.act(use_case, back=target)
