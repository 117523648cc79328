"""Extractors that call a model outside the process."""
