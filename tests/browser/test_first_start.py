"""A first start without demo data: no account, one link, once."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pyotp
from playwright.sync_api import Browser

from tests.browser import acts
from tests.browser.conftest import Person, Platform
from tests.world import make_uscc


def test_the_setup_link_makes_the_operator_and_no_one_else(
    chromium: Browser, tmp_path: Path
) -> None:
    platform = Platform(tmp_path, with_demo=False)
    platform.start()
    try:
        link = _printed_link(platform)
        visitor = Person(chromium, platform)
        page = visitor.page
        page.goto(link)
        acts.fill(
            page,
            name="山东省技术成果交易中心（济南）",
            uscc=make_uscc(990_001),
            person_name="湛子轩",
            email="first@trade.example",
            password=acts.PASSWORD,
            again=acts.PASSWORD,
        )
        acts.press(page, "创建并登录")
        # No demo: the operator does nothing before the second factor is on.
        acts.see(page, "必须启用动态口令")
        acts.press(page, "开始启用")
        assert page.locator("img.qr").evaluate("picture => picture.naturalWidth") > 100
        secret = page.locator("code.wrapcode").inner_text().replace(" ", "")
        acts.fill(page, code=pyotp.TOTP(secret).now())
        acts.press(page, "确认启用")
        acts.see(page, "请保存恢复码")
        page.goto("/desk/verification")
        acts.see(page, "没有等待核验的机构")
        assert page.locator("section.demo").count() == 0
        second = Person(chromium, platform)
        second.page.goto(link)
        acts.see(second.page, "已经用过或已过期")
        missing = second.page.request.post("/demo-clock/advance")
        assert missing.status == 404
        visitor.close()
        second.close()
    finally:
        platform.stop()


def _printed_link(platform: Platform) -> str:
    limit = time.monotonic() + 30
    while time.monotonic() < limit:
        found = re.search(r"(/setup/\S+)", platform.log.read_text())
        if found:
            return found.group(1)
        time.sleep(0.2)
    raise AssertionError(platform.log.read_text())
