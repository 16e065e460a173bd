"""The address of a search server, taken apart."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from search.errors import AskRejected


@dataclass(frozen=True)
class Address:
    """Where a server is reached and as whom; ``prefix`` is empty where none is named."""

    url: str
    prefix: str
    user: str
    password: str


def parse(address: str, *, port: int, wanted: str) -> Address:
    """Understand ``engine+http(s)://user:password@host:port/prefix``; say what is wanted else."""
    try:
        parts = urlsplit(address.partition("+")[2])
        port = parts.port or (443 if parts.scheme == "https" else port)
    except ValueError as wrong:
        raise AskRejected("SEARCH_URL", f"not an address: {wrong}") from wrong
    if not parts.hostname or parts.query or parts.fragment:
        raise AskRejected("SEARCH_URL", f"write {wanted}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return Address(
        url=f"{parts.scheme}://{host}:{port}",
        prefix=parts.path.strip("/"),
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
