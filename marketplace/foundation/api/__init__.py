"""The edge for programs: the pages' forms and services as JSON under ``/api/v1``.

Slices write ``from marketplace.foundation import api`` and declare operations in their ``api.py``.
"""

from marketplace.foundation.api.document import describe
from marketplace.foundation.api.files import FileLine, FileList
from marketplace.foundation.api.limiting import CallLimit, SendLimit
from marketplace.foundation.api.operations import (
    KEY_HEADER,
    PREFIX,
    Made,
    Operation,
    PageQuery,
    Routes,
    key_or_new,
    operations_of,
)
from marketplace.foundation.api.scopes import Access, Scope
from marketplace.foundation.api.shapes import (
    Answer,
    AnyQuery,
    Days,
    Moment,
    Yuan,
    payload_of,
    shaped_as,
)

__all__ = [
    "KEY_HEADER",
    "PREFIX",
    "Access",
    "Answer",
    "AnyQuery",
    "CallLimit",
    "Days",
    "FileLine",
    "FileList",
    "Made",
    "Moment",
    "Operation",
    "PageQuery",
    "Routes",
    "Scope",
    "SendLimit",
    "Yuan",
    "describe",
    "key_or_new",
    "operations_of",
    "payload_of",
    "shaped_as",
]
