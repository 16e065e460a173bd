"""`marketplace subsidies simulate`: files in, exact JSON out, bad files refused with the place."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest
from click.testing import CliRunner, Result

from marketplace.subsidies import simulation_tables, simulation_workbook
from marketplace.subsidies.calculation_rules import prepare
from marketplace.subsidies.commands import simulate
from marketplace.subsidies.parameters import policies
from marketplace.subsidies.registers import CONTRACT_COLUMNS, ORGANISATION_COLUMNS
from tests.rules import subsidy_oracle as oracle
from tests.rules.subsidy_worlds import (
    YEARS,
    World,
    code,
    contract,
    contract_line,
    organisation_line,
    party,
    world,
)

SELLER, BUYER, AGENCY = code(1), code(2), code(3)
ORGANISATIONS = [
    f"{SELLER},泉城大学,university,1,0,,,,",
    f"{BUYER},小企业,enterprise,1,1,,,,",
    f"{AGENCY},服务机构,agency,1,0,2022-01-01,,,",
]
CONTRACTS = [
    f"合同1,transfer,2023-05-01,2600000.00,2600000,,{SELLER},{BUYER},{AGENCY},,,,0",
    f"合同2,service,2023-06-01,500000.5,500000.5,,{SELLER},{BUYER},{AGENCY},,,,1",
]


def write(
    folder: Path,
    organisations: list[str] = ORGANISATIONS,
    contracts: list[str] = CONTRACTS,
    *,
    encoding: str = "utf-8",
) -> list[str]:
    (folder / "org.csv").write_text(
        "\n".join([",".join(ORGANISATION_COLUMNS), *organisations]), encoding=encoding
    )
    (folder / "contracts.csv").write_text(
        "\n".join([",".join(CONTRACT_COLUMNS), *contracts]), encoding=encoding
    )
    return [
        "--organisations",
        str(folder / "org.csv"),
        "--contracts",
        str(folder / "contracts.csv"),
    ]


def run(arguments: list[str], *more: str) -> Result:
    return CliRunner().invoke(simulate, [*arguments, *more])


def test_the_answer_names_every_contract_with_its_base_or_its_reason(tmp_path: Path) -> None:
    result = run(write(tmp_path), "--year", "2023", "--format", "json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout) == {
        "year": 2023,
        "total": "96900.01",
        "lines": [
            {
                "uscc": SELLER,
                "item": "seller",
                "policy": "jkf-2021-27",
                "amount": "3900.00",
                "contracts": [
                    {
                        "contract_no": "合同1",
                        "group": "1",
                        "base": "2600000.00",
                        "counted": True,
                        "reason": None,
                    },
                    {
                        "contract_no": "合同2",
                        "group": "2",
                        "base": "0.00",
                        "counted": False,
                        "reason": "fiscal_funds",
                    },
                ],
            },
            {
                "uscc": BUYER,
                "item": "buyer",
                "policy": "jzf-2021-15",
                "amount": "93000.01",
                "contracts": [
                    {
                        "contract_no": "合同1",
                        "group": "1",
                        "base": "2600000.00",
                        "counted": True,
                        "reason": None,
                    },
                    {
                        "contract_no": "合同2",
                        "group": "1",
                        "base": "500000.50",
                        "counted": True,
                        "reason": None,
                    },
                ],
            },
        ],
    }


def test_a_byte_order_mark_other_column_order_and_empty_lines_are_read(tmp_path: Path) -> None:
    plain = run(write(tmp_path), "--year", "2023")
    arguments = write(tmp_path, encoding="utf-8-sig")
    path = tmp_path / "contracts.csv"
    rows = [line.split(",") for line in path.read_text(encoding="utf-8-sig").splitlines()]
    path.write_text("\n\n".join(",".join(reversed(row)) for row in rows), encoding="utf-8")
    assert run(arguments, "--year", "2023").stdout == plain.stdout


def test_several_ids_may_follow_one_policy_option(tmp_path: Path) -> None:
    arguments = write(tmp_path)
    one = run(arguments, "--year", "2023", "--policy", "jkf-2021-27", "jzf-2021-15")
    two = run(arguments, "--year", "2023", "--policy", "jkf-2021-27", "--policy", "jzf-2021-15")
    assert one.exit_code == 0
    assert one.stdout == two.stdout == run(arguments, "--year", "2023").stdout
    only = json.loads(run(arguments, "--year", "2023", "--policy", "jkf-2021-27").stdout)
    assert {line["policy"] for line in only["lines"]} == {"jkf-2021-27"}


def test_a_draft_pays_only_when_asked_for(tmp_path: Path) -> None:
    arguments = [*write(tmp_path), "--year", "2023", "--policy", "beizeng-2023"]
    without = run(arguments)
    assert json.loads(without.stdout)["total"] == "0.00"
    assert "--include-drafts" in without.stderr
    assert json.loads(run(arguments, "--include-drafts").stdout)["total"] == "31000.00"


def test_an_unknown_policy_stops_it(tmp_path: Path) -> None:
    result = run(write(tmp_path), "--year", "2023", "--policy", "jkf-2099-1")
    assert result.exit_code == 2
    assert "jkf-2099-1" in result.stderr
    assert "jkf-2021-27" in result.stderr
    assert result.stdout == ""


GOOD = CONTRACTS[0]
BAD_CHECK = SELLER[:-1] + ("0" if SELLER[-1] != "0" else "1")

BAD_CONTRACTS = [
    ("合同1", "", "contract_no", "登记编号"),
    ("transfer", "sale", "type", "development"),
    ("2023-05-01", "2023-02-29", "registered_on", "YYYY-MM-DD"),
    ("2023-05-01", "20230501", "registered_on", "YYYY-MM-DD"),
    ("2023-05-01", "", "registered_on", "YYYY-MM-DD"),
    ("2600000.00", "-1", "amount", "不小于 0"),
    ("2600000.00", "1.005", "amount", "两位小数"),
    ("2600000.00", "1e6", "amount", "两位小数"),
    ("2600000.00", "一百万", "amount", "两位小数"),
    ("2600000.00", "", "amount", "不小于 0"),
    ("2600000.00", "100000000000.01", "amount", "1000 亿元"),
    (SELLER, BAD_CHECK, "seller_uscc", "校验位"),
    (SELLER, code(9), "seller_uscc", "机构文件中已有"),
    (SELLER, "", "seller_uscc", "机构文件中已有"),
    (BUYER, "", "buyer_uscc", "机构文件中已有"),
    (AGENCY, code(9), "agency_uscc", "机构文件中已有"),
    (",,,0", ",,,是", "fiscal_funds", "0、1"),
]


@pytest.mark.parametrize(("before", "after", "column", "expected"), BAD_CONTRACTS)
def test_a_bad_contract_stops_it_with_file_line_column_and_what_was_expected(
    tmp_path: Path, before: str, after: str, column: str, expected: str
) -> None:
    bad = GOOD.replace("合同1", "合同9").replace(before.replace("合同1", "合同9"), after, 1)
    result = run(write(tmp_path, contracts=[GOOD, bad]), "--year", "2023")
    place = CONTRACT_COLUMNS.index(column) + 1
    assert result.exit_code == 2
    assert f"contracts.csv 第 3 行第 {place} 列 {column}：应为" in result.stderr
    assert expected in result.stderr
    assert result.stdout == ""


def test_a_contract_number_twice_stops_it(tmp_path: Path) -> None:
    result = run(write(tmp_path, contracts=[GOOD, GOOD]), "--year", "2023")
    assert result.exit_code == 2
    assert "contracts.csv 第 3 行第 1 列 contract_no：应为没有重复" in result.stderr


BAD_ORGANISATIONS = [
    (SELLER, BAD_CHECK, "uscc", "校验位"),
    (SELLER, SELLER[:-1], "uscc", "18 位"),
    ("university", "school", "kind", "research_institute"),
    (",1,0,", ",2,0,", "in_jinan", "0、1"),
    (",1,0,", ",1,,", "sme", "0、1"),
    (",0,,,,", ",0,2022-13-01,,,", "agency_filed_from", "YYYY-MM-DD"),
    (",0,,,,", ",0,2022-05-02,2022-05-01,,", "agency_filed_to", "不早于 agency_filed_from"),
    (",0,,,,", ",0,,,2022-05-02,2022-05-01", "dishonest_to", "不早于 dishonest_from"),
]


@pytest.mark.parametrize(("before", "after", "column", "expected"), BAD_ORGANISATIONS)
def test_a_bad_organisation_stops_it(
    tmp_path: Path, before: str, after: str, column: str, expected: str
) -> None:
    bad = ORGANISATIONS[0].replace(before, after, 1)
    result = run(write(tmp_path, organisations=[bad, *ORGANISATIONS[1:]]), "--year", "2023")
    place = ORGANISATION_COLUMNS.index(column) + 1
    assert result.exit_code == 2
    assert f"org.csv 第 2 行第 {place} 列 {column}：应为" in result.stderr
    assert expected in result.stderr
    assert result.stdout == ""


def test_an_organisation_twice_stops_it(tmp_path: Path) -> None:
    result = run(
        write(tmp_path, organisations=[*ORGANISATIONS, ORGANISATIONS[0]]), "--year", "2023"
    )
    assert "org.csv 第 5 行第 1 列 uscc：应为没有重复" in result.stderr


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "有 contract_no"),
        (",".join(CONTRACT_COLUMNS[:-1]), "有 fiscal_funds 列"),
        (",".join([*CONTRACT_COLUMNS, "备注"]), "第 14 列 备注"),
        (",".join([*CONTRACT_COLUMNS, "amount"]), "第 14 列 amount：应为只出现一次"),
        (",".join(CONTRACT_COLUMNS) + "\n" + GOOD + ",多余", "第 2 行：应为13 列，读到“14 列”"),
        (",".join(CONTRACT_COLUMNS) + "\n" + GOOD[:-1] + '"', "第 2 行"),
    ],
)
def test_a_file_of_another_shape_stops_it(tmp_path: Path, content: str, expected: str) -> None:
    arguments = write(tmp_path)
    (tmp_path / "contracts.csv").write_text(content, encoding="utf-8")
    result = run(arguments, "--year", "2023")
    assert result.exit_code == 2
    assert expected in result.stderr
    assert result.stdout == ""


def test_an_open_quote_is_found_in_the_line_where_it_begins(tmp_path: Path) -> None:
    arguments = write(tmp_path, contracts=[GOOD, GOOD.replace("合同1", '"合同2'), *[GOOD] * 50])
    result = run(arguments, "--year", "2023")
    assert result.exit_code == 2
    assert "contracts.csv 第 3 行：应为成对的引号：这一行有引号没有结束" in result.stderr
    assert result.stdout == ""


def test_a_cell_beyond_measure_and_a_quote_out_of_place_are_told_in_words(tmp_path: Path) -> None:
    huge = run(
        write(tmp_path, contracts=[GOOD.replace("合同1", "长" * 1_000_000)]), "--year", "2023"
    )
    assert "contracts.csv 第 2 行：应为每格不超过 131,072 个字符" in huge.stderr
    odd = run(write(tmp_path, contracts=[GOOD.replace("合同1", '"合"同1')]), "--year", "2023")
    assert "应为格式正确的 CSV：引号成对" in odd.stderr


@pytest.mark.parametrize("amount", ["1000000000000000", "100000000000.01", "9" * 40])
def test_an_amount_beyond_any_contract_says_so(tmp_path: Path, amount: str) -> None:
    rows = [GOOD.replace("2600000.00", amount, 1)]
    assert rows != [GOOD]
    result = run(write(tmp_path, contracts=rows), "--year", "2023")
    assert "第 4 列 amount：应为不超过 1000 亿元的金额" in result.stderr


def test_a_code_in_small_letters_is_no_code(tmp_path: Path) -> None:
    small = next(code(n) for n in range(20) if code(n)[-1].isalpha()).lower()
    arguments = write(tmp_path, organisations=[f"{small},单位,university,1,0,,,,"])
    assert "第 1 列 uscc：应为18 位统一社会信用代码" in run(arguments, "--year", "2023").stderr


def test_another_encoding_stops_it_with_the_line(tmp_path: Path) -> None:
    arguments = write(tmp_path)
    head = ",".join(CONTRACT_COLUMNS).encode()
    (tmp_path / "contracts.csv").write_bytes(head + b"\n" + GOOD.encode("gbk"))
    result = run(arguments, "--year", "2023")
    assert result.exit_code == 2
    assert "contracts.csv 第 2 行第 1 列：应为UTF-8" in result.stderr


def test_a_missing_file_stops_it(tmp_path: Path) -> None:
    arguments = write(tmp_path)
    (tmp_path / "contracts.csv").unlink()
    result = run(arguments, "--year", "2023")
    assert result.exit_code == 2
    assert "contracts.csv" in result.stderr


@pytest.fixture(scope="module")
def thousands(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[str], list[World]]:
    """Write 3,000 worlds that share nothing into one pair of files, in random order."""
    chance = random.Random(20210427)
    worlds = [world(chance, number) for number in range(3000)]
    organisations = [organisation_line(org) for orgs, _ in worlds for org in orgs.values()]
    contracts = [contract_line(con) for _, cons in worlds for con in cons]
    chance.shuffle(organisations)
    chance.shuffle(contracts)
    return write(tmp_path_factory.mktemp("worlds"), organisations, contracts), worlds


@pytest.mark.parametrize("year", YEARS)
@pytest.mark.parametrize("ids", [oracle.AGE, ["jkf-2021-27"], ["jzz-2020-20", "beizeng-2023"]])
def test_thousands_of_cases_agree_with_a_second_calculation(
    thousands: tuple[list[str], list[World]], year: int, ids: list[str]
) -> None:
    arguments, worlds = thousands
    answer = json.loads(
        run(arguments, "--year", str(year), "--include-drafts", "--policy", *ids).stdout
    )
    expected: dict[tuple[str, str], tuple[str, int]] = {}
    for orgs, cons in worlds:
        expected |= oracle.pays(year, orgs, cons, ids)
    lines = {
        (line["uscc"], line["item"]): (line["policy"], _fen(line["amount"]))
        for line in answer["lines"]
    }
    assert lines == expected
    assert _fen(answer["total"]) == sum(fen for _, fen in expected.values())
    assert [(line["uscc"], line["item"]) for line in answer["lines"]] == sorted(lines)


@pytest.mark.parametrize("year", YEARS)
def test_every_contract_stands_with_what_the_calculation_says_of_it(
    thousands: tuple[list[str], list[World]], year: int
) -> None:
    arguments, worlds = thousands
    answer = json.loads(run(arguments, "--year", str(year), "--include-drafts").stdout)
    found = {(line["uscc"], line["item"]): line["contracts"] for line in answer["lines"]}
    seen: set[str | None] = set()
    for orgs, cons in worlds[:1000]:
        calculation = prepare(
            year,
            parties={key: party(org) for key, org in orgs.items()},
            contracts=[contract(con) for con in cons],
            policies=[p for p in policies() if p.in_force.touches(year)],
        )
        for result in calculation.results():
            if result.paying is None:
                continue
            parts = [
                {
                    "contract_no": part.contract.contract_no,
                    "group": part.group.key if part.group else "",
                    "base": f"{part.base_fen // 100}.{part.base_fen % 100:02d}",
                    "counted": part.counted,
                    "reason": part.reason,
                }
                for part in result.paying.parts
            ]
            assert found[(result.party.key, result.item.value)] == parts
            seen |= {part.reason for part in result.paying.parts}
    assert None in seen
    assert len(seen) > 2


def _fen(text: str) -> int:
    yuan, rest = text.split(".")
    assert len(rest) == 2
    return int(yuan) * 100 + int(rest)


# Each writes the same facts in a way that the quick reading is not sure of.
OTHER_WAYS = [
    pytest.param(lambda text: text.replace("\n", "\r\n"), id="line ends of Windows"),
    pytest.param(lambda text: text.replace("transfer", " transfer "), id="spaces around a word"),
    pytest.param(lambda text: text.replace("合同1,", "\u3000合同1,"), id="a wide space"),
    pytest.param(lambda text: text.replace("2600000,", '"2600000",'), id="quotes"),
    pytest.param(lambda text: text.replace("合同1,", '"合同1",'), id="quoted Chinese"),
    pytest.param(lambda text: text.replace(",0\n", ",0 \n"), id="a space at the end"),
    pytest.param(lambda text: text + "\n\n", id="empty lines at the end"),
    pytest.param(lambda text: text.replace("\n", "\n\n"), id="empty lines between"),
]


@pytest.mark.parametrize("other", OTHER_WAYS)
def test_the_same_facts_in_another_writing_give_the_same_answer(
    tmp_path: Path, other: Callable[[str], str]
) -> None:
    arguments = write(tmp_path)
    plain = run(arguments, "--year", "2023").stdout
    path = tmp_path / "contracts.csv"
    text = path.read_text(encoding="utf-8") + "\n"
    changed = other(text)
    assert changed != text
    path.write_bytes(changed.encode())
    result = run(arguments, "--year", "2023")
    assert (result.exit_code, result.stdout) == (0, plain)


def test_a_number_with_quotes_and_line_ends_stays_valid_json(tmp_path: Path) -> None:
    odd = CONTRACTS[0].replace("合同1", '"合""同\\\n1"')
    result = run(write(tmp_path, contracts=[odd]), "--year", "2023")
    first = json.loads(result.stdout)["lines"][0]["contracts"][0]
    assert first["contract_no"] == '合"同\\\n1'


def test_a_number_repeated_far_apart_is_found_in_its_second_line(tmp_path: Path) -> None:
    many = [GOOD.replace("合同1", f"号{n}") for n in range(3000)]
    result = run(write(tmp_path, contracts=[*many, many[5]]), "--year", "2023")
    assert result.exit_code == 2
    assert "contracts.csv 第 3002 行第 1 列 contract_no：应为没有重复" in result.stderr


def test_sums_wider_than_64_bits_stay_exact(tmp_path: Path) -> None:
    huge = "100000000000.00"
    rows = [f"号{n},service,2023-05-01,{huge},{huge},,{SELLER},{BUYER},,,,,0" for n in range(3)]
    tables = simulation_tables.Tables
    asked: list[str] = []
    original = tables.number

    def number(self: simulation_tables.Tables, query: str) -> int:
        asked.append(query)
        # Pretend that the year's total is beyond 64 bits: the wide way must give the same.
        return 2**63 if query.startswith("SELECT sum") else original(self, query)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tables, "number", number)
        wide = run(write(tmp_path, contracts=rows), "--year", "2023").stdout
    assert any(query.startswith("SELECT sum") for query in asked)
    assert wide == run(write(tmp_path, contracts=rows), "--year", "2023").stdout
    assert json.loads(wide)["lines"][0]["amount"] == "500000.00"


def test_a_table_shows_every_line_and_the_total(tmp_path: Path) -> None:
    text = run(write(tmp_path), "--year", "2023", "--format", "table").stdout
    rows = text.splitlines()
    assert rows[0].split() == ["统一社会信用代码", "名称", "项目", "文件", "金额（元）"]
    assert rows[1].split() == [
        SELLER,
        "泉城大学",
        "卖方补助",
        "济科发〔2021〕27号",
        "jkf-2021-27",
        "3,900.00",
    ]
    assert rows[-1].split() == ["合计", "96,900.01"]
    assert len(rows) == 4


def test_a_workbook_holds_lines_and_contracts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulation_workbook, "SHEET_ROWS", 3)
    result = run(write(tmp_path), "--year", "2023", "--format", "xlsx")
    book = openpyxl.load_workbook(io.BytesIO(result.stdout_bytes))
    assert book.sheetnames == ["补助", "合同", "合同2"]
    lines = list(book["补助"].values)
    assert lines[1] == (SELLER, "泉城大学", "卖方补助", "济科发〔2021〕27号 jkf-2021-27", 3900)
    assert lines[3][0] == "合计"
    assert lines[3][4] == 96900.01
    parts = [row for name in ("合同", "合同2") for row in list(book[name].values)[1:]]
    assert parts == [
        (SELLER, "卖方补助", "合同1", "1", 2600000, "计入", None),
        (SELLER, "卖方补助", "合同2", "2", 0, "不计", "用财政资金购买"),
        (BUYER, "买方补助", "合同1", "1", 2600000, "计入", None),
        (BUYER, "买方补助", "合同2", "1", 500000.5, "计入", None),
    ]


def test_nothing_paid_is_an_answer_too(tmp_path: Path) -> None:
    for form, shown in (("json", '"lines": ['), ("table", "0.00"), ("xlsx", "PK")):
        result = run(write(tmp_path), "--year", "2019", "--format", form)
        assert result.exit_code == 0
        assert shown in result.stdout_bytes.decode("utf-8", "replace")
    assert json.loads(run(write(tmp_path), "--year", "2019").stdout)["lines"] == []


def test_memory_is_bounded_by_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    many = [GOOD.replace("合同1", f"号{n:09d}") for n in range(60_000)]
    arguments = write(tmp_path, contracts=many)
    whole = run(arguments, "--year", "2023").stdout
    monkeypatch.setattr(simulation_tables, "MEMORY", "40MB")
    assert run(arguments, "--year", "2023").stdout == whole
