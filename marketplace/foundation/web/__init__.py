"""The edge: one transaction around one use case, forms, filters, errors and headers.

Slices write ``from marketplace.foundation import web`` and use the names listed here.
"""

from marketplace.foundation.web.errors import register_errors
from marketplace.foundation.web.files import build_table, read_uploads, send_attachment, send_table
from marketplace.foundation.web.forms import (
    ChoiceField,
    ChoicesField,
    DateField,
    DecimalField,
    FilesField,
    FlagField,
    Form,
    IntField,
    LongTextField,
    PasswordField,
    PercentField,
    RowForm,
    RowsField,
    TextField,
    UsccField,
    YuanField,
)
from marketplace.foundation.web.headers import register_headers
from marketplace.foundation.web.permissions import (
    Reauthentication,
    is_sensitive,
    permission_of,
    permits,
    sensitive,
)
from marketplace.foundation.web.present import register_filters
from marketplace.foundation.web.requests import (
    Resources,
    act,
    actor,
    argument,
    install,
    local_next,
    now,
    refused,
    resource,
    session,
    submit,
    transaction,
)

__all__ = [
    "ChoiceField",
    "ChoicesField",
    "DateField",
    "DecimalField",
    "FilesField",
    "FlagField",
    "Form",
    "IntField",
    "LongTextField",
    "PasswordField",
    "PercentField",
    "Reauthentication",
    "Resources",
    "RowForm",
    "RowsField",
    "TextField",
    "UsccField",
    "YuanField",
    "act",
    "actor",
    "argument",
    "build_table",
    "install",
    "is_sensitive",
    "local_next",
    "now",
    "permission_of",
    "permits",
    "read_uploads",
    "refused",
    "register_errors",
    "register_filters",
    "register_headers",
    "resource",
    "send_attachment",
    "send_table",
    "sensitive",
    "session",
    "submit",
    "transaction",
]
