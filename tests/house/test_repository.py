"""What must not stand in any file: a stranger's telephone number, one machine's paths, a package index."""

import re

import pytest

from tests.house.source import ROOT, files, texts

# Numbers that reach nobody. North America: the area code 555 is not assigned, and of every area code
# 555-0100 to 555-0199 is kept for fiction (https://nationalnanpa.com/number_resource_info/555_numbers.html).
# Great Britain: 07700 900xxx, 020 7946 0xxx (Ofcom, "Numbers for drama use"). Germany: 030 23125 xxx,
# 0171 39200xx (Bundesnetzagentur, "Drama-Nummern"). France: 01 99 00 xx xx, 06 39 98 xx xx (Arcep).
RESERVED = re.compile(
    r"\+1555\d{7}|\+1\d{3}55501\d{2}"
    r"|\+447700900\d{3}|\+442079460\d{3}"
    r"|\+493023125\d{3}|\+4917139200\d{2}"
    r"|\+33(?:19900|63998)\d{4}"
    r"|\+1\d{6,9}"  # too short to reach anybody
)
PLACEHOLDERS = {
    "+266696687",  # ANONYMOUS on the keypad: what Twilio sends for a withheld number
    "+7378742833",  # RESTRICTED
    "+2562533",  # BLOCKED
    "+8656696",  # UNKNOWN
    "+86282452253",  # UNAVAILABLE
}
NUMBER = re.compile(r"(?<![\w.+])\+[1-9]\d{6,14}(?!\d)")

MACHINE = re.compile(r"(?<![\w./~}])/(?:work|root|home|Users)/\w")
# Composed, so that this file does not hold them.
INDEX = re.compile(
    "|".join(("pypi" r"\.org", "python" "hosted", "npm" r"js\.(?:org|com)", "(?<!emit-)index" "-url", "(?<!emit-)find" "-links", "artifact" "ory"))
)


def _numbers(text: str) -> set[str]:
    found = set(NUMBER.findall(text)) - PLACEHOLDERS
    return {number for number in found if not RESERVED.fullmatch(number)}


@pytest.mark.parametrize("number", ["+34612345678", "+12125550199x", "+14155552671", "+447911123456"])
def test_a_number_that_may_be_somebodys_is_seen(number: str) -> None:
    expected = set() if number.endswith("x") else {number}
    assert _numbers(f"call {number.rstrip('x')} now") == expected


def test_only_reserved_telephone_numbers_are_used() -> None:
    found = {
        path: numbers
        for path, text in texts().items()
        if not path.startswith("tests/house/") and (numbers := _numbers(text))
    }
    assert not found, found


def test_no_file_names_a_path_of_one_machine() -> None:
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if MACHINE.search(line)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("line", ["pip install --index" "-url https://x", "see pypi" ".org"])
def test_a_package_index_is_seen(line: str) -> None:
    assert INDEX.search(line)
    assert not INDEX.search("uv pip compile --no-emit-index" "-url --no-emit-find" "-links")


def test_no_file_names_a_package_index() -> None:
    found = [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in texts().items()
        for number, line in enumerate(text.splitlines(), 1)
        if INDEX.search(line)
    ]
    assert not found, "\n".join(found)


def test_requirements_are_pinned_with_hashes() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        text = path.read_text("utf-8").replace("\\\n", " ")
        for line in filter(None, (line.strip() for line in text.splitlines())):
            assert line.startswith("#") or ("==" in line and "--hash=sha256:" in line), line


def test_no_secret_or_data_is_in_the_repository() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in files()]
    kept = [n for n in names if n.endswith((".env", ".db", ".db-wal", ".pem", ".key", ".mp3"))]
    assert not kept, kept
