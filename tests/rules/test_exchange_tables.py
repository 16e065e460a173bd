"""Files into tables: what is read, what is refused and in which words."""

from __future__ import annotations

import io
import zipfile

import pytest
import xlsxwriter

from marketplace.exchange.rules import ImportKind
from marketplace.exchange.tables import read_table
from marketplace.foundation.attachments import Upload
from marketplace.foundation.errors import RuleBroken
from tests.import_files import PATENT_HEADER, RESULT_LINE, patent_row, results_csv, workbook

ACHIEVEMENTS = ImportKind.ACHIEVEMENTS


def refused(upload: Upload) -> str:
    with pytest.raises(RuleBroken) as caught:
        read_table(upload, ACHIEVEMENTS)
    assert caught.value.problems[0].field == "file"
    return caught.value.problems[0].message


def test_a_patent_export_is_read_as_text() -> None:
    table = read_table(workbook([patent_row(1), patent_row(2)]), ACHIEVEMENTS)
    assert table.header == PATENT_HEADER
    assert table.rows[0].cells[0] == "1"
    assert table.rows[1].number == 3
    assert table.rows[1].cells[8] == "H02M7/12; H02M7/00; B60Q1/04"


def test_lines_above_the_header_are_passed_over() -> None:
    table = read_table(
        workbook([patent_row(1)], above=("2022 年专利清单", "制表：科研处")), ACHIEVEMENTS
    )
    assert table.header == PATENT_HEADER
    assert table.rows[0].number == 4


def test_merged_cells_are_named() -> None:
    message = refused(workbook([patent_row(1), patent_row(2)], merged="F2:F3"))
    assert "F2:F3是合并单元格" in message
    assert "取消合并" in message


def test_formulas_are_named() -> None:
    message = refused(workbook([patent_row(1)], formula="C2"))
    assert "C2是公式" in message
    assert "粘贴为数值" in message


def test_too_many_rows_are_counted_before_they_are_unpacked() -> None:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, PATENT_HEADER)
    for line in range(1, 50_001):
        sheet.write_string(line, 2, "某装置")
    book.close()
    message = refused(Upload("大.xlsx", buffer.getvalue()))
    assert "50,000 行" in message
    assert "10,000 行" in message


@pytest.mark.parametrize(
    ("upload", "words"),
    [
        (Upload("a.xlsx", b"MZ" + b"\0" * 100), "内容不是 XLSX 格式"),
        (Upload("a.xls", b"\xd0\xcf\x11\xe0"), "另存为“Excel 工作簿（.xlsx）”"),
        (Upload("a.pdf", b"%PDF-1.4"), "不接受“.pdf”文件"),
        (Upload("a.csv", b""), "是空的"),
        (Upload("a.csv", "名称\n".encode() + b"x" * (16 * 1024 * 1024)), "上限是 15 MB"),
        (Upload("a.csv", b"\x00\x01\x02"), "不是文本文件"),
        (Upload("a.csv", b"\xff\xff\xff\xff"), "认不出文件的文字编码"),
        (Upload("a.csv", "成果名称,成果简介\n".encode()), "只有表头"),
    ],
)
def test_what_is_no_table_is_refused_in_words(upload: Upload, words: str) -> None:
    assert words in refused(upload)


def test_a_zip_that_unpacks_enormously_is_refused() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/workbook.xml", b"0" * (220 * 1024 * 1024))
    assert "内容不是 XLSX 格式" in refused(Upload("bomb.xlsx", buffer.getvalue()))


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-8", "gb18030", "utf-16"])
def test_csv_is_read_in_the_encodings_people_send(encoding: str) -> None:
    table = read_table(results_csv([RESULT_LINE.format(1)], encoding=encoding), ACHIEVEMENTS)
    assert table.header == ("成果名称", "成果简介", "学科", "门类")
    assert '可以计入"瞬时"弹性特性' in table.rows[0].cells[1]


def test_a_quote_that_never_closes_breaks_its_own_line_only() -> None:
    lines = [
        RESULT_LINE.format(1),
        '第二种装置,"简介里的引号没有关上,机械工程,工学',
        RESULT_LINE.format(3),
        '第四种装置,"又一个没有关上的引号,机械工程,工学',
        RESULT_LINE.format(5),
    ]
    rows = read_table(results_csv(lines), ACHIEVEMENTS).rows
    assert [bool(row.broken) for row in rows] == [False, True, False, True, False]
    assert "引号不成对" in rows[1].broken
    assert rows[4].cells[0] == "基于机构刚度的第5种并联机床几何结构优化"


def test_a_stray_quote_swallows_no_other_row() -> None:
    plain = "乙装置,简介没有引号,机械工程,工学"
    lines = ['甲装置,"开头', plain, '结尾",机械工程,工学', RESULT_LINE.format(4)]
    rows = read_table(results_csv(lines), ACHIEVEMENTS).rows
    assert [bool(row.broken) for row in rows] == [True, False, True, False]


def test_a_cell_may_hold_line_breaks() -> None:
    rows = read_table(
        results_csv(['某装置,"第一行\n第二行，很好",机械工程,工学', RESULT_LINE.format(2)]),
        ACHIEVEMENTS,
    ).rows
    assert rows[0].cells[1] == "第一行\n第二行，很好"
    assert len(rows) == 2
    assert rows[1].number == 4


def test_shifted_columns_spoil_the_row_not_the_file() -> None:
    rows = read_table(
        results_csv(["甲装置,简介,有逗号,没引号,机械工程", "乙装置,简介"]), ACHIEVEMENTS
    ).rows
    assert "多出 1 格" in rows[0].broken
    assert rows[1].cells == ("乙装置", "简介", "", "")


def test_control_characters_go_and_formula_text_stays() -> None:
    rows = read_table(
        results_csv(["=cmd|' /C calc'!A0,简介\x07里有响铃,机械工程,"]), ACHIEVEMENTS
    ).rows
    assert rows[0].cells[0] == "=cmd|' /C calc'!A0"
    assert rows[0].cells[1] == "简介里有响铃"
