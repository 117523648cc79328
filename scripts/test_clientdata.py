"""Ask /client-data of a deployed or local system: a new caller, a wrong key, a missing field."""

from system import Checks, System, main

VARIABLES = {"caller_id", "caller_name", "returning_caller", "memory_count", "memory_summary", "memory_context", "last_call_date", "preferred_language"}


def check(system: System, checks: Checks) -> None:
    """What a ring must be answered with."""
    answer = system.ring()
    checks.status("/client-data answers a ring", answer, 200)
    variables = answer.value.get("dynamic_variables")
    missing = VARIABLES - set(variables if isinstance(variables, dict) else ())
    checks("  with every variable", not missing, ", ".join(sorted(missing)))
    checks("  of the type that the platform wants", answer.value.get("type") == "conversation_initiation_client_data")
    checks.status("/client-data again, warm", system.ring(), 200)
    checks.status("/client-data refuses a wrong key", system.ring(key="wrong"), 401)
    empty = system.ask("/client-data", b"{}", {"X-Workspace-Key": system.keys["/client-data"]})
    checks.status("/client-data says what is missing", empty, 400)


if __name__ == "__main__":
    main(__doc__ or "", check)
