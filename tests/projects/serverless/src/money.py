"""Amounts as people read them."""


def shown(cents, currency):
    return f"{cents / 100:.2f} {currency}"
