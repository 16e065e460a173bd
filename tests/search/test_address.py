"""Addresses of engines: understood, refused, and never repeated with their password."""

from __future__ import annotations

import pytest

from search.address import open_engine
from search.engines.elasticsearch_client import Server, parse
from search.errors import AskRejected


def test_an_elasticsearch_address_has_user_host_port_and_prefix() -> None:
    assert parse("elasticsearch+https://user:p%40ss@es.example:9243/trade") == Server(
        "https://es.example:9243", "trade", "user", "p@ss"
    )
    assert parse("elasticsearch+http://[::1]/") == Server("http://[::1]:9200", "market")
    assert parse("elasticsearch+https://es.example").url == "https://es.example:443"
    assert open_engine("elasticsearch+http://127.0.0.1:9200/market").name == "elasticsearch"


@pytest.mark.parametrize(
    "wrong",
    [
        "elasticsearch+http:///market",
        "elasticsearch+http://host:port/market",
        "elasticsearch+http://host/*",
        "elasticsearch+http://host/_all",
        "elasticsearch+http://host/a/b",
        "elasticsearch+http://host/a-g-b",
        "elasticsearch+http://host/%2e%2e",
        "elasticsearch+http://host/market?pretty",
        "embedded:",
    ],
)
def test_addresses_that_mean_nothing_are_refused(wrong: str) -> None:
    with pytest.raises(AskRejected):
        open_engine(wrong)


def test_an_unknown_engine_is_named_without_the_password() -> None:
    with pytest.raises(AskRejected) as said:
        open_engine("gopher+http://me:s3cret@host/market")
    assert "gopher+http" in str(said.value)
    assert "s3cret" not in str(said.value)
