"""Sign-in at an identity provider by OpenID Connect (code flow with PKCE), through Authlib.

A person is known by issuer and subject (OpenID Connect Core 5.7), never by an address that the
provider tells. The provider's word replaces the password and nothing else.
"""

from __future__ import annotations

from typing import Any

import requests
import structlog
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskIntegration, FlaskOAuth2App
from flask.typing import ResponseReturnValue
from joserfc.errors import JoseError

from marketplace.accounts.sign_in_rules import Identity
from marketplace.foundation.errors import NotFound, RuleBroken

log = structlog.get_logger()

# Signatures by a key pair only: "none" and a shared secret are refused whatever a provider says.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_TIMEOUT_SECONDS = 5


class Provider:
    """The one identity provider of the settings; without an issuer there is none."""

    def __init__(self, *, issuer: str, client_id: str, client_secret: str, label: str) -> None:
        self.issuer = issuer.rstrip("/")
        # What the button says; empty means that there is no button.
        self.label = label if issuer else ""
        self._client: Any = None
        if issuer:
            self._client = FlaskOAuth2App(
                FlaskIntegration("oidc"),
                "oidc",
                client_id=client_id,
                client_secret=client_secret,
                server_metadata_url=f"{self.issuer}/.well-known/openid-configuration",
                client_kwargs={
                    "scope": "openid",
                    "code_challenge_method": "S256",
                    "default_timeout": _TIMEOUT_SECONDS,
                },
            )

    def depart(self, return_url: str) -> ResponseReturnValue:
        """Send the browser to the provider; state and nonce are kept in the cookie's session."""
        self._ready()
        answer: ResponseReturnValue = self._client.authorize_redirect(return_url)
        return answer

    def arrive(self) -> Identity:
        """Return who came back; refuse a wrong state, nonce, signature, issuer or audience."""
        self._ready()
        try:
            token = self._client.authorize_access_token(
                claims_options={
                    "iss": {"essential": True, "values": [self._metadata()["issuer"]]},
                    "sub": {"essential": True},
                    "exp": {"essential": True},
                }
            )
        except (AuthlibBaseError, JoseError, requests.RequestException, ValueError) as refused:
            log.warning("oidc.refused", reason=type(refused).__name__)
            raise _refusal() from refused
        claims = token.get("userinfo")
        if not claims or not claims.get("sub"):
            raise _refusal()
        return Identity(str(claims["iss"]), str(claims["sub"]))

    def _ready(self) -> None:
        if self._client is None:
            raise NotFound()
        try:
            metadata = self._metadata()
        except (requests.RequestException, ValueError) as away:
            log.warning("oidc.away", reason=type(away).__name__)
            raise RuleBroken(
                "oidc.away", "统一身份认证暂时连不上，请改用密码登录，或稍后再试"
            ) from away
        # Whoever answers at this address must be the issuer that the settings name.
        if str(metadata.get("issuer", "")).rstrip("/") != self.issuer:
            raise _refusal()
        offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
        metadata["id_token_signing_alg_values_supported"] = [
            name for name in offered if name in _ALGORITHMS
        ]

    def _metadata(self) -> dict[str, Any]:
        found: dict[str, Any] = self._client.load_server_metadata()
        return found


def _refusal() -> RuleBroken:
    return RuleBroken(
        "oidc.refused", "统一身份认证没有通过核对，没有登录；请重新登录，仍不行请联系交易中心"
    )
