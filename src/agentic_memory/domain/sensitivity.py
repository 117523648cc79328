"""Which facts must never be read aloud, and which words must never be kept or told: card numbers and credentials."""

import re

from agentic_memory.domain.memory import Sensitivity
from agentic_memory.domain.wording import straight, without_accents

_WORDS = (
    # health
    r"allerg\w*|diabet\w*|cancer|tumou?r|hiv|aids|asthma\w*|epilep\w*|depress\w*|anxiety|bipolar|adhd|autis\w*|"
    r"dementia|alzheimer\w*|parkinson\w*|arthritis|pregnan\w*|abortion|miscarriage|disab\w*|diagnos\w*|"
    r"medic(?:ation|ine|al|ines|ations)|prescription\w*|surgery|hospital\w*|therap\w*|psychiatr\w*|psycholog\w*|"
    r"chemo\w*|insulin|symptom\w*|illness\w*|disease\w*|wheelchair|deaf|blind|blood pressure|heart condition|"
    r"pacemaker|addict\w*|alcoholi\w*|rehab|overdose|suicid\w*|coeliac|celiac|intolerant\w*|health|"
    r"hearing|dyslex\w*|migraine\w*|stroke|"
    r"alergi\w*|asma|embaraz\w*|aborto|discapaci\w*|medicament\w*|medicina|receta medica|cirugia|"
    r"operacion|enfermedad\w*|depresion|ansiedad|celiac\w*|sord[oa]|cieg[oa]|hipertension|quimio\w*|"
    r"terapia|adiccion|intoleran\w*|salud|movilidad reducida|artritis|"
    # money
    r"debt\w*|bankrupt\w*|salar(?:y|ies)|income|wage\w*|mortgage|loan\w*|overdue|credit score|credit card|"
    r"debit card|card number|bank account|account number|iban|routing number|foreclos\w*|evict\w*|unemployed|laid off|"
    r"deuda\w*|sueldo|salario|ingresos|hipoteca|prestamo\w*|tarjeta de (?:credito|debito)|cuenta bancaria|"
    r"bancarrota|embarg\w*|desahuci\w*|en el paro|desemplead[oa]|"
    # beliefs, politics, orientation, origin, law
    r"religio\w*|church|mosque|synagogue|christian|catholic|muslim|jewish|hindu|buddhist|atheist|"
    r"republican|democrat|conservative party|labour party|trade union|gay|lesbian|bisexual|transgender|queer|"
    r"immigra\w*|asylum|undocumented|visa status|prison|jail|arrest\w*|convict\w*|lawsuit|criminal|parole|"
    r"iglesia|mezquita|sinagoga|catolic[oa]|musulman\w*|judi[oa]|ate[oa]|sindicato|lesbiana|bisexual|"
    r"inmigra\w*|asilo|sin papeles|carcel|detenid[oa]|antecedentes|"
    # credentials
    r"password\w*|passcode|pin|pin code|pin number|security code|security answer|secret|cvv|cvc|one-time code|otp|"
    r"social security|ssn|passport|national id|driver'?s licen[cs]e|tax id|"
    r"contrasena|clave|codigo de seguridad|dni|nie|pasaporte|seguridad social|numero de la tarjeta|"
    # trouble
    r"divorc\w*|custody|restraining order|abus\w*|violen\w*|affair|funeral|passed away|died|death|dead|widow\w*|"
    r"maltrat\w*|custodia|fallec\w*|murio|muerte|viud[oa]"
)
_SENSITIVE = re.compile(rf"(?<!\w)(?:{_WORDS})(?!\w)", re.IGNORECASE)
_CARD = re.compile(r"(?<!\d)(?:\d[ -]?){13,19}(?!\d)|(?<!\d)\d{3}-\d{2}-\d{4}(?!\d)")


def sensitivity(*texts: str) -> Sensitivity:
    """SENSITIVE when any of the texts touches what nobody wants read aloud, in English or Spanish."""
    for text in texts:
        line = without_accents(straight(text)).replace("_", " ")
        if _SENSITIVE.search(line) or _CARD.search(line):
            return Sensitivity.SENSITIVE
    return Sensitivity.ORDINARY


REMOVED = "[number removed]"
"""What stands where a secret stood."""

