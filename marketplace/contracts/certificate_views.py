"""The certificate of registration as a PDF, and the public page that checks it."""

from __future__ import annotations

from importlib.resources import files

import segno
import weasyprint
from flask import render_template, url_for
from flask.typing import ResponseReturnValue
from weasyprint.urls import URLFetcher

from marketplace.contracts import certificate_queries, queries, rules
from marketplace.contracts.certificate_queries import Certificate
from marketplace.contracts.views import blueprint
from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC
from marketplace.foundation.errors import NotFound


@blueprint.route("/contracts/<int:contract_id>/certificate.pdf")
@web.permits(rules.READ)
def certificate(contract_id: int) -> ResponseReturnValue:
    """Send the certificate of registration to who takes part in the contract."""
    session = web.session()
    view = queries.get_contract(session, web.actor(), contract_id)
    if view.contract_no is None:
        raise NotFound()
    made = certificate_queries.get_certificate(session, contract_id)
    return web.send_pdf(_pdf(made), f"技术合同登记证明 {made.contract_no}")


def _pdf(made: Certificate) -> bytes:
    address = url_for(
        "contracts.verify", number=made.contract_no, code=made.check_code, _external=True
    )
    page = render_template(
        "contracts/certificate_paper.html",
        made=made,
        address=url_for("contracts.verify", _external=True),
        picture=segno.make(address, error="m").svg_data_uri(border=1, scale=4),
    )
    style = files("marketplace.contracts").joinpath("certificate_paper.css").read_text("utf-8")
    # What the page carries itself is read, and nothing from anywhere else.
    fetcher = URLFetcher(allowed_protocols={"data"}, fail_on_errors=True)
    document = weasyprint.HTML(string=page, url_fetcher=fetcher)
    # The subset of the font goes into the file: it reads the same where no Chinese font is.
    pdf = document.write_pdf(stylesheets=[weasyprint.CSS(string=style)])
    assert isinstance(pdf, bytes)
    return pdf


@blueprint.route("/registrations")
@web.permits(PUBLIC)
def verify() -> ResponseReturnValue:
    """Say whether a registration number stands in the register, and show it with its code."""
    number = web.argument("number", longest=40)
    code = web.argument("code", longest=20)
    found = certificate_queries.find_registration(web.session(), number, code) if number else None
    return render_template("contracts/verify.html", number=number, code=code, found=found)
