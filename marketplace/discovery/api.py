"""Search for programs: the same answer as the search page's, without its markup."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from werkzeug.datastructures import MultiDict

from marketplace.discovery import results
from marketplace.discovery.asked import Asked
from marketplace.discovery.indexing import SearchIndex
from marketplace.discovery.rules import Sorting, Tab
from marketplace.foundation import api, web
from marketplace.foundation.access import SIGNED_IN
from marketplace.foundation.errors import Conflict
from search.errors import SearchUnavailable

routes = api.Routes("discovery", __name__, tag="检索")


class SearchQuery(BaseModel):
    """What is searched for."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", max_length=2000, description="要找什么，直接用话写")
    tab: Tab = Tab.ACHIEVEMENTS
    sort: Sorting = Sorting.RELEVANCE
    page: int = Field(1, ge=1, le=50)


class Hit(api.Answer):
    """One result."""

    kind: str
    record_id: int
    title: str
    passage: str
    owner: str
    maturity: int | None
    price: api.Yuan | None = Field(validation_alias="price_fen")
    stale: bool


class SearchAnswer(api.Answer):
    """One page of results, and the nearest ones where there are few."""

    total: int
    exact: bool
    did_you_mean: str | None
    next_page: int | None
    items: list[Hit]
    nearest: list[Hit]


@routes.reads(
    "/search",
    permission=SIGNED_IN,
    summary="检索成果、需求、人和机构",
    answer=SearchAnswer,
    query=SearchQuery,
)
def search(asked: SearchQuery) -> Any:
    """Answer a search as the page does."""
    wanted = Asked.of(
        MultiDict({"q": asked.q, "tab": asked.tab, "sort": asked.sort, "page": str(asked.page)})
    )
    try:
        page = results.answer(web.resource(SearchIndex), wanted, web.actor(), now=web.now())
    except SearchUnavailable as away:
        raise Conflict("search.away", "检索服务暂时不可用，请几分钟后再试") from away
    return {
        **vars(page),
        "items": [_plain(row) for row in page.rows],
        "nearest": [_plain(row) for row in page.nearest],
    }


def _plain(row: results.Row) -> dict[str, Any]:
    return {**vars(row), "title": row.title.striptags(), "passage": row.passage.striptags()}
