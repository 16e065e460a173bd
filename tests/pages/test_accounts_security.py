"""What somebody with bad intent tries at the door, and what an account's owner still can do."""

from __future__ import annotations

import inspect

import pytest
from flask import Flask
from sqlalchemy import func, select

from marketplace.accounts import people_service
from marketplace.accounts.rules import OrganisationKind
from marketplace.foundation import audit, web
from marketplace.foundation.access import SYSTEM, Role
from marketplace.foundation.db import Database
from marketplace.listings.bidding_models import OfficerKey
from tests.identity import SITE, Site, give_password
from tests.world import PASSWORD

# Steps on an account, on money and on rights that ask for a fresh proof.
_SENSITIVE = {
    "accounts.add_passkey",
    "accounts.remove_passkey",
    "accounts.profile", "accounts.change_address", "accounts.members", "accounts.member",
    "accounts.hand_over",
    "accounts.begin_second_factor", "accounts.confirm_second_factor",
    "accounts.renew_recovery_codes", "accounts.remove_second_factor", "accounts.begin_linking",
    "accounts.unlink", "accounts.disable_person", "accounts.enable_person",
    "accounts.ask_factor_reset", "accounts.grant_factor_reset", "payments.confirm",
    "payments.request_refund", "payments.refund", "payments.forfeit", "payments.confirm_line",
    "payments.return_line", "subsidies.confirm_payment", "subsidies.confirm_receipt",
    "accounts.tokens", "notifications.webhooks", "notifications.webhook_secret",
    "listings.give_share", "listings.opening_key", "listings.void_unopened",
    "accounts.close_account", "accounts.suspend", "accounts.resume",
}  # fmt: skip


def test_sensitive_steps_are_declared(app: Flask) -> None:
    declared = {name for name, view in app.view_functions.items() if web.is_sensitive(view)}
    assert declared >= _SENSITIVE, _SENSITIVE - declared


def test_a_session_that_was_planted_is_not_the_one_that_is_signed_in(site: Site) -> None:
    """Session fixation: what stood in the cookie before counts for nobody afterwards."""
    _actor, email = site.person(Role.OFFICER)
    planted = site.visitor()
    give_password(planted, email, "wrong-wrong-wrong")
    with planted.session_transaction() as cookie:
        cookie["_user_id"] = "planted"
        cookie["second_step"] = "planted"
    give_password(planted, email)
    with planted.session_transaction() as cookie:
        assert cookie["_user_id"] != "planted"
        assert "second_step" not in cookie
        first = cookie["_user_id"]
    planted.post("/sign-out")
    give_password(planted, email)
    with planted.session_transaction() as cookie:
        assert cookie["_user_id"] != first
        cookie["_user_id"] = first
    assert planted.get("/account").status_code == 302  # what was ended stays ended


def test_acting_for_another_organisation_changes_the_token(
    site: Site, sqlite_database: Database
) -> None:
    actor, email = site.person(Role.OFFICER)
    other = site.world.organisation(OrganisationKind.ENTERPRISE)
    with sqlite_database.transaction() as session:
        people_service.join(session, other.id, actor.user_id or 0, {Role.ENTERPRISE})
        audit.record(session, actor=SYSTEM, action="test", subject="user:1", now=site.clock.now())
    client = site.signed_in(email)
    with client.session_transaction() as cookie:
        before = cookie["_user_id"]
    assert client.post(f"/account/act-for/{other.id}").status_code == 303
    with client.session_transaction() as cookie:
        assert cookie["_user_id"] != before
        cookie["_user_id"] = before
    assert client.get("/account").status_code == 302


