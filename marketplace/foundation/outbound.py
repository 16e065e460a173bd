"""Calls to addresses that members gave: never into the platform's own network (ASVS 1.3.6).

The name is resolved once, every address it has is judged, and the connection goes to the address
that was judged, so that a name cannot point elsewhere in between. Nothing is followed.
"""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import socket
import ssl
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from marketplace.foundation.errors import RuleBroken

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_CONNECT_SECONDS = 5.0
# From the first byte sent to the last byte read: who answers a byte at a time is cut off.
_WHOLE_SECONDS = 10.0
_MOST_READ = 2_000
_LONGEST_URL = 500
# Addresses in which another address is written, which may be a private one.
_TRANSLATED = tuple(
    ipaddress.ip_network(net) for net in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16")
)


class Refused(Exception):
    """The address must not be called; the text says why."""


@dataclass(frozen=True)
class Answer:
    """What the other side said: the status and the beginning of the text."""

    status: int
    text: str


def check_url(url: str, field: str = "") -> str:
    """Return an address as it will be called; raise ``RuleBroken`` where its form is wrong."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        host, _port = parts.hostname or "", parts.port
        # As the resolver will write it: a name that it cannot write must not come to sending.
        host.encode("idna")
    except ValueError:
        host, parts = "", urlsplit("")
    if len(url) > _LONGEST_URL or parts.scheme not in ("https", "http") or not host:
        raise RuleBroken(
            "outbound.form", "请写完整的网址，如 https://system.example.edu.cn/hook", field
        )
    if parts.username or parts.password:
        raise RuleBroken("outbound.login", "网址里不能带用户名和口令", field)
    if not url.isascii() or any(sign.isspace() or ord(sign) < 32 for sign in url):
        raise RuleBroken("outbound.signs", "网址只能由英文字母、数字和常用符号组成", field)
    return url


def is_public(address: Address) -> bool:
    """Tell whether an address lies in the open internet."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if any(address in net for net in _TRANSLATED) or address.teredo is not None:
            return False
    return address.is_global and not address.is_multicast


def _resolve(host: str, port: int) -> list[Address]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(entry[4][0]) for entry in found]


class Outbound:
    """Posts to addresses of the open internet, and to networks that the operator allows."""

    def __init__(
        self,
        allowed: Sequence[Network] = (),
        *,
        resolve: Callable[[str, int], list[Address]] = _resolve,
    ) -> None:
        self._allowed = tuple(allowed)
        self._resolve = resolve

    def post(self, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send a body and return the answer, whatever its status.

        Raises ``Refused`` for an address that must not be called, ``OSError`` or
        ``http.client.HTTPException`` where nobody answers as a web server does within ten seconds.
        """
        parts = urlsplit(check_url(url))
        port = parts.port or (443 if parts.scheme == "https" else 80)
        address, within = self._judged(parts.hostname or "", port)
        if parts.scheme == "http" and not within:
            raise Refused("公网地址必须用 https")
        link = _Link(socket.create_connection((str(address), port), timeout=_CONNECT_SECONDS))
        # Shutting the socket ends every wait on it, however slowly the other side goes on.
        watch = threading.Timer(_WHOLE_SECONDS, link.shut)
        watch.daemon = True
        watch.start()
        try:
            return _talk(link, parts, body, headers)
        finally:
            watch.cancel()
            link.socket.close()

    def _judged(self, host: str, port: int) -> tuple[Address, bool]:
        """Return the address to call, and whether it lies in a network that was allowed."""
        addresses = self._resolve(host, port)
        if not addresses:
            raise Refused("这个名字没有地址")
        for address in addresses:
            if not (is_public(address) or self._within(address)):
                raise Refused("地址在内部网络中，平台不访问；确需推送的，请运营机构先放行")
        return addresses[0], self._within(addresses[0])

    def _within(self, address: Address) -> bool:
        mapped = getattr(address, "ipv4_mapped", None)
        return any((mapped or address) in network for network in self._allowed)


class _Link:
    """A connection that is shut from beside while somebody waits on it."""

    def __init__(self, plain: socket.socket) -> None:
        self.socket = plain

    def secure(self, host: str) -> None:
        """Go over to TLS; it can be shut during the handshake too."""
        context = ssl.create_default_context()
        secured = context.wrap_socket(
            self.socket, server_hostname=host, do_handshake_on_connect=False
        )
        self.socket = secured
        secured.do_handshake()

    def shut(self) -> None:
        """End every wait; a connection that is closed already stays so."""
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)


def _talk(link: _Link, parts: SplitResult, body: bytes, headers: Mapping[str, str]) -> Answer:
    host = parts.hostname or ""
    if parts.scheme == "https":
        link.secure(host)
    connection = http.client.HTTPConnection(host, parts.port or 80)
    connection.sock = link.socket
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    try:
        connection.request("POST", target, body, {"Host": parts.netloc, **headers})
        response = connection.getresponse()
        text = response.read(_MOST_READ).decode("utf-8", "replace")
    finally:
        connection.close()
    return Answer(response.status, text)
