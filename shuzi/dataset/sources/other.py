"""Files that hold no pictures: passed over, counted and named."""


def look(look, number: int, name: str, depth: int) -> None:
    look.passed_over.append((number, name))
