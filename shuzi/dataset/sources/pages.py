"""TIFF, GIF and PDF: each of their pages is a picture."""

from shuzi.ink.decode import MAX_PAGES, PictureError, count_pages


def look(look, number: int, name: str, depth: int) -> None:
    from shuzi.dataset.sources import Entry

    container = look.source.containers[number]
    try:
        with container.open(name) as file:
            pages = count_pages(file)
    except (OSError, PictureError):
        pages = 1  # and whoever decodes it says what is wrong
    if pages == 1:
        look.entries.append(Entry(number, name))
        return
    if pages > MAX_PAGES:
        look.refuse(f"{look.prefixes[number]}{name}", f"more than {MAX_PAGES} pages; the rest is not read: split it")
    look.entries += [Entry(number, name, page) for page in range(1, min(pages, MAX_PAGES) + 1)]
