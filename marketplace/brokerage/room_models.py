"""Tables of the data room: the room of a deal, its files, personal links, and who opened what."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from marketplace.brokerage.room_rules import FileReach
from marketplace.foundation.db import Base, Id

_USER = "accounts_users.id"
_ORGANISATION = "accounts_organisations.id"


class Room(Base):
    """The data room that an owner opened for the buyer of one deal."""

    __tablename__ = "brokerage_rooms"

    id: Mapped[Id]
    deal_id: Mapped[int] = mapped_column(ForeignKey("brokerage_deals.id"), unique=True)
    opened_at: Mapped[datetime]
    opened_by_name: Mapped[str]
    closed_at: Mapped[datetime | None]
    closed_reason: Mapped[str] = mapped_column(default="")


class RoomFile(Base):
    """A file of a data room; its bytes are an attachment of the room."""

    __tablename__ = "brokerage_room_files"

    id: Mapped[Id]
    room_id: Mapped[int] = mapped_column(ForeignKey("brokerage_rooms.id"), index=True)
    attachment_id: Mapped[int] = mapped_column(ForeignKey("foundation_attachments.id"), unique=True)
    name: Mapped[str]
    reach: Mapped[FileReach]
    added_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]


class RoomLink(Base):
    """A link to one file for one member of the buyer."""

    __tablename__ = "brokerage_room_links"

    id: Mapped[Id]
    file_id: Mapped[int] = mapped_column(ForeignKey("brokerage_room_files.id"), index=True)
    token: Mapped[str] = mapped_column(unique=True)
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    single_use: Mapped[bool]
    valid_to: Mapped[date]
    issued_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class RoomAccess(Base):
    """One opening of a file: who, for whom, when, by which link."""

    __tablename__ = "brokerage_room_accesses"
    __table_args__ = (Index("ix_brokerage_room_accesses_file", "file_id", "id"),)

    id: Mapped[Id]
    file_id: Mapped[int] = mapped_column(ForeignKey("brokerage_room_files.id"))
    link_id: Mapped[int | None] = mapped_column(ForeignKey("brokerage_room_links.id"))
    user_id: Mapped[int] = mapped_column(ForeignKey(_USER))
    organisation_id: Mapped[int] = mapped_column(ForeignKey(_ORGANISATION))
    user_name: Mapped[str]
    organisation_name: Mapped[str]
    opened_at: Mapped[datetime]
