"""The forms of saved searches: a name and how often they tell."""

from __future__ import annotations

from marketplace.discovery.subscription_rules import NAME_MAX, Frequency
from marketplace.foundation import web


class SavedSearchForm(web.Form):
    """What a person chooses about a saved search."""

    name = web.TextField("名字", longest=NAME_MAX, required=True)
    frequency = web.ChoiceField("多久告诉我一次", Frequency, required=True)
