"""What people do in the journey, each act through the pages alone."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from playwright.sync_api import Locator, Page, expect

from seed.demo.sign_ins import PASSWORD as STAFF_PASSWORD

PASSWORD = "一路走到补助到账-2024"


def fill(page: Page, **values: Any) -> None:
    """Fill fields by name: text, select, check box, radio or a list of check boxes."""
    for name, value in values.items():
        control = page.locator(f'main [name="{name}"]')
        kind = control.first.get_attribute("type")
        tag = control.first.evaluate("node => node.tagName")
        if tag == "SELECT":
            control.first.select_option(str(value))
        elif kind in ("checkbox", "radio"):
            for one in value if isinstance(value, (list, tuple)) else [value]:
                box = control.first if one is True else page.locator(
                    f'main [name="{name}"][value="{one}"]'
                )  # fmt: skip
                box.check()
        else:
            control.first.fill(str(value))


def press(page: Page, label: str, *, within: Locator | None = None) -> None:
    """Press a button by its label and wait for the page that follows."""
    place = within or page.locator("main")
    place.get_by_role("button", name=label, exact=True).first.click()
    page.wait_for_load_state()
    proof = page.locator('main [name="proof_password"]')
    if proof.count():  # on a slow machine ten minutes pass between signing in and a payment
        proof.fill(STAFF_PASSWORD)
        page.get_by_role("button", name="确认并继续", exact=True).click()
        page.wait_for_load_state()
    refuse_errors(page)


def follow(page: Page, label: str | re.Pattern[str]) -> None:
    """Follow a link of the page's main part."""
    exact = isinstance(label, str)
    page.locator("main").get_by_role("link", name=label, exact=exact).first.click()
    page.wait_for_load_state()
    refuse_errors(page)


def refuse_errors(page: Page) -> None:
    """Fail with what the page says when it says that something is wrong."""
    for place in (".summary", ".alert-danger"):
        found = page.locator(place)
        assert found.count() == 0, f"{page.url}: {found.first.inner_text()}"


def see(page: Page, text: str) -> None:
    """Expect a text on the page."""
    expect(page.locator("main")).to_contain_text(text)


def wait_for(page: Page, text: str, *, path: str = "", seconds: int = 20) -> None:
    """Open a page again and again until a text is there: the worker needs a moment."""
    for _ in range(seconds * 2):
        page.goto(path or page.url)
        if text in page.locator("main").inner_text():
            return
        page.wait_for_timeout(500)
    raise AssertionError(f"{page.url} never shows {text!r}:\n{page.locator('main').inner_text()}")


def advance_until(
    page: Page, text: str, *, path: str, without: str = "\0", most: int = 120
) -> None:
    """Move the demo clock forward, one due moment after the other, until a page shows a text."""
    for _ in range(most):
        page.goto(path)
        shown = page.locator("main").inner_text()
        if text in shown and without not in shown:
            return
        # Opened again before the answer is there, the page would be in its own way.
        with page.expect_navigation():
            page.get_by_role("button", name="快进到下一个时点").click()
        page.wait_for_timeout(400)
    raise AssertionError(f"{path} never shows {text!r}:\n{page.locator('main').inner_text()}")


def today(page: Page, *, plus: int = 0) -> str:
    """Read the demo's calendar day from the banner, or the day so many days later."""
    stamp = page.locator("section.demo time").first.get_attribute("datetime")
    assert stamp
    local = datetime.fromisoformat(stamp).astimezone(ZoneInfo("Asia/Shanghai"))
    return (local.date() + timedelta(days=plus)).isoformat()


def register(page: Page, *, licence: str, **organisation: Any) -> None:
    """Register an organisation by its licence and first member, who is then signed in."""
    page.goto("/register")
    page.set_input_files('main [name="licence"]', licence)
    fill(page, password=PASSWORD, again=PASSWORD, agreed=True, **organisation)
    press(page, "登记单位")
    expect(page).to_have_url(re.compile("/workbench$"))


