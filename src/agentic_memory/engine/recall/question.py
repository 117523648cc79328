"""What a query asks: about whom, when, and in which words it is best looked for."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from agentic_memory.engine.recall.dates import Window, windows
from agentic_memory.engine.recall.words import STOPWORDS, content_words, fold, languages

MAX_CHARS = 1000
"""More of a query than this is not read."""
_ROLES = (
    r"caller|user|customer|client|patient|guest|client[ae]|usuari[oa]|paciente|llamante|"
    r"kund(?:e|in|en)|anrufer(?:in)?|patientin|appelante?"
)
_THE_CALLER = re.compile(rf"(?:^|\b(?:the|this|our|el|la|del|al|der|die|dem|den|des|le|du|au|unser[em]?|notre)\s+|\bl')({_ROLES})\b")
_FIRST = re.compile(r"\b(?:i|my|mine|i'm|i've|i'd|mi|mis|yo|ich|mein\w*|mir|mich|je|j'\w+|mon|ma)\b")
_SECOND = re.compile(r"\b(?:did|do|have|were|are|would)\s+you\b|\byour\s+(?:advice|recommendation|suggestion)s?\b|\b(?:you)\s+(?:\w+\s+)?(?:recommend|suggest|advise|say|said|tell|told|mention|explain|offer|promise)\w*")
_TITLES_BEFORE = frozenset({"frau", "herr", "herrn", "madame", "monsieur", "senor", "senora", "don", "dona", "mr", "mrs", "ms", "miss", "dr"})
_AGENT_WORDS = frozenset({"agent", "assistant", "agente", "asistente", "assistent", "assistentin", "conseiller", "conseillere"})
_WHEN = re.compile(r"\b(?:when|what (?:date|day|time|month|year)|how long|which (?:day|month|year|date)|cuando|que (?:dia|fecha|mes|ano|hora)|dates?|fechas?|datum|since when|desde cuando|cuanto tiempo|"
    r"wann|welche[mnrs]? (?:tag|datum|monat|jahr)|wie (?:lange|spat)|um wieviel uhr|um wie viel uhr|quand|combien de temps|"
    r"quel(?:le)? (?:jour|date|heure|mois|annee))\b")
_NUMBER = re.compile(r"\b(?:how (?:many|much|often|old|long|far|big|tall)|cuant[oa]s?|number|price|cost|phone|numero|precio|edad|"
    r"wie ?viele?|wie (?:alt|hoch|gross|oft|weit|lange|teuer)|nummer|preis|kosten|(?:ge)?kostete?n?|betrag|importe|monto|amount|montant|combien|prix|coute\w*|quel age)\b")
_NAME = re.compile(r"\b(?:who|whom|whose|where|which|called|named?|title|quien(?:es)?|donde|cual(?:es)?|llama|nombre|wer|wem|wen|wessen|wo|wohin|woher|heisst|heissen|hiess|welche[mnrs]?|qui|ou|quel(?:le)?s?|nom|appelle\w*)\b")
_MONEY = re.compile(
    r"\b(?:how much|costs?|prices?|pay|pays|paid|payments?|fees?|charged?|charges|amount|budget|refund\w*|rent|salary|earns?|deposit|discount|"
    r"cuanto|cuesta|costo|costaba|precio|paga|pagar|pago|pagaba|importe|monto|presupuesto|tarifa|cuota|renta|alquiler|sueldo|fianza|"
    r"(?:ge)?koste[tn]?|kosten|preis|zahlt?|zahlen|bezahlt?|bezahlen|betrag|rate|miete|gehalt|anzahlung|wie ?viel|"
    r"combien|coute\w*|prix|paie|payer|paye|montant|tarif|loyer|acompte)\b"
)
_PROMISED = re.compile(
    r"\b(?:promise[ds]?|offer(?:ed|s)?|guaranteed?|prometi\w*|prometen?|ofreci\w*|ofrecen?|asegur(?:o|aron)|garantiz\w*|"
    r"versprochen|verspricht|versprach\w*|zugesagt|angeboten|zugesichert|promis|promet\w*|offert|propose|garanti)\b"
)
_ADVICE = re.compile(
    r"\b(?:suggest\w*|recommend\w*|should|can you|could you|help|would you|options?|tips|ideas|plan\w*|what are some|"
    r"how (?:to|can i|do i)|which|show me|looking|recomiend\w*|recomend\w*|suger\w*|sugier\w*|podrias?|puedes|deberia|debo|ayuda\w*|"
    r"empfehl\w*|empfiehl\w*|vorschl\w*|tipps?|sollte|conseill\w*|suggere\w*|propose\w*|devrais|dois)\b"
)
_BEFORE = re.compile(
    r"\b(?:before|previously|previous|formerly|former|used to|earlier|original(?:ly)?|old|at first|initially|antes|anterior(?:es|mente)?|antigu[oa]s?|previ[oa]s?|al principio|"
    r"fruher\w*|vorher\w*|ursprunglich\w*|zuerst|damals|vorig\w*|avant|ancien(?:ne)?s?|auparavant|d'abord|au depart|initialement)\b"
)


@dataclass(frozen=True, slots=True)
class Question:
    """A query, understood."""

    text: str
    dense: str
    """What is embedded: in the first person where it asks about the one who spoke."""
    terms: tuple[str, ...]
    """Folded content words, names of the two sides left out."""
    subject: str
    """`caller`, `agent` or empty: whose words are likely to hold the answer."""
    windows: tuple[Window, ...]
    at: float
    """When it is asked, in Unix seconds."""
    asks_when: bool
    asks_number: bool
    asks_name: bool
    is_bare: bool
    """Whether it is keywords: none of its words is empty, and none says what is asked."""
    asks_advice: bool
    asks_money: bool
    asks_now: bool
    """Whether the value that holds now is asked for: "where does she live now"."""
    asks_before: bool
    """Whether the value that held earlier is asked for: "where did she live before"."""


_NOW = re.compile(
    r"\b(?:now|nowadays|currently|current|at the moment|these days|latest|newest|most recent|still|ahora|actual(?:es|mente)?|hoy en dia|ultim[oa]s?|todavia|sigue|"
    r"jetzt|aktuell\w*|momentan|derzeit|inzwischen|mittlerweile|neueste\w*|noch|maintenant|actuel\w*|desormais|toujours|encore)\b"
)
_ASKS = {
    "asks_when": _WHEN,
    "asks_number": _NUMBER,
    "asks_name": _NAME,
    "asks_advice": _ADVICE,
    "asks_money": _MONEY,
    "asks_now": _NOW,
    "asks_before": _BEFORE,
}
_META = re.compile(
    r"\b(?:can|could|would|will) you (?:please )?(?:list|tell|show|give|remind|walk|help|explain|summari[sz]e|describe)(?: me| us)?(?: through| with| of)?\b"
    r"|\b(?:do|did|can) you (?:still )?(?:remember|recall|know)\b|\bplease\b|\bmention only[^.?!]*|\bremind me\b|\btell me\b"
    r"|\b(?:that |which )?(?:did )?(?:i|we) (?:have |had |ever )*(?:mention|bring up|brought up|talk(?:ed)? about|discuss(?:ed)?|sa(?:y|id)|t(?:ell|old)(?: you)?)(?:ed)?\b(?: about| that)?"
    r"|\b(?:in|throughout|across|during|over|from) (?:all )?(?:my|our) (?:\w+ )?(?:conversations?|chats?|sessions?|messages?|requests?|calls?|discussions?)\b"
    r"|\b(?:throughout|across) (?:conversations|chats|sessions|messages|calls)\b"
    r"|\b(?:the order in which|in (?:the )?order(?: how)?|different aspects(?: of)?|in order|(?:list|walk(?: me)? through) (?:the )?order)\b"
    r"|\b(?:mentioned|discussed|talked about|brought up)\b"
    r"|\b(?:puedes|podria[s]?|puede) (?:decirme|recordarme|explicarme|darme)\b|\b(?:recuerdas?|sabes?) (?:si|que|cual|cuando)?\b|\bpor favor\b",
    re.IGNORECASE,
)


def _without_meta(query: str) -> str:
    """The query without words about the conversation itself, unless nothing else is left."""
    left = " ".join(_META.sub(" ", query).split())
    if left == query:
        return query
    telling = content_words(left)
    return left if len(telling) >= 2 and not STOPWORDS.issuperset(telling) else query


def understand(
    query: str, caller_names: tuple[str, ...], agent_names: tuple[str, ...], at: float, calls: Sequence[float] = ()
) -> Question:
    """Read a query; names are those the two sides go by.

    `at` is the time of the question, `calls` those of the first and the last call, in Unix seconds.
    """
    query = query[:MAX_CHARS]
    folded = fold(query)
    caller, agent = _named(query, caller_names), _named(query, agent_names)
    roles = _THE_CALLER.findall(folded)
    subject = _subject(folded, caller or roles, agent)
    asked_for = _without_meta(query)
    spoken_of = agent if subject == "agent" else caller or roles
    left_out = {*caller, *agent, *roles, *_titles(folded, {*caller, *agent})}
    terms = tuple(w for w in content_words(asked_for) if w.removesuffix("'s") not in left_out)
    asks = {name: pattern.search(folded) is not None for name, pattern in _ASKS.items()}
    return Question(
        text=query,
        dense=_first_person(asked_for, spoken_of),
        terms=terms or tuple(content_words(query)),
        subject=subject,
        is_bare=not languages(query),
        windows=windows(_unnamed(query, {*caller, *agent}), at, calls),
        at=at,
        **asks,
    )


def _named(query: str, names: tuple[str, ...]) -> list[str]:
    """Folded words of the query that name this side: a part of the name, or the beginning of one ("Mel").

    A word that is also an everyday one ("Will", "Can" for Candice) has to be written as a name.
    """
    own = [fold(part) for name in names for part in name.split() if len(part) > 1]
    found: dict[str, None] = {}
    for position, written in enumerate(re.findall(r"[^\W_]+", query)):
        word = fold(written)
        as_name = position > 0 and written[0].isupper()
        exact = word in own and (as_name or word not in STOPWORDS)
        if exact or (as_name and len(word) >= 3 and any(n.startswith(word) for n in own)):
            found[word] = None
    return list(found)


def _unnamed(query: str, names: "set[str]") -> str:
    """The query without the names of the two sides: June who works here is no month."""
    return re.sub(r"[^\W_]+", lambda word: "" if fold(word[0]) in names else word[0], query) if names else query


def _titles(folded: str, names: "set[str]") -> list[str]:
    """What people are called beside their names: in "Frau Vogel" nobody asks for a wife."""
    found = re.findall(r"[^\W_]+", folded)
    return [title for title, name in pairwise(found) if name in names and title in _TITLES_BEFORE]


def _subject(folded: str, caller: list[str], agent: list[str]) -> str:
    if caller and agent:
        return _grammatical_subject(folded, caller[0], agent[0])
    if caller or agent:
        return "caller" if caller else "agent"
    if _SECOND.search(folded):
        return "agent"
    spoken = set(re.findall(r"[^\W_]+", folded))
    if _FIRST.search(folded):
        return "caller"
    return "agent" if spoken & _AGENT_WORDS or _PROMISED.search(folded) else ""


def _grammatical_subject(folded: str, caller: str, agent: str) -> str:
    """Of two people named, the one after the auxiliary verb is asked about; of a pair ("A and B"), neither."""
    if re.search(rf"\b(?:{caller}\s+(?:and|y)\s+{agent}|{agent}\s+(?:and|y)\s+{caller})\b", folded):
        return ""
    return "caller" if folded.find(caller) < folded.find(agent) else "agent"


_TO_FIRST = tuple(
    (re.compile(third, re.IGNORECASE), first)
    for third, first in (
        (r"\b(?:he|she)\b", "I"),
        (r"\bhis\b", "my"),
        (r"\bhim\b", "me"),
        (r"\bher\b(?=\s*(?:[?.,!]|$)|\s+(?:in|on|at|to|with|for|from|about|and|when|after|before)\b)", "me"),
        (r"\bher\b", "my"),
        (r"\b(?:her|him)self\b", "myself"),
        (r"\bdoes I\b", "do I"),
        (r"\bhas I\b", "have I"),
        (r"\bis I\b", "am I"),
        (r"\bI is\b", "I am"),
        (r"\bI has\b", "I have"),
    )
)

_TITLES = r"(?:el|la|del|le|der|die|de|von|frau|herrn?|madame|monsieur|se\u00f1ora?|don|do\u00f1a)"


def _first_person(text: str, names: list[str]) -> str:
    """The question as the one who is asked about would put it: "What does Ana like?" -> "What do I like?".

    In other languages than English the verb says who, and the name is left out.
    """
    if not names:
        return text
    alternatives = "|".join(re.escape(n) for n in sorted(names, key=len, reverse=True))
    spoken = languages(text)
    if spoken and "en" not in spoken:
        return " ".join(re.sub(rf"(?:\b{_TITLES}\s+)?\b(?:{alternatives})\b", "", text, flags=re.IGNORECASE).split())
    the = r"(?:\b(?:the|el|la|del)\s+)?"
    text = re.sub(rf"{the}\b(?:{alternatives})['\u2019]s?(?=\W|$)", "my", text, flags=re.IGNORECASE)
    text = re.sub(rf"{the}\b(?:{alternatives})\b", "I", text, flags=re.IGNORECASE)
    for third, first in _TO_FIRST:
        text = third.sub(first, text)
    return text
