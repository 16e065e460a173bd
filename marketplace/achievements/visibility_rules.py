"""Who sees which part of an achievement: public, verified members, after an agreement."""

from __future__ import annotations

from dataclasses import replace

from marketplace.achievements.rules import (
    DEFAULT_VISIBILITY,
    INSIDERS,
    AchievementContent,
    FieldGroup,
    IPRight,
    Visibility,
)
from marketplace.foundation.access import Actor, Role

_ORDER = (Visibility.PUBLIC, Visibility.MEMBERS, Visibility.AGREEMENT)


def level(
    actor: Actor,
    *,
    organisation_id: int,
    named_user_ids: frozenset[int],
    agreed: bool,
) -> Visibility:
    """Return the deepest layer that an actor reads of one organisation's achievement.

    ``named_user_ids`` are the inventors and the author; ``agreed`` tells whether the actor's
    organisation holds a confidentiality agreement in force. The operator has no key to the
    confidential layer: running the market does not need it.
    """
    if actor.user_id is None:
        return Visibility.PUBLIC
    own = actor.organisation_id == organisation_id
    if own and actor.has(*INSIDERS):
        return Visibility.AGREEMENT
    if own and actor.user_id in named_user_ids:
        return Visibility.AGREEMENT
    if not actor.verified:
        return Visibility.PUBLIC
    return Visibility.AGREEMENT if agreed else Visibility.MEMBERS


def is_insider(actor: Actor, *, organisation_id: int, named_user_ids: frozenset[int]) -> bool:
    """Tell whether the actor may open the record while it is not published."""
    if actor.user_id is None or actor.organisation_id != organisation_id:
        return False
    return actor.has(*INSIDERS) or (actor.has(Role.INVENTOR) and actor.user_id in named_user_ids)


def visibility_of(content: AchievementContent, group: FieldGroup) -> Visibility:
    """Return from which layer on a group is readable."""
    if group is FieldGroup.CONFIDENTIAL:
        return Visibility.AGREEMENT
    return (content.visibility or {}).get(group, DEFAULT_VISIBILITY[group])


def hidden_groups(content: AchievementContent, layer: Visibility) -> dict[FieldGroup, Visibility]:
    """List the groups that a layer does not show, with the layer that does."""
    reach = _ORDER.index(layer)
    return {
        group: needed
        for group in FieldGroup
        if _ORDER.index(needed := visibility_of(content, group)) > reach
    }


def redact(content: AchievementContent, layer: Visibility) -> AchievementContent:
    """Return the content without the parts that a layer does not show.

    Of the IP rights only kind and legal status stay: they are what a reader filters by.
    """
    hidden = hidden_groups(content, layer)
    shown = content
    if FieldGroup.SOLUTION in hidden:
        shown = replace(shown, solution="")
    if FieldGroup.COMPARISON in hidden:
        shown = replace(shown, comparison=())
    if FieldGroup.MATURITY in hidden:
        shown = replace(shown, trl_evidence="")
    if FieldGroup.IP_RIGHTS in hidden:
        shown = replace(
            shown,
            ip_rights=tuple(
                IPRight(kind=right.kind, legal_status=right.legal_status)
                for right in content.ip_rights
            ),
        )
    if FieldGroup.INVENTORS in hidden:
        shown = replace(shown, inventors=())
    if FieldGroup.PRICE in hidden:
        shown = replace(shown, price_fen=None, negotiable=True)
    if FieldGroup.CONFIDENTIAL in hidden:
        shown = replace(shown, confidential="")
    return shown
