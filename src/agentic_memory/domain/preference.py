"""Which preference of a caller may be said aloud in a greeting, and in which words."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from agentic_memory.domain.memory import Category, Memory, Sensitivity
from agentic_memory.domain.neutral import neutral
from agentic_memory.domain.sensitivity import sensitivity

MAX_WORDS = 6
MAX_CHARS = 60
CONTACT_SLOT = "preferred_contact"

CHANNELS: Mapping[str, Mapping[str, str]] = {
    "email": {"en": "email updates", "es": "el correo electrónico"},
    "phone": {"en": "phone calls", "es": "las llamadas telefónicas"},
    "text": {"en": "text messages", "es": "los mensajes de texto"},
    "whatsapp": {"en": "WhatsApp messages", "es": "los mensajes de WhatsApp"},
    "letter": {"en": "letters by post", "es": "las cartas por correo postal"},
}
"""Ways to reach a person, as a greeting says them, by language."""

_CHANNEL_WORDS = {
    "letter": re.compile(r"\b(?:letters?|post|postal (?:mail|letters?)|cartas?|correo postal)\b"),
    "email": re.compile(r"\b(?:emails?(?! (?:address|account))|correos?(?: electronicos?)?)\b"),
    "whatsapp": re.compile(r"\bwhats ?app\b"),
    "text": re.compile(r"\b(?:sms|texts?|text messages?|texting|mensajes? de texto)\b"),
    "phone": re.compile(
        r"\b(?:(?:tele)?phone(?: calls?)?|calls|calling|a call|(?:being|be) called|call me"
        r"|llamadas?(?: telefonicas?| de telefono)?|telefono)\b"
    ),
}
_FILLERS = frozenset(
    re.findall(
        r"\w+",
        """a an the by via through over on per to for be being receive receiving get getting have having
        contact contacted contacting communication communications reach reached update updates message
        messages news notification notifications
        que se le me nos por para el la los las un una recibir mensaje mensajes contacten contacte
        escriban escriba aviso avisos noticias comunicacion contacto""",
    )
)
_VERB = (
    r"(?:(?:i(?:['\u2019]d| would)? |(?:the )?(?:user|caller|customer|client|NAME) )?prefers?"
    r"|(?:yo |(?:el |la )?(?:user|caller|usuario|usuaria|cliente|NAME) )?(?P<spanish>prefiere|prefiero))"
)
_INSTEAD = re.compile(
    r"(?:\s+(?:over|rather than|instead of|than|(?:en|a) (?:lugar|vez) de|antes que|y no|and not)\s.*"
    r"|,? (?:please|thanks|thank you|por favor|gracias))$",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|no|never|without|\w+n['\u2019]t|nothing|none|nunca|sin|nada|ningun\w*|tampoco)\b", re.IGNORECASE
)
# Of liking and wanting alone: "the old address no longer works" refuses nothing.
_REFUSAL = re.compile(
    r"\b(?:dislikes?|hates?|detests?|refuses?|unsubscribe[ds]?|stop(?:s|ped)?|odia|odio|detesta|detesto"
    r"|(?:not|never|no longer|\w+n['\u2019]t) (?:\w+ ){0,2}?(?:want|like|prefer|wish)(?:s|es)?"
    r"|prefers? (?:not|no|never)|prefiere no|prefiero no"
    r"|(?:not|never|no|no more|\w+n['\u2019]t)(?: be)?(?= (?:e-?mail|call|phone|text|sms|whatsapp|letter|messages?\b|contact))"
    r"|no (?:le |me )?(?:gustan?|quiere|quiero|desea|deseo))\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.;,!?]\s|\s(?:and|but|while|y|pero|sino)\s", re.IGNORECASE)
# A greeting speaks to whoever picks up: it says ways and times of contact and languages, and nothing
# else that somebody once preferred ("talking to a human", "beer").
_SAYABLE = frozenset(
    re.findall(
        r"\w+",
        """morning mornings afternoon afternoons evening evenings night nights noon midday weekend weekends weekday
        weekdays monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays thursdays
        fridays saturdays sundays early late
        manana mananas tarde tardes noche noches mediodia fin fines semana lunes martes miercoles jueves viernes
        sabado sabados domingo domingos
        english spanish french german italian portuguese catalan arabic chinese mandarin hindi russian polish dutch
        japanese korean turkish
        ingles espanol castellano frances aleman italiano portugues arabe chino ruso""",
    )
)
_BESIDES = _FILLERS | frozenset(
    re.findall(
        r"\w+",
        """call calls called calling phone phoned appointment appointments speak speaking talk in at during or and of
        hablar hablen hable llamar llamada llamadas llamen llame citas cita telefono en de y o durante""",
    )
)
_EVERY_WAY = re.compile(r"\b(?:messages?|contact(?:ed|ing)?|communications?|notifications?|mensajes?|contact[ae]\w*)\b", re.IGNORECASE)
_SPANISH = re.compile(
    r"[ñ¿¡]|\b(?:el|la|los|las|por|con|del|que|en|de|una?|se|le|al|para|mañanas?|tardes?|correo|llamadas?|mensajes?)\b",
    re.IGNORECASE,
)
_ACCENTS = str.maketrans("áéíóúü", "aeiouu")
_E_MAIL = re.compile(r"\be[-\u2010\u2011 ]mail", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Preference:
    """A preference in words that a greeting can say: "I know you prefer ..."."""

    phrase: str
    language: str
    """Of the phrase; a phrase for a channel is kept in English and can be said in every greeting."""


def preference_aloud(memories: Iterable[Memory], name: str) -> Preference | None:
    """The newest preference among current `memories` that may be said to whoever picks up.

    Sensitive, negated, long, or indiscreet ones are passed over, and so is one that a later memory
    (or one of the same call) contradicts. A way of contact gives way to any newer one.
    """
    newest_first = sorted(memories, key=_recency, reverse=True)
    refused = [(_recency(m)[0], clause) for m in newest_first for clause in _refusals(m)]
    prefers = _prefers(name)
    contact_known = False
    for memory in newest_first:
        stated = _stated(memory, prefers)
        if not stated.phrase:
            continue
        contact = bool(_channels(stated.phrase)) or memory.slot == CONTACT_SLOT
        if contact and contact_known:
            continue
        contact_known = contact_known or contact
        aloud = _aloud(memory, stated)
        if aloud and not _contradicted(aloud.phrase, _recency(memory)[0], refused):
            return aloud
    return None


def said_in(phrase: str, phrase_language: str, language: str) -> str:
    """The phrase as a greeting in `language` says it; empty where it cannot be said in that language."""
    for words in CHANNELS.values():
        if phrase == words["en"]:
            return words.get(language, "")
    return phrase if phrase_language == language else ""


def _recency(memory: Memory) -> tuple[float, float, str]:
    return max(memory.created_at, memory.valid_from), memory.importance, memory.id


def _prefers(name: str) -> re.Pattern[str]:
    """What states a preference of the caller, who may be spoken of by name."""
    names = [re.escape(part) for part in (name, name.split(" ")[0]) if part]
    return re.compile(_VERB.replace("NAME", "|".join(names) or "user") + " (?P<what>.+)", re.IGNORECASE)


def _stated(memory: Memory, prefers: re.Pattern[str]) -> Preference:
    """What the memory says is preferred; an empty phrase where it states no preference."""
    slot = memory.slot or ""
    if slot == CONTACT_SLOT and memory.value:
        return Preference(_folded_mail(neutral(memory.value)), memory.language or "en")
    of_interest = memory.category in {Category.PREFERENCE, Category.SUMMARY} or slot == CONTACT_SLOT
    if not of_interest or "language" in slot or "name" in slot:
        return Preference("", "")
    found = prefers.fullmatch(neutral(memory.text).rstrip(" .!"))
    if found is None:
        return Preference("", "")
    phrase = _INSTEAD.sub("", _folded_mail(found["what"]))
    return Preference(phrase, "es" if found["spanish"] else _language(memory, phrase))


def _language(memory: Memory, phrase: str) -> str:
    """What was said in a turn is in the memory's language; what a platform reports is English by default."""
    if _SPANISH.search(phrase):
        return "es"
    spoken = bool(memory.evidence) and memory.evidence[0].turn is not None
    return (memory.language if spoken else None) or "en"