def verify(page: Page, name: str) -> None:
    """Verify a registered organisation, as the operator."""
    page.goto("/desk/verification")
    follow(page, name)
    press(page, "通过核验")


def publish_achievement(page: Page, content: dict[str, Any], files: str) -> int:
    """Draft an achievement, attach a report, submit it and approve it; return its id."""
    page.goto("/my/achievements/new")
    fill(page, title=content["title"])
    press(page, "开始填写")
    found = re.search(r"/achievements/(\d+)", page.url)
    assert found, page.url
    achievement_id = int(found.group(1))
    page.set_input_files('main input[type="file"]', files)
    press(page, "上传附件")
    page.goto(f"/my/achievements/{achievement_id}/edit")
    fill(page, **content)
    press(page, "提交审批")
    page.goto(f"/my/achievements/{achievement_id}")
    press(page, "同意")
    see(page, "已发布")
    return achievement_id


def assess(
    owner: Page,
    assessor: Page,
    operator: Page,
    experts: Callable[[str], Page],
    *,
    achievement_id: int,
    firm: str,
) -> None:
    """Ask for an assessment, let its experts score, value and file it; the officer sees the range.

    ``experts`` signs in an expert of the library by name.
    """
    owner.goto(f"/assessments/pre/{achievement_id}")
    see(owner, "满分 100")
    fill(owner, purpose="拟以协议方式转让，作定价参考")
    press(owner, "申请评估")
    path = owner.url
    row = owner.locator("li.rowitem").filter(has_text=firm)
    press(owner, "委托这家", within=row)
    assessor.goto(path)
    expert = assessor.locator('[name="expert"] option').nth(1).get_attribute("value")
    fill(
        assessor,
        declared=True,
        statement="本公司与权利人、发明人没有股权、任职和近亲属关系，近三年没有业务往来。",
        expert=expert,
        fee="0",
        due_on=today(assessor, plus=20),
    )
    press(assessor, "接受委托")
    follow(assessor, "组建专家组")
    fill(assessor, achievement_type="development")
    names = assessor.locator("main tr:has(input:checked) th label").all_inner_texts()
    press(assessor, "邀请专家")
    for number, name in enumerate(names):
        score(experts(name), number)
    assessor.goto(path)
    follow(assessor, "估值")
    fill(
        assessor,
        methods=["cost"],
        profit="15",
        depreciation_low="5",
        depreciation_high="20",
        **{
            "costs-0-what": "研发人员费用",
            "costs-0-amount": "900000",
            "costs-1-what": "试制与检测",
            "costs-1-amount": "650000",
        },
    )
    press(assessor, "计算")
    fill(
        assessor,
        low="1426000",
        high="1693375",
        base_on=today(assessor),
        valid_until=today(assessor, plus=360),
        reasoning="以重置成本加合理利润，扣除技术贬值后取整；市场可比交易不足三例，未采用市场法。",
    )
    press(assessor, "保存评估值")
    press(assessor, "出具报告")
    operator.goto(path)
    press(operator, "备案")
    see(operator, "已备案")


def score(expert: Page, number: int) -> None:
    """Declare, read and score as an expert; each number is one point stricter than the last."""
    expert.goto("/assessments/seats")
    expert.locator("main .rowitem a").first.click()
    fill(expert, declared=True, statement="与权利人、发明人和委托方没有任职、合作和股权关系。")
    press(expert, "声明并打开材料")
    for place, mark in enumerate(expert.locator('main [name^="mark_"]').all()):
        if mark.evaluate("node => node.tagName") == "SELECT":
            mark.select_option(index=mark.locator("option").count() - 2)
        else:
            mark.fill(str(70 + 3 * (place % 7) - number))
    for reason in expert.locator('main [name^="reason_"], main [name="trl_evidence"]').all():
        reason.fill("依据第三方检测报告和用户现场运行记录逐项核对后评定。")
    press(expert, "提交评分")


