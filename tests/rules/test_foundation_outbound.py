"""What is called from here, and what never is: the own network, by whatever name (ASVS 1.3.6)."""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from marketplace.foundation import outbound
from marketplace.foundation.errors import RuleBroken
from marketplace.foundation.outbound import Outbound, Refused, check_url, is_public

LOOPBACK = ipaddress.ip_network("127.0.0.0/8")


class Receiver:
    """A small web server that keeps what it was sent."""

    def __init__(self) -> None:
        kept: list[tuple[str, dict[str, str], bytes]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                kept.append((self.path, dict(self.headers), body))
                self.send_response(302 if self.path == "/elsewhere" else 200)
                self.send_header("Location", "/again")
                self.end_headers()
                self.wfile.write("好".encode() * 5_000)

            def log_message(self, format: str, *args: object) -> None:
                """Keep the tests' output clean."""

        self.kept = kept
        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    opened = Receiver()
    yield opened
    opened.close()


def naming(*addresses: str) -> Outbound:
    """Return an outbound for which every name has these addresses."""
    return Outbound(resolve=lambda _host, _port: [ipaddress.ip_address(a) for a in addresses])


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1",
        "169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1",
        "fc00::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1",
        "2002:7f00:1::", "2001:0:7f00:1::1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_of_inner_networks_are_never_called(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))
    with pytest.raises(Refused, match="内部网络"):
        naming(address).post("https://partner.example.com/hook", b"{}", {})


@pytest.mark.parametrize("address", ["1.1.1.1", "8.8.8.8", "2606:4700:4700::1111"])
def test_the_open_internet_is_called(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


def test_one_inner_address_among_others_is_enough_to_refuse() -> None:
    with pytest.raises(Refused):
        naming("1.1.1.1", "10.0.0.1").post("https://partner.example.com/", b"{}", {})


def test_a_name_that_points_inside_is_refused_by_the_machines_resolver() -> None:
    for host in ("localhost", "127.1", "2130706433", "0x7f.1", "[::1]"):
        with pytest.raises((Refused, OSError)):
            Outbound().post(f"https://{host}:1/", b"{}", {})


def test_open_addresses_are_called_by_https_alone() -> None:
    with pytest.raises(Refused, match="https"):
        naming("1.1.1.1").post("http://partner.example.com/", b"{}", {})


def test_the_name_is_resolved_once_and_the_judged_address_is_called(receiver: Receiver) -> None:
    asked: list[str] = []

    def resolve(host: str, _port: int) -> list[outbound.Address]:
        asked.append(host)
        return [ipaddress.ip_address("127.0.0.1")]

    answer = Outbound([LOOPBACK], resolve=resolve).post(
        f"http://partner.example.com:{receiver.port}/hook?a=1", b"body", {"X-Sign": "s"}
    )
    assert asked == ["partner.example.com"]
    [(path, headers, body)] = receiver.kept
    assert (path, headers["X-Sign"], body) == ("/hook?a=1", "s", b"body")
    assert headers["Host"] == f"partner.example.com:{receiver.port}"
    assert answer.status == 200
    assert len(answer.text) <= 2_000  # the rest is not read


def test_a_redirection_is_not_followed(receiver: Receiver) -> None:
    answer = Outbound([LOOPBACK]).post(f"http://127.0.0.1:{receiver.port}/elsewhere", b"", {})
    assert answer.status == 302
    assert [path for path, _, _ in receiver.kept] == ["/elsewhere"]


def test_who_answers_a_byte_at_a_time_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound, "_WHOLE_SECONDS", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            link, _ = server.accept()
            with link:
                while not ended.is_set():
                    try:
                        link.send(b"x")
                    except OSError:
                        return
                    time.sleep(0.05)  # drips: each byte comes in time, the whole never

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(http.client.HTTPException):
            Outbound([LOOPBACK]).post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"", {})
        ended.set()
        thread.join(timeout=30)
        assert not thread.is_alive()


def test_https_is_spoken_where_it_is_written(receiver: Receiver) -> None:
    with pytest.raises(ssl.SSLError):
        Outbound([LOOPBACK]).post(f"https://127.0.0.1:{receiver.port}/", b"", {})
    assert receiver.kept == []


@pytest.mark.parametrize(
    "url",
    [
        "", "system.example.com", "ftp://example.com/", "file:///etc/passwd", "https://",
        "https:///hook", "https://a:b@example.com/", "https://example.com:99999/", "gopher://x/",
        "https://例子.cn/", "https://example.com/a b", "https://example.com/\r\nX-Evil: 1",
        "https://example.com/" + "a" * 500, "https://[::1", "javascript:alert(1)",
        "https://a..example.com/", "https://" + "a" * 64 + ".example.com/",
    ],
)  # fmt: skip
def test_addresses_of_a_wrong_form_are_refused_where_they_are_typed(url: str) -> None:
    with pytest.raises(RuleBroken) as refusal:
        check_url(url, "url")
    assert refusal.value.problems[0].field == "url"


def test_a_right_address_is_taken_without_blanks_around_it() -> None:
    assert check_url("  https://system.example.edu.cn:8443/hook?x=1 ") == (
        "https://system.example.edu.cn:8443/hook?x=1"
    )
