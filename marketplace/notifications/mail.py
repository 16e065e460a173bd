"""Mail on its way out: to an SMTP server, or to the log where none is set.

Sent by the worker, outside any transaction, so that a slow mail server holds nothing up. A mail is
claimed for a while, sent, and marked; who crashes between sending and marking sends it twice.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

import structlog
from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from marketplace.foundation.db import Database
from marketplace.notifications import rules
from marketplace.notifications.models import Mail, Message
from marketplace.notifications.rules import MailState

log = structlog.get_logger()

_BATCH = 50
# The worker waits meanwhile, and bidding sessions must end on time.
_TIMEOUT_SECONDS = 5


@dataclass(frozen=True)
class Letter:
    """A mail as it leaves: plain text to one address."""

    address: str
    subject: str
    text: str


class Sender(Protocol):
    """Send letters; raise for what could not be sent."""

    def send(self, letters: Sequence[Letter]) -> list[str]:
        """Return for every letter an empty text when it left, else what went wrong."""
        ...


class ConsoleSender:
    """Write a line to the log instead of sending: what a machine without mail does."""

    def send(self, letters: Sequence[Letter]) -> list[str]:
        """Log every letter."""
        for letter in letters:
            log.info("mail.console", to=letter.address, subject=letter.subject)
        return ["" for _ in letters]


class SmtpSender:
    """Send by SMTP: ``smtp://host:25``, ``smtp://user:password@host:587?starttls=1``, ``smtps://``.

    One connection serves a batch.
    """

    def __init__(self, url: str, sender: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
            raise ValueError("MAIL_URL must look like smtp://host:port or smtps://host:port")
        self._secure = parts.scheme == "smtps"
        self._host = parts.hostname
        self._port = parts.port or (465 if self._secure else 25)
        self._user = unquote(parts.username or "")
        self._password = unquote(parts.password or "")
        self._starttls = parse_qs(parts.query).get("starttls", ["0"])[0] in ("1", "true")
        self._sender = sender

    def send(self, letters: Sequence[Letter]) -> list[str]:
        """Send a batch over one connection; a refused address does not stop the others."""
        try:
            with self._connect() as server:
                return [self._send_one(server, letter) for letter in letters]
        except (OSError, smtplib.SMTPException) as failure:
            return [repr(failure)[:300] for _ in letters]

    def _connect(self) -> smtplib.SMTP:
        if self._secure:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self._host,
                self._port,
                timeout=_TIMEOUT_SECONDS,
                context=ssl.create_default_context(),
            )
        else:
            server = smtplib.SMTP(self._host, self._port, timeout=_TIMEOUT_SECONDS)
            if self._starttls:
                server.starttls(context=ssl.create_default_context())
        if self._user:
            server.login(self._user, self._password)
        return server

    def _send_one(self, server: smtplib.SMTP, letter: Letter) -> str:
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = letter.address
        message["Subject"] = letter.subject.replace("\n", " ")
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(letter.text)
        try:
            server.send_message(message)
        except (ValueError, smtplib.SMTPException) as failure:
            return repr(failure)[:300]
        return ""


def sender_for(mail_url: str, mail_from: str) -> Sender:
    """Return the sender that the settings name; the log where they name none."""
    return SmtpSender(mail_url, mail_from) if mail_url else ConsoleSender()


class MailRoom:
    """Deliver queued mails, each batch claimed, sent, then marked."""

    def __init__(self, sender: Sender, *, site_url: str) -> None:
        self._sender = sender
        self._site_url = site_url.rstrip("/")

    def deliver_due(self, database: Database, *, now: datetime) -> int:
        """Send one batch of what is due; return how many mails were tried."""
        batch = self._claim(database, now=now)
        if not batch:
            return 0
        outcomes = self._sender.send([letter for _mail_id, letter in batch])
        self._mark(
            database,
            {mail_id: error for (mail_id, _), error in zip(batch, outcomes, strict=True)},
            now=now,
        )
        return len(batch)

    def _claim(self, database: Database, *, now: datetime) -> list[tuple[int, Letter]]:
        with database.reading() as session:
            if session.scalar(_due(now).with_only_columns(Mail.id).limit(1)) is None:
                return []
        with database.transaction() as session:
            _drop_stale(session, now=now)
            rows = session.scalars(_due(now).limit(_BATCH).with_for_update(skip_locked=True)).all()
            for row in rows:
                row.tries += 1
                row.next_try_at = now + rules.LEASE
            told = select(Message).where(Message.id.in_([row.message_id for row in rows]))
            messages = {message.id: message for message in session.scalars(told)}
            return [(row.id, self._letter(row, messages[row.message_id])) for row in rows]

    def _letter(self, mail: Mail, message: Message) -> Letter:
        link = (
            f"{self._site_url}/inbox/{message.id}" if self._site_url else "登录平台，在“消息”里查看"
        )
        text = (
            f"{message.text}\n\n查看和办理：{link}\n\n"
            "这封邮件由济南科技成果转化平台自动发出，请勿回复。\n"
            "哪些消息发邮件，可以在平台的“消息”里设置。\n"
        )
        return Letter(mail.address, f"【济南科技成果转化平台】{message.title}", text)

    def _mark(self, database: Database, outcomes: dict[int, str], *, now: datetime) -> None:
        with database.transaction() as session:
            for row in session.scalars(select(Mail).where(Mail.id.in_(outcomes))):
                error = outcomes[row.id]
                if not error:
                    row.state, row.sent_at, row.last_error = MailState.SENT, now, ""
                    continue
                log.warning("mail.failed", mail=row.id, error=error)
                row.last_error = error
                row.next_try_at = rules.next_try(row.tries, now=now)
                if rules.given_up(row.tries, queued_at=row.queued_at, now=now):
                    row.state = MailState.FAILED


def _drop_stale(session: Session, *, now: datetime) -> None:
    """Give up what is too old to be news: never tried is skipped, tried in vain has failed."""
    stale = update(Mail).where(
        Mail.state == MailState.QUEUED, Mail.queued_at < rules.oldest_news(now)
    )
    session.execute(stale.where(Mail.tries == 0).values(state=MailState.SKIPPED))
    session.execute(stale.where(Mail.tries > 0).values(state=MailState.FAILED))


def _due(now: datetime) -> Select[Mail]:
    return (
        select(Mail)
        .where(Mail.state == MailState.QUEUED, Mail.next_try_at <= now)
        .order_by(Mail.next_try_at, Mail.id)
    )
