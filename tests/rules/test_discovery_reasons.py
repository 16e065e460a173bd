"""Every reason of a match has a name on the page."""

from __future__ import annotations

from markupsafe import Markup

from marketplace.discovery import matches
from search import features
from search.features import Agreement, Seeker
from search.matching import Match
from search.schema import Document

DOCUMENT = Document(id="achievement:1", kind="achievement")


def test_each_share_of_a_match_has_a_name() -> None:
    found = features.agreements(DOCUMENT, Seeker(text=""), features.Prediction())
    found.append(Agreement("dense", 0.8, known=True, share=0.25))
    match = Match(
        document=DOCUMENT,
        score=1.0,
        fit=50,
        strongest=(),
        agreements=tuple(found),
        expansions=(),
        sentence=Markup(""),
        unanswered=(),
    )
    assert matches._shares(match) == (("文字相关", 75), ("语义相近", 25))
    assert {agreement.name for agreement in found} <= set(matches._FEATURES)
