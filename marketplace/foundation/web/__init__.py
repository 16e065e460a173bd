"""The edge: one transaction around one use case, forms, filters, errors and headers.

Slices write ``from marketplace.foundation import web`` and use the names listed here.
"""

from marketplace.foundation.web.choice_fields import ChoiceField, ChoicesField, FlagField
from marketplace.foundation.web.errors import for_programs, register_errors
from marketplace.foundation.web.figures import register_figures
from marketplace.foundation.web.file_fields import FilesField
from marketplace.foundation.web.files import (
    Sheet,
    build_table,
    read_uploads,
    send_archive,
    send_attachment,
    send_book,
    send_calendar,
    send_json,
    send_marked,
    send_pdf,
    send_table,
    send_text,
    send_word,
)
from marketplace.foundation.web.forms import Form, RowForm, RowsField
from marketplace.foundation.web.headers import register_headers
from marketplace.foundation.web.permissions import (
    Reauthentication,
    is_sensitive,
    keeps_secret,
    permission_of,
    permits,
    sensitive,
    sensitive_with_secret,
)
from marketplace.foundation.web.present import register_filters
from marketplace.foundation.web.requests import (
    Resources,
    act,
    actor,
    argument,
    bound_text,
    carried_out_before,
    install,
    local_next,
    now,
    refused,
    resource,
    session,
    submit,
    transaction,
    write_with_others,
)
from marketplace.foundation.web.text_fields import LongTextField, PasswordField, TextField
from marketplace.foundation.web.unmasking import UnmaskForm, unmasked
from marketplace.foundation.web.value_fields import (
    ClockField,
    DateField,
    DecimalField,
    IntField,
    PercentField,
    UsccField,
    YuanField,
)

__all__ = [
    "ChoiceField",
    "ChoicesField",
    "ClockField",
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
    "Sheet",
    "TextField",
    "UnmaskForm",
    "UsccField",
    "YuanField",
    "act",
    "actor",
    "argument",
    "bound_text",
    "build_table",
    "carried_out_before",
    "for_programs",
    "install",
    "is_sensitive",
    "keeps_secret",
    "local_next",
    "now",
    "permission_of",
    "permits",
    "read_uploads",
    "refused",
    "register_errors",
    "register_figures",
    "register_filters",
    "register_headers",
    "resource",
    "send_archive",
    "send_attachment",
    "send_book",
    "send_calendar",
    "send_json",
    "send_marked",
    "send_pdf",
    "send_table",
    "send_text",
    "send_word",
    "sensitive",
    "sensitive_with_secret",
    "session",
    "submit",
    "transaction",
    "unmasked",
    "write_with_others",
]
