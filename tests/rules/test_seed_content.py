"""The content of the demo and the reference data: complete, consistent, no two texts alike."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date

import pytest
from pydantic import BaseModel, ConfigDict
from stdnum.cn import uscc

from marketplace.accounts.rules import District, OrganisationKind, OrganisationSubkind, roles_of
from marketplace.achievements.ip_rules import number_problem
from marketplace.achievements.rules import IPKind, IPRight
from marketplace.foundation.access import Role
from marketplace.foundation.reference import load
from seed.demo.content import Achievement, Need, content
from seed.demo.sign_ins import sign_ins

FIRST_MORNING = date(2024, 3, 15)


def test_organisations_have_valid_codes_of_their_own() -> None:
    codes = [organisation.uscc for organisation in content().organisations]
    assert all(uscc.is_valid(code) for code in codes)
    assert len(set(codes)) == len(codes)


def test_addresses_and_telephone_numbers_are_used_once() -> None:
    # Two organisations at one address would look related to the registrar.
    whole = content()
    assert _repeated(organisation.address for organisation in whole.organisations) == []
    assert _repeated(person.phone for person in whole.people) == []
    assert _repeated(person.email for person in whole.people) == []
    assert all(person.email.endswith(".example") for person in whole.people)


def test_districts_are_known() -> None:
    labels = {district.label for district in District}
    given = {organisation.district for organisation in content().organisations}
    assert given - {None} <= labels


def test_people_hold_only_roles_that_their_organisation_has() -> None:
    organisations = {organisation.key: organisation for organisation in content().organisations}
    for person in content().people:
        home = organisations[person.org]
        possible = roles_of(
            OrganisationKind(home.kind), [OrganisationSubkind(kind) for kind in home.subkinds]
        )
        assert {Role(role) for role in person.roles} <= possible, person.key


def test_every_working_role_has_one_sign_in_who_holds_it() -> None:
    people = {person.email: person for person in content().people}
    listed = sign_ins()
    assert {entry.role for entry in listed} == set(Role) - {Role.ORG_ADMIN}
    assert all(entry.role.value in people[entry.email].roles for entry in listed)


def test_patent_numbers_have_their_check_digit_and_filing_comes_first() -> None:
    for achievement in content().achievements:
        for right in achievement.ip_rights:
            kind = next(kind for kind in IPKind if kind.label == right.kind)
            assert number_problem(IPRight(kind, right.number or "")) is None, achievement.key
            published = achievement.published_on or FIRST_MORNING
            assert right.filed_on is None or right.filed_on < published, achievement.key


def test_nothing_happens_after_the_first_morning() -> None:
    whole = content()
    days = [
        *(a.published_on for a in whole.achievements),
        *(a.confirmed_on for a in whole.achievements),
        *(n.posted_on for n in whole.needs),
        *(d.opened_on for d in whole.deals),
        *(c.signed_on for c in whole.contracts),
        *(claim.applied_on for claim in whole.claims),
        *(listing.applied_on for listing in whole.listings),
    ]
    assert max(day for day in days if day is not None) < FIRST_MORNING


def test_needs_are_written_both_ways_and_most_have_achievements_that_fit() -> None:
    needs = content().needs
    styles = Counter(need.style for need in needs)
    assert len(needs) >= 80
    assert styles["workshop"] >= 0.4 * len(needs)
    known = {achievement.key for achievement in content().achievements}
    assert all(set(need.fits) <= known for need in needs)
    assert sum(len(need.fits) >= 2 for need in needs) >= 0.8 * len(needs)


def test_references_between_the_files_lead_somewhere() -> None:
    whole = content()
    organisations = {organisation.key for organisation in whole.organisations}
    people = {person.key: person for person in whole.people}
    contracts = {contract.key: contract for contract in whole.contracts}
    listings = {listing.key: listing for listing in whole.listings}
    for need in whole.needs:
        assert people[need.contact].org == need.organisation
    for deal in whole.deals:
        assert deal.buyer in organisations
        assert deal.broker is None or "broker" in people[deal.broker].roles
        if deal.contract is not None:
            assert contracts[deal.contract].deal == deal.key
        if deal.listing is not None:
            assert listings[deal.listing].achievement == deal.achievement
    for listing in whole.listings:
        if listing.contract is not None:
            assert contracts[listing.contract].deal is not None


def test_no_two_longer_texts_are_alike() -> None:
    # What legitimately repeats: names of classes, places, indicators.
    whole = content()
    texts = [
        *(text for record in whole.achievements for text in _prose(record)),
        *(text for record in whole.needs for text in _prose(record)),
        *(text for deal in whole.deals for _kind, text in deal.notes),
        *(deal.lost.words for deal in whole.deals if deal.lost),
        *(contract.name for contract in whole.contracts),
        *(contract.terms for contract in whole.contracts if len(contract.terms) > 12),
        *(listing.title for listing in whole.listings),
        *(intent.plan for listing in whole.listings for intent in listing.intents),
        *(assessment.comment for assessment in whole.assessments if assessment.comment),
        *(meeting.description for meeting in whole.events),
        *(order.brief for order in whole.services.orders),
        *(answer.text for answer in whole.services.answers),
        *(person.introduction for person in whole.people if person.introduction),
    ]
    assert _repeated(texts) == []


def test_confidential_parts_carry_marks_of_their_own() -> None:
    whole = content()
    for achievement in whole.achievements:
        assert f"〔商密 成果-{achievement.key[4:]}〕" in achievement.confidential
    for need in whole.needs:
        assert f"〔商密 需求-{need.key[5:]}〕" in need.confidential


class _Named(BaseModel):
    model_config = ConfigDict(extra="ignore")

    code: str
    name: str


class _Industries(BaseModel):
    model_config = ConfigDict(extra="ignore")

    sections: list[_Named]
    divisions: list[_Named]
    classes: list[_Named]


class _IPC(BaseModel):
    model_config = ConfigDict(extra="ignore")

    subclasses: list[_Named]


class _Regions(BaseModel):
    model_config = ConfigDict(extra="ignore")

    provinces: list[_Named]
    cities: list[_Named]
    districts: list[_Named]


def test_industries_hold_every_division_and_each_class_that_is_used() -> None:
    industries = load("industries", _Industries)
    assert [entry.code for entry in industries.divisions] == [f"{n:02d}" for n in range(1, 98)]
    assert len(industries.sections) == 20
    names = {entry.code: entry.name for entry in industries.classes}
    used = [record.industry for record in (*content().achievements, *content().needs)]
    assert all(names.get(industry.code) == industry.name for industry in used)


def test_ipc_names_every_subclass_that_the_achievements_use() -> None:
    known = {entry.code for entry in load("ipc", _IPC).subclasses}
    used = {code[:4] for record in content().achievements for code in record.ipc}
    assert used <= known


@pytest.mark.parametrize(
    ("code", "name"), [("370102", "历下区"), ("370116", "莱芜区"), ("370126", "商河县")]
)
def test_regions_hold_the_city_s_districts(code: str, name: str) -> None:
    regions = load("regions", _Regions)
    assert (code, name) in {(entry.code, entry.name) for entry in regions.districts}
    assert len(regions.cities) == 16
    assert {entry.name for entry in regions.districts} == {district.label for district in District}


def _prose(record: Achievement | Need) -> Iterator[str]:
    yield record.title
    yield record.problem
    yield record.confidential
    if isinstance(record, Achievement):
        yield record.solution
        yield record.benefit
        yield record.maturity.evidence
    else:
        yield record.present_solution


def _repeated(texts: Iterator[str] | list[str]) -> list[str]:
    return [text for text, count in Counter(texts).items() if count > 1]
