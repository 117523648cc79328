"""A closed world: no stray environment, no network but loopback."""
