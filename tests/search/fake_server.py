"""A server on loopback that answers as no search engine should."""

from __future__ import annotations

import http.client
import json
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
        self.server.requests.append(f"{self.command} {self.path}")
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
        self.requests: list[str] = []
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


JSON = "application/json"
AS_ELASTIC = {"X_Elastic_Product": "Elasticsearch"}


def silent(request: Handler) -> None:
    """Take the request and say nothing until the test ends."""
    request.server.ended.wait(30)
    request.close_connection = True


def dripping(**headers: str) -> Behaviour:
    """Answer byte by byte, each in time, the whole never."""

    def behave(request: Handler) -> None:
        _begin(request, _DRIPS, headers)
        for _ in range(_DRIPS if request.command != "HEAD" else 0):
            request.wfile.write(b" ")
            if request.server.ended.wait(0.05):
                break
        request.close_connection = True

    return behave


def hanging_up(**headers: str) -> Behaviour:
    """Close the connection in the middle of the answer."""

    def behave(request: Handler) -> None:
        _begin(request, 5000, headers)
        request.wfile.write(b'{"hits"')
        request.wfile.flush()
        request.connection.shutdown(socket.SHUT_RDWR)
        request.close_connection = True

    return behave


def answering(status: int, body: Any, **headers: str) -> Behaviour:
    """Answer always the same: bytes as they are, anything else as JSON."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    kind = {"Content_Type": JSON, **headers}
    return lambda request: request.answer(status, sent, **kind)


def _begin(request: Handler, length: int, headers: dict[str, str]) -> None:
    request.send_response(200)
    for name, value in {"Content_Type": JSON, **headers}.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(length))
    request.end_headers()


def refusing(status: int) -> Behaviour:
    """Answer with an error as an Elasticsearch in trouble does."""
    error = {"type": "some_exception", "reason": "too much"}
    return answering(status, {"error": error, "status": status}, **AS_ELASTIC)


A_PAGE = answering(200, b"<html><h1>Welcome to nginx</h1></html>", Content_Type="text/html")
# An Elasticsearch in all its troubles: it answers in the right name, but nothing of use.
BEHAVIOURS: dict[str, Behaviour] = {
    "silent": silent,
    "dripping": dripping(**AS_ELASTIC),
    "429": refusing(429),
    "500": refusing(500),
    "401": refusing(401),
    "404": refusing(404),
    "a page": A_PAGE,
    "no json": answering(200, b'{"hits": {"tot', **AS_ELASTIC),
    "other json": answering(
        200, {"hits": [1, 2, 3], "aggregations": None, "_shards": "?"}, **AS_ELASTIC
    ),
    "hanging up": hanging_up(**AS_ELASTIC),
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
