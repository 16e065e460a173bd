"""The certificate of registration as a PDF, and the public page that checks it."""

from __future__ import annotations

from flask import render_template, url_for
from flask.typing import ResponseReturnValue

from marketplace.contracts import certificate_queries, queries, rules
from marketplace.contracts.certificate_queries import Certificate
from marketplace.contracts.views import blueprint
from marketplace.foundation import pdf, web
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
    return pdf.render(
        "contracts/certificate_pdf.html",
        {
            "made": made,
            "address": url_for("contracts.verify", _external=True),
            "qr": pdf.qr_code(address, title="核验二维码"),
        },
    )


@blueprint.route("/registrations")
@web.permits(PUBLIC)
def verify() -> ResponseReturnValue:
    """Say whether a registration number stands in the register, and show it with its code."""
    number = web.argument("number", longest=40)
    code = web.argument("code", longest=20)
    found = certificate_queries.find_registration(web.session(), number, code) if number else None
    return render_template("contracts/verify.html", number=number, code=code, found=found)
