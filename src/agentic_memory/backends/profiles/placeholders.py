"""Placeholders in a profile's words that nothing will fill: found when it is read, told where somebody looks."""

import re
from collections.abc import Iterator, Mapping
from difflib import get_close_matches

from agentic_memory.domain.greeting import GREETING_KINDS
from agentic_memory.domain.initiation import VARIABLES, Profile

IN_GREETINGS = ("name", "preference")
"""What we fill ourselves, in single braces."""

_BRACED = re.compile(r"(?<!\{)(\{\{?)([ \t]*[A-Za-z_]\w*[ \t]*)(\}\}?)(?!\})")
_FILLED_ELSEWHERE = ("system__", "secret__", "sip_")
"""Variables of the platform, of headers, and of a telephone line's own headers."""
_LIKENESS = 0.5


def unknown_placeholders(profile: Profile) -> tuple[str, ...]:
    """Each placeholder that will not be filled, where it stands, and the nearest that would be: a line each."""
    lines = [
        f"{placeholder} in {where}" + (f" (is it {nearest}?)" if nearest else "")
        for where, text in _texts(profile)
        for placeholder, nearest in _unknown(text, profile, is_greeting=where != "prompt")
    ]
    return tuple(dict.fromkeys(lines))


def missing_variables(profile: Profile) -> tuple[str, ...]:
    """The names in double braces that nobody gives a value."""
    found = (b for _, text in _texts(profile) for b in _BRACED.findall(text))
    names = (inside.strip() for opening, inside, closing in found if len(opening) == len(closing) == 2)
    return tuple(n for n in dict.fromkeys(names) if not _is_filled(n, 2, profile, is_greeting=False))


def _texts(profile: Profile) -> Iterator[tuple[str, str]]:
    yield "prompt", profile.prompt
    for kind in GREETING_KINDS:
        yield f"greeting_{kind}", getattr(profile, f"greeting_{kind}")
    for tag, words in profile.greetings.items():
        for kind, text in words.items():
            yield f"greetings.{tag}.{kind}", text


def _unknown(text: str, profile: Profile, *, is_greeting: bool) -> Iterator[tuple[str, str]]:
    variables = {name: f"{{{{{name}}}}}" for name in (*VARIABLES, *profile.variables)}
    ours = {name: f"{{{name}}}" for name in IN_GREETINGS} if is_greeting else {"name": "{{caller_name}}"}
    fit: Mapping[str, str] = {**variables, **ours}
    for opening, inside, closing in _BRACED.findall(text):
        name = inside.strip()
        if len(opening) != len(closing) or _is_filled(inside, len(opening), profile, is_greeting=is_greeting):
            continue
        # A prompt may hold braces of its own, as in an example of JSON: only what names ours is meant for us.
        if is_greeting or len(opening) > 1 or name in fit:
            nearest = get_close_matches(name, fit, 1, _LIKENESS)
            yield f"{opening}{inside}{closing}", fit[nearest[0]] if nearest else ""


def _is_filled(inside: str, braces: int, profile: Profile, *, is_greeting: bool) -> bool:
    name = inside.strip()
    if braces == 1:
        return is_greeting and inside in IN_GREETINGS
    return name in VARIABLES or name in profile.variables or name.startswith(_FILLED_ELSEWHERE)
