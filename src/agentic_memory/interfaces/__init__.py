"""Doors: what speaks to the outside. No logic of remembering lives here."""
