"""What every source of profiles keeps."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agentic_memory.backends.profiles.toml_folder import ProfileFolder
from agentic_memory.ports import Profiles

OWN = 'prompt = "You take orders."\ngreeting_new = "Hello!"\n'
ANY_ID = st.one_of(st.none(), st.text(max_size=120), st.just("../memoir"), st.just("a\0b"))


@pytest.fixture(params=["folder"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[str], Profiles]:
    """Profiles that know `agent_own`, with the default that is asked for."""
    (tmp_path / "agent_own.toml").write_text(OWN)
    return lambda default: ProfileFolder(tmp_path, default)


def test_an_agents_own_profile_is_named_after_it(make: Callable[[str], Profiles]) -> None:
    profile = make("memoir").profile("agent_own")
    assert profile is not None
    assert (profile.name, profile.prompt) == ("agent_own", "You take orders.")


def test_any_other_agent_gets_the_default_one(make: Callable[[str], Profiles]) -> None:
    for agent_id in ("agent_other", None, ""):
        profile = make("memoir").profile(agent_id)
        assert profile is not None
        assert profile.name == "memoir"
        assert profile.prompt


def test_without_a_default_there_are_variables_only(make: Callable[[str], Profiles]) -> None:
    assert make("none").profile("agent_other") is None
    assert make("none").profile("agent_own") is not None


def test_what_was_read_is_known(make: Callable[[str], Profiles]) -> None:
    profiles = make("memoir")
    for agent_id in ("agent_own", "agent_other"):
        assert profiles.known(agent_id) == profiles.profile(agent_id)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(agent_id=ANY_ID)
def test_no_agent_id_raises(make: Callable[[str], Profiles], agent_id: str | None) -> None:
    profiles = make("memoir")
    assert profiles.profile(agent_id) is not None
    assert profiles.known(agent_id) is not None
