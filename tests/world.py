"""A small builder of verified organisations and members for tests."""

from __future__ import annotations

from datetime import datetime
from itertools import count
from pathlib import Path

from marketplace.accounts import service
from marketplace.accounts.papers_service import paper_subject
from marketplace.accounts.queries import OrganisationView, actor_for, get_organisation
from marketplace.accounts.rules import (
    District,
    OrganisationKind,
    OrganisationSubkind,
    PaperKind,
    Scale,
)
from marketplace.accounts.service import OrganisationContent, PersonContent
from marketplace.accounts.tokens import hash_password
from marketplace.foundation import attachments
from marketplace.foundation.access import SYSTEM, Actor, Role
from marketplace.foundation.attachments import AttachmentStore, FileVisibility, Upload
from marketplace.foundation.db import Database

PASSWORD = "correct-horse-battery"
PASSWORD_HASH = hash_password(PASSWORD)

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_WEIGHTS = (1, 3, 9, 27, 19, 26, 16, 17, 20, 29, 25, 13, 8, 24, 10, 30, 28)


def make_uscc(number: int) -> str:
    """Make a valid unified social credit code (GB 32100-2015) from a running number."""
    body = f"91370100{number:09d}"
    total = sum(_ALPHABET.index(c) * w for c, w in zip(body, _WEIGHTS, strict=True))
    return body + _ALPHABET[(31 - total % 31) % 31]


PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"


def give_licence(database: Database, organisation_id: int, *, now: datetime, folder: Path) -> None:
    """Put the paper on file without which no organisation is verified."""
    subject = paper_subject(organisation_id, PaperKind.LICENCE)
    with database.transaction() as session:
        attachments.store(
            session,
            actor=SYSTEM,
            now=now,
            subject=subject,
            upload=Upload("licence.pdf", PDF),
            visibility=FileVisibility.OWNER,
            store=AttachmentStore(folder / "attachments"),
        )


class World:
    """Makes organisations and members through the services, each with its own number."""

    def __init__(self, database: Database, now: datetime, *, first: int = 1) -> None:
        self.database = database
        self.now = now
        self._numbers = count(first)

    def organisation(
        self,
        kind: OrganisationKind = OrganisationKind.UNIVERSITY,
        *,
        subkinds: tuple[OrganisationSubkind, ...] = (),
        district: District | None = District.LICHENG,
        scale: Scale | None = None,
        name: str = "",
        verified: bool = True,
    ) -> OrganisationView:
        """Make an organisation, verified unless said otherwise."""
        number = next(self._numbers)
        if scale is None and kind is OrganisationKind.ENTERPRISE:
            scale = Scale.SMALL
        content = OrganisationContent(
            uscc=make_uscc(number),
            name=name or f"{kind.label}{number}",
            short_name=name or f"{kind.label}{number}",
            kind=kind,
            subkinds=subkinds,
            district=district,
            scale=scale,
        )
        with self.database.transaction() as session:
            if verified:
                made = service.establish(session, actor=SYSTEM, now=self.now, organisation=content)
            else:
                person = PersonContent(
                    f"first{number}@test.example", f"首人{number}", PASSWORD_HASH
                )
                made, _user = service.register(
                    session, now=self.now, organisation=content, person=person
                )
        with self.database.reading() as session:
            return get_organisation(session, made)

    def actor(
        self,
        role: Role,
        organisation: OrganisationView | None = None,
        *more: Role,
        name: str = "",
    ) -> Actor:
        """Make a member with the roles, of a new fitting organisation if none is given."""
        organisation = organisation or self.organisation(*_home_of(role))
        number = next(self._numbers)
        person = PersonContent(
            email=f"member{number}@test.example",
            name=name or f"成员{number}",
            password_hash=PASSWORD_HASH,
        )
        with self.database.transaction() as session:
            user_id = service.add_member(
                session,
                actor=SYSTEM,
                now=self.now,
                organisation_id=organisation.id,
                person=person,
                roles={role, *more},
            )
        with self.database.reading() as session:
            actor = actor_for(session, user_id, organisation.id)
        assert actor is not None
        return actor


def _home_of(role: Role) -> tuple[OrganisationKind, ...]:
    homes = {
        Role.OPERATOR: OrganisationKind.OPERATOR,
        Role.REGISTRAR: OrganisationKind.REGISTRAR,
        Role.ENTERPRISE: OrganisationKind.ENTERPRISE,
    }
    return (homes.get(role, OrganisationKind.UNIVERSITY),)