def _folded_mail(text: str) -> str:
    return _E_MAIL.sub("email", text)


def _folded(text: str) -> str:
    return _folded_mail(text).lower().translate(_ACCENTS)


def _channels(text: str) -> frozenset[str]:
    """The ways to reach a person that the text speaks of."""
    found, rest = set(), _folded(text)
    for channel, words in _CHANNEL_WORDS.items():
        rest, count = words.subn(" ", rest)
        if count:
            found.add(channel)
    return frozenset(found)


def _only_channel(phrase: str) -> bool:
    """Whether the phrase names ways of contact and says nothing else."""
    rest = _folded(phrase)
    for words in _CHANNEL_WORDS.values():
        rest = words.sub(" ", rest)
    return all(word in _FILLERS for word in rest.split())


def _aloud(memory: Memory, stated: Preference) -> Preference | None:
    """The preference as a greeting may say it; None for what it may not say."""
    phrase, channels = stated.phrase, _channels(stated.phrase)
    sensitive = Sensitivity.SENSITIVE in {memory.sensitivity, sensitivity(phrase)}
    if sensitive or _NEGATION.search(phrase):
        return None
    if len(channels) == 1 and (memory.slot == CONTACT_SLOT or _only_channel(phrase)):
        return Preference(CHANNELS[next(iter(channels))]["en"], "en")
    short = len(phrase) <= MAX_CHARS and len(phrase.split()) <= MAX_WORDS
    return stated if short and memory.slot != CONTACT_SLOT and _is_sayable(phrase) else None


def _is_sayable(phrase: str) -> bool:
    """Whether the phrase speaks of call times or languages alone."""
    words = _folded(phrase).split()
    return any(word in _SAYABLE for word in words) and all(word in _SAYABLE | _BESIDES for word in words)


def _refusals(memory: Memory) -> list[str]:
    """The clauses that say what is not liked or not wanted, from the refusal on."""
    if memory.category is Category.DISLIKE:
        return [memory.text]
    if _REFUSAL.search(memory.text) is None:
        return []
    clauses = _CLAUSE.split(neutral(memory.text, 1000))
    return [clause[found.start() :] for clause in clauses if (found := _REFUSAL.search(clause))]


def _contradicted(phrase: str, at: float, refused: Sequence[tuple[float, str]]) -> bool:
    channels, words = _channels(phrase), _content(phrase)
    for refused_at, clause in refused:
        if refused_at < at:
            continue
        ways = _channels(clause)
        if channels & ways or (channels and not ways and _EVERY_WAY.search(clause)) or (not channels and words & _content(clause)):
            return True
    return False


def _content(text: str) -> frozenset[str]:
    words = re.findall(r"\w{4,}", _folded(text))
    return frozenset(word.removesuffix("s") for word in words if word not in _FILLERS)
