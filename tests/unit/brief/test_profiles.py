import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.backends.profiles.document import PROMPT_BYTES, ProfileProblem, read_profile
from agentic_memory.backends.profiles.placeholders import unknown_placeholders
from agentic_memory.backends.profiles.toml_folder import FILE_BYTES, ProfileFolder
from agentic_memory.domain.initiation import VARIABLES
from agentic_memory.errors import SettingsError

CLOCK = iter(range(10**9, 2 * 10**9))


def write(folder: Path, name: str, text: str) -> None:
    """Write a profile with a time of change that differs from every earlier one."""
    path = folder / f"{name}.toml"
    path.write_text(text, encoding="utf-8")
    now = next(CLOCK)
    os.utime(path, (now, now))


def prompt(profiles: ProfileFolder, agent_id: str | None) -> str | None:
    profile = profiles.profile(agent_id)
    return profile.prompt if profile else None


WHOLE = """
prompt = "You are kind."
greeting_new = "Hi"
language = "en"
languages = ["en", "pt-br"]
[greetings.es]
new = "Hola"
[variables]
shop = "Main Street"
seats = 4
open = true
"""


def test_a_whole_profile() -> None:
    profile = read_profile("agent_1", WHOLE.encode())
    assert profile.name == "agent_1"
    assert profile.prompt == "You are kind."
    assert profile.greeting_new == "Hi"
    assert (profile.language, profile.languages) == ("en", ("en", "pt-br"))
    assert profile.greetings == {"es": {"new": "Hola"}}
    assert profile.variables == {"shop": "Main Street", "seats": "4", "open": "true"}


def test_an_empty_profile_is_one() -> None:
    assert read_profile("x", b"\xef\xbb\xbf").prompt == ""


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('prompt = "a"\nprompt = "b"', "line 2"),
        ('prompt = "a\nb"', "line 1"),
        ('\n\npromt = "a"', "unknown key 'promt': known are prompt, greeting_new"),
        ('\n\npromt = "a"', "(at line 3)"),
        ('[greetings.es]\nnew = "a"\nold = "b"', "unknown key 'greetings.es.old': known are new, returning, preference, nameless (at line 3)"),
        ("prompt = 4", "prompt is a number, expected a string (at line 1)"),
        ("greeting_new = []", "greeting_new is a list, expected a string (at line 1)"),
        ('languages = "en"', 'languages is a string, expected a list such as ["en", "es"] (at line 1)'),
        ('languages = ["English language"]', "languages: 'English language' is no language tag"),
        ("language = 1979-05-27", "is no language tag"),
        ("greetings = 3", "greetings is a number, expected a table"),
        ('[greetings]\nxxxx = "a"', "greetings: 'xxxx' is no language tag"),
        ('[variables]\n\ncaller_name = "x"', "variables.caller_name is taken: it is filled for every call (at line 3)"),
        ('[variables]\nsystem__time = "x"', "is taken"),
        ('[variables]\nsecret__memory_token = "x"', "is taken"),
        ('[variables]\n"a b" = "x"', "letters, digits and underscores only (at line 2)"),
        ("[variables]\nx = []", "variables.x is a list"),
        ("[variables]\nx = 2000-01-01", "variables.x is a date or time"),
        (f"[variables]\nx = 0x{'f' * 5000}", "larger than 64 bits"),
        (f"[variables]\nx = {'9' * 5000}", "not TOML"),
        (f'[variables]\nx = "{"a" * 1001}"', "variables.x is longer than 1000 characters"),
        ("[variables]\n" + "\n".join(f"v{i} = 1" for i in range(51)), "more than 50 variables"),
        (f'greeting_new = "{"a" * 1001}"', "greeting_new is longer than 1000 characters"),
        (f'prompt = "{"é" * (PROMPT_BYTES // 2 + 1)}"', "prompt is longer than 65536 bytes"),
        ("x = " + "[" * 100_000, "not TOML"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, problem: str) -> None:
    with pytest.raises(ProfileProblem) as caught:
        read_profile("x", text.encode())
    assert problem in str(caught.value)


def test_a_document_that_is_not_utf_8() -> None:
    with pytest.raises(ProfileProblem, match="not UTF-8 \\(at line 2\\)"):
        read_profile("x", b"\nprompt = '\xff'")


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda t: t.encode("utf-8", "surrogatepass"))))
def test_reading_is_total(data: bytes) -> None:
    try:
        assert read_profile("x", data).name == "x"
    except ProfileProblem as problem:
        assert str(problem)


