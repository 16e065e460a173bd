"""Letters with links on their way out, sent by the worker outside any transaction.

A letter is claimed by marking it sent: one that the mail server refuses is not tried again, since
its link has a short life and the person can ask for another one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select

from marketplace.accounts import letter_rules
from marketplace.accounts.letter_rules import LetterKind
from marketplace.accounts.sign_in_models import MailedLink
from marketplace.accounts.tokens import Vault
from marketplace.foundation.db import Database

log = structlog.get_logger()

_BATCH = 20
_PATHS = {LetterKind.PASSWORD_RESET: "/password/reset/", LetterKind.NEW_ADDRESS: "/account/email/"}


@dataclass(frozen=True)
class LetterPost:
    """What letters need on their way: seals, the site's own address, and who carries them.

    ``send`` takes mailbox, subject and text and returns what went wrong, or an empty text. The
    address is a setting and never what a request calls this host. ``spoken`` writes links into
    the log: for a demo, where no mail arrives anywhere.
    """

    vault: Vault
    site_url: str
    send: Callable[[str, str, str], str]
    spoken: bool = False

    def deliver_due(self, database: Database, *, now: datetime) -> int:
        """Send one batch of what waits; return how many letters were tried."""
        unsent = select(MailedLink).where(
            MailedLink.sent_at.is_(None),
            MailedLink.user_id.is_not(None),
            MailedLink.expires_at > now,
        )
        with database.reading() as session:
            if session.scalar(unsent.limit(1)) is None:
                return 0
        with database.transaction() as session:
            claimed = session.scalars(
                unsent.order_by(MailedLink.id).limit(_BATCH).with_for_update(skip_locked=True)
            ).all()
            for row in claimed:
                row.sent_at = now
        for row in claimed:
            link = self._link(row)
            error = self.send(
                row.email, letter_rules.subject_of(row.kind), letter_rules.text_of(row.kind, link)
            )
            if error:
                log.warning("letter.failed", letter=row.id, error=error)
            if self.spoken and link:
                log.info("letter.link", kind=row.kind.value, link=link)
        return len(claimed)

    def _link(self, row: MailedLink) -> str:
        path = _PATHS.get(row.kind)
        if path is None:
            return ""
        return f"{self.site_url}{path}{self.vault.link_token(row.id, row.nonce)}"
