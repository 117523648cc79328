"""Where agents' profiles come from."""
