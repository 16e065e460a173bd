"""Fields to choose in: one of a Word's members, several of them, or a box to tick."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import wtforms

# The type stubs are of a WTForms without SelectChoice.
from wtforms import SelectChoice, validators  # type: ignore[attr-defined]

from marketplace.foundation.web.text_fields import Required, validators_of
from marketplace.foundation.words import Word

Choices = type[Word] | Sequence[tuple[str, str]]


def _listed(choices: Choices) -> tuple[type[Word] | None, list[tuple[str, str]]]:
    if isinstance(choices, type):
        return choices, choices.pairs()
    return None, list(choices)


def _offered(pairs: Iterable[tuple[str, str]]) -> list[SelectChoice]:
    return [SelectChoice(value, label) for value, label in pairs]


def _member(word: type[Word] | None, value: Any) -> Any:
    """Return the word for a code; an unknown code stays text, for the check to refuse."""
    if word is None:
        return str(value)
    return next((member for member in word if member.value == str(value)), str(value))


class ChoiceField(wtforms.SelectField):
    """One of a Word's members (its data is the member) or of (value, label) pairs."""

    def __init__(
        self,
        label: str,
        choices: Choices,
        *,
        required: bool = False,
        hint: str = "",
        empty: str = "请选择",
        radio: bool = False,
        **kwargs: Any,
    ) -> None:
        self.word, listed = _listed(choices)
        self.radio = radio
        if not radio:
            listed = [("", empty), *listed]
        super().__init__(
            label,
            validators_of(required, []),
            choices=_offered(listed),
            coerce=self._coerce,
            description=hint,
            validate_choice=False,
            **kwargs,
        )

    def offer(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Offer these values by their labels in place of what the form names."""
        self.choices = _offered(pairs)

    def _coerce(self, value: Any) -> Any:
        return None if value in ("", None) else _member(self.word, value)

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        if self.data is None:
            return
        known = {str(choice[0]) for choice in self.iter_choices()}
        if str(self.data) not in known:
            raise validators.StopValidation("请从列表中选择一项")


class ChoicesField(wtforms.SelectMultipleField):
    """Any number of a Word's members or of (value, label) pairs, as check boxes."""

    def __init__(
        self,
        label: str,
        choices: Choices,
        *,
        required: bool = False,
        hint: str = "",
        **kwargs: Any,
    ) -> None:
        self.word, listed = _listed(choices)
        super().__init__(
            label,
            validators_of(required, []),
            choices=_offered(listed),
            coerce=self._coerce,
            description=hint,
            validate_choice=False,
            **kwargs,
        )

    def offer(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Offer these values by their labels in place of what the form names."""
        self.choices = _offered(pairs)

    def _coerce(self, value: Any) -> Any:
        return _member(self.word, value)

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        known = {str(choice[0]) for choice in self.iter_choices()}
        if any(str(value) not in known for value in self.data or ()):
            raise validators.StopValidation("请只从列表中选择")


class FlagField(wtforms.BooleanField):
    """A single check box; ``required`` asks that it be ticked, as a declaration is."""

    def __init__(
        self,
        label: str,
        *,
        required: bool = False,
        hint: str = "",
        message: str = "",
        **kwargs: Any,
    ) -> None:
        checks = [Required(message or f"请确认：{label}")] if required else []
        super().__init__(label, checks, description=hint, **kwargs)

    def pre_validate(self, form: wtforms.form.BaseForm) -> None:
        if any(isinstance(check, Required) for check in self.validators) and not self.data:
            raise validators.StopValidation(f"请勾选“{self.label.text}”")