def test_every_agent_gets_its_own_profile_and_strangers_the_default(tmp_path: Path) -> None:
    write(tmp_path, "agent_1", 'prompt = "one"')
    profiles = ProfileFolder(tmp_path)
    assert prompt(profiles, "agent_1") == "one"
    assert (prompt(profiles, "agent_2") or "").startswith("# Who you are")
    assert profiles.served_by_default == {"agent_2"}


def test_the_default_may_be_none_or_a_file(tmp_path: Path) -> None:
    write(tmp_path, "shop", 'prompt = "shop"')
    assert ProfileFolder(tmp_path, "none").profile("agent_2") is None
    assert ProfileFolder(tmp_path, "none").served_by_default == set()
    assert prompt(ProfileFolder(tmp_path, "shop"), None) == "shop"


def test_a_file_named_memoir_takes_the_place_of_the_packaged_profile(tmp_path: Path) -> None:
    write(tmp_path, "memoir", 'prompt = "my memoir"')
    assert prompt(ProfileFolder(tmp_path), "agent_2") == "my memoir"


def test_a_missing_folder_is_an_empty_one(tmp_path: Path) -> None:
    assert prompt(ProfileFolder(tmp_path / "none" / "such"), "a") is not None


@pytest.mark.parametrize("default", ["shop", "../memoir", "", "a" * 200])
def test_an_unknown_default_stops_the_start(tmp_path: Path, default: str) -> None:
    with pytest.raises(SettingsError, match="DEFAULT_PROFILE"):
        ProfileFolder(tmp_path, default)


@pytest.mark.parametrize("agent_id", ["../secret", "..", "", "/etc/passwd", "a/b", "a\x00", "a" * 300, "secret.toml", "ägent", None])
def test_an_agent_id_cannot_leave_the_folder(tmp_path: Path, agent_id: str | None) -> None:
    inside = tmp_path / "agents"
    inside.mkdir()
    write(tmp_path, "secret", 'prompt = "secret"')
    profiles = ProfileFolder(inside)
    found = profiles.profile(agent_id)
    assert found is not None
    assert found.name == "memoir"


def test_a_broken_file_stops_the_start_by_name_and_line(tmp_path: Path) -> None:
    write(tmp_path, "agent_1", 'prompt = "one"\noops')
    with pytest.raises(SettingsError, match=r"AGENTS_DIR: .*agent_1\.toml: not TOML: .*line 2"):
        ProfileFolder(tmp_path)


def test_a_file_no_agent_can_have_stops_the_start(tmp_path: Path) -> None:
    write(tmp_path, "my agent", "")
    with pytest.raises(SettingsError, match="no agent id has such a name"):
        ProfileFolder(tmp_path)


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    write(tmp_path, "agent_1", 'prompt = "one"')
    profiles = ProfileFolder(tmp_path)
    first = profiles.profile("agent_1")
    assert profiles.profile("agent_1") is first
    write(tmp_path, "agent_1", 'prompt = "two"')
    assert prompt(profiles, "agent_1") == "two"
    (tmp_path / "agent_1.toml").unlink()
    assert (prompt(profiles, "agent_1") or "").startswith("# Who you are")


def test_a_file_that_breaks_serves_its_last_good_version(tmp_path: Path) -> None:
    write(tmp_path, "agent_1", 'prompt = "one"')
    profiles = ProfileFolder(tmp_path)
    write(tmp_path, "agent_1", "prompt = ")
    assert prompt(profiles, "agent_1") == "one"
    assert prompt(profiles, "agent_1") == "one"
    assert list(profiles.problems) == ["agent_1.toml"]
    with pytest.raises(SettingsError, match=r"agent_1\.toml"):
        profiles.check()
    write(tmp_path, "agent_1", 'prompt = "two"')
    assert prompt(profiles, "agent_1") == "two"
    assert profiles.problems == {}


def test_a_new_file_that_is_broken_gives_no_strangers_prompt(tmp_path: Path) -> None:
    profiles = ProfileFolder(tmp_path)
    write(tmp_path, "agent_1", "prompt = ")
    assert profiles.profile("agent_1") is None
    write(tmp_path, "memoir", "prompt = ")
    assert prompt(profiles, "agent_2") is not None


