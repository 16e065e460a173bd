"""The reader's name on every page: PDF files and pictures carry who opened them and when.

Loaded with the first file only: the libraries of PDF and pictures would slow every start. Word,
Excel and text files go out as they are; the page says so.
"""

from __future__ import annotations

import io

from PIL import Image, ImageOps, UnidentifiedImageError
from pypdf import PageObject, PdfReader, PdfWriter, Transformation
from pypdf.errors import PyPdfError
from pypdf.generic import ContentStream, DictionaryObject, NameObject

from marketplace.foundation import pdf
from marketplace.foundation.attachments import AttachmentView, Upload
from marketplace.foundation.errors import RuleBroken

_MOST_PAGES = 500
# The mark is drawn once on a square of this side in points and scaled to each page.
_SIDE = 1000
# Points for each pixel of a picture, and the quality that it keeps.
_PIXEL = 0.75
_QUALITY = 90


def check(upload: Upload) -> None:
    """Refuse a PDF or a picture that could not carry its reader's name."""
    ending = upload.name.rsplit(".", 1)[-1].lower()
    if ending == "pdf":
        _read(upload.content, upload.name)
    elif ending in ("png", "jpg", "jpeg"):
        _pictured(upload.content, upload.name)


def mark(view: AttachmentView, content: bytes, *, words: str) -> tuple[str, bytes]:
    """Return the name and the bytes of a file with the words across every page.

    A picture becomes a PDF of one page; what cannot carry a mark comes back as it is.
    """
    if view.content_type == "application/pdf":
        return view.name, _stamp(content, view.name, words)
    if view.content_type.startswith("image/"):
        return f"{view.name}.pdf", _stamp(_pictured(content, view.name), view.name, words)
    return view.name, content


def _read(content: bytes, name: str) -> PdfReader:
    try:
        reader = PdfReader(io.BytesIO(content))
        if reader.is_encrypted:
            raise RuleBroken(
                "room.pdf_locked",
                f"“{name}”设了密码，不能加水印；请去掉密码后另存再上传",
                "attachments",
            )
        count = len(reader.pages)
    except (PyPdfError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as broken:
        raise _unreadable(name) from broken
    if count == 0:
        raise _unreadable(name)
    if count > _MOST_PAGES:
        raise RuleBroken(
            "room.pdf_long",
            f"“{name}”有 {count} 页，超过 {_MOST_PAGES} 页；请拆成几个文件",
            "attachments",
        )
    return reader


def _unreadable(name: str) -> RuleBroken:
    return RuleBroken(
        "room.unreadable",
        f"“{name}”打不开或没有页面，不能加水印；请用原来的软件重新导出后上传",
        "attachments",
    )


def _pictured(content: bytes, name: str) -> bytes:
    page = io.BytesIO()
    try:
        with Image.open(io.BytesIO(content)) as opened:
            # Upright, and without what the camera noted in the file.
            upright = ImageOps.exif_transpose(opened).convert("RGB")
            upright.save(page, "JPEG", quality=_QUALITY)
    except (UnidentifiedImageError, OSError, ValueError, Image.DecompressionBombError) as broken:
        raise _unreadable(name) from broken
    return pdf.render(
        "brokerage/picture_pdf.html",
        {
            "name": name,
            "width": upright.width * _PIXEL,
            "height": upright.height * _PIXEL,
            "picture": pdf.picture(page.getvalue(), "image/jpeg"),
        },
    )


def _stamp(content: bytes, name: str, words: str) -> bytes:
    overlay = _overlay(words)
    writer = PdfWriter(clone_from=_read(content, name))
    for page in writer.pages:
        _lay(page, overlay)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def _overlay(words: str) -> PageObject:
    drawn = PdfReader(io.BytesIO(pdf.render_overlay("brokerage/watermark.html", {"words": words})))
    overlay = drawn.pages[0]
    content = overlay.get_contents()
    assert isinstance(content, ContentStream)
    # A mark of who reads is nothing to be read: a tagged page stays one (ISO 14289-1, 7.1).
    kind = DictionaryObject(
        {NameObject("/Type"): NameObject("/Pagination"),
         NameObject("/Subtype"): NameObject("/Watermark")}
    )  # fmt: skip
    content.operations = [
        ([NameObject("/Artifact"), kind], b"BDC"), *content.operations, ([], b"EMC"),
    ]  # fmt: skip
    overlay[NameObject("/Contents")] = content
    return overlay


def _lay(page: PageObject, overlay: PageObject) -> None:
    box = page.mediabox
    across, up = float(box.width) / _SIDE, float(box.height) / _SIDE
    place = Transformation().scale(across, up).translate(float(box.left), float(box.bottom))
    page.merge_transformed_page(overlay, place, over=True)
