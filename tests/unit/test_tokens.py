"""Per-call memory tokens."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.errors import InvalidMemoryToken
from agentic_memory.service.tokens import MemoryTokens
from tests.fakes import FrozenClock

ANA, BEN = "+15550100001", "+15550100002"


def tokens(clock: FrozenClock, *keys: str) -> MemoryTokens:
    return MemoryTokens(keys or ("secret",), 60.0, clock)


def test_a_minted_token_opens_its_callers_memory_until_it_expires():
    clock = FrozenClock()
    mint = tokens(clock)
    token = mint.mint("default", ANA)
    mint.check(token, "default", ANA)
    clock.tick(60)
    mint.check(token, "default", ANA)
    clock.tick(1)
    with pytest.raises(InvalidMemoryToken):
        mint.check(token, "default", ANA)


def test_a_token_opens_nobody_elses_memory():
    mint = tokens(FrozenClock())
    token = mint.mint("default", ANA)
    for tenant, caller in (("default", BEN), ("other", ANA), ("default", "")):
        with pytest.raises(InvalidMemoryToken):
            mint.check(token, tenant, caller)


def test_a_token_names_nobody():
    assert ANA.lstrip("+") not in tokens(FrozenClock()).mint("default", ANA)


def test_the_expiry_cannot_be_moved():
    clock = FrozenClock()
    expiry, _, mac = tokens(clock).mint("default", ANA).partition(".")
    with pytest.raises(InvalidMemoryToken):
        tokens(clock).check(f"{int(expiry) + 1}.{mac}", "default", ANA)


def test_tokens_of_a_former_key_hold_while_it_is_configured():
    clock = FrozenClock()
    token = tokens(clock, "old").mint("default", ANA)
    tokens(clock, "new", "old").check(token, "default", ANA)
    with pytest.raises(InvalidMemoryToken):
        tokens(clock, "new").check(token, "default", ANA)


@given(st.text())
def test_any_text_is_refused_or_accepted_never_a_crash(text: str):
    with pytest.raises(InvalidMemoryToken):
        tokens(FrozenClock()).check(text, "default", ANA)
