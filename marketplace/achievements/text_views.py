"""The text check while an officer writes: a part of the page, asked for again and again."""

from __future__ import annotations

from flask import render_template
from flask.typing import ResponseReturnValue

from marketplace.achievements import queries
from marketplace.achievements.forms import AchievementForm
from marketplace.achievements.rules import DRAFT
from marketplace.achievements.text_forms import remarks_of
from marketplace.achievements.views import blueprint
from marketplace.foundation import web


@blueprint.route("/<int:achievement_id>/check", methods=["POST"])
@web.permits(DRAFT)
def check_text(achievement_id: int) -> ResponseReturnValue:
    """Answer the text check of what is being written; nothing is saved."""
    view = queries.get_own(web.session(), web.actor(), achievement_id)
    form = AchievementForm.load()
    return render_template("achievements/_remarks.html", **remarks_of(form, view.content))
