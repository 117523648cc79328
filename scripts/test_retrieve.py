"""Ask /retrieve of a deployed or local system: a search, and what is missing from one."""

from system import Checks, System, main


def check(system: System, checks: Checks) -> None:
    """What a search must be answered with."""
    answer = system.search("What does the caller prefer?")
    checks.status("/retrieve answers a search", answer, 200)
    checks("  with a list of memories", isinstance(answer.value.get("memories"), list))
    checks.status("/retrieve again, warm", system.search("an invoice"), 200)
    checks.status("/retrieve says what is missing", system.ask("/retrieve", b"{}", {}), 400)
    checks.status("/retrieve says what is no JSON", system.ask("/retrieve", b"{", {}), 400)


if __name__ == "__main__":
    main(__doc__ or "", check)
