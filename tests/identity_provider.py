"""A small OpenID Connect provider on this machine, honest or not, as a test wants it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "market", "market-secret"


class IdentityProvider:
    """Serves metadata, keys and tokens; ``lies`` overrides what a token says or is signed by."""

    def __init__(self) -> None:
        self.key = RSAKey.generate_key(2048, {"kid": "one"})
        self.subject = "person-1"
        self.lies: dict[str, Any] = {}
        self.metadata_lies: dict[str, Any] = {}
        self._codes: dict[str, dict[str, str]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path == "/.well-known/openid-configuration":
                    self._send(provider.metadata())
                elif self.path == "/keys":
                    self._send({"keys": [provider.key.as_dict(private=False)]})
                else:
                    self.send_error(404)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                form = parse_qs(self.rfile.read(length).decode())
                self._send(provider.token({name: values[0] for name, values in form.items()}))

            def _send(self, body: Any) -> None:
                packed = json.dumps(body).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(packed)))
                self.end_headers()
                self.wfile.write(packed)

            def log_message(self, *_args: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()

    def metadata(self) -> dict[str, Any]:
        """Return what the provider says of itself."""
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["RS256", "none", "HS256"],
            **self.metadata_lies,
        }

    def authorise(self, location: str) -> dict[str, str]:
        """Do what the person would do at the provider; return the query to come back with."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}
        code = f"code-{len(self._codes)}"
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def token(self, form: dict[str, str]) -> dict[str, Any]:
        """Exchange a code for an ID token; the proof of PKCE must fit."""
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None:
            return {"error": "invalid_grant"}
        proof = hashlib.sha256(form["code_verifier"].encode()).digest()
        challenge = base64.urlsafe_b64encode(proof).decode().rstrip("=")
        if challenge != asked["code_challenge"] or form["redirect_uri"] != asked["redirect_uri"]:
            return {"error": "invalid_grant"}
        claims = {
            "iss": self.issuer,
            "sub": self.subject,
            "aud": CLIENT_ID,
            "nonce": asked["nonce"],
            "iat": int(time.time()),
            "exp": int(time.time()) + 300,
            **{k: v for k, v in self.lies.items() if k not in ("key", "alg")},
        }
        return {
            "access_token": "opaque",
            "token_type": "Bearer",
            "id_token": self._signed({k: v for k, v in claims.items() if v is not None}),
        }

    def _signed(self, claims: dict[str, Any]) -> str:
        algorithm = self.lies.get("alg", "RS256")
        if algorithm == "none":
            return f"{_part({'alg': 'none'})}.{_part(claims)}."
        if algorithm == "HS256":  # the classic confusion: the public key as a shared secret
            body = f"{_part({'alg': 'HS256', 'kid': 'one'})}.{_part(claims)}"
            seal = hmac.new(self.key.as_pem(private=False), body.encode(), hashlib.sha256).digest()
            return f"{body}.{base64.urlsafe_b64encode(seal).decode().rstrip('=')}"
        key = self.lies.get("key", self.key)
        header = {"alg": algorithm, "kid": "one"}
        return jwt.encode(header, claims, key, algorithms=[algorithm])


def _part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