def list_for_bidding(owner: Page, operator: Page, achievement_id: int, title: str) -> int:
    """Apply for a listing by bidding, accept and announce it; return its id."""
    owner.goto(f"/my/listings/apply/{achievement_id}")
    fill(
        owner,
        title=title,
        pricing_mode="bidding",
        trading_mode="transfer",
        base_price_fen="1500000",
        increment_fen="20000",
        deposit_fen="300000",
        payment_mode="lump_sum",
        payment_terms="合同生效后 10 个工作日内一次付清。",
        conditions="受让方应具备铸造或热处理生产条件。",
    )
    press(owner, "提交申请")
    operator.goto("/listings/desk")
    follow(operator, title)
    press(operator, "受理")
    found = re.search(r"/listings/(\d+)", operator.url)
    assert found, operator.url
    listing_id = int(found.group(1))
    owner.goto(f"/listings/{listing_id}/manage")
    follow(owner, "登记书面答复")
    fill(owner, answer="waive", note="发明人书面放弃优先受让权的声明")
    press(owner, "提交答复")
    operator.goto(f"/listings/{listing_id}/manage")
    press(operator, "发布公告")
    return listing_id


def register_intent(buyer: Page, listing_id: int, offer: str) -> None:
    """Register an intent to acquire."""
    buyer.goto(f"/listings/{listing_id}")
    follow(buyer, "登记受让意向")
    fill(
        buyer,
        offer_fen=offer,
        plan="在现有等温淬火线上投产，三个月内完成工艺验证，首年两万件。",
        promised=True,
    )
    press(buyer, "登记意向")


def admit(operator: Page, listing_id: int, buyer_name: str) -> None:
    """Confirm an intent's qualification, as the operator."""
    operator.goto(f"/listings/{listing_id}/manage")
    place = operator.locator("main li, main tr").filter(has_text=buyer_name).last
    place.get_by_role("link", name="确认资格").click()
    fill(operator, ticked=["conditions", "capacity", "funds"])
    press(operator, "确认资格")


def pay_deposit(
    buyer: Page, clerk: Page, operator: Page, listing_id: int, name: str, amount: str
) -> None:
    """Pay a deposit by bank transfer; one operator records it, another confirms its arrival."""
    buyer.goto(f"/listings/{listing_id}")
    follow(buyer, "去付款")
    reference = f"BT{listing_id}{abs(hash(name)) % 10**8}"
    fill(buyer, reference=reference, transferred_on=today(buyer))
    press(buyer, "告知已付款")
    clerk.goto("/payments/statement")
    fill(
        clerk,
        reference=reference,
        booked_on=today(clerk),
        amount_fen=amount,
        account_name=name,
    )
    press(clerk, "登记流水")
    operator.goto(buyer.url)
    fill(operator, reference=reference)
    press(operator, "确认到账")


def bid(buyer: Page, listing_id: int, amount: str = "") -> None:
    """Place a bid in the room: the least possible one, or an amount."""
    buyer.goto(f"/listings/{listing_id}/room")
    if amount:
        fill(buyer, amount=amount)
    press(buyer, "出价")
    fill(buyer, confirmed=True)
    buyer.get_by_role("button", name=re.compile("^确认出价")).click()
    buyer.wait_for_load_state()
    refuse_errors(buyer)


def deal_id_of(page: Page) -> int:
    """Read the deal's number from the address."""
    found = re.search(r"/deals/(\d+)", page.url)
    assert found, page.url
    return int(found.group(1))


def ask_broker(buyer: Page, broker: Page, name: str, achievement_id: int) -> int:
    """Ask a broker of the register about an achievement; the broker takes it up as a deal."""
    buyer.goto("/brokers")
    follow(buyer, name)
    contact = re.sub(r"(/brokers/\d+).*", r"\1/contact", buyer.url)
    buyer.goto(f"{contact}?achievement={achievement_id}")
    fill(
        buyer, message="想了解等温淬火曲轴能不能用在我们的四缸机上，先谈转让。", contact_name="周工"
    )
    buyer.locator("main form button[type=submit]").first.click()
    buyer.wait_for_load_state()
    refuse_errors(buyer)
    broker.goto("/deals/requests")
    broker.locator("main").get_by_role("link", name="答复", exact=True).first.click()
    fill(broker, decision="yes", answer="我来联系，明天上午给您打电话。")
    press(broker, "答复")
    if "/deals/requests" in broker.url:
        follow(broker, "打开项目")
    return deal_id_of(broker)


