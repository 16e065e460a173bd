"""The second factor as a person meets it: enrolled, asked for, used once, lost and reset."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from marketplace.foundation.access import Role
from marketplace.settings import Settings
from tests.identity import Phone, Site, give_password


def _enrolled(site: Site, role: Role = Role.OFFICER) -> tuple[str, Phone]:
    _actor, email = site.person(role)
    phone = site.enrol(site.signed_in(email))
    site.clock.forward(minutes=2)
    return email, phone


def _give_code(client: FlaskClient, code: str) -> int:
    return client.post("/sign-in/code", data={"code": code}).status_code


def test_after_the_password_comes_the_code(site: Site) -> None:
    email, phone = _enrolled(site)
    client = site.visitor()
    asked = give_password(client, email, next="/account/sessions")
    assert asked.location == "/sign-in/code?next=/account/sessions"
    assert client.get("/account").status_code == 302  # the password alone opens nothing
    wrong = client.post("/sign-in/code", data={"code": "000000"})
    assert wrong.status_code == 422
    assert "口令不对" in wrong.get_data(as_text=True)
    right = client.post(asked.location, data={"code": phone.code()})
    assert (right.status_code, right.location) == (303, "/account/sessions")
    assert client.get("/account").status_code == 200


def test_a_code_works_once(site: Site) -> None:
    email, phone = _enrolled(site)
    first, second = site.visitor(), site.visitor()
    code = phone.code()
    give_password(first, email)
    give_password(second, email)
    assert _give_code(first, code) == 303
    assert _give_code(second, code) == 422
    # Nor does the one before it, which the clock's drift would still allow.
    assert _give_code(second, phone.code(-1)) == 422


@pytest.mark.parametrize(("steps", "status"), [(-2, 422), (-1, 303), (0, 303), (1, 303), (2, 422)])
def test_a_clock_may_be_wrong_by_one_step(site: Site, steps: int, status: int) -> None:
    email, phone = _enrolled(site)
    client = site.visitor()
    give_password(client, email)
    assert _give_code(client, phone.code(steps)) == status


def test_the_second_step_ends_after_five_minutes(site: Site) -> None:
    email, phone = _enrolled(site)
    client = site.visitor()
    give_password(client, email)
    site.clock.forward(minutes=5, seconds=1)
    late = client.post("/sign-in/code", data={"code": phone.code()})
    assert late.location == "/sign-in"
    assert "超过 5 分钟" in client.get("/sign-in").get_data(as_text=True)


def test_a_recovery_code_works_once_in_any_writing(site: Site) -> None:
    email, phone = _enrolled(site)
    assert len(set(phone.recovery)) == 10
    client = site.visitor()
    give_password(client, email)
    assert _give_code(client, phone.recovery[3].lower().replace("-", " ")) == 303
    assert "还剩 9 个恢复码" in client.get("/account/second-factor").get_data(as_text=True)
    again = site.visitor()
    give_password(again, email)
    assert _give_code(again, phone.recovery[3]) == 422
    assert _give_code(again, phone.recovery[4]) == 303


def test_new_recovery_codes_end_the_old_ones(site: Site) -> None:
    email, phone = _enrolled(site)
    client = site.visitor()
    give_password(client, email)
    assert _give_code(client, phone.code()) == 303
    page = client.post("/account/second-factor/recovery-codes").get_data(as_text=True)
    assert "请保存恢复码" in page
    again = site.visitor()
    give_password(again, email)
    assert _give_code(again, phone.recovery[0]) == 422


def test_nothing_that_opens_is_stored_as_it_is(site: Site) -> None:
    _email, phone = _enrolled(site)
    with site.database.reading() as session:
        stored = "\n".join(
            str(row)
            for table in ("accounts_second_factors", "accounts_recovery_codes")
            for row in session.connection().exec_driver_sql(f"SELECT * FROM {table}").all()
        )
    assert phone.secret not in stored
    assert not any(code[2:7] in stored for code in phone.recovery)


def test_guessing_codes_is_stopped_from_wherever_it_comes(site: Site) -> None:
    """Who knows the password guesses on from other addresses in vain; the owner comes in."""
    email, phone = _enrolled(site)
    own = site.visitor("10.1.1.1")
    give_password(own, email)
    assert _give_code(own, phone.recovery[0]) == 303  # from now on a known device
    own.post("/sign-out")
    for number in range(5):
        guesser = site.visitor(f"10.9.0.{number}")
        give_password(guesser, email)
        assert _give_code(guesser, "000000") == 422
    fresh = site.visitor("10.9.0.99")
    give_password(fresh, email)
    stopped = fresh.post("/sign-in/code", data={"code": phone.code()})
    assert stopped.status_code == 429
    assert int(stopped.headers["Retry-After"]) > 0
    give_password(own, email)
    assert _give_code(own, phone.code()) == 303


@pytest.mark.parametrize(
    "role", [Role.OPERATOR, Role.REGISTRAR, Role.EXPERT], ids=lambda role: role.value
)
def test_a_role_that_needs_it_does_nothing_before_it_is_enrolled(site: Site, role: Role) -> None:
    _actor, email = site.person(role)
    client = site.signed_in(email)
    for path in ("/workbench", "/account", "/desk/verification", "/"):
        answer = client.get(path)
        assert (answer.status_code, answer.location) == (303, "/account/second-factor"), path
    posted = client.post("/desk/people", data={"email": email})
    assert posted.location == "/account/second-factor"
    assert "必须启用动态口令" in client.get("/account/second-factor").get_data(as_text=True)
    site.enrol(client)
    assert client.get("/workbench").status_code == 200
    kept = client.post("/account/second-factor/remove")
    assert kept.location == "/account/second-factor"
    assert "不能停用" in client.get("/account/second-factor").get_data(as_text=True)


def test_enrolling_gives_the_session_a_new_token(site: Site) -> None:
    _actor, email = site.person(Role.OPERATOR)
    client = site.signed_in(email)
    with client.session_transaction() as cookie:
        before = cookie["_user_id"]
    site.enrol(client)
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != before
        cookie["_user_id"] = before
    assert client.get("/account").status_code == 302


def test_others_may_turn_it_off_again(site: Site) -> None:
    email, phone = _enrolled(site)
    client = site.visitor()
    give_password(client, email)
    assert _give_code(client, phone.code()) == 303
    assert client.post("/account/second-factor/remove").status_code == 303
    assert give_password(site.visitor(), email).location == "/workbench"


def test_another_phone_counts_only_after_its_first_code(site: Site) -> None:
    email, phone = _enrolled(site)
    client = site.visitor()
    give_password(client, email)
    assert _give_code(client, phone.code()) == 303
    client.post("/account/second-factor/begin")
    site.clock.forward(minutes=1)
    meanwhile = site.visitor()
    give_password(meanwhile, email)
    assert _give_code(meanwhile, phone.code()) == 303
    other = site.enrol(client)
    site.clock.forward(minutes=1)
    last = site.visitor()
    give_password(last, email)
    assert _give_code(last, phone.code()) == 422
    assert _give_code(last, other.code()) == 303


def test_a_lost_phone_is_reset_by_two_persons(site: Site) -> None:
    email, _phone = _enrolled(site)
    _first, first_email = site.person(Role.OPERATOR)
    _second, second_email = site.person(Role.OPERATOR)
    asker, decider = site.signed_in(first_email), site.signed_in(second_email)
    site.enrol(asker)
    site.enrol(decider)
    found = asker.post("/desk/people", data={"email": email})
    address = found.location
    asked = asker.post(f"{address}/reset-second-factor", data={"reason": "电话回拨并核对盖章申请"})
    assert asked.status_code == 303, asked.get_data(as_text=True)
    grant = "/desk/factor-resets/1/grant"
    asker.post(grant)
    assert give_password(site.visitor(), email).location == "/sign-in/code"  # not by one person
    assert "须由另一位同事确认" in asker.get("/desk/people").get_data(as_text=True)
    decider.post(grant)
    signed_in = site.visitor()
    assert give_password(signed_in, email).location == "/workbench"
    assert "重置动态口令" in decider.get(address).get_data(as_text=True)


def test_the_qr_code_is_drawn_here_and_ends_with_the_enrolment(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    assert client.get("/account/second-factor/code.svg").status_code == 404
    client.post("/account/second-factor/begin")
    drawn = client.get("/account/second-factor/code.svg")
    assert drawn.mimetype == "image/svg+xml"
    assert drawn.headers["Cache-Control"] == "no-store"
    assert b"style=" not in drawn.data
    site.enrol(client)
    assert client.get("/account/second-factor/code.svg").status_code == 404


def test_the_demo_offers_what_a_real_site_requires() -> None:
    chosen = Settings(secret_key="x" * 40)
    assert chosen.second_factor_required(demo=False)
    assert not chosen.second_factor_required(demo=True)
    assert Settings(second_factor="required").second_factor_required(demo=True)
    with pytest.raises(ValueError, match="second factor"):
        Settings(
            production=True,
            secret_key="x" * 40,
            second_factor="offered",
            site_url="https://market.example",
        )