_UNITS = {
    "zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7",
    "eight": "8", "nine": "9", "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14",
    "fifteen": "15", "sixteen": "16", "seventeen": "17", "eighteen": "18", "nineteen": "19",
    "cero": "0", "uno": "1", "un": "1", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5", "seis": "6", "siete": "7",
    "ocho": "8", "nueve": "9", "diez": "10", "once": "11", "doce": "12", "trece": "13", "catorce": "14", "quince": "15",
}  # fmt: skip
_TENS = {
    "twenty": "2", "thirty": "3", "forty": "4", "fifty": "5", "sixty": "6", "seventy": "7", "eighty": "8", "ninety": "9",
    "veinte": "2", "treinta": "3", "cuarenta": "4", "cincuenta": "5", "sesenta": "6", "setenta": "7", "ochenta": "8",
    "noventa": "9",
}  # fmt: skip
_TIMES = {"double": 2, "triple": 3, "doble": 2}
NUMBER_WORD = "|".join((*_UNITS, *_TENS, *_TIMES, "hundred", "thousand"))
"""A pattern of the words that numbers are said in."""
_FIGURE = rf"(?:\d+|(?:{NUMBER_WORD})\b)"
_FIGURES = re.compile(rf"(?<![\w+]){_FIGURE}(?:[\s,.\-\u2010-\u2014]{{0,3}}(?:(?:and|y)\s)?{_FIGURE})*", re.IGNORECASE)
_CARD_CUE = re.compile(r"\b(?:card|visa|mastercard|amex|american express|tarjeta)\b", re.IGNORECASE)
_CREDENTIAL = (
    r"(?:cvv2?|cvc2?|(?:security|verification|access|one[- ]time|confirmation|login|auth\w*) ?(?:pass)?codes?|pin(?: ?(?:code|number))?"
    r"|passcode|pass ?word|pass ?phrase|otp|ssn|social security(?: number)?|c[o\u00f3]digo (?:de (?:seguridad|verificaci[o\u00f3]n"
    r"|acceso|un solo uso)|pin|secreto)|contrase[n\u00f1]a|clave|nip|n[u\u00fa]mero (?:secreto|de seguridad social))"
)
_SECRET_WORD = re.compile(
    rf"(?P<cue>\b{_CREDENTIAL}\b(?:\s+(?:for|of|to|on|de|del|para)(?:\s+[^\W\d]+){{1,4}}?)?"
    r"\s*(?:is now\b|is\b|was\b|'s\b|are\b|es\b|era\b|:|=)\s*)(?P<value>(?:(?!\.\s)[^,;!?\n])+)",
    re.IGNORECASE,
)
_SECRET_FIGURE = re.compile(rf"(?P<cue>\b{_CREDENTIAL}\b[^.;!?\d]{{0,20}}?\s)(?P<value>{_FIGURES.pattern})", re.IGNORECASE)
_SECRET_ASKED = re.compile(
    rf"(?P<cue>\b(?:{_CREDENTIAL}|card number|n[u\u00fa]mero de (?:la |su |tu )?tarjeta)\b[^?]{{0,60}}\?[^.!?\d]{{0,40}}?)(?P<value>{_FIGURES.pattern})",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"(?:not|no|too|wrong|lost|forgotten|blocked|locked|expired|in|on|with|working|invalid|incorrect|never|still|being|needed|required"
    r"|reset|changed|bloquead\w*|incorrect\w*|necesari\w*)\b",
    re.IGNORECASE,
)
_TAX_NUMBER = re.compile(r"(?<!\d)\d{3}[- ]\d{2}[- ]\d{4}(?!\d)")
_SECRET_PARTS = (
    *("pin", "code", "cvv", "cvc", "passw", "pass w", "passp", "pass p", "passc", "pass c", "otp", "ssn", "social security"),
    *("card number", "tarjeta", "c\u00f3digo", "codigo", "contrase", "clave", "nip", "secreto", "seguridad social"),
)
"""In lower case: most texts have none of them, and so hold no credential."""
_LETTERS = re.compile(r"[^\W\d_]+")
_WORTH = {**{word: len(said) for word, said in _UNITS.items()}, **dict.fromkeys(_TENS, 2), **dict.fromkeys(_TIMES, 4)}
"""How many digits a word adds at most."""
_FEWEST_DIGITS = 13
_SECRET_FIELD = re.compile(
    r"(?<!\w)(?:(?:credit|debit|payment|bank) ?card(?: number| no| digits)?|card ?(?:number|no|digits|security code|pin|cvv|cvc)|pan"
    rf"|{_CREDENTIAL}|passw(?:or)?d|verification|otp code|account pin|iban|routing number|tax id|bank account(?: number)?|passport(?: number| no)?|national id(?: number)?|dni|(?:numero (?:de )?(?:la )?)?tarjeta"
    r"(?: de (?:credito|debito))?|contrasena|codigo (?:de )?(?:seguridad|verificacion))(?!\w)",
    re.IGNORECASE,
)