def talk(broker: Page, owner: Page, buyer: Page, deal_id: int) -> None:
    """Carry a deal from the first call through agreement and introduction to the price talk."""
    path = f"/deals/{deal_id}"
    broker.goto(path)
    fill(
        broker,
        body="与周工通话二十分钟：四缸机曲轴，年需两万件，关心圆角滚压设备。",
        kind="call",
        visibility="shared",
    )
    press(broker, "记一条")
    press(broker, "进入：已接触")
    press(broker, "把介绍存证")
    for side in (owner, buyer):
        side.goto(path)
        press(side, "确认这次介绍属实")
    owner.goto(path)
    press(owner, "提供保密协议")
    buyer.goto(path)
    follow(buyer, "阅读并接受协议")
    press(buyer, "代表本单位接受协议")
    broker.goto(path)
    press(broker, "进入：保密协议")
    press(broker, "进入：技术洽谈")
    follow(broker, "提出佣金约定")
    fill(broker, payer="buyer", basis="rate", rate_percent="2")
    press(broker, "提出约定")
    buyer.goto(path)
    press(buyer, "确认约定")
    broker.goto(path)
    press(broker, "进入：价格洽谈")


def register_contract(
    owner: Page,
    broker: Page,
    registrar: Page,
    deal_id: int,
    station: str,
    files: str,
    **changed: str,
) -> int:
    """Sign, draft from the deal, submit and register the contract; return its id."""
    path = f"/deals/{deal_id}"
    broker.goto(path)
    day = today(broker)
    follow(broker, "交易条件")
    fill(broker, signed_on=day)
    broker.locator("main form button[type=submit]").first.click()
    broker.wait_for_load_state()
    refuse_errors(broker)
    broker.goto(path)
    press(broker, "进入：已签约")
    owner.goto(path)
    press(owner, "起草登记合同")
    found = re.search(r"/contracts/(\d+)", owner.url)
    assert found, owner.url
    contract_id = int(found.group(1))
    _submit_and_register(owner, registrar, contract_id, station, files, **changed)
    return contract_id


def register_own_contract(
    owner: Page, registrar: Page, station: str, files: str, **content: str
) -> int:
    """Draw up a contract without any deal and have it registered; return its id."""
    owner.goto("/contracts")
    press(owner, "登记一份合同")
    found = re.search(r"/contracts/(\d+)", owner.url)
    assert found, owner.url
    contract_id = int(found.group(1))
    _submit_and_register(owner, registrar, contract_id, station, files, **content)
    return contract_id


def _submit_and_register(
    owner: Page, registrar: Page, contract_id: int, station: str, files: str, **changed: str
) -> None:
    owner.goto(f"/contracts/{contract_id}/edit")
    day = today(owner)
    amount = changed.get("amount_fen") or owner.locator('[name="amount_fen"]').input_value()
    values = {
        "contract_type": "技术转让",
        "subtype": "专利权转让",
        "signed_on": day,
        "effective_on": day,
        "ends_on": today(owner, plus=600),
        "technology_amount_fen": amount,
        "payment_mode": "一次总付",
        "payment_terms": "合同生效后 10 个工作日内一次付清。",
        "related_parties": "否",
        "fiscal_funds": "否",
        "ip_kind": "发明专利",
        "technology_field": "先进制造",
        "seller_representative": "高山",
        "seller_contact_name": "林溪",
        "seller_contact_phone": "0531-88000001",
        "buyer_representative": "周全",
        "buyer_contact_name": "周工",
        "buyer_contact_phone": "0531-88000002",
        "registrar_organisation_id": station,
    }
    fill(owner, **{**values, **changed})
    for name in ("plan_source", "objective_code", "industry_code"):
        control = owner.locator(f'[name="{name}"]')
        if control.input_value() == "":
            control.select_option(index=1)
    owner.set_input_files('main input[type="file"]', files)
    press(owner, "保存")
    owner.goto(f"/contracts/{contract_id}")
    press(owner, "提交登记")
    registrar.goto(f"/registry/{contract_id}")
    press(registrar, "开始审核")
    press(registrar, "准予登记")
    owner.goto(f"/contracts/{contract_id}")
    see(owner, "已登记")


