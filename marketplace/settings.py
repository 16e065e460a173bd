"""Typed settings, read once from the environment; production refuses what is only fit for trial."""

from __future__ import annotations

import secrets
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

_DEFAULT_SECRETS = frozenset({"", "change-me", "changeme", "secret", "dev", "default"})


class Settings(BaseSettings):
    """All settings; every name is also the name of the environment variable."""

    model_config = SettingsConfigDict(
        frozen=True, extra="ignore", env_file=None, env_ignore_empty=True
    )

    data_dir: Path = Path("var")
    database_url: str = ""
    search_url: str = ""
    # An operator's own model, package.module:factory; empty means that search goes by words.
    search_encoder: str = ""
    port: int = Field(default=8000, ge=1, le=65535)
    host: str = "127.0.0.1"
    secret_key: str = ""
    production: bool = False
    # The public address, for links in mails; empty means links without a host.
    site_url: str = ""
    mail_url: str = ""
    mail_from: str = "no-reply@market.example"
    # The events service: 0 lets `marketplace run` choose a free port; its public address where a
    # proxy stands before it, empty for the site's own host at that port.
    events_port: int = Field(default=0, ge=0, le=65535)
    events_url: str = ""
    events_listeners: int = Field(default=5_000, ge=10, le=50_000)
    # The operator's electronic seal for certificates: a PKCS #12 file and its password. Outside
    # production a test seal is made in the data folder; in production certificates wait for it.
    seal_pkcs12: Path | None = None
    seal_password: str = ""
    # How many calls of the programming interface one token may make in a minute, in each process.
    api_calls_per_minute: int = Field(default=300, ge=1, le=100_000)
    # How many forms one address may send in a minute without being signed in, in each process.
    visitor_sends_per_minute: int = Field(default=120, ge=1, le=100_000)
    # Networks inside which messages may be pushed to members' systems, separated by commas, such
    # as 10.20.0.0/16; elsewhere only the open internet is called, by https.
    push_networks: str = ""
    web_threads: int = Field(default=8, ge=1, le=64)
    trusted_proxies: int = Field(default=0, ge=0, le=5)
    # Whether roles with power or money need a second factor; empty means: but in the demo.
    second_factor: Literal["", "required", "offered"] = ""
    # mlps: three classes of characters and 90 days (graded protection), on top of asvs.
    password_profile: Literal["asvs", "mlps"] = "asvs"  # noqa: S105 -- the name of a rule
    # An OpenID Connect provider to sign in at; empty means none.
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_label: str = "统一身份认证"
    # Mailboxes outside of the platform's keeping that get the audit chain's head of each day,
    # separated by commas.
    audit_mail: str = ""

    # The ClamAV daemon that is asked about each upload: /path/of/clamd.ctl or host:3310. Empty
    # means that files are not scanned.
    clamd_address: str = ""

    @field_validator("push_networks")
    @classmethod
    def _are_networks(cls, value: str) -> str:
        for part in filter(None, (part.strip() for part in value.split(","))):
            ip_network(part)
        return value

    @model_validator(mode="after")
    def _fit_for_production(self) -> Settings:
        if self.production:
            if self.secret_key in _DEFAULT_SECRETS or len(self.secret_key) < 32:
                raise ValueError("production needs SECRET_KEY: at least 32 random characters")
            if "change-me" in self.database_url:
                raise ValueError("production refuses a database address with a default password")
            if self.second_factor == "offered":
                raise ValueError("production keeps the second factor required: leave SECOND_FACTOR")
            if not self.site_url.startswith(("https://", "http://")):
                raise ValueError("production needs SITE_URL: links in mails are made of it")
            if self.oidc_issuer and not self.oidc_issuer.startswith("https://"):
                raise ValueError("production needs an OIDC_ISSUER that begins with https://")
        return self

    @property
    def outbound_networks(self) -> tuple[IPv4Network | IPv6Network, ...]:
        """Return the networks that may be called beside the open internet."""
        named = (part.strip() for part in self.push_networks.split(","))
        return tuple(ip_network(part) for part in named if part)

    @property
    def database(self) -> str:
        """Return the database address; SQLite in the data folder unless another is given."""
        return self.database_url or f"sqlite:///{(self.data_dir / 'market.db').absolute()}"

    @property
    def search(self) -> str:
        """Return the search engine's address; the embedded one in the data folder by default."""
        return self.search_url or f"embedded:{(self.data_dir / 'search').absolute()}"

    def events_address(self, scheme: str, host: str) -> str:
        """Return where a page reached at ``host`` finds the events service; "" where none runs."""
        if self.events_url or not self.events_port:
            return self.events_url
        return f"{scheme}://{host.rsplit(':', 1)[0]}:{self.events_port}"

    @property
    def public_address(self) -> str:
        """Return the address that links begin with; the local one where none is set."""
        return self.site_url.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def audit_mailboxes(self) -> tuple[str, ...]:
        """Return the mailboxes that get the audit chain's daily head."""
        return tuple(part.strip() for part in self.audit_mail.split(",") if part.strip())

    def second_factor_required(self, *, demo: bool) -> bool:
        """Tell whether roles with power or money need a second factor (decision 20)."""
        return self.second_factor == "required" or (self.second_factor == "" and not demo)

    def signing_key(self) -> str:
        """Return the key that signs cookies; outside production it is made once and kept."""
        if self.secret_key:
            return self.secret_key
        kept = self.data_dir / "secret_key"
        if not kept.exists():
            self.data_dir.mkdir(parents=True, exist_ok=True)
            kept.write_text(secrets.token_urlsafe(48))
            kept.chmod(0o600)
        return kept.read_text().strip()
