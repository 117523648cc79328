import dataclasses
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agentic_memory.errors import SettingsError
from agentic_memory.settings import (
    BY_NAME,
    SETTINGS,
    Keys,
    Setting,
    Settings,
    read,
    unknown_in_words,
    unknown_names,
)

SECRET = "wsec_do-not-show-me"
SECRETS = [setting.name for setting in SETTINGS if setting.secret]


def settings(tmp_path: Path, **environment: str) -> Settings:
    return read(environment, folder=tmp_path)


def test_everything_has_a_default(tmp_path: Path) -> None:
    found = settings(tmp_path)
    assert found.host == "127.0.0.1"
    assert found.port == 8000
    assert found.data_dir == Path("data")
    assert found.mem0_search_limit == 3
    assert found.mem0_timeout == 5.0
    assert found.retrieve_auth == "none"
    assert found.post_call_reject_status == 200
    assert found.elevenlabs_hmac_key == ()
    assert found.worker is True


def test_the_environment_is_read(tmp_path: Path) -> None:
    assert settings(tmp_path, PORT="9000", WORKER="off").port == 9000
    assert settings(tmp_path, WORKER="off").worker is False


def test_a_dotenv_file_is_read(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text('PORT=9100\nADMIN_KEY="one,two"\nLOG_LEVEL=debug\n')
    found = settings(tmp_path)
    assert (found.port, found.log_level) == (9100, "DEBUG")
    assert found.admin_key == ("one", "two")


def test_names_that_mean_nothing_are_told_with_the_nearest(tmp_path: Path) -> None:
    assert unknown_names(tmp_path) == ()
    lines = ["PORT=1", "ADMIN_KEY_FILE=x", "PORT_FILE=x", "EMBEDER=usem3", "a-lower-case=1", "NOVALUE", f"XYZZY={SECRET}"]
    (tmp_path / ".env").write_text("\n".join(lines))
    found = unknown_names(tmp_path)
    assert found == (("PORT_FILE", "PORT"), ("EMBEDER", "EMBEDDER"), ("XYZZY", ""))
    assert unknown_in_words(found) == ".env sets what no setting is called: PORT_FILE (is it PORT?), EMBEDER (is it EMBEDDER?), XYZZY."
    assert unknown_in_words(()) == ""


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9100\n")
    assert settings(tmp_path, PORT="9200").port == 9200


def test_the_command_line_wins_over_all(tmp_path: Path) -> None:
    assert read({"PORT": "9200"}, folder=tmp_path, port="9300").port == 9300


def test_an_empty_value_is_no_value(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("PORT=9100\n")
    assert settings(tmp_path, PORT="").port == 9100


def test_a_dollar_in_a_dotenv_file_stays_a_dollar(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("ADMIN_KEY=a${HOME}b\n")
    assert settings(tmp_path).admin_key == ("a${HOME}b",)


@pytest.mark.parametrize("name", SECRETS)
def test_a_key_may_come_from_a_file(tmp_path: Path, name: str) -> None:
    (tmp_path / "key").write_text(f"{SECRET}\n")
    found = settings(tmp_path, **{f"{name}_FILE": str(tmp_path / "key")})
    assert getattr(found, name.lower()) == (SECRET,)


def test_one_key_a_line_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("new\nold\n")
    assert settings(tmp_path, ADMIN_KEY_FILE=str(tmp_path / "keys")).admin_key == ("new", "old")


def test_what_is_no_key_does_not_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "port").write_text("9000")
    assert settings(tmp_path, PORT_FILE=str(tmp_path / "port")).port == 8000


def test_a_key_file_that_cannot_be_read_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"ADMIN_KEY_FILE: cannot be read .*FileNotFoundError"):
        settings(tmp_path, ADMIN_KEY_FILE=str(tmp_path / "none"))


WRONG = {
    "PORT": ("lots", "70000", "-1", "8000.5"),
    "MEMORY_BACKEND": ("redis",),
    "RETRIEVE_AUTH": ("maybe",),
    "PROMPT_OVERRIDE": ("replace",),
    "POST_CALL_REJECT_STATUS": ("500", "no"),
    "CLIENT_DATA_TIMEOUT": ("soon", "0", "11"),
    "MEM0_SEARCH_LIMIT": ("0", "51"),
    "LOG_LEVEL": ("LOUD",),
    "WORKER": ("perhaps",),
    "EMBEDDER": ("word2vec",),
    "MAX_TURNS": ("0",),
    "SIGNATURE_TOLERANCE": ("nan", "inf"),
}


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in WRONG.items() for v in values])
def test_a_wrong_value_is_named_with_an_example(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as caught:
        settings(tmp_path, **{name: value})
    message = caught.value.message
    assert message.startswith(f"{name}: ")
    assert repr(value)[1:-1] in message
    assert message.endswith(f"Example: {name}={BY_NAME[name].example}")
    assert "\n" not in message


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_every_example_is_a_good_value(tmp_path: Path, setting: Setting) -> None:
    found = settings(tmp_path, **{setting.name: setting.example})
    assert setting.parse(setting.example) == getattr(found, setting.attribute)


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.name)
def test_every_setting_says_what_it_is_for(setting: Setting) -> None:
    assert setting.help.endswith(".")
    assert setting.example


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_never_shown(tmp_path: Path, name: str) -> None:
    found = settings(tmp_path, **{name: f"{SECRET},second"})
    keys = getattr(found, name.lower())
    shown = (repr(found), str(found), f"{found}", repr(keys), str(keys), f"{keys}", f"{keys!s:>20}", f"{[keys]}")
    assert not any(SECRET in text for text in shown)
    assert repr(keys) == "<2 keys>"


def test_keys_survive_a_copy_unseen(tmp_path: Path) -> None:
    found = settings(tmp_path, ADMIN_KEY=SECRET)
    assert repr(dataclasses.replace(found, port=1).admin_key) == "<1 key>"
    assert SECRET not in repr(found.problem("ADMIN_KEY", "is too short"))


@given(st.text(alphabet=st.characters(exclude_characters="\n,", exclude_categories=("Cs",)), max_size=30))
def test_a_key_is_taken_as_it_stands_but_for_space_around_it(text: str) -> None:
    keys = BY_NAME["ADMIN_KEY"].parse(text)
    assert isinstance(keys, Keys)
    assert tuple(keys) == ((text.strip(),) if text.strip() else ())


@given(st.sampled_from(SETTINGS), st.text(max_size=40))
def test_a_parser_gives_a_value_or_says_what_is_wrong(setting: Setting, text: str) -> None:
    try:
        setting.parse(text)
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("127.0.0.1", True), ("127.0.0.9", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("10.0.0.1", False), ("127.example.com", False)],
)
def test_which_addresses_are_this_machine_alone(tmp_path: Path, host: str, loopback: bool) -> None:
    assert settings(tmp_path, HOST=host).is_loopback is loopback


@pytest.mark.parametrize(
    ("name", "value", "problem"),
    [
        ("OWN_NUMBERS", "hello", "'hello' has 'hello', which is no telephone number"),
        ("OWN_NUMBERS", "+15550199000,x", "which is no telephone number"),
        ("DATA_DIR", "~0", "begins with the home folder of a user that this machine does not know"),
        ("DEFAULT_REGION", "USA", "is not a two-letter country"),
        ("MEMORY_BACKEND", "foo", "is not one of (empty), engine, mem0"),
    ],
)
def test_what_cannot_be_meant_stops_the_start(tmp_path: Path, name: str, value: str, problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read({name: value}, folder=tmp_path)
    assert caught.value.message.startswith(f"{name}: ")
    assert problem in caught.value.message
