"""Ask all three endpoints of a deployed or local system, as its users will.

    python scripts/test_production_ready.py --stack elevenlabs-agentic-memory-stack
    python scripts/test_production_ready.py --url http://127.0.0.1:8000
"""

import test_clientdata
import test_postcall
import test_retrieve
from system import Checks, System, main


def keys(system: System, checks: Checks) -> None:
    """Without keys nothing else can hold."""
    for path, key in system.keys.items():
        checks(f"there is a key for {path}", bool(key))


def transport(system: System, checks: Checks) -> None:
    """Keys and numbers go over TLS, but on this machine itself."""
    for path, url in system.urls.items():
        local = url.startswith(("http://127.0.0.1", "http://localhost"))
        checks(f"{path} is asked over TLS, or on this machine", local or url.startswith("https://"))


if __name__ == "__main__":
    main(__doc__ or "", keys, transport, test_clientdata.check, test_retrieve.check, test_postcall.check)
