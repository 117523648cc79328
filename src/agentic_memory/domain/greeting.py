"""The first words an agent says, from its profile's templates and what the brief knows."""

import re
import unicodedata

from agentic_memory.domain.briefing import Brief, primary_tag
from agentic_memory.domain.initiation import Profile
from agentic_memory.domain.neutral import neutral
from agentic_memory.domain.preference import said_in

GREETING_KINDS = ("new", "returning", "preference", "nameless")
NAME_LIMIT = 40
_PREFERENCE_LIMIT = 60

# Not within double braces: those are the platform's variables and stay.
_PLACEHOLDER = re.compile(r"(?<!\{)\{(name|preference)\}(?!\})")
_NAME_MARKS = frozenset(" .'\u2019-\u00b7")
_TITLES = frozenset(
    re.findall(r"\w+", "mr mrs ms miss dr doctor prof professor sir señor señora señorita sr sra srta don doña dra herr frau")
)
# Given names of two words, by their first word; after these, "de", "del", "de los" continue the name too.
_COMPOUNDS = {
    "maría": frozenset(re.findall(r"\w+", "josé jesús luisa elena teresa isabel fernanda eugenia paz victoria cruz josefa")),
    "josé": frozenset(re.findall(r"\w+", "maría luis antonio manuel miguel ángel carlos ramón javier ignacio")),
    "juan": frozenset(re.findall(r"\w+", "carlos pablo josé antonio manuel luis miguel francisco diego ignacio")),
    "ana": frozenset(re.findall(r"\w+", "maría belén isabel luisa paula sofía lucía")),
    "luis": frozenset(re.findall(r"\w+", "miguel alberto fernando enrique antonio")),
    "miguel": frozenset(re.findall(r"\w+", "ángel antonio")),
    "mary": frozenset(re.findall(r"\w+", "ann anne jane jo lou beth ellen kate")),
    "jean": frozenset(re.findall(r"\w+", "paul pierre luc marc claude jacques")),
    "anna": frozenset(re.findall(r"\w+", "maria lena sophie")),
}
_PARTICLES = frozenset({"de", "del", "la", "las", "los"})


def greeting(profile: Profile, brief: Brief | None, language: str = "") -> str:
    """What the agent says first; empty where the profile has no words for it.

    `language` is a primary tag; empty, or one the profile has no greeting in: the profile's own. The
    name is said in a given name's length, and a preference only in the language of the greeting.
    """
    base = base_language(profile)
    name = spoken_name(brief.caller_name) if brief else ""
    for spoken in dict.fromkeys((primary_tag(language) or base, base)):
        preference = _preference(brief, spoken)
        for kind in _kinds(brief, name):
            template = _template(profile, kind, spoken)
            if template and (preference or kind != "preference"):
                return _filled(template, name, preference)
    return ""


def language_override(profile: Profile, brief: Brief | None) -> str | None:
    """The language the call is to be held in, as the profile spells it; None leaves the agent's own.

    A fixed language of the profile is always asked for. Else the caller's, where the profile lists it
    and it is not the one the agent speaks anyway: an override that changes nothing only risks a refusal.
    """
    if profile.language:
        return profile.language
    wanted = brief.language if brief else ""
    if not wanted or wanted == base_language(profile):
        return None
    return next((tag for tag in profile.languages if primary_tag(tag) == wanted), None)


def base_language(profile: Profile) -> str:
    """The primary tag of the language that the agent speaks unless told otherwise."""
    first = profile.language or next(iter(profile.languages), "")
    return primary_tag(first) or "en"


def spoken_name(display_name: str) -> str:
    """How a greeting addresses a person: the given name, or the whole name after a title.

    "Omar Castell" is Omar, "María José Ruiz" is María José, "Dr. Brown" stays Dr. Brown. Empty for
    what is no name: with digits or signs in it, or too long to be said.
    """
    words = neutral(display_name, 4 * NAME_LIMIT).split()
    if not words:
        return ""
    name = " ".join(words if _bare(words[0]) in _TITLES else words[: _given_length(words)])
    return name if len(name) <= NAME_LIMIT and _is_name(name) else ""


def _is_name(text: str) -> bool:
    """Letters of any script with their marks, and the signs that stand in names."""
    return text[0].isalpha() and all(c in _NAME_MARKS or unicodedata.category(c)[0] in "LM" for c in text)


def _bare(word: str) -> str:
    return word.lower().rstrip(".,")


def _given_length(words: list[str]) -> int:
    """How many of the words make the given name."""
    seconds = _COMPOUNDS.get(_bare(words[0]))
    if seconds is None or len(words) < 2:
        return 1
    particles = 1
    while particles < len(words) - 1 and _bare(words[particles]) in _PARTICLES:
        particles += 1
    if particles > 1:
        return particles + 1
    return 2 if _bare(words[1]) in seconds else 1


def _kinds(brief: Brief | None, name: str) -> tuple[str, ...]:
    """The kinds of greeting that fit, best first."""
    if name:
        return ("preference", "returning", "nameless")
    if brief is not None and brief.memory_count > 0:
        return ("nameless",)
    return ("new",)


def _template(profile: Profile, kind: str, language: str) -> str:
    for tag, words in profile.greetings.items():
        if primary_tag(tag) == language and words.get(kind):
            return words[kind]
    own: str = getattr(profile, f"greeting_{kind}")
    return own if language == base_language(profile) else ""


def _preference(brief: Brief | None, language: str) -> str:
    if brief is None:
        return ""
    phrase = said_in(brief.greeting_preference, brief.greeting_preference_language or "en", language)
    return neutral(phrase, _PREFERENCE_LIMIT)


def _filled(template: str, name: str, preference: str) -> str:
    """The template with both words put in; what they contain is not looked at again."""
    words = {"name": name, "preference": preference}
    return _PLACEHOLDER.sub(lambda match: words[match[1]], template)
