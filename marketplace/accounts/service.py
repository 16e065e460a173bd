"""The use cases of accounts that other slices and pages call; sign-in is in ``sign_in``."""

from marketplace.accounts.consent_service import give_consent
from marketplace.accounts.handover_service import hand_over
from marketplace.accounts.membership_service import (
    INVITATION_LIFE,
    accept_invitation,
    add_member,
    complete_setup,
    create_setup_link,
    end_membership,
    invite,
    join_as_known,
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
from marketplace.accounts.papers_service import add_papers, remove_paper
from marketplace.accounts.people_service import PersonContent

__all__ = [
    "INVITATION_LIFE",
    "OrganisationContent",
    "PersonContent",
    "accept_invitation",
    "add_member",
    "add_papers",
    "complete_setup",
    "create_setup_link",
    "end_membership",
    "establish",
    "give_consent",
    "hand_over",
    "invite",
    "join_as_known",
    "register",
    "reject",
    "remove_paper",
    "set_roles",
    "update_organisation",
    "verify",
]
