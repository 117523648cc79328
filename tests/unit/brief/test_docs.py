"""The pages on variables and profiles say what the code does."""

import re
from pathlib import Path

import pytest

from agentic_memory.backends.profiles import document
from agentic_memory.backends.profiles.document import read_profile
from agentic_memory.domain.briefing import NEW_CALLER_CONTEXT
from agentic_memory.domain.greeting import GREETING_KINDS
from agentic_memory.domain.initiation import TOKEN_VARIABLE, VARIABLES
from tests.unit.brief.test_brief_caller import stefans_brief

DOCS = Path(__file__).parents[3] / "docs"
PROFILES = (DOCS / "howto" / "agent-profiles.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "reference" / "variables.md").read_text(encoding="utf-8")


def test_every_variable_is_documented_in_its_own_words() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+?) \| .+ \|$", REFERENCE, re.MULTILINE))
    assert rows == VARIABLES
    assert f"`{TOKEN_VARIABLE}`" in REFERENCE
    assert NEW_CALLER_CONTEXT in REFERENCE


def test_the_example_is_a_profile() -> None:
    (example,) = re.findall(r"```toml\n(.+?)```", PROFILES, re.DOTALL)
    profile = read_profile("agent_1", example.encode())
    assert set(profile.greetings["en"]) == set(GREETING_KINDS)
    assert profile.variables == {"opening_hours": "7 to 18"}


@pytest.mark.parametrize("key", document._KEYS)
def test_every_key_of_a_profile_is_documented(key: str) -> None:
    assert re.search(rf"^\|.*`{key}[`.]", PROFILES, re.MULTILINE)


def test_the_block_is_as_shown() -> None:
    (shown,) = re.findall(r"```\n(CALLER CONTEXT.+?)\n```", PROFILES, re.DOTALL)
    made = stefans_brief().context.replace("Fact: User lives in Graz\n", "")
    assert shown == made
