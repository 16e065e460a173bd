"""The web process's entry for a WSGI server: ``marketplace.wsgi:create()``."""

from __future__ import annotations

from flask import Flask

from marketplace import wiring
from marketplace.app import create_app
from marketplace.settings import Settings


def create() -> Flask:
    """Build the application from the environment."""
    return create_app(wiring.build(Settings()))
