"""The form of an upload; the mapping of columns is read by its view, since files differ."""

from __future__ import annotations

from collections.abc import Mapping

from marketplace.exchange.rules import COLUMNS, ImportKind
from marketplace.foundation import web


class UploadForm(web.Form):
    """A file and what it holds; the operator says for which organisation."""

    kind = web.ChoiceField("导入什么", ImportKind, required=True, radio=True)
    uscc = web.UsccField("为哪个单位导入（统一社会信用代码）")
    file = web.FilesField(
        "文件",
        hint="Excel（.xlsx）或 CSV，第一行是列名；不超过 15 MB、10,000 行",
        accept=".xlsx,.csv,.txt",
    )


def mapping_of(kind: ImportKind, sent: Mapping[str, str]) -> dict[str, int]:
    """Read the chosen columns of a preview: ``column-<key>`` names a position or nothing."""
    return {
        column.key: int(value)
        for column in COLUMNS[kind]
        if (value := sent.get(f"column-{column.key}", "")).isdigit()
    }
