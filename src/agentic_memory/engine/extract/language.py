"""Languages: guessed for one turn from its small words, and read from what a form says."""

import re

from agentic_memory.domain.wording import word_set

_SMALL = {
    "en": word_set(
        "the and is are was i you my to of in it that for on with this have do not what be at your me we "
        "i'm don't it's can would like from want yes please"
    ),
    "es": word_set(
        "el la los las y es son era yo tú usted mi de en que lo para con por no me se un una su sí tengo "
        "quiero soy está estoy muy pero como del al qué gracias hola le te"
    ),
}
_NAMES = {
    "english": "en", "inglés": "en", "ingles": "en", "spanish": "es", "español": "es", "espanol": "es",
    "castellano": "es", "french": "fr", "français": "fr", "francés": "fr", "german": "de", "deutsch": "de",
    "alemán": "de", "italian": "it", "italiano": "it", "portuguese": "pt", "português": "pt", "portugués": "pt",
    "catalan": "ca", "català": "ca", "catalán": "ca", "dutch": "nl", "nederlands": "nl", "polish": "pl",
    "russian": "ru", "chinese": "zh", "mandarin": "zh", "japanese": "ja", "korean": "ko", "arabic": "ar",
    "hindi": "hi", "turkish": "tr", "thai": "th",
}  # fmt: skip
_TAG = re.compile(r"([a-z]{2,3})(?:[-_][a-z0-9]{2,8})*", re.IGNORECASE)


def language_of(text: str, default: str | None) -> str | None:
    """`en` or `es` where one of them has the clear majority of small words, else `default`."""
    words = re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower()[:2_000])
    votes = {tag: sum(word in small for word in words) for tag, small in _SMALL.items()}
    first, second = sorted(votes, key=lambda tag: -votes[tag])
    return first if votes[first] > votes[second] else default


_WISHED = re.compile(
    r"(?:(?:to |que )?(?:me |le |nos )?(?:speak|talk|speaking|talking|hablar(?:lo|me|le)?|hablen?|atiendan?|be spoken to|be served|comunicarme|comunicarse)"
    r"(?: (?:to me|with me|conmigo))?\s+)?(?:in |en (?:el )?|el )?(?P<tongue>[^\W\d]+)(?: please| por favor| instead)?",
    re.IGNORECASE,
)


def wished_language(words: str) -> str | None:
    """The tag of the language that these words ask to be spoken: "to speak Spanish", "hablar en español"."""
    wish = _WISHED.fullmatch(words.strip())
    return _NAMES.get(wish["tongue"].lower()) if wish else None


def language_tag(value: str) -> str | None:
    """The primary tag of a language named in English or its own words, or given as a tag; None if unknown."""
    named = {_NAMES[w] for w in re.findall(r"[^\W\d_]+", value.lower()) if w in _NAMES}
    if len(named) == 1:
        return named.pop()
    tag = _TAG.fullmatch(value.strip())
    return tag[1].lower() if tag and tag[1].lower() in set(_NAMES.values()) else None
