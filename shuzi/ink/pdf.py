"""Pages of a PDF as pictures, by PDFium. Imported only where there is a PDF."""

import math
import time

from PIL import Image

from shuzi.ink.decode import MAX_DECODED, MAX_PIXELS, PictureError

try:
    import pypdfium2
    from pypdfium2 import raw
except ImportError:
    pypdfium2 = None

DPI = 300  # dots per inch; a page's full size, in which boxes are given
MAX_SECONDS = 5


def count_pages(source):
    """How many pages a PDF has. source: path, or binary file. Raises PictureError."""
    with _opened(source) as document:
        return len(document)


def render(source, page, side):
    """Page `page`, from 1, on white, its longer side twice `side` or less -> PIL image, (width, height) at DPI.

    Raises PictureError.
    """
    with _opened(source) as document:
        if page > len(document):
            raise PictureError(f"has no page {page}")
        sheet = document[page - 1]
        for picture in sheet.get_objects([raw.FPDF_PAGEOBJ_IMAGE]):
            width, height = picture.get_px_size()
            if width * height > min(MAX_PIXELS, MAX_DECODED // 3):
                raise PictureError(f"too large: a picture of {width}x{height} on page {page}; make it smaller")
        full_size = [max(1, round(length * DPI / 72)) for length in sheet.get_size()]
        scale = min(1, 2 * side / max(full_size))
        width, height = (max(1, math.ceil(length * scale)) for length in full_size)
        bitmap = pypdfium2.PdfBitmap.new_native(width, height, raw.FPDFBitmap_BGR, rev_byteorder=True)
        bitmap.fill_rect((255, 255, 255, 255), 0, 0, width, height)
        _draw(sheet, bitmap, width, height)
        return Image.frombytes("RGB", (width, height), bytes(bitmap.buffer), "raw", "RGB", bitmap.stride), full_size


def _draw(sheet, bitmap, width, height):
    end = time.monotonic() + MAX_SECONDS
    pause = raw.IFSDK_PAUSE(version=1)
    pypdfium2.internal.set_callback(pause, "NeedToPauseNow", lambda _: time.monotonic() > end)
    flags = raw.FPDF_ANNOT | raw.FPDF_REVERSE_BYTE_ORDER
    status = raw.FPDF_RenderPageBitmap_Start(bitmap, sheet, 0, 0, width, height, 0, flags, pause)
    raw.FPDF_RenderPage_Close(sheet)
    if status == raw.FPDF_RENDER_TOBECONTINUED:
        raise PictureError(f"its page takes more than {MAX_SECONDS} seconds to draw; save it as a picture")
    if status != raw.FPDF_RENDER_DONE:
        raise PictureError("its page can't be drawn; save it as a picture")


def _opened(source):
    if pypdfium2 is None:
        raise PictureError("a PDF: pip install pypdfium2 to read it, or save its pages as pictures")
    try:
        if hasattr(source, "read"):
            source.seek(0)
            source = source.read()
        return pypdfium2.PdfDocument(source)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower():
            raise PictureError("a PDF that asks for a password; save it without one") from error
        raise PictureError("a damaged PDF; save it again") from error
