"""Officers' opening keys: make one behind a passphrase, split a session's key, give a share."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import audit
from marketplace.foundation.access import Actor, Role, require
from marketplace.foundation.errors import Conflict, NotAllowed, RuleBroken
from marketplace.foundation.parameters import value_on
from marketplace.listings import rules, sealing
from marketplace.listings.bidding_models import BiddingSession, KeyShare, OfficerKey
from marketplace.listings.sealing import CannotOpen, Share

LEAST_PASSPHRASE = 12


def make_key(session: Session, *, actor: Actor, now: datetime, passphrase: str) -> None:
    """Give the actor an opening key behind a passphrase that is stored nowhere.

    A new one serves sessions planned from now on; shares made before keep their old passphrase.
    """
    require(actor, rules.OPERATE)
    if len(passphrase) < LEAST_PASSPHRASE:
        raise RuleBroken(
            "bidding.passphrase",
            f"开标口令至少 {LEAST_PASSPHRASE} 个字符；建议用几个不相干的词，并离线保存",
            "passphrase",
        )
    assert actor.user_id is not None
    assert actor.organisation_id is not None
    public_key, locked_key = sealing.make_personal_key(passphrase)
    row = session.scalar(
        select(OfficerKey).where(OfficerKey.user_id == actor.user_id).with_for_update()
    )
    if row is None:
        row = OfficerKey(user_id=actor.user_id)
        session.add(row)
    row.organisation_id = actor.organisation_id
    row.public_key, row.locked_key, row.made_at = public_key, locked_key, now
    audit.record(
        session,
        actor=actor,
        action="listings.make_opening_key",
        subject=f"user:{actor.user_id}",
        now=now,
        after={"public_key": public_key.hex()},
    )


def holders(session: Session) -> list[OfficerKey]:
    """List the keys of those who still are officers, the oldest first."""
    officers = set(accounts.users_with_role(session, Role.OPERATOR))
    rows = session.scalars(select(OfficerKey).order_by(OfficerKey.made_at, OfficerKey.id))
    return [row for row in rows if row.user_id in officers]


def keys_missing(session: Session, on: date) -> int:
    """Count how many officers with a key are missing for sealed bidding."""
    return max(0, value_on("opening_officers_count", on) - len(holders(session)))


def share_key(session: Session, row: BiddingSession, *, on: date) -> None:
    """Make a session's opening key and seal a share of it to each of n officers."""
    count = value_on("opening_officers_count", on)
    row.threshold = value_on("opening_threshold_count", on)
    row.public_key, shares = sealing.split_key(row.threshold, count)
    for share, holder in zip(shares, holders(session)[:count], strict=True):
        session.add(
            KeyShare(
                session_id=row.id,
                number=share.number,
                user_id=holder.user_id,
                locked_key=holder.locked_key,
                sealed_share=sealing.seal(holder.public_key, share.secret),
                given=None,
                given_at=None,
            )
        )


def give_share(
    session: Session, row: BiddingSession, *, actor: Actor, now: datetime, passphrase: str
) -> list[Share]:
    """Unlock the actor's share of a locked session's key and return all that were given so far."""
    own = session.scalar(
        select(KeyShare)
        .where(KeyShare.session_id == row.id, KeyShare.user_id == actor.user_id)
        .with_for_update()
    )
    if own is None:
        raise NotAllowed("bidding.no_share", "您不是这场竞价的开标人，请由持有开标份额的业务员办理")
    if own.given is not None:
        raise Conflict("bidding.share_given", "您已经提交过开标口令，请等其他开标人")
    try:
        own.given = sealing.unseal(
            sealing.unlock_personal_key(own.locked_key, passphrase), own.sealed_share
        )
    except CannotOpen as wrong:
        raise RuleBroken(
            "bidding.wrong_passphrase",
            "开标口令不对；请输入安排这场竞价时您使用的口令",
            "passphrase",
        ) from wrong
    own.given_at = now
    session.flush()
    audit.record(
        session,
        actor=actor,
        action="listings.give_share",
        subject=f"bidding:{row.id}",
        now=now,
        after={"share": own.number},
    )
    given = session.scalars(
        select(KeyShare)
        .where(KeyShare.session_id == row.id, KeyShare.given.is_not(None))
        .order_by(KeyShare.number)
    )
    return [Share(share.number, share.given) for share in given if share.given is not None]
