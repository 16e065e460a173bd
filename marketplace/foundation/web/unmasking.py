"""A masked number is shown whole only on purpose: a form asks what for, and a row keeps it."""

from __future__ import annotations

from marketplace.foundation import personal
from marketplace.foundation.access import Permission
from marketplace.foundation.web.forms import Form
from marketplace.foundation.web.requests import actor, now, transaction
from marketplace.foundation.web.text_fields import TextField


class UnmaskForm(Form):
    """What the whole numbers are needed for."""

    unmask_reason = TextField(
        "用途",
        required=True,
        longest=100,
        hint="例如“电话核实补正材料”。查看会连同用途一起留痕",
    )


def unmasked(form: UnmaskForm, *, permission: Permission, subject: str) -> bool:
    """Note who looks at a subject's whole numbers and what for; False when the form was refused.

    Each look is a row of its own, also one that is sent twice.
    """
    if not form.validate_on_post():
        return False
    with transaction() as session:
        personal.unmask(
            session,
            actor=actor(),
            now=now(),
            permission=permission,
            subject=subject,
            reason=form.unmask_reason.data,
        )
    return True
