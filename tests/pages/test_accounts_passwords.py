"""Passwords changed, forgotten and reset; and the address to sign in with changed by its link."""

from __future__ import annotations

import re

from argon2 import PasswordHasher, Type

from marketplace.foundation.access import Role
from tests.identity import Site, give_password
from tests.world import PASSWORD

_NEW = "seven-lakes-under-snow"


def _ask(site: Site, email: str, address: str = "10.0.0.1") -> str:
    answer = site.visitor(address).post("/password/forgotten", data={"email": email})
    assert answer.status_code == 303, answer.get_data(as_text=True)
    return answer.location


def _reset(site: Site, link: str, password: str = _NEW) -> int:
    path = link.split("example", 1)[1]
    form = {"password": password, "again": password}
    return site.visitor().post(path, data=form).status_code


def test_passwords_are_hashed_by_the_profile_of_rfc_9106(thorough_hasher: PasswordHasher) -> None:
    assert thorough_hasher.type is Type.ID
    assert thorough_hasher.memory_cost >= 64 * 1024
    assert thorough_hasher.time_cost >= 3


def test_a_forgotten_password_is_reset_once_and_all_sessions_end(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    elsewhere = site.signed_in(email)
    _ask(site, email)
    link = site.last_link()
    assert _reset(site, link, "short") == 422
    assert _reset(site, link) == 303
    assert elsewhere.get("/account").status_code == 302
    assert give_password(site.visitor(), email).status_code == 422
    assert give_password(site.visitor(), email, _NEW).status_code == 303
    assert _reset(site, link, "another-password-again") == 410


def test_a_link_ends_after_half_an_hour_and_with_the_next_one(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    _ask(site, email)
    first = site.last_link()
    _ask(site, email)
    second = site.last_link()
    assert first != second
    assert _reset(site, second) == 303
    assert _reset(site, first) == 410  # the password is another one now
    _ask(site, email)
    late = site.last_link()
    site.clock.forward(minutes=30)
    assert _reset(site, late) == 410


def test_a_reset_does_not_pass_over_the_second_factor(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    phone = site.enrol(site.signed_in(email))
    site.clock.forward(minutes=1)
    _ask(site, email)
    assert _reset(site, site.last_link()) == 303
    client = site.visitor()
    assert give_password(client, email, _NEW).location == "/sign-in/code"
    assert client.get("/account").status_code == 302
    assert client.post("/sign-in/code", data={"code": phone.code()}).status_code == 303


def test_nobody_learns_whether_an_address_is_known(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    pages = []
    for asked in (email, "nobody@test.example"):
        client = site.visitor()
        client.post("/password/forgotten", data={"email": asked})
        pages.append(client.get("/password/forgotten?sent=1").get_data(as_text=True))
    plain = [re.sub(r'name="(csrf_token|submission_key)" value="[^"]+"', "", p) for p in pages]
    assert plain[0] == plain[1]
    assert [mailbox for mailbox, _text in site.post_letters()] == [email]


def test_nobodys_mailbox_is_flooded_and_one_address_asks_for_few(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    for number in range(5):
        _ask(site, email, f"10.0.1.{number}")
        site.post_letters()
    assert len(site.letters) == 3
    for number in range(20):
        _ask(site, f"guess{number}@test.example", "10.0.2.1")
    stopped = site.visitor("10.0.2.1").post("/password/forgotten", data={"email": email})
    assert stopped.status_code == 429
    assert int(stopped.headers["Retry-After"]) > 0


def test_a_token_that_was_made_up_or_taken_from_the_database_opens_nothing(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    _ask(site, email)
    real = site.last_link().rsplit("/", 1)[1]
    with site.database.reading() as session:
        row = session.connection().exec_driver_sql("SELECT * FROM accounts_mailed_links").one()
    assert not any(real.split("-")[1] in str(value) for value in row)
    for token in (f"1-{row.nonce}", "1-", "1", "x", "9" * 30 + "-x", "1-" + "0" * 64):
        assert site.visitor().get(f"/password/reset/{token}").status_code == 410
    assert site.visitor().get(f"/account/email/{real}").status_code == 410  # of another kind


def test_a_changed_password_ends_the_other_sessions(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    here, there = site.signed_in(email), site.signed_in(email)
    form = {"present": "not-the-password", "password": _NEW, "again": _NEW}
    assert here.post("/account/password", data=form).status_code == 422
    form["present"] = PASSWORD
    same = {**form, "password": PASSWORD, "again": PASSWORD}
    assert "和现在的一样" in here.post("/account/password", data=same).get_data(as_text=True)
    assert here.post("/account/password", data=form).status_code == 303
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 302


def test_a_session_is_no_place_to_guess_the_password_in(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    form = {"present": "not-the-password", "password": _NEW, "again": _NEW}
    for _ in range(5):
        assert "现在的密码不对" in client.post("/account/password", data=form).get_data(
            as_text=True
        )
    form["present"] = PASSWORD
    stopped = client.post("/account/password", data=form)
    assert stopped.status_code == 422
    assert "尝试次数过多" in stopped.get_data(as_text=True)


def test_a_sign_in_halfway_ends_with_the_old_password(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    phone = site.enrol(site.signed_in(email))
    site.clock.forward(minutes=1)
    halfway = site.visitor()
    assert give_password(halfway, email).location == "/sign-in/code"
    _ask(site, email)
    assert _reset(site, site.last_link()) == 303
    assert halfway.post("/sign-in/code", data={"code": phone.code()}).location == "/sign-in"


def test_an_address_counts_once_its_link_was_opened(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    assert client.post("/account/email", data={"email": "new@test.example"}).status_code == 303
    link = site.last_link()
    assert site.letters[-1][0] == "new@test.example"
    path = link.split("example", 1)[1]
    assert site.visitor().get(path).status_code == 200  # a mail scanner only looks
    assert give_password(site.visitor(), "new@test.example").status_code == 422
    assert site.visitor().post(path).status_code == 303
    assert give_password(site.visitor(), "new@test.example").status_code == 303
    assert give_password(site.visitor(), email).status_code == 422
    mailbox, warning = site.post_letters()[-1]
    assert mailbox == email
    assert "已改用另一个邮箱" in warning
    assert site.visitor().post(path).status_code == 410


def test_an_address_of_another_account_is_refused_by_its_link_only(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    _other, taken = site.person(Role.OFFICER)
    client = site.signed_in(email)
    assert client.post("/account/email", data={"email": taken}).status_code == 303
    path = site.last_link().split("example", 1)[1]
    refused = site.visitor().post(path)
    assert refused.status_code == 422
    assert "另一个账号" in refused.get_data(as_text=True)
