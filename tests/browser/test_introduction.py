"""A broker's deal in Chromium, from the match to the paid commission, and the way round him."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page

from marketplace.foundation.access import Role
from seed.demo.paper import write_paper
from seed.demo.sign_ins import SECOND_OPERATOR, sign_ins
from tests.browser import acts
from tests.browser.conftest import Person
from tests.browser.test_chain import ACHIEVEMENT
from tests.world import make_uscc

UNIVERSITY = "济北理工大学"
BUYER = "济北恒锐曲轴有限公司"
ROUND = "济北绕道机械有限公司"
# A licence leaves the achievement on the market for the second firm.
LICENCE = {"contract_type": "技术许可", "subtype": "普通许可"}


def introduce(broker: Page, achievement_id: int, uscc: str) -> str:
    """Pair an achievement with a firm and record the introduction; return the deal's path."""
    broker.goto("/deals/new")
    acts.fill(broker, achievement_id=achievement_id, buyer_uscc=uscc)
    acts.press(broker, "建立项目")
    path = broker.url
    acts.press(broker, "把介绍存证")
    acts.see(broker, "期内双方签约")
    return path


def propose(broker: Page, path: str) -> None:
    """Propose three percent with a minimum, paid by the buyer at the registration."""
    broker.goto(f"{path}/commission")
    acts.fill(broker, payer="buyer", basis="rate", rate_percent="3", minimum_fen="20000")
    acts.press(broker, "提出约定")


def confirm(buyer: Page, path: str) -> None:
    """Acknowledge the introduction and confirm the commission, as the buyer."""
    buyer.goto(path)
    acts.press(buyer, "确认这次介绍属实")
    acts.press(buyer, "确认约定")


def test_from_the_match_to_the_paid_commission_and_past_the_broker(
    people: type[Person], tmp_path: Path
) -> None:
    report = tmp_path / "检测报告.pdf"
    report.write_bytes(write_paper("检测报告", ["弯曲疲劳极限 420 MPa"]))
    staff = {entry.role: entry for entry in sign_ins()}
    operator = people().sign_in(SECOND_OPERATOR).page
    firms = []
    for number, (name, kind) in enumerate(
        ((UNIVERSITY, "university"), (BUYER, "enterprise"), (ROUND, "enterprise"))
    ):
        page = people().page
        more = {"scale": "small"} if kind == "enterprise" else {}
        acts.register(
            page,
            licence=str(report),
            kind=kind,
            name=name,
            uscc=make_uscc(890_001 + number),
            district="licheng",
            representative="高山",
            person_name=f"经办{number}",
            email=f"jibei{number}@jibei.example",
            **more,
        )
        acts.verify(operator, name)
        firms.append(page)
    university, buyer, roundabout = firms
    content = {**ACHIEVEMENT, "owners-0-name": UNIVERSITY, "ip_rights-0-number": "ZL201910000009.5"}
    achievement_id = acts.publish_achievement(university, content, str(report))

    broker = people().sign_in(staff[Role.BROKER].email).page
    path = introduce(broker, achievement_id, make_uscc(890_002))
    propose(broker, path)
    confirm(buyer, path)
    university.goto(path)
    acts.press(university, "确认这次介绍属实")

    # The agreement, then the data room: every page carries who opened it.
    broker.goto(path)
    acts.fill(broker, body="电话谈了曲轴样件", kind="call", visibility="shared")
    acts.press(broker, "记一条")
    acts.press(broker, "进入：已接触")
    acts.press(broker, "进入：保密协议")
    university.goto(path)
    acts.press(university, "提供保密协议")
    buyer.goto(path)
    acts.follow(buyer, "阅读并接受协议")
    acts.press(buyer, "代表本单位接受协议")
    university.goto(f"{path}/room")
    acts.press(university, "开放资料室")
    university.set_input_files('main input[type="file"]', str(report))
    acts.press(university, "放进资料室")
    buyer.goto(f"{path}/room")
    with buyer.expect_download() as received:
        buyer.get_by_role("button", name="打开", exact=True).click()
    assert received.value.suggested_filename == "检测报告.pdf"
    assert Path(received.value.path()).read_bytes() != report.read_bytes()
    university.goto(f"{path}/room")
    acts.see(university, "打开 1 次")

    # Talks, the three-party contract, the registration.
    broker.goto(path)
    acts.press(broker, "进入：技术洽谈")
    acts.press(broker, "进入：价格洽谈")
    acts.follow(broker, "交易条件")
    acts.fill(broker, amount_fen="1000000", trading_mode="licence_ordinary")
    acts.press(broker, "保存交易条件")
    acts.press(broker, "进入：合同草拟")
    with broker.expect_download() as drafted:
        broker.get_by_role("link", name="技术许可合同", exact=True).click()
    assert drafted.value.suggested_filename.startswith("三方技术许可合同")
    registrar = people().sign_in(staff[Role.REGISTRAR].email).page
    deal_id = int(path.rsplit("/", 1)[-1])
    acts.register_contract(
        university,
        broker,
        registrar,
        deal_id,
        staff[Role.REGISTRAR].organisation,
        str(report),
        **LICENCE,
    )
    acts.wait_for(broker, "30,000.00 元", path="/deals/ledger")
    acts.see(broker, "合同登记")
    row = broker.locator("main tr").filter(has_text=BUYER)
    row.locator("summary").click()
    row.locator('[name="invoice_no"]').fill("24372000000088001")
    acts.press(broker, "保存发票号", within=row)
    acts.press(broker, "已到账", within=broker.locator("main tr").filter(has_text=BUYER))
    broker.goto(path)
    acts.see(broker, "到账")

    # Past the broker: the parties close the deal and register a contract of their own.
    second = introduce(broker, achievement_id, make_uscc(890_003))
    propose(broker, second)
    confirm(roundabout, second)
    roundabout.goto(f"{second}/lost")
    acts.fill(roundabout, reason_code="timing", reason="今年不上新线了，以后有机会再说")
    acts.press(roundabout, "记为未成")
    other = tmp_path / "合同.pdf"
    other.write_bytes(
        write_paper("技术许可合同", ["许可方许可被许可方在济南市内实施曲轴等温淬火工艺"])
    )
    acts.register_own_contract(
        university,
        registrar,
        staff[Role.REGISTRAR].organisation,
        str(other),
        project_name="曲轴等温淬火工艺普通许可",
        buyer_uscc=make_uscc(890_003),
        amount_fen="800000",
        **LICENCE,
    )
    acts.wait_for(broker, "双方登记了合同", path=second)
    acts.see(broker, "已识别")
    acts.see(broker, "应付")
