"""Shapes of what the bureau types to try a document: a draft's text, and the sides to compare."""

from __future__ import annotations

from collections.abc import Sequence

from werkzeug.datastructures import MultiDict
from wtforms.validators import ValidationError

from marketplace.foundation import web
from marketplace.subsidies.draft_rules import MAX_LETTERS
from marketplace.subsidies.whatif_rules import Place


class DraftForm(web.Form):
    """A draft as it is written: by hand, or from a file that takes the text's place."""

    name = web.TextField("草案名称", required=True, longest=60, hint="便于辨认，例如“卖方提到 2‰”")
    file = web.FilesField(
        "上传 YAML 文件",
        hint="UTF-8 编码；选了文件，就以文件内容代替上面的文本",
        accept=".yaml,.yml",
    )
    text = web.LongTextField(
        "草案内容",
        longest=MAX_LETTERS,
        rows=28,
        hint="格式与政策文件相同：比例写成分数，金额以元计，日期写作 2026-01-01",
        render_kw={"spellcheck": "false", "wrap": "off"},
    )
    note = web.TextField("这一版改了什么", longest=200)

    def validate_file(self, field: web.FilesField) -> None:
        """Put an uploaded file's text in the place of the typed one, so that it can be mended."""
        chosen = field.uploads()
        if not chosen:
            return
        [upload] = web.read_uploads(chosen[:1])
        try:
            self.text.process_formdata([upload.content.decode("utf-8-sig")])
        except UnicodeDecodeError as broken:
            raise ValidationError(
                "文件不是 UTF-8 编码的文本，请用记事本另存为 UTF-8 后再上传"
            ) from broken


class WhatIfForm(web.Form):
    """What is compared with what; it stands in the address."""

    year = web.ChoiceField("年度", (), required=True)
    left = web.ChoiceField("现在", (), required=True)
    right = web.ChoiceField("改为", (), required=True)
    place = web.ChoiceField("试算的文件", Place, required=True)
    budget = web.YuanField("可用预算", hint="可不填；不足时全部按同一比例缩减")

    @classmethod
    def asked(
        cls,
        given: MultiDict[str, str],
        *,
        years: Sequence[int],
        choices: Sequence[tuple[str, str]],
    ) -> WhatIfForm:
        """Build the form from the address; what is not asked is the latest year as it stands."""
        tried = next((key for key, _ in choices if key.startswith("draft:")), choices[-1][0])
        values = MultiDict(
            {
                "year": str(years[0]),
                "left": choices[0][0],
                "right": tried,
                "place": Place.INSTEAD.value,
            }
        )
        for name in given:
            values[name] = given[name]
        form = cls(formdata=values)
        form.year.offer([(str(year), f"{year} 年") for year in years])
        form.left.offer(list(choices))
        form.right.offer(list(choices))
        return form
