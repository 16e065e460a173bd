"""Fields whose text becomes a typed value once: yuan into fen, days into dates."""

from __future__ import annotations

import unicodedata
from datetime import date, datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any

from stdnum.cn import uscc
from stdnum.exceptions import InvalidChecksum, ValidationError

from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.money import Fen, format_yuan, parse_yuan
from marketplace.foundation.web.text_fields import UnitField, attributes_of, validators_of

EARLIEST, LATEST = date(1900, 1, 1), date(2199, 12, 31)


class _ParsedField(UnitField):
    """A text field whose text becomes a value; what does not is refused in words."""

    data: Any  # the parsed value, None when nothing was typed or it was refused

    def __init__(
        self, label: str, *, required: bool = False, hint: str = "", **kwargs: Any
    ) -> None:
        extra = kwargs.pop("checks", ())
        super().__init__(label, validators_of(required, extra), description=hint, **kwargs)

    def process_formdata(self, valuelist: list[str]) -> None:
        try:
            super().process_formdata(valuelist)
        except RuleBroken as refusal:
            self.data = None
            raise ValueError(refusal.problems[0].message) from refusal


class YuanField(_ParsedField):
    """An amount typed in yuan; its data is exact ``Fen``."""

    unit = "元"

    def parse(self, text: str) -> Fen:
        return parse_yuan(text)

    def write(self, value: Fen) -> str:
        return format_yuan(value)


class IntField(_ParsedField):
    """A whole number between ``least`` and ``most``."""

    def __init__(
        self, label: str, *, least: int = 0, most: int = 10**9, unit: str = "", **kwargs: Any
    ) -> None:
        super().__init__(label, **kwargs)
        self.least, self.most, self.unit = least, most, unit

    def parse(self, text: str) -> int:
        plain = unicodedata.normalize("NFKC", text).replace(",", "")
        try:
            number = int(plain)
        except ValueError as broken:
            raise RuleBroken("forms.integer", "这里要填整数，例如 12") from broken
        if not self.least <= number <= self.most:
            raise RuleBroken("forms.range", f"应在 {self.least:,} 到 {self.most:,} 之间")
        return number


class DecimalField(_ParsedField):
    """An exact decimal number, such as a measured value."""

    def __init__(self, label: str, *, unit: str = "", **kwargs: Any) -> None:
        super().__init__(label, **kwargs)
        self.unit = unit

    def parse(self, text: str) -> Decimal:
        plain = unicodedata.normalize("NFKC", text).replace(",", "")
        try:
            number = Decimal(plain)
        except InvalidOperation as broken:
            raise RuleBroken("forms.number", "这里要填数字，例如 12.5") from broken
        if not number.is_finite() or abs(number) > Decimal(10) ** 15:
            raise RuleBroken("forms.number", "数字过大，请检查单位")
        return number


class PercentField(DecimalField):
    """A share between 0 and 100, with at most four decimals; its data is a Decimal of percent."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, unit="%", **kwargs)

    def parse(self, text: str) -> Decimal:
        number = super().parse(text.removesuffix("%"))
        if not 0 <= number <= 100:
            raise RuleBroken("forms.percent", "百分比应在 0 到 100 之间")
        if number != number.quantize(Decimal("0.0001")):
            raise RuleBroken("forms.percent", "百分比最多四位小数")
        return number


class DateField(_ParsedField):
    """A calendar day, ``2026-11-20``."""

    def __init__(self, label: str, **kwargs: Any) -> None:
        super().__init__(label, render_kw={"type": "date"}, **kwargs)

    def parse(self, text: str) -> date:
        plain = unicodedata.normalize("NFKC", text).replace("/", "-").replace(".", "-")
        for separator in "年月":
            plain = plain.replace(separator, "-")
        try:
            year, month, day = (int(part) for part in plain.removesuffix("日").split("-"))
            found = date(year, month, day)
        except ValueError as broken:
            raise RuleBroken("forms.date", "日期不存在或写法不对，应写成 2026-11-20") from broken
        if not EARLIEST <= found <= LATEST:
            raise RuleBroken("forms.date", "日期不合理，请检查年份")
        return found

    def write(self, value: date) -> str:
        return value.isoformat()


class ClockField(_ParsedField):
    """A time of day, ``14:30``; its data is a ``time``."""

    def __init__(self, label: str, *, placeholder: str = "", **kwargs: Any) -> None:
        super().__init__(label, render_kw=attributes_of(placeholder=placeholder), **kwargs)

    def parse(self, text: str) -> time:
        plain = unicodedata.normalize("NFKC", text)
        try:
            return datetime.strptime(plain, "%H:%M").time()  # noqa: DTZ007 -- a time of day only
        except ValueError as broken:
            raise RuleBroken("forms.clock", "时间应写成 14:30") from broken

    def write(self, value: time) -> str:
        return value.strftime("%H:%M")


class UsccField(_ParsedField):
    """A unified social credit code, checked by its check digit (GB 32100-2015)."""

    def parse(self, text: str) -> str:
        compact = unicodedata.normalize("NFKC", text).replace(" ", "").replace("-", "").upper()
        if len(compact) != 18:
            raise RuleBroken("uscc.length", f"统一社会信用代码应为 18 位，现在是 {len(compact)} 位")
        try:
            return str(uscc.validate(compact))
        except InvalidChecksum as wrong:
            raise RuleBroken(
                "uscc.check_digit", "统一社会信用代码的校验位不对，请对照营业执照逐位核对"
            ) from wrong
        except ValidationError as wrong:
            raise RuleBroken(
                "uscc.form", "统一社会信用代码含有不允许的字符（没有字母 I、O、S、V、Z）"
            ) from wrong
