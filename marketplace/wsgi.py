"""The web process's entry for a WSGI server: ``marketplace.wsgi:create()``."""

from __future__ import annotations

import threading

from flask import Flask

from marketplace import wiring
from marketplace.app import create_app
from marketplace.settings import Settings
from search import expansion


def create() -> Flask:
    """Build the application from the environment.

    The lexicon is read meanwhile, so that the first who searches does not wait for it.
    """
    threading.Thread(target=expansion.prepare, daemon=True).start()
    return create_app(wiring.build(Settings()))