def open_round(bureau: Page) -> str:
    """Publish the notice of this year's round with its budget; return its title."""
    bureau.goto("/subsidies/desk/rounds")
    title = f"{today(bureau)[:4]} 年度技术转移转化补助申报（全程演练）"
    fill(
        bureau,
        year=today(bureau)[:4],
        title=title,
        opens_on=today(bureau),
        closes_on=f"{today(bureau)[:4]}-12-31",
        budget="50000000",
        eligible="本年度已登记技术合同的转让方、受让方与服务机构。",
        expert_count="1",
    )
    press(bureau, "发布通知")
    return title


def apply_for_subsidy(applicant: Page, item: str) -> str:
    """Apply for an item; everything but the bank account is filled in already."""
    wait_for(applicant, f"申报{item}", path="/subsidies")
    press(applicant, f"申报{item}")
    fill(
        applicant,
        contact_name="周工",
        contact_phone="0531-88000002",
        bank_name="济南某银行历下支行",
        bank_account="6222000000000001234",
        declared=True,
    )
    applicant.get_by_role("button", name=re.compile("^确认 .*提交申报$")).click()
    applicant.wait_for_load_state()
    refuse_errors(applicant)
    return re.sub(r"^.*/subsidies/claims/(\d+).*$", r"\1", applicant.url)


def review(reviewer: Page, claim_id: str, **more: Any) -> None:
    """Pass a claim at one step of the review."""
    wait_for(reviewer, "提交结论", path=f"/subsidies/desk/{claim_id}")
    fill(reviewer, decision="pass", opinion="材料齐全，计算与登记信息一致。", **more)
    box = reviewer.locator('main [name="unconcerned"]')
    if box.count():
        box.check()
    press(reviewer, "提交结论")


def publicise(bureau: Page, title: str) -> None:
    """Start the publicity of the claims whose review is settled."""
    bureau.goto("/subsidies/desk/rounds")
    follow(bureau, title)
    press(bureau, "开始公示")


def read_calculation(page: Page, *expected: str) -> None:
    """Read on a claim's page how its amount came about."""
    told = page.locator("section").filter(has=page.get_by_role("heading", name="怎样算出来的"))
    for text in expected:
        expect(told).to_contain_text(text)


def object_and_answer(visitor: Page, bureau: Page, notice: str, *, upheld: bool) -> None:
    """Object to a notice as one of the public; the bureau answers, and the answer is published."""
    visitor.goto(notice)
    fill(
        visitor,
        text="听说曲轴专利已经质押给银行，请核实合同是否实际履行。",
        name="陶先生",
        contact="taoxiansheng@mail.example",
    )
    press(visitor, "提出异议")
    visitor.goto(notice)
    see(visitor, "有 1 条异议待")
    bureau.goto(notice)
    follow(bureau, "核查并答复")
    answer = "经核对专利登记簿和银行回单，质押已注销，款项已付清。"
    fill(bureau, decision="yes" if upheld else "no", answer=answer)
    press(bureau, "公布答复")
    visitor.goto(notice)
    see(visitor, answer)


def pay(bureau: Page, treasurer: Page) -> None:
    """Draw up the payment list and have another person confirm each payment."""
    bureau.goto("/subsidies/payments")
    press(bureau, "编制支付清单")
    treasurer.goto(bureau.url)
    pending = treasurer.get_by_role("button", name=re.compile("^确认已支付"))
    while pending.count():
        form = pending.first.locator("xpath=ancestor::form")
        form.locator('[name="reference"]').fill(f"GK{pending.count():04d}2024")
        pending.first.click()
        treasurer.wait_for_load_state()
        refuse_errors(treasurer)
