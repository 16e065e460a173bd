"""A server on loopback that answers as no search engine should."""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Handler"], None]

# A drip that is never read to its end must not keep its thread for ever.
_DRIPS = 600


class Handler(BaseHTTPRequestHandler):
    """Answers every request by the server's behaviour."""

    protocol_version = "HTTP/1.1"
    server: FakeServer
    body = b""

    def answer(self, status: int, body: bytes, **headers: str) -> None:
        """Send a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _any(self) -> None:
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.requests += 1
        self.server.behaviour(self)

    def __getattr__(self, name: str) -> Callable[[], None]:
        """Find the same answer for every method (``do_GET`` and so on)."""
        if name.startswith("do_"):
            return self._any
        raise AttributeError(name)

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class FakeServer(ThreadingHTTPServer):
    """Listens on a free port until it is left as a context."""

    daemon_threads = True

    def __init__(self, behaviour: Behaviour) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.behaviour = behaviour
        self.requests = 0
        self.ended = threading.Event()
        self._thread = threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True)

    @property
    def url(self) -> str:
        """Return the server's address."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def handle_error(self, *_: Any) -> None:
        """A client that went away is what these tests are about."""

    def __enter__(self) -> FakeServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.ended.set()
        self.shutdown()
        self.server_close()


_AS_ELASTIC = {"X_Elastic_Product": "Elasticsearch", "Content_Type": "application/json"}


def silent(request: Handler) -> None:
    """Take the request and say nothing until the test ends."""
    request.server.ended.wait(30)
    request.close_connection = True


def dripping(request: Handler) -> None:
    """Answer byte by byte, each in time, the whole never."""
    request.send_response(200)
    for name, value in _AS_ELASTIC.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(_DRIPS))
    request.end_headers()
    for _ in range(_DRIPS if request.command != "HEAD" else 0):
        request.wfile.write(b" ")
        if request.server.ended.wait(0.05):
            break
    request.close_connection = True


def refusing(status: int) -> Behaviour:
    """Answer with an error as an Elasticsearch in trouble does."""
    body = b'{"error": {"type": "some_exception", "reason": "too much"}, "status": %d}' % status
    return lambda request: request.answer(status, body, **_AS_ELASTIC)


def a_page(request: Handler) -> None:
    """Answer with somebody else's page."""
    request.answer(200, b"<html><h1>Welcome to nginx</h1></html>", Content_Type="text/html")


def no_json(request: Handler) -> None:
    """Answer in the right name with something that is no JSON."""
    request.answer(200, b'{"hits": {"tot', **_AS_ELASTIC)


def other_json(request: Handler) -> None:
    """Answer in the right name with JSON that holds nothing of what was asked for."""
    request.answer(200, b'{"hits": [1, 2, 3], "aggregations": null, "_shards": "?"}', **_AS_ELASTIC)


def hanging_up(request: Handler) -> None:
    """Close the connection in the middle of the answer."""
    request.send_response(200)
    for name, value in _AS_ELASTIC.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", "5000")
    request.end_headers()
    request.wfile.write(b'{"hits"')
    request.wfile.flush()
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True


BEHAVIOURS: dict[str, Behaviour] = {
    "silent": silent,
    "dripping": dripping,
    "429": refusing(429),
    "500": refusing(500),
    "401": refusing(401),
    "404": refusing(404),
    "a page": a_page,
    "no json": no_json,
    "other json": other_json,
    "hanging up": hanging_up,
}


def forwarding(url: str) -> Behaviour:
    """Hand every request on to a real server and its answer back."""
    host = url.removeprefix("http://")

    def forward(request: Handler) -> None:
        connection = http.client.HTTPConnection(host, timeout=30)
        headers = {name: value for name, value in request.headers.items() if name != "Host"}
        connection.request(request.command, request.path, request.body, headers)
        answer = connection.getresponse()
        body = answer.read()
        kept = ("X-elastic-product", "Content-Type")
        given = {name.replace("-", "_"): answer.headers[name] for name in kept}
        request.answer(answer.status, body, **{n: v for n, v in given.items() if v})
        connection.close()

    return forward


def closed_url() -> str:
    """Return an address on loopback where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{probe.getsockname()[1]}"