def masked(text: str) -> str:
    """The text without payment card numbers, codes, PINs and passwords, in figures or in words. Total."""
    return _masked(text, [])


def masked_alike(*tellings: str) -> tuple[str, ...]:
    """Several tellings of the same words, each without what any of them shows to be secret.

    A number that was trimmed, or that only the question before it makes a PIN, is not told in the other.
    """
    secrets: list[str] = []
    texts = [_masked(text, secrets) for text in tellings]
    for secret in secrets:
        texts = [_without_parts(text, secret) for text in texts]
    return tuple(texts)


def is_secret(text: str) -> bool:
    """Whether the text holds what must not be kept."""
    return masked(text) != text


def is_secret_field(words: str) -> bool:
    """Whether a field of that name, as words ("card number"), holds what must not be kept."""
    return bool(_SECRET_FIELD.search(without_accents(straight(words)).replace("_", " ")))


def figures(said: str) -> str:
    """The digits that figures and number words amount to: "forty-one double one" is 4111."""
    digits, times, ten = "", 1, ""
    for word in re.findall(r"\d+|[^\W\d_]+", said.lower()):
        if ten and not (word in _UNITS and len(_UNITS[word]) == 1 and word != "zero") and word != "y":
            digits, ten = digits + ten + "0", ""
        if word in _TENS:
            ten = _TENS[word]
        elif word in _TIMES:
            times = _TIMES[word]
        elif word.isdecimal() or word in _UNITS:
            digits, times, ten = digits + ten + _UNITS.get(word, word) * times, 1, ""
    return digits + (ten + "0" if ten else "")


def _masked(text: str, secrets: list[str]) -> str:
    """The text without its secrets, which are added to `secrets`."""
    if not _may_hold_secret(text):
        return text
    near_card = bool(_CARD_CUE.search(text))

    def without(found: re.Match[str]) -> str:
        parts = found.groupdict()
        value = parts.get("value") or found[0]
        secrets.append(value)
        return (parts.get("cue") or "") + REMOVED

    text = _TAX_NUMBER.sub(without, text)
    text = _FIGURES.sub(lambda found: without(found) if _is_card(found[0], near_card=near_card) else found[0], text)
    text = _SECRET_WORD.sub(lambda found: without(found) if _is_value(found["value"]) else found[0], text)
    text = _SECRET_FIGURE.sub(without, text)
    return _SECRET_ASKED.sub(lambda found: without(found) if len(figures(found["value"])) > 2 else found[0], text)


def _may_hold_secret(text: str) -> bool:
    """A quick look: whether there are digits enough for a card, or a word for a credential."""
    lowered = text.lower()
    if any(part in lowered for part in _SECRET_PARTS) or _TAX_NUMBER.search(text):
        return True
    told = sum(_WORTH.get(word, 0) for word in _LETTERS.findall(lowered))
    return told + sum(map(str.isdecimal, text)) >= _FEWEST_DIGITS


def _without_parts(text: str, secret: str) -> str:
    """The text without any stretch of the secret that could tell something of it."""
    words = re.findall(r"\w+", secret.lower())
    if not words:
        return text
    whole, any_word = f" {' '.join(words)} ", "|".join(map(re.escape, sorted(set(words), key=len, reverse=True)))
    runs = re.compile(rf"(?<!\w)(?:{any_word})(?:\W{{1,3}}(?:{any_word}))*(?!\w)", re.IGNORECASE)

    def without(run: re.Match[str]) -> str:
        said = " ".join(re.findall(r"\w+", run[0].lower()))
        digits = figures(said)
        tells = len(digits) > 2 if digits else len(said) > 3
        return REMOVED if tells and f" {said} " in whole else run[0]

    return runs.sub(without, text)


def _is_card(run: str, *, near_card: bool) -> bool:
    digits = figures(run)
    return len(digits) >= 13 and (near_card or (len(digits) <= 19 and _passes_luhn(digits)))


def _passes_luhn(digits: str) -> bool:
    """The check that every payment card number passes (ISO/IEC 7812)."""
    doubled = [int(d) * (1 + i % 2) for i, d in enumerate(reversed(digits))]
    return sum(d - 9 if d > 9 else d for d in doubled) % 10 == 0


def _is_value(words: str) -> bool:
    return not (_NO_SECRET.match(words) or words.startswith(REMOVED))
