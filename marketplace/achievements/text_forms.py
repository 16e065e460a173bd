"""From what stands in the form to the remarks of the text check."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from flask import request

from marketplace.achievements import text_rules
from marketplace.achievements.forms import AchievementForm
from marketplace.achievements.rules import AchievementContent, Comparison
from marketplace.achievements.text_parameters import text_knowledge


def remarks_of(form: AchievementForm, saved: AchievementContent) -> dict[str, Any]:
    """Check the texts and the comparison as they stand in the form, finished or not."""
    content = saved
    if request.method == "POST":
        content = replace(
            saved,
            title=form.title.data or "",
            problem=form.problem.data or "",
            solution=form.solution.data or "",
            benefit=form.benefit.data or "",
            trl_evidence=form.trl_evidence.data or "",
            comparison=tuple(Comparison(**row) for row in form.comparison.filled()),
        )
    known = text_knowledge()
    return {
        "remarks": text_rules.check_text(content, known),
        "field_label": text_rules.field_label,
        "reference": known.reference,
    }
