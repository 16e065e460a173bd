"""`marketplace token`: tokens where a page cannot help."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from marketplace.accounts import access_token_queries as queries
from marketplace.accounts import access_token_service as service
from marketplace.accounts import queries as accounts
from marketplace.accounts.people_service import find_user_id
from marketplace.foundation.access import SYSTEM
from marketplace.foundation.api.scopes import Scope
from marketplace.foundation.clock import SystemClock
from marketplace.foundation.db import Database
from marketplace.foundation.errors import DomainError

Opened = Callable[[], Database]


def make_group(opened: Opened) -> click.Group:
    """Return the command group; ``opened`` returns the database when a command runs."""

    @click.group("token")
    def group() -> None:
        """Access tokens of the programming interface."""

    @group.command("create")
    @click.argument("email")
    @click.option("--uscc", help="Credit code of the organisation to act for; needed with several.")
    @click.option("--name", required=True, help="Which program it is for.")
    @click.option(
        "--scope",
        "scopes",
        multiple=True,
        type=click.Choice([scope.value for scope in Scope]),
        help="May be given several times; read by default.",
    )
    @click.option("--days", default=90, show_default=True, help="How long it lives.")
    def create(email: str, uscc: str | None, name: str, scopes: tuple[str, ...], days: int) -> None:
        """Make a token for the member who signs in with EMAIL and print it, once."""
        with _refusals(), opened().transaction() as session:
            user_id = find_user_id(session, email)
            if user_id is None:
                raise click.ClickException("no account signs in with this address")
            owned = accounts.organisations_of(session, user_id)
            chosen = [view for view in owned if uscc in (None, view.uscc)]
            if len(chosen) != 1:
                raise click.ClickException("say with --uscc for which organisation it acts")
            actor = accounts.actor_for(session, user_id, chosen[0].id)
            if actor is None:
                raise click.ClickException("this account holds no role there")
            made = service.create_token(
                session,
                actor=actor,
                now=SystemClock().now(),
                name=name,
                scopes=[Scope(code) for code in scopes or (Scope.READ.value,)],
                days=days,
            )
        click.echo(made.token)

    @group.command("list")
    def list_() -> None:
        """List the tokens, the newest first."""
        with opened().reading() as session:
            for view in queries.tokens_of(session, organisation_id=None, now=SystemClock().now()):
                used = view.used_at.isoformat(timespec="minutes") if view.used_at else "never"
                click.echo(
                    f"{view.id}\t{view.state.value}\t{view.owner}\t{view.name}\t"
                    f"{','.join(view.scopes)}\tuntil {view.expires_at.date()}\tused {used}"
                )

    @group.command("revoke")
    @click.argument("token_id", type=int)
    def revoke(token_id: int) -> None:
        """End the token TOKEN_ID at once."""
        with _refusals(), opened().transaction() as session:
            service.revoke_token(session, actor=SYSTEM, now=SystemClock().now(), token_id=token_id)
        click.echo("Revoked.")

    return group


@contextmanager
def _refusals() -> Iterator[None]:
    """Tell a refusal as a command does."""
    try:
        yield
    except DomainError as refusal:
        raise click.ClickException(refusal.message) from refusal
