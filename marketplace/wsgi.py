"""The web process's entry for a WSGI server: ``marketplace.wsgi:create()``."""

from __future__ import annotations

import threading

from flask import Flask

from marketplace import wiring
from marketplace.app import create_app
from marketplace.settings import Settings
from search import expansion

_LEXICON_AFTER_SECONDS = 2.0


def create() -> Flask:
    """Build the application from the environment.

    The lexicon is read soon after, so that neither the start nor the first search waits for it.
    """
    soon = threading.Timer(_LEXICON_AFTER_SECONDS, expansion.prepare)
    soon.daemon = True
    soon.start()
    return create_app(wiring.build(Settings()))
