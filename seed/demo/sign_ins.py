"""The demo's sign-ins: one person per role, all with the same password."""

from __future__ import annotations

from dataclasses import dataclass

from marketplace.foundation.access import Role
from seed.demo.content import content

PASSWORD = "baotuquan-72-spring"  # noqa: S105 -- printed beside the demo's sign-ins
SECOND_OPERATOR = "xionganran@trade-jn.example"
OPENING_PASSPHRASE = "kaibiao-baotuquan-72"  # noqa: S105 -- printed beside the demo's sign-ins

# Who shows a role best, because most of its work waits for this person.
_PEOPLE: dict[Role, str] = {
    Role.OFFICER: "yinqiushi",
    Role.COLLEGE_APPROVER: "tandehua",
    Role.LEADER: "guochongshan",
    Role.INVENTOR: "mengxiangrong",
    Role.ENTERPRISE: "jianchengzhou",
    Role.BROKER: "muchenguang",
    Role.AGENCY_HEAD: "shanyutong",
    Role.PROVIDER: "leshuyao",
    Role.ASSESSOR: "shewenzheng",
    Role.EXPERT: "jinrenjie",
    Role.REGISTRAR: "guixinrong",
    Role.DISTRICT_REVIEWER: "xialinlin",
    Role.CENTRE_REVIEWER: "zhenghongbin",
    Role.BUREAU_REVIEWER: "luoshengnan",
    Role.TREASURER: "changyongqiang",
    Role.OPERATOR: "zhanzixuan",
}


@dataclass(frozen=True)
class SignIn:
    """One line of the table."""

    role: Role
    name: str
    organisation: str
    email: str


def sign_ins() -> list[SignIn]:
    """List one person per role; an organisation's first member is its administrator too."""
    whole = content()
    people = {person.key: person for person in whole.people}
    organisations = {organisation.key: organisation for organisation in whole.organisations}
    return [
        SignIn(
            role=role,
            name=people[key].name,
            organisation=organisations[people[key].org].name,
            email=people[key].email,
        )
        for role, key in _PEOPLE.items()
    ]


def sign_in_table() -> str:
    """Return the table as text, with the common password beneath."""
    lines = [
        f"  {entry.email:<34}{entry.role.label}  {entry.name}  {entry.organisation}"
        for entry in sign_ins()
    ]
    return "\n".join(
        [
            "Demo sign-ins:",
            *lines,
            f"Password of all: {PASSWORD}",
            f"A second operator, for what takes two: {SECOND_OPERATOR}; "
            f"opening passphrase of both: {OPENING_PASSPHRASE}",
            "",
        ]
    )
