"""The whole chain in Chromium: from two unregistered organisations to a paid claim, objected to."""

from __future__ import annotations

from pathlib import Path

from marketplace.foundation.access import Role
from seed.demo.content import content
from seed.demo.sign_ins import SECOND_OPERATOR, sign_ins
from tests.browser import acts
from tests.browser.conftest import Person, Platform
from tests.world import make_uscc

UNIVERSITY = "黄河理工大学"
BUYER = "高新泉润曲轴有限公司"
RIVAL = "长清恒达动力有限公司"
LISTED = "等温淬火球铁曲轴发明专利转让"

ACHIEVEMENT = {
    "title": "球墨铸铁曲轴等温淬火：疲劳极限提高 38 %，单件成本降 410 元",
    "field": "先进制造",
    "industry_code": "C3391",
    "ipc": "C21D 5/00、C22C 37/04",
    "keywords": "等温淬火、球墨铸铁、曲轴、疲劳极限",
    "problem": "中型柴油机锻钢曲轴毛坯贵、切削量大，小批量订货等模具要两个月。",
    "solution": "以含铜钼球铁铸造近净形毛坯，900 ℃ 奥氏体化后在盐浴中等温，轴颈圆角再经滚压。",
    "benefit": "毛坯单价下降 410 元，加工工时减少三成。",
    "trl": "8",
    "trl_evidence": "在一家柴油机厂装机 1,200 台，最长运行 9,000 小时。",
    "fiscal_funded": "no",
    "modes": ["transfer", "licence_ordinary"],
    "price": "1800000",
    "confidential": "〔保密标记 CHAIN-SECRET〕盐浴成分与分级保温曲线。",
    "comparison-0-indicator": "弯曲疲劳极限",
    "comparison-0-value": "420",
    "comparison-0-unit": "MPa",
    "comparison-0-alternative": "锻钢毛坯",
    "comparison-0-alternative_value": "305",
    "comparison-0-evidence": "第三方检测",
    "ip_rights-0-kind": "发明专利",
    "ip_rights-0-title": "一种球铁曲轴等温淬火方法",
    "ip_rights-0-number": "ZL201910000001.9",
    "ip_rights-0-legal_status": "授权有效",
    "ip_rights-0-filed_on": "2019-05-06",
    "ip_rights-0-expires_on": "2039-05-06",
    "owners-0-name": UNIVERSITY,
    "owners-0-share": "100",
    "inventors-0-name": "陈卓",
}


def test_from_registration_to_the_paid_claim(
    people: type[Person], platform: Platform, tmp_path: Path
) -> None:
    report = tmp_path / "检测报告.pdf"
    report.write_bytes(b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<<>>\n%%EOF\n")
    staff = {entry.role: entry for entry in sign_ins()}

    def enter(role: Role) -> Person:
        return people().sign_in(staff[role].email)

    operator = enter(Role.OPERATOR).page
    clerk = people().sign_in(SECOND_OPERATOR).page
    university = people().page
    acts.register(
        university,
        licence=str(report),
        kind="university",
        name=UNIVERSITY,
        uscc=make_uscc(880_001),
        district="changqing",
        representative="高山",
        person_name="林溪",
        email="linxi@hhit.example",
    )
    acts.verify(operator, UNIVERSITY)
    buyers = []
    for number, (name, district) in enumerate(((BUYER, "high_tech_zone"), (RIVAL, "changqing"))):
        buyer = people().page
        acts.register(
            buyer,
            licence=str(report),
            kind="enterprise",
            name=name,
            uscc=make_uscc(880_010 + number),
            district=district,
            scale="small",
            person_name="周工",
            email=f"zhou{number}@engine.example",
        )
        acts.verify(operator, name)
        buyers.append(buyer)
    buyer, rival = buyers

    achievement_id = acts.publish_achievement(university, ACHIEVEMENT, str(report))
    assessor = enter(Role.ASSESSOR)
    emails = {person.name: person.email for person in content().people}
    acts.assess(
        university,
        assessor.page,
        operator,
        lambda name: people().sign_in(emails[name]).page,
        achievement_id=achievement_id,
        firm=staff[Role.ASSESSOR].organisation,
    )

    acts.wait_for(buyer, UNIVERSITY, path="/search?q=曲轴等温淬火疲劳极限")
    buyer.goto(f"/achievements/{achievement_id}")
    assert "CHAIN-SECRET" not in buyer.content()
    broker = enter(Role.BROKER).page
    deal_id = acts.ask_broker(buyer, broker, staff[Role.BROKER].name, achievement_id)
    acts.talk(broker, university, buyer, deal_id)
    acts.wait_for(buyer, "CHAIN-SECRET", path=f"/achievements/{achievement_id}")

    listing_id = acts.list_for_bidding(university, operator, achievement_id, LISTED)
    for page, name in ((buyer, BUYER), (rival, RIVAL)):
        acts.register_intent(page, listing_id, "1500000")
        acts.admit(operator, listing_id, name)
        acts.pay_deposit(page, clerk, operator, listing_id, name, "300000")
    room = f"/listings/{listing_id}/room"
    acts.advance_until(buyer, "您的上次报价", without="竞价还没有开始", path=room)
    acts.bid(buyer, listing_id)
    acts.bid(rival, listing_id)
    acts.bid(buyer, listing_id, "1600000")
    acts.advance_until(operator, "结果公示", path=f"/listings/{listing_id}")
    acts.advance_until(broker, "进入：已签约", path=f"/deals/{deal_id}")

    registrar = enter(Role.REGISTRAR).page
    station = staff[Role.REGISTRAR].organisation
    acts.register_contract(university, broker, registrar, deal_id, station, str(report))

    bureau = enter(Role.BUREAU_REVIEWER).page
    title = acts.open_round(bureau)
    claim_id = acts.apply_for_subsidy(buyer, "买方补助")
    for role, more in (
        (Role.DISTRICT_REVIEWER, {}),
        (Role.CENTRE_REVIEWER, {}),
        (Role.BUREAU_REVIEWER, {}),
        (Role.EXPERT, {"score": "86"}),
    ):
        acts.review(enter(role).page, claim_id, **more)
    acts.publicise(bureau, title)
    path = f"/subsidies/claims/{claim_id}"
    acts.wait_for(buyer, "看公示", path=path)
    acts.read_calculation(
        buyer, "1,600,000.00 × 3\u00a0% = 48,000.00", "济政发〔2021〕15号第十二条"
    )
    acts.follow(buyer, "看公示")
    acts.object_and_answer(people().page, bureau, buyer.url, upheld=False)
    acts.advance_until(buyer, "待支付", path=path)
    acts.pay(bureau, enter(Role.TREASURER).page)
    buyer.goto(path)
    acts.see(buyer, "已支付")
    acts.see(buyer, "48,000.00")
    acts.read_calculation(buyer, "基数合计", "1,600,000.00")

    verified = platform.command("audit", "verify")
    assert verified.returncode == 0, verified.stdout
