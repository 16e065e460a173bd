"""The use cases of accounts that other slices and pages call; sign-in is in ``sign_in``."""

from marketplace.accounts.membership_service import (
    INVITATION_LIFE,
    accept_invitation,
    add_member,
    complete_setup,
    create_setup_link,
    invite,
    set_roles,
)
from marketplace.accounts.organisation_service import (
    OrganisationContent,
    establish,
    register,
    reject,
    update_organisation,
    verify,
)
from marketplace.accounts.people_service import PersonContent

__all__ = [
    "INVITATION_LIFE",
    "OrganisationContent",
    "PersonContent",
    "accept_invitation",
    "add_member",
    "complete_setup",
    "create_setup_link",
    "establish",
    "invite",
    "register",
    "reject",
    "set_roles",
    "update_organisation",
    "verify",
]
