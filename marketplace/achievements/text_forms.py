"""From what stands in the form to the remarks of the text check."""

from __future__ import annotations

from typing import Any

from flask import request

from marketplace.achievements import text_rules
from marketplace.achievements.forms import AchievementForm
from marketplace.achievements.rules import AchievementContent
from marketplace.achievements.text_parameters import text_knowledge


def remarks_of(form: AchievementForm, saved: AchievementContent) -> dict[str, Any]:
    """Check what stands in the form; where it cannot be read yet, what was saved."""
    readable = request.method == "POST" and form.validate()
    known = text_knowledge()
    return {
        "remarks": text_rules.check_text(form.to_content() if readable else saved, known),
        "field_label": text_rules.field_label,
        "reference": known.reference,
    }