def test_the_wait_grows_and_ends(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    client = site.visitor()
    waits = []
    for _ in range(9):
        while (answer := give_password(client, email, "not-the-password")).status_code == 429:
            waits.append(int(answer.headers["Retry-After"]))
            assert give_password(client, email).status_code == 429  # the right one waits as well
            site.clock.forward(seconds=waits[-1])
    assert waits == [61, 121, 241, 481]
    site.clock.forward(minutes=15, seconds=1)
    assert give_password(client, email).status_code == 303


def test_nobody_is_locked_out_by_another(site: Site) -> None:
    """A stranger fails for an account on and on, from the owner's own address as well."""
    _actor, email = site.person(Role.OFFICER)
    known = site.visitor("10.0.0.1")
    assert give_password(known, email).status_code == 303
    known.post("/sign-out")
    stranger = site.visitor("10.0.0.1")
    for _ in range(6):
        give_password(stranger, email, "not-the-password")
    assert give_password(stranger, email).status_code == 429
    assert give_password(known, email).status_code == 303  # a device that was here before
    assert give_password(site.visitor("10.0.0.2"), email).status_code == 303


def test_a_known_device_guesses_no_more_than_a_strange_one(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    _other, other_email = site.person(Role.OFFICER)
    client = site.visitor()
    assert give_password(client, email).status_code == 303
    client.post("/sign-out")
    for _ in range(5):
        assert give_password(client, email, "not-the-password").status_code == 422
    assert give_password(client, email).status_code == 429
    # Known to one account, it is a stranger to every other and waits with the strangers.
    for _ in range(5):
        give_password(site.visitor(), other_email, "not-the-password")
    assert give_password(client, other_email).status_code == 429


def test_one_address_that_tries_many_accounts_waits(site: Site) -> None:
    client = site.visitor("10.0.0.7")
    for number in range(40):
        give_password(client, f"guess{number}@test.example", "not-the-password")
    _actor, email = site.person(Role.OFFICER)
    assert give_password(client, email).status_code == 429
    assert give_password(site.visitor("10.0.0.8"), email).status_code == 303


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_no_step_of_signing_in_leads_to_another_host(site: Site, target: str) -> None:
    _actor, email = site.person(Role.OFFICER)
    phone = site.enrol(site.signed_in(email))
    site.clock.forward(minutes=1)
    client = site.visitor()
    assert give_password(client, email, next=target).location == "/sign-in/code"
    arrived = client.post(
        "/sign-in/code", query_string={"next": target}, data={"code": phone.code()}
    )
    assert arrived.location == "/workbench"


def test_links_are_made_of_the_sites_own_address(site: Site) -> None:
    """Host header: a forged one gets into no mail and into no invitation."""
    _actor, email = site.person(Role.ORG_ADMIN, Role.OFFICER)
    site.visitor().post(
        "/password/forgotten",
        data={"email": email},
        headers={"Host": "evil.example"},
    )
    assert site.last_link().startswith(f"{SITE}/password/reset/")
    cookie = site.signed_in(email).get_cookie("session")
    assert cookie is not None
    # By hand: the test client gives a cookie to the host that it came from only.
    bare = site.app.test_client(use_cookies=False)
    page = bare.post(
        "/organisation/members",
        data={"email": "new@test.example", "roles": "officer"},
        headers={"Host": "evil.example", "Cookie": f"session={cookie.value}"},
    ).get_data(as_text=True)
    assert f"{SITE}/join/" in page
    assert "evil.example" not in page


def test_what_was_typed_is_resumed_after_the_proof(site: Site) -> None:
    actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    site.clock.forward(minutes=10)
    typed = {"name": "王敏之", "title": "处长", "phone": "13800000000", "submission_key": "k1"}
    assert client.post("/account", data=typed).status_code == 303  # within ten minutes
    site.clock.forward(seconds=1)
    typed |= {"phone": "13911112222", "submission_key": "k2"}
    asked = client.post("/account", data=typed)
    page = asked.get_data(as_text=True)
    assert asked.status_code == 403
    for name, value in typed.items():
        assert f'name="{name}" value="{value}"' in page
    assert _phone(site, actor.user_id) == "13800000000"
    wrong = client.post("/account", data={**typed, "proof_password": "not-the-password"})
    assert wrong.status_code == 403
    assert "密码不对" in wrong.get_data(as_text=True)
    assert 'value="13911112222"' in wrong.get_data(as_text=True)
    assert "not-the-password" not in wrong.get_data(as_text=True)
    assert client.post("/account", data={**typed, "proof_password": PASSWORD}).status_code == 303
    assert _phone(site, actor.user_id) == "13911112222"
    site.clock.forward(minutes=9)
    assert client.post("/account", data={**typed, "submission_key": "k3"}).status_code == 303


def test_a_secret_is_asked_for_after_the_proof_and_never_carried(
    site: Site, sqlite_database: Database
) -> None:
    _operator, email = site.person(Role.OPERATOR)
    client = site.signed_in(email)
    phone = site.enrol(client)
    typed = {"passphrase": "five-green-lanterns", "submission_key": "k1"}
    site.clock.forward(minutes=11)
    shown = client.get("/listings/opening-key")
    assert shown.location == "/account/proof?next=/listings/opening-key"
    sent = client.post("/listings/opening-key", data=typed)
    assert sent.location == shown.location
    proof = client.get(sent.location).get_data(as_text=True)
    assert typed["passphrase"] not in proof
    assert "请再输入一次口令" in proof
    assert _keys(sqlite_database) == 0
    code = {"proof_password": PASSWORD, "proof_code": phone.code()}
    assert client.post(sent.location, data=code).location == "/listings/opening-key"
    assert client.get("/listings/opening-key").status_code == 200
    assert client.post("/listings/opening-key", data=typed).status_code == 303
    assert _keys(sqlite_database) == 1


def _keys(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(OfficerKey)) or 0


def test_no_form_with_a_secret_is_carried_over_the_proof(app: Flask) -> None:
    """The proof page writes what was typed into itself, which nobody may do with a secret."""
    wrong = []
    for name, view in app.view_functions.items():
        if not web.is_sensitive(view) or web.keeps_secret(view):
            continue
        source = inspect.unwrap(view)
        used = [source.__globals__.get(word) for word in source.__code__.co_names]
        for form in used:
            if isinstance(form, type) and issubclass(form, web.Form):
                wrong += [
                    f"{name}: {field.short_name}"
                    for field in form.fresh()
                    if isinstance(field, web.PasswordField)
                ]
    assert not wrong, f"use web.sensitive_with_secret: {wrong}"


def test_the_proof_leads_to_no_other_host(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    assert client.get("/account/proof?next=//evil.example").location == "/account"


def _phone(site: Site, user_id: int | None) -> str:
    with site.database.reading() as session:
        found = session.connection().exec_driver_sql(
            "SELECT phone FROM accounts_users WHERE id = ?", (user_id,)
        )
        return str(found.scalar())


def test_a_proof_needs_the_code_where_there_is_one_and_guessing_it_waits(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    client = site.signed_in(email)
    phone = site.enrol(client)
    site.clock.forward(minutes=11)
    typed = {"name": "王敏之"}
    without = client.post("/account", data={**typed, "proof_password": PASSWORD})
    assert without.status_code == 403
    code = phone.code()
    right = client.post("/account", data={**typed, "proof_password": PASSWORD, "proof_code": code})
    assert right.status_code == 303
    site.clock.forward(minutes=11)
    for _ in range(5):
        client.post("/account", data={**typed, "proof_password": "not-the-password"})
    stopped = client.post(
        "/account", data={**typed, "proof_password": PASSWORD, "proof_code": phone.code()}
    )
    assert stopped.status_code == 403
    assert "尝试次数过多" in stopped.get_data(as_text=True)


def test_a_session_ends_by_idleness_and_staffs_by_eight_hours(site: Site) -> None:
    _actor, email = site.person(Role.OFFICER)
    _staff, staff_email = site.person(Role.OPERATOR)
    client, staff = site.signed_in(email), site.signed_in(staff_email)
    site.enrol(staff)
    for _ in range(19):  # 7 h 55 min of work
        site.clock.forward(minutes=25)
        assert client.get("/account").status_code == 200
        assert staff.get("/account").status_code == 200
    site.clock.forward(minutes=6)
    assert staff.get("/account").status_code == 302
    assert client.get("/account").status_code == 200
    for _ in range(9):
        site.clock.forward(minutes=25)
        assert client.get("/account").status_code == 200
    site.clock.forward(minutes=20)
    assert client.get("/account").status_code == 302  # twelve hours
    again = site.signed_in(email)
    site.clock.forward(minutes=30, seconds=1)
    assert again.get("/account").status_code == 302


def test_disabling_ends_the_sessions_at_once(site: Site) -> None:
    actor, email = site.person(Role.OFFICER)
    _desk, desk_email = site.person(Role.OPERATOR)
    client, desk = site.signed_in(email), site.signed_in(desk_email)
    site.enrol(desk)
    assert client.get("/account").status_code == 200
    address = f"/desk/people/{actor.user_id}"
    assert desk.post(f"{address}/disable", data={"reason": ""}).status_code == 422
    assert desk.post(f"{address}/disable", data={"reason": "已离职"}).status_code == 303
    assert client.get("/account").status_code == 302
    refused = give_password(site.visitor(), email)
    assert refused.status_code == 422
    assert "邮箱或密码不对" in refused.get_data(as_text=True)
    assert desk.post(f"{address}/enable").status_code == 303
    assert client.get("/account").status_code == 302  # the old session does not come back
    assert give_password(site.visitor(), email).status_code == 303


def test_the_desk_ends_a_persons_session(site: Site) -> None:
    actor, email = site.person(Role.OFFICER)
    _desk, desk_email = site.person(Role.OPERATOR)
    client, desk = site.signed_in(email), site.signed_in(desk_email)
    site.enrol(desk)
    with site.database.reading() as session:
        number = (
            session.connection()
            .exec_driver_sql("SELECT id FROM accounts_sessions WHERE user_id = ?", (actor.user_id,))
            .scalar()
        )
    assert desk.post(f"/desk/people/{actor.user_id}/sessions/{number}/end").status_code == 303
    assert client.get("/account").status_code == 302


def test_only_the_desk_sees_peoples_accounts(site: Site) -> None:
    actor, email = site.person(Role.ORG_ADMIN)
    client = site.signed_in(email)
    assert client.get("/desk/people").status_code == 403
    assert client.get(f"/desk/people/{actor.user_id}").status_code == 403
