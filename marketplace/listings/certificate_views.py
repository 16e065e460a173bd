"""Pages of certificates: verification by number or by file for everybody, the operator's list."""

from __future__ import annotations

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from marketplace.foundation import web
from marketplace.foundation.access import PUBLIC, permits
from marketplace.foundation.attachments import AttachmentStore
from marketplace.foundation.errors import NotFound
from marketplace.listings import certificate_queries, queries, rules, service
from marketplace.listings.certificate_queries import CertificateView
from marketplace.listings.certificate_rules import CertificateState, clean_number
from marketplace.listings.forms import CertificateFileForm, ReasonForm
from marketplace.listings.views import blueprint


@blueprint.route("/verify")
@web.permits(PUBLIC)
def verify() -> ResponseReturnValue:
    """Ask for a certificate's number or file; a number that is known leads to its page."""
    asked = web.argument("number")
    if not asked:
        return _verify_page()
    number = clean_number(asked)
    try:
        certificate_queries.by_number(web.session(), number)
    except NotFound:
        return _verify_page(asked=asked, missing=True), 404
    return redirect(url_for("listings.verify_number", number=number), 303)


@blueprint.route("/verify/file", methods=["POST"])
@web.permits(PUBLIC)
def verify_file() -> ResponseReturnValue:
    """Compare a file with what was issued; nothing of it is kept."""
    form = CertificateFileForm.load()
    uploads = web.read_uploads(form.file.uploads())
    if not uploads:
        form.file.errors = [*form.file.errors, "请选择收到的凭证 PDF 文件"]
        return _verify_page(form=form), 422
    found = certificate_queries.judge_file(
        web.session(), uploads[0].content, web.resource(AttachmentStore)
    )
    return _verify_page(found=found, filename=uploads[0].name[-120:])


@blueprint.route("/verify/<number>")
@web.permits(PUBLIC)
def verify_number(number: str) -> ResponseReturnValue:
    """Show what is on record under a number, also when it was withdrawn."""
    return _certificate_page(_named(number), ReasonForm.fresh())


@blueprint.route("/verify/<number>/certificate.pdf")
@web.permits(PUBLIC)
def certificate_pdf(number: str) -> ResponseReturnValue:
    """Send the sealed file, byte for byte as it was issued."""
    certificate = _named(number)
    content = certificate_queries.file_of(
        web.session(), certificate.number, web.resource(AttachmentStore)
    )
    return web.send_pdf(content, f"交易凭证 {certificate.number}")


@blueprint.route("/listings/certificates")
@web.permits(rules.OPERATE)
def certificates() -> ResponseReturnValue:
    """List all certificates to the operator."""
    page = certificate_queries.page_of_certificates(
        web.session(), after=web.argument("after") or None
    )
    return render_template("listings/certificates.html", page=page)


@blueprint.route("/verify/<number>/withdraw", methods=["POST"])
@web.permits(rules.OPERATE)
def withdraw_certificate(number: str) -> ResponseReturnValue:
    """Withdraw a certificate."""
    certificate = _named(number)
    form = ReasonForm.load()
    if form.validate_on_post():

        def act(session: Session) -> str:
            service.withdraw_certificate(
                session,
                actor=web.actor(),
                now=web.now(),
                certificate_id=certificate.id,
                reason=form.reason.data,
            )
            return url_for("listings.verify_number", number=certificate.number)

        done = web.submit(form, act)
        if done is not None:
            flash("凭证已撤销，核验页从现在起写明已撤销。", "success")
            return done
    return _certificate_page(certificate, form)


@blueprint.route("/listings/<int:listing_id>/certificate", methods=["POST"])
@web.permits(rules.OPERATE)
def reissue(listing_id: int) -> ResponseReturnValue:
    """Issue a new certificate in the place of a withdrawn one."""

    def act(session: Session) -> str:
        number = service.reissue(session, actor=web.actor(), now=web.now(), listing_id=listing_id)
        return url_for("listings.verify_number", number=number)

    return web.act(act, back=url_for("listings.certificates"))


def _named(number: str) -> CertificateView:
    return certificate_queries.by_number(web.session(), clean_number(number) or number[:40])


def _verify_page(
    *,
    asked: str = "",
    missing: bool = False,
    form: CertificateFileForm | None = None,
    found: certificate_queries.FileVerdict | None = None,
    filename: str = "",
) -> str:
    return render_template(
        "listings/verify.html",
        asked=asked,
        missing=missing,
        form=form or CertificateFileForm.fresh(),
        found=found,
        filename=filename,
    )


def _certificate_page(certificate: CertificateView, form: ReasonForm) -> ResponseReturnValue:
    session = web.session()
    newest = certificate_queries.of_listing(session, certificate.listing_id)
    body = render_template(
        "listings/certificate.html",
        certificate=certificate,
        form=form,
        operates=permits(web.actor(), rules.OPERATE),
        may_reissue=newest is not None and newest.state is CertificateState.WITHDRAWN,
        public_listing=queries.get_internal(session, certificate.listing_id).state
        in rules.PUBLIC_STATES,
    )
    return body, form.status()
