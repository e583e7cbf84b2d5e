"""Prices, for all functions."""


def with_vat(cents, percent):
    return cents + cents * percent // 100
