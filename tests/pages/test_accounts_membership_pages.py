"""Papers handed in and seen by two sides only; a second organisation joined; work handed over."""

from __future__ import annotations

import io
import re

from marketplace.accounts import queries
from marketplace.foundation.access import Role
from tests.conftest import Browser
from tests.pages.test_accounts_pages import _registration
from tests.world import PASSWORD, PDF, World


def test_papers_go_with_the_registration_and_nobody_else_reads_them(
    client: Browser, page_world: World
) -> None:
    paper = (io.BytesIO(PDF), "营业执照.pdf")
    assert client.post("/register", data=_registration(licence=paper)).status_code == 303
    page = client.get("/organisation").get_data(as_text=True)
    link = re.search(r"/organisation/papers/(\d+)", page)
    assert link is not None
    got = client.get(link.group(0))
    assert (got.status_code, got.data) == (200, PDF)
    assert got.headers["Content-Disposition"].startswith("attachment")
    with client.database.reading() as session:
        home = queries.awaiting_verification(session)[0]
    client.sign_out()
    client.sign_in_as(page_world.actor(Role.ORG_ADMIN))
    assert client.get(link.group(0)).status_code == 404
    desk = f"/desk/verification/{home.id}/papers/{link.group(1)}"
    assert client.get(desk).status_code == 403
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    assert client.get(desk).data == PDF
    other = page_world.organisation(verified=False)
    assert client.get(desk.replace(f"/{home.id}/", f"/{other.id}/")).status_code == 404
    shown = client.get(f"/desk/verification/{home.id}").get_data(as_text=True)
    assert "营业执照.pdf" in shown
    assert "授权经办人" in shown


def test_a_disguised_file_is_refused_and_nothing_is_registered(client: Browser) -> None:
    paper = (io.BytesIO(b"MZ not a paper"), "营业执照.pdf")
    answer = client.post("/register", data=_registration(licence=paper))
    assert answer.status_code == 422
    assert "不是 PDF 格式" in answer.get_data(as_text=True)
    with client.database.reading() as session:
        assert queries.awaiting_verification(session) == []


def test_without_a_licence_the_way_is_back_and_again(client: Browser, page_world: World) -> None:
    client.post("/register", data=_registration())
    with client.database.reading() as session:
        home = queries.awaiting_verification(session)[0]
    operator = page_world.actor(Role.OPERATOR)
    client.sign_in_as(operator)
    client.send(f"/desk/verification/{home.id}/verify")
    page = client.get(f"/desk/verification/{home.id}").get_data(as_text=True)
    assert "还没有上传营业执照" in page
    client.send(f"/desk/verification/{home.id}", reason="请补传营业执照")
    client.sign_out()
    client.send("/sign-in", email="wang@quanpan.example", password="a-quiet-spring-morning")
    own = client.get("/organisation").get_data(as_text=True)
    assert "请补传营业执照" in own
    sent = client.post("/organisation/papers", data={"licence": (io.BytesIO(PDF), "营业执照.pdf")})
    assert sent.status_code == 303
    client.send("/organisation", name=home.name, district="lixia")
    client.sign_in_as(operator)
    client.send(f"/desk/verification/{home.id}/verify")
    with client.database.reading() as session:
        assert queries.get_organisation(session, home.id).verified


def test_a_suspended_organisation_sees_why_and_has_no_form(
    client: Browser, page_world: World
) -> None:
    admin = page_world.actor(Role.ORG_ADMIN)
    client.sign_in_as(page_world.actor(Role.OPERATOR))
    place = f"/desk/verification/{admin.organisation_id}/suspend"
    assert client.send(place, reason="检测报告失实，核查期间暂停").status_code == 303
    client.sign_in_as(admin)
    page = client.get("/organisation").get_data(as_text=True)
    assert "检测报告失实，核查期间暂停" in page
    assert "核验未通过" not in page
    assert 'name="short_name"' not in page
    assert 'name="licence"' in page
    refused = client.send("/organisation", name="济南新名科技有限公司", district="lixia")
    assert refused.status_code == 422
    assert "名称和地址保持暂停时的样子" in refused.get_data(as_text=True)


def test_somebody_known_joins_a_second_organisation(client: Browser, page_world: World) -> None:
    admin = page_world.actor(Role.ORG_ADMIN)
    invited = page_world.actor(Role.ENTERPRISE)
    with client.database.reading() as session:
        email = queries.get_user(session, invited.user_id or 0).email
    client.sign_in_as(admin)
    page = client.send("/organisation/members", email=email, roles="officer")
    found = re.search(r"/join/[\w-]+", page.get_data(as_text=True))
    assert found is not None
    link = found.group(0)
    assert "已有账号" in client.get(link).get_data(as_text=True)  # the admin is not who was invited
    client.send(link)
    client.sign_out()
    assert "请用它登录" in client.get(link).get_data(as_text=True)
    client.send("/sign-in", email=email, password=PASSWORD)
    assert client.send(link).status_code == 303
    assert "切换身份" in client.get("/workbench").get_data(as_text=True)
    with client.database.reading() as session:
        joined = queries.actor_for(session, invited.user_id or 0, admin.organisation_id)
    assert joined is not None
    assert joined.roles == {Role.OFFICER}


def test_a_member_leaves_through_the_page(client: Browser, page_world: World) -> None:
    home = page_world.organisation()
    admin = page_world.actor(Role.ORG_ADMIN, home)
    leaver = page_world.actor(Role.OFFICER, home, name="赵离")
    taker = page_world.actor(Role.OFFICER, home, name="钱接")
    client.sign_in_as(admin)
    page = client.get(f"/organisation/members/{leaver.user_id}").get_data(as_text=True)
    assert "名下没有未办完的事" in page
    address = f"/organisation/members/{leaver.user_id}/hand-over"
    assert client.send(address, taker="999999").status_code == 422
    client.click_twice(address, taker=str(taker.user_id), leaving="y")
    listed = client.get("/organisation/members").get_data(as_text=True)
    assert "赵离 移交给 钱接" in listed
    with client.database.reading() as session:
        assert queries.actor_for(session, leaver.user_id or 0, home.id) is None
