"""The stage on which the demo's stories are played: who acts, what exists, and the calendar.

A story is a generator: it yields the next moment at which it goes on, and between two moments it
calls service functions in the stage's open transaction. Stories of one moment share a transaction;
before each moment the stage does what fell due, and after it the outbox is delivered.
"""

from __future__ import annotations

import heapq
import zlib
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime, time, timedelta

from sqlalchemy.orm import Session

from marketplace.accounts import queries as accounts
from marketplace.foundation import outbox
from marketplace.foundation.access import Actor, Role
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.clock import LOCAL, local_date
from marketplace.foundation.money import FEN_PER_YUAN, Fen
from marketplace.foundation.workdays import add_workdays, is_workday
from marketplace.listings import room_queries
from marketplace.notifications.mail import Letter, MailRoom
from marketplace.payments.gateways import Gateways
from marketplace.wiring import Services
from seed.demo.content import Content, Person

Story = Iterator[datetime]

# People work at a few fixed times, so that many stories share a transaction.
_TIMES = (time(9, 40), time(14, 20))
EVENING = time(16, 40)


def yuan(amount: int) -> Fen:
    """Turn whole yuan into fen."""
    return Fen(amount * FEN_PER_YUAN)


class _Nowhere:
    """Send letters nowhere."""

    def send(self, letters: Sequence[Letter]) -> list[str]:
        """Say that every letter left."""
        return ["" for _ in letters]


class Stage:
    """What the stories share."""

    def __init__(self, services: Services, content: Content) -> None:
        self.services = services
        self.content = content
        self.people: dict[str, Person] = {person.key: person for person in content.people}
        self.organisations: dict[str, int] = {}
        self.users: dict[str, int] = {}
        self.achievements: dict[str, int] = {}
        self.needs: dict[str, int] = {}
        self.listings: dict[str, int] = {}
        self.deals: dict[str, int] = {}
        self.contracts: dict[str, int] = {}
        self.now = datetime(2022, 1, 4, 9, tzinfo=LOCAL)
        self._session: Session | None = None
        self._mail_room = MailRoom(_Nowhere(), site_url="")
        self._actors: dict[tuple[str, str], Actor] = {}

    @property
    def session(self) -> Session:
        """Return the session of the transaction that is open at this moment."""
        assert self._session is not None
        return self._session

    @property
    def store(self) -> AttachmentStore:
        """Return where attachments go."""
        store = self.services.resources[AttachmentStore]
        assert isinstance(store, AttachmentStore)
        return store

    @property
    def gateways(self) -> Gateways:
        """Return the payment gateways."""
        gateways = self.services.resources[Gateways]
        assert isinstance(gateways, Gateways)
        return gateways

    # --- who acts ---

    def actor(self, person: str) -> Actor:
        """Return a person, acting for the own organisation."""
        organisation = self.people[person].org
        known = self._actors.get((person, organisation))
        if known is not None:
            return known
        found = accounts.actor_for(
            self.session, self.users[person], self.organisations[organisation]
        )
        assert found is not None, person
        if found.verified:
            self._actors[(person, organisation)] = found
        return found

    def member(self, organisation: str, *roles: Role) -> Actor:
        """Return the first member of an organisation who holds one of the roles, in their order."""
        for role in roles:
            for person in self.people.values():
                if person.org == organisation and person.key in self.users:
                    actor = self.actor(person.key)
                    if role in actor.roles:
                        return actor
        raise LookupError(f"nobody in {organisation} is {roles}")

    def seller(self, organisation: str) -> Actor:
        """Return who acts for an owner of achievements."""
        return self.member(organisation, Role.OFFICER, Role.ORG_ADMIN)

    def buyer(self, organisation: str) -> Actor:
        """Return who acts for an enterprise."""
        return self.member(organisation, Role.ENTERPRISE, Role.ORG_ADMIN)

    # --- when ---

    @property
    def today(self) -> date:
        """Return the day on which the stage stands."""
        return local_date(self.now)

    def at(self, day: date, key: str) -> datetime:
        """Return a story's own time of day on a day, moved to the next working day."""
        while not is_workday(day):
            day += timedelta(days=1)
        return datetime.combine(day, _TIMES[zlib.crc32(key.encode()) % len(_TIMES)], tzinfo=LOCAL)

    def after(self, workdays: int, key: str) -> datetime:
        """Return a story's own time of day so many working days from today."""
        return self.at(add_workdays(self.today, workdays), key)

    def evening(self, workdays: int = 1) -> datetime:
        """Return the end of a working day, when stories look whether they can go on."""
        return datetime.combine(add_workdays(self.today, workdays), EVENING, tzinfo=LOCAL)

    # --- play ---

    def play(self, stories: Iterable[Story], *, until: datetime) -> None:
        """Play all stories through ``until``; what lies later is never played."""
        waiting: list[tuple[datetime, int, Story]] = []
        for order, story in enumerate(stories):
            self._wait(waiting, order, story)
        while waiting and waiting[0][0] <= until:
            moment = waiting[0][0]
            self._let_time_pass(moment)
            ready = []
            while waiting and waiting[0][0] == moment:
                ready.append(heapq.heappop(waiting))
            with self.services.database.transaction() as session:
                self._session = session
                for _moment, order, story in ready:
                    self._wait(waiting, order, story)
                self._session = None
                self.services.outbox.deliver_within(session, now=self.now)
        self._let_time_pass(until)
        self.services.due.run(self.services.database, now=self.now)
        self._post()
        self._check_delivered()

    def _wait(self, waiting: list[tuple[datetime, int, Story]], order: int, story: Story) -> None:
        moment = next(story, None)
        if moment is not None:
            assert moment > self.now, f"{story} goes back to {moment}"
            heapq.heappush(waiting, (moment, order, story))

    def _let_time_pass(self, moment: datetime) -> None:
        """Do what falls due up to a moment, each at its own time, and stand at that moment.

        Terms end at midnight; only a bidding session begins or ends within a day. So nothing
        else can fall due between two usual times of one day.
        """
        usual = (*_TIMES, EVENING)
        same_day = self.today == local_date(moment)
        if (
            same_day
            and self.now.astimezone(LOCAL).time() in usual
            and not self._bidding_until(moment)
        ):
            self.now = moment
            return
        database = self.services.database
        while True:
            self._post()
            with database.reading() as session:
                due = self.services.due.next_due(session, now=self.now)
            if due is None or due > moment:
                break
            self.now = due.astimezone(LOCAL)
            # What nobody waits for is done once, at the end.
            self.services.due.run(database, now=self.now, housekeeping=False)
            with database.transaction() as session:
                self.services.outbox.deliver_within(session, now=self.now)
        self.now = moment

    def _bidding_until(self, moment: datetime) -> bool:
        with self.services.database.reading() as session:
            return room_queries.begins_or_ends(session, since=self.now, until=moment)

    def _post(self) -> None:
        """Let the mails of the demo's year count as sent: nobody wants them all at its start."""
        while self._mail_room.deliver_due(self.services.database, now=self.now):
            pass

    def _check_delivered(self) -> None:
        with self.services.database.reading() as session:
            waiting = outbox.waiting_count(session)
            parked = outbox.parked(session)
        if waiting or parked:
            raise RuntimeError(f"{waiting} deliveries of the demo wait, given up: {parked[:3]}")
