"""Files of the shapes that patent databases and research offices export, dirt included."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import xlsxwriter

from marketplace.achievements.ip_rules import expected_check_digit
from marketplace.foundation.attachments import Upload

PATENT_HEADER = (
    "序号",
    "申请号",
    "专利名称",
    "专利类型",
    "申请年",
    "申请(专利权)人",
    "国省代码",
    "主分类号",
    "分类号",
)


def application_number(serial: int, year: int = 2019) -> str:
    """Return a valid Chinese application number."""
    digits = f"{year}1{serial:07d}"
    return f"CN{digits}.{expected_check_digit(digits)}"


def patent_row(serial: int, **changed: Any) -> list[Any]:
    """Return one row of a patent export, as the database writes it."""
    row: dict[str, Any] = {
        "序号": float(serial),
        "申请号": application_number(serial),
        "专利名称": f"一种第{serial}号低压降整流装置及其控制方法",
        "专利类型": "发明专利",
        "申请年": "2019",
        "申请(专利权)人": "泉城理工大学",
        "国省代码": "山东",
        "主分类号": "H02M7/12",
        "分类号": "H02M7/12; H02M7/00; B60Q1/04",
    }
    return list((row | changed).values())


def workbook(
    rows: Sequence[Sequence[Any]],
    *,
    header: Sequence[str] = PATENT_HEADER,
    merged: str = "",
    formula: str = "",
    above: Sequence[str] = (),
) -> Upload:
    """Return an Excel file; a merged range, a formula cell and lines above the header on demand."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    sheet = book.add_worksheet("专利")
    line = 0
    for text in above:
        sheet.write_string(line, 0, text)
        line += 1
    for values in (header, *rows):
        for column, value in enumerate(values):
            if isinstance(value, str):
                sheet.write_string(line, column, value)
            else:
                sheet.write(line, column, value)
        line += 1
    if merged:
        sheet.merge_range(merged, "合并")
    if formula:
        sheet.write_formula(formula, "=1+1", None, 2)
    book.close()
    return Upload("专利清单.xlsx", buffer.getvalue())


def results_csv(lines: Sequence[str], *, encoding: str = "utf-8-sig") -> Upload:
    """Return a CSV of research results with the given lines under its header."""
    text = "\r\n".join(("成果名称,成果简介,学科,门类", *lines)) + "\r\n"
    return Upload("成果.csv", text.encode(encoding))


def needs_csv(lines: Sequence[str]) -> Upload:
    """Return a CSV of needs with a byte-order mark."""
    return Upload("需求.csv", ("需求描述,学科\n" + "\n".join(lines)).encode("utf-8-sig"))


RESULT_LINE = (
    '基于机构刚度的第{0}种并联机床几何结构优化,"考虑了加工过程中几何和载荷变化对机床整体刚度的影响,'
    '可以计入""瞬时""弹性特性。",机械工程,'
)
NEED_LINE = (
    '"我公司主要从事矿业工程相关产品的生产与销售，目前遇到如下技术难题：第{0}号铅锌矿石中有回收价值的'
    '银、硫难以综合回收,损失较大。预算面议。",矿业工程'
)
