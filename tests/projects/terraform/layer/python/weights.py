"""What parcels weigh."""

GRAMS = 250
