"""Amounts as people read them."""


def euros(cents):
    return f"{cents / 100:.2f} EUR"
