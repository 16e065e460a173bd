"""The operator's electronic seal: PAdES (ETSI EN 319 142) by the certificate of the settings.

Outside production a test seal is made once in the data folder; it says that it is one.
"""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID
from pyhanko.pdf_utils.incremental_writer import IncrementalPdfFileWriter
from pyhanko.pdf_utils.reader import PdfFileReader
from pyhanko.sign import fields, signers
from pyhanko.sign.validation import validate_pdf_signature

from marketplace.listings.certificate_rules import SealReading

TEST_OWNER = "测试印章（仅供演示，无法律效力）"
_FIELD = "OperatorSeal"
_TEST_YEARS = 10


class Sealer:
    """Seals documents with one certificate and its key."""

    def __init__(self, pkcs12_file: Path, password: str) -> None:
        # mypy: the library types neither this function nor what it returns
        loaded = signers.SimpleSigner.load_pkcs12(  # type: ignore[no-untyped-call]
            str(pkcs12_file), passphrase=password.encode() if password else None
        )
        if loaded is None:
            raise ValueError(f"the seal {pkcs12_file} cannot be opened with its password")
        self._signer = loaded
        self.owner = str(loaded.signing_cert.subject.native.get("common_name", ""))

    @property
    def is_test(self) -> bool:
        """Tell whether it is the test seal."""
        return self.owner == TEST_OWNER

    def seal(self, document: bytes, *, number: str) -> bytes:
        """Return the document sealed, with its number readable in the seal; no change is allowed
        after it.
        """
        # Twice in the clear, under the seal: a copy with one byte changed still says which it is.
        named = document + f"% {number}\n% {number}\n".encode()
        writer = IncrementalPdfFileWriter(io.BytesIO(named))
        terms = signers.PdfSignatureMetadata(
            field_name=_FIELD,
            md_algorithm="sha256",
            reason=f"Transaction certificate {number}",
            location=number,
            subfilter=fields.SigSeedSubFilter.PADES,
            certify=True,
            docmdp_permissions=fields.MDPPerm.NO_CHANGES,
        )
        # What a screen reader says of a seal that nobody sees on the page.
        field = fields.SigFieldSpec(_FIELD, readable_field_name=f"电子印章：{self.owner}")
        sealed = signers.sign_pdf(writer, terms, signer=self._signer, new_field_spec=field)
        return bytes(sealed.getbuffer())


def read_seal(document: bytes) -> SealReading | None:
    """Read a file's seal by itself, without any record; None when it has none or is no PDF."""
    try:
        signatures = PdfFileReader(io.BytesIO(document), strict=False).embedded_signatures
        if not signatures:
            return None
        status = validate_pdf_signature(signatures[0])
    except Exception:  # a damaged file breaks the reader in many ways; each means: not whole
        return None
    owner = str(status.signing_cert.subject.native.get("common_name", ""))
    return SealReading(
        owner, status.intact and status.valid and signatures[0].sig_field is not None
    )


def seal_for_trying(folder: Path) -> Sealer:
    """Return the test seal of a data folder; the first call makes it."""
    kept = folder / "test-seal.p12"
    if not kept.exists():
        folder.mkdir(parents=True, exist_ok=True)
        kept.write_bytes(_make_test_seal())
        kept.chmod(0o600)
    return Sealer(kept, "")


def _make_test_seal() -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, TEST_OWNER)])
    # A demo's clock may stand years back: the test certificate holds for all of them.
    begins = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + timedelta(days=365 * 2 * _TEST_YEARS))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True,
                content_commitment=True,
                key_encipherment=False,
                data_encipherment=False,
                key_agreement=False,
                key_cert_sign=False,
                crl_sign=False,
                encipher_only=False,
                decipher_only=False,
            ),
            critical=True,
        )
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(
        b"test seal", key, certificate, None, serialization.NoEncryption()
    )
