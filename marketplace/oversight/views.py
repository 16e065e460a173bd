"""The blueprint of oversight; its pages stand in the modules beside this one."""

from __future__ import annotations

from flask import Blueprint

blueprint = Blueprint("oversight", __name__, template_folder="templates")
