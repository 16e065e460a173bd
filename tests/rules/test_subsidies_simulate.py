"""`marketplace subsidies simulate`: files in, exact JSON out, bad files refused with the place."""

from __future__ import annotations

import json
import random
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from stdnum.cn import uscc

from marketplace.contracts.rules import ContractType
from marketplace.subsidies.commands import group
from marketplace.subsidies.registers import CONTRACT_COLUMNS, ORGANISATION_COLUMNS
from marketplace.subsidies.word_rules import PartyKind
from tests.rules import subsidy_oracle as oracle


def code(number: int) -> str:
    body = f"91370100{number:09d}"
    return body + str(uscc.calc_check_digit(body))


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
        "simulate",
        "--organisations",
        str(folder / "org.csv"),
        "--contracts",
        str(folder / "contracts.csv"),
    ]


def run(arguments: list[str], *more: str) -> Result:
    return CliRunner().invoke(group, [*arguments, *more])


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


def test_another_encoding_stops_it_with_the_line(tmp_path: Path) -> None:
    arguments = write(tmp_path)
    head = ",".join(CONTRACT_COLUMNS).encode()
    (tmp_path / "contracts.csv").write_bytes(head + b"\n" + GOOD.encode("gbk"))
    result = run(arguments, "--year", "2023")
    assert result.exit_code == 2
    assert "contracts.csv 第 2 行：应为UTF-8" in result.stderr


def test_a_missing_file_stops_it(tmp_path: Path) -> None:
    arguments = write(tmp_path)
    (tmp_path / "contracts.csv").unlink()
    result = run(arguments, "--year", "2023")
    assert result.exit_code == 2
    assert "contracts.csv" in result.stderr


@pytest.mark.parametrize("seed", range(6))
def test_random_files_agree_with_a_second_calculation(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    orgs, cons = _world(chance)
    arguments = write(
        tmp_path, [_org_line(org) for org in orgs.values()], [_con_line(con) for con in cons]
    )
    for year in range(2020, 2026):
        answer = json.loads(run(arguments, "--year", str(year), "--include-drafts").stdout)
        expected = oracle.pays(year, orgs, cons, oracle.AGE)
        lines = {
            (line["uscc"], line["item"]): (line["policy"], _fen(line["amount"]))
            for line in answer["lines"]
        }
        assert lines == expected
        assert _fen(answer["total"]) == sum(fen for _, fen in expected.values())
        assert [(line["uscc"], line["item"]) for line in answer["lines"]] == sorted(lines)


def _fen(text: str) -> int:
    yuan, rest = text.split(".")
    assert len(rest) == 2
    return int(yuan) * 100 + int(rest)


def _world(chance: random.Random) -> tuple[dict[str, oracle.Org], list[oracle.Con]]:
    def day() -> date:
        return date(2020, 1, 1) + timedelta(chance.randrange(365 * 6))

    def period(share: float) -> tuple[date | None, date | None] | None:
        if chance.random() > share:
            return None
        first, last = sorted((day(), day()))
        return first, last if chance.random() < 0.5 else None

    orgs = {
        code(n): oracle.Org(
            code(n),
            chance.choice([kind.value for kind in PartyKind]),
            chance.random() < 0.8,
            chance.random() < 0.5,
            period(0.4),
            period(0.1),
        )
        for n in range(25)
    }
    codes = list(orgs)
    cons = []
    for n in range(250):
        seller, buyer = chance.choice(codes), chance.choice(codes)
        amount = int(10 ** chance.uniform(4, 11.5))
        cons.append(
            oracle.Con(
                f"合同{n}",
                chance.choice([kind.value for kind in ContractType]),
                day(),
                amount,
                amount // 3,
                seller,
                buyer,
                chance.choice([None, seller, buyer, chance.choice(codes)]),
                chance.choice([None, chance.choice(codes)]),
                chance.choice(["", f"项目{chance.randrange(20)}"]),
                chance.choice(["", f"活动{chance.randrange(20)}"]),
                chance.random() < 0.1,
            )
        )
    return orgs, cons


def _org_line(org: oracle.Org) -> str:
    dates = [str(day or "") for period in (org.filed, org.dishonest) for day in period or ("", "")]
    flags = [str(int(org.in_jinan)), str(int(org.sme))]
    return ",".join([org.uscc, "单位", org.kind, *flags, *dates])


def _con_line(con: oracle.Con) -> str:
    def yuan(fen: int) -> str:
        return f"{fen // 100}.{fen % 100:02d}"

    cells = [con.no, con.type, str(con.on), yuan(con.amount), yuan(con.amount), yuan(con.exempt)]
    parties = [con.seller, con.buyer, con.agency or "", con.registrar or ""]
    return ",".join([*cells, *parties, con.project, con.activity, str(int(con.fiscal))])