def test_a_file_too_large_or_no_file_at_all(tmp_path: Path) -> None:
    profiles = ProfileFolder(tmp_path)
    write(tmp_path, "agent_1", "#" * (FILE_BYTES + 1))
    (tmp_path / "agent_2.toml").mkdir()
    os.mkfifo(tmp_path / "agent_3.toml")
    assert [profiles.profile(f"agent_{i}") for i in (1, 2, 3)] == [None, None, None]
    assert profiles.problems == {
        "agent_1.toml": f"larger than {FILE_BYTES} bytes",
        "agent_2.toml": "is no file",
        "agent_3.toml": "is no file",
    }


def test_what_is_known_touches_no_file(tmp_path: Path) -> None:
    write(tmp_path, "agent_1", 'prompt = "one"')
    profiles = ProfileFolder(tmp_path)
    write(tmp_path, "agent_1", 'prompt = "two"')
    assert profiles.known("agent_1").prompt == "one"  # type: ignore[union-attr]
    assert profiles.known("agent_2").name == "memoir"  # type: ignore[union-attr]


def test_the_list_of_those_served_by_default_is_bounded(tmp_path: Path) -> None:
    profiles = ProfileFolder(tmp_path)
    for number in range(1100):
        profiles.profile(f"agent_{number}")
    assert len(profiles.served_by_default) == 1000


def test_the_memoir_prompt_names_every_variable_but_the_block_before_it(tmp_path: Path) -> None:
    text = prompt(ProfileFolder(tmp_path), None) or ""
    used = {name for name in VARIABLES if f"{{{{{name}}}}}" in text}
    assert used == set(VARIABLES) - {"memory_context"}
    assert text.count("{{") == len(used)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('greeting_returning = "Hello {nmae}!"', ["{nmae} in greeting_returning (is it {name}?)"]),
        ('greeting_returning = "Hello { name }!"', ["{ name } in greeting_returning (is it {name}?)"]),
        ('greeting_returning = "Hello {{name}}!"', ["{{name}} in greeting_returning (is it {name}?)"]),
        ('greeting_new = "{zzz}"', ["{zzz} in greeting_new"]),
        ('[greetings.es]\nnew = "Hola {{caler_name}}"', ["{{caler_name}} in greetings.es.new (is it {{caller_name}}?)"]),
        ('prompt = "{{memory_contxt}} {{memory_contxt}}"', ["{{memory_contxt}} in prompt (is it {{memory_context}}?)"]),
        ('prompt = "{{ shp }}"\n[variables]\nshop = "x"', ["{{ shp }} in prompt (is it {{shop}}?)"]),
        ('prompt = "You speak with {name}, {caller_id}."', ["{name} in prompt (is it {{caller_name}}?)", "{caller_id} in prompt (is it {{caller_id}}?)"]),
        ('prompt = "Answer {answer} or {\\"a\\": 1}, {{{x}}}"', []),
        ('prompt = "{{system__time_utc}} {{ caller_name }} {{shop}} {{sip_x}}"\n[variables]\nshop = "x"', []),
        ('greeting_preference = "{name}, {preference}, {{caller_name}}"', []),
    ],
)
def test_placeholders_that_nothing_fills_are_told_with_the_nearest(tmp_path: Path, text: str, told: list[str]) -> None:
    write(tmp_path, "agent_1", text)
    profiles = ProfileFolder(tmp_path, "none")
    assert list(profiles.unfilled) == [f"agent_1.toml: {line}" for line in told]
    assert profiles.profile("agent_1") is not None


def test_a_variable_that_nobody_gives_is_sent_empty_so_that_no_platform_ends_the_call(tmp_path: Path) -> None:
    words = 'prompt = "{{x}} {{shop}} {{ y }} {{system__time}} {{caller_id}} {z}"\ngreeting_new = "{{x}}"\n[variables]\nshop = "Main"'
    write(tmp_path, "agent_1", words)
    profile = ProfileFolder(tmp_path, "none").profile("agent_1")
    assert profile and profile.variables == {"x": "", "y": "", "shop": "Main"}


def test_the_memoir_profile_has_no_placeholder_that_nothing_fills(tmp_path: Path) -> None:
    memoir = ProfileFolder(tmp_path).profile("agent_1")
    assert memoir and unknown_placeholders(memoir) == ()
