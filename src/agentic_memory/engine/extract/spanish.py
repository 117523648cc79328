"""What callers say about themselves in Spanish, by cue."""

import re

from agentic_memory.domain.memory import Category
from agentic_memory.domain.naming import clean_name
from agentic_memory.domain.wording import word_set
from agentic_memory.engine.extract.clauses import Clause
from agentic_memory.engine.extract.cues import Cue, Said, Tell, channel, cue, is_address, trimmed
from agentic_memory.engine.extract.language import wished_language

KIN = (
    "hija|hijo|mujer|esposa|esposo|marido|pareja|novia|novio|madre|mamá|padre|papá|hermano|hermana|abuela|"
    "abuelo|nieto|nieta|tía|tío|prima|primo|sobrino|sobrina|amigo|amiga|jefe|jefa|vecino|vecina|suegra|"
    "suegro|perro|perra|gato|gata|bebé|médico|médica"
)
_FEMININE = word_set(
    "hija mujer esposa pareja novia madre mamá hermana abuela nieta tía prima sobrina amiga jefa vecina "
    "suegra perra gata médica"
)
_ADVERBS = r"(?:mucho |siempre |también |ya |solo |sólo |realmente |todavía |aún |ahora )*"
_ENDINGS = re.compile(
    r"[\s,]+(?:por favor|gracias|muchas gracias|también|la verdad|sabe|sabes|vale|ya|mucho|"
    r"si es posible|si puede ser|si puede|si puedes|si no le importa|si no es molestia|y|o|pero|que|porque)$",
    re.IGNORECASE,
)
_CONDITIONS = re.compile(r"\b(?:si|a menos que|salvo que|siempre que|en caso de)\b|\?|¿", re.IGNORECASE)
_NO_OBJECT = re.compile(
    r"(?:lo|la|los|las)$|(?:eso|esto|esa|ese|lo que|ella|él|ellos|usted|tú|nada|algo|todo|cómo|que usted|"
    r"saber|preguntar|decir|ver|oír|pensar|agradecer|disculparme|un momento|un minuto|un segundo|"
    r"hacerlo|hacer eso|hacer una pregunta|una pregunta|una cosa|cuando|tu|tus|su|sus|la idea|que me diga)\b",
    re.IGNORECASE,
)
_POINTING = re.compile(r"\b(?:eso|esos|esas|esto|ello|ahí|allí|allá|lo mismo|lo otro)\b", re.IGNORECASE)
"""Words whose meaning lies outside the clause: a fact must be understood years later."""
_DANGLING = re.compile(r"\b(?:el|la|los|las|de|a|con|por|para|mi|un|una|en)$", re.IGNORECASE)
_PERSONS = (
    (re.compile(r"\bmis\b", re.IGNORECASE), "sus"),
    (re.compile(r"\bmi\b", re.IGNORECASE), "su"),
    (re.compile(r"\bconmigo\b", re.IGNORECASE), "consigo"),
    (re.compile(r"\bme\b", re.IGNORECASE), "le"),
    (re.compile(r"\bmí\b", re.IGNORECASE), "sí"),
    (re.compile(r"\b(\w+[aeiáéí]r)me\b", re.IGNORECASE), r"\1se"),
)
_DATE = re.compile(
    r"\d|\b(?:enero|febrero|marzo|abril|mayo|junio|julio|agosto|sep?tiembre|octubre|noviembre|diciembre|"
    r"lunes|martes|miércoles|jueves|viernes|sábado|domingo|primero|hoy|mañana|mil)\b",
    re.IGNORECASE,
)
_TRADES = (
    r"\w+(?:ero|era|or|ora|ista|ólogo|óloga|ante|ente)|médic[oa]|maestr[oa]|abogad[oa]|arquitect[oa]|"
    r"enfermer[oa]|jubilad[oa]|autónom[oa]|estudiante|músic[oa]|veterinari[oa]|psicólog[oa]|ama de casa"
)
_NO_TRADE = re.compile(
    r"(?:mayor|menor|soltero|soltera|extranjero|extranjera|peor|mejor|primero|primera|cliente|señor|señora|"
    r"sincero|sincera|hablante|consciente|diferente|paciente|heredero|heredera|compañero|compañera|verdadero|"
    r"deudor|deudora|consumidor|consumidora|tercero|residente|presente|ausente)\b",
    re.IGNORECASE,
)
_HAVE = (
    rf"(?:\d+|un|una|dos|tres|cuatro|cinco|seis) (?:(?:{KIN})\b|hij[oa]s|perros|gatos|hermanos|hermanas|niet[oa]s|niñ[oa]s).*|"
    r"\d+ años|(?:\w+ ){1,4}años|diabetes|asma|epilepsia|artritis|cáncer|alzhéimer|hipertensión|celiaquía|"
    r"(?:una |un )?(?:alergia|discapacidad|marcapasos|audífono|intolerancia)\b.*|alergia .+|movilidad reducida"
)
_FUTURE = {
    "llamaré": "llamará", "enviaré": "enviará", "mandaré": "mandará", "pagaré": "pagará", "traeré": "traerá",
    "confirmaré": "confirmará", "pasaré": "pasará", "volveré": "volverá", "firmaré": "firmará",
    "escribiré": "escribirá", "devolveré": "devolverá", "avisaré": "avisará", "llevaré": "llevará",
    "enviare": "enviará", "llamare": "llamará", "mandare": "mandará",
}  # fmt: skip
_PRESENT = {
    "llamo": "llamará", "aviso": "avisará", "mando": "mandará", "envío": "enviará", "envio": "enviará",
    "escribo": "escribirá", "traigo": "traerá", "confirmo": "confirmará",
}  # fmt: skip
"""Promises in the present tense, as one says them with a time: "te llamo mañana"."""
_CLITIC = r"(?:te|le|les|os|se)(?: lo| la| los| las)?"
_SOON = (
    r"(?:mañana|luego|después|más tarde|esta (?:tarde|noche|semana)|en un (?:rato|momento)|"
    r"el (?:lunes|martes|miércoles|jueves|viernes|sábado|domingo)|la (?:semana|próxima)|hoy|pronto)"
)


_OWN_CLAUSE = re.compile(
    r"\s+(?:mi \w+(?: \w+)? (?:es|está|se|tiene|no)|porque|pero|es que|yo|me llamo|soy|estoy|vivo|tengo|quiero|puede|por favor)\s.*",
    re.IGNORECASE,
)
"""Another clause behind the object, where speech has no comma."""
_ENGLISH = re.compile(r"\b(?:my|the|with|and|i|to|of|you|your|for|is|this|that|because|but)\b")
_PLACE_END = re.compile(rf",?\s+(?:con|desde|porque|pero|donde)\b.*|\s+[ye] (?![A-ZÁÉÍÓÚÑ]).*|\s+(?:{_ENGLISH.pattern}).*")
_UNPLEASANT = re.compile(r"(?:esperar|estar esperando|estar en espera|que me|que le|que no|tener que|perder|repetir|hacer cola|pagar (?:de más|dos veces))\b", re.IGNORECASE)
"""What nobody likes and many say they love."""


def thing(words: str) -> str | None:
    """The object of a cue in the third person; None if it says nothing, or goes on in English."""
    whole = trimmed(_OWN_CLAUSE.sub("", words), _ENDINGS, _CONDITIONS)
    if whole is None or _ENGLISH.search(whole):
        return None
    if whole is None or _NO_OBJECT.match(whole) or _DANGLING.search(whole) or _POINTING.search(whole):
        return None
    for pattern, other in _PERSONS:
        whole = pattern.sub(other, whole)
    return whole


def _prefers(match: re.Match[str], _: Clause) -> Said | None:
    liked = thing(match["o"])
    if liked is None:
        return None
    way, tongue = channel(liked), wished_language(liked)
    if tongue:
        return Said(f"El usuario prefiere {liked}", Category.PREFERENCE, "language", tongue, 0.9)
    slot, importance = ("preferred_contact", 0.9) if way else (None, 0.7)
    return Said(f"El usuario prefiere {liked}", Category.PREFERENCE, slot, way or liked, importance)


def _stance(template: str, category: Category) -> Tell:
    def tell(match: re.Match[str], _: Clause) -> Said | None:
        liked = thing(match["o"])
        if liked is None or (category is Category.PREFERENCE and _UNPLEASANT.match(match["o"])):
            return None
        plural = "n" if "p" in match.groupdict() and match["p"] else ""
        return Said(template.format(liked, n=plural), category, None, _bare(liked), 0.7)

    return tell


def _bare(liked: str) -> str:
    """What is liked without its article, so that "el correo" and "correo" are one object."""
    return channel(liked) or re.sub(r"^(?:el|la|los|las)\s+", "", liked, flags=re.IGNORECASE)


def _about(template: str, category: Category, importance: float = 0.6, slot: str | None = None) -> Tell:
    valued = category in {Category.INTENT, Category.DISLIKE} or slot

    def tell(match: re.Match[str], _: Clause) -> Said | None:
        what = thing(match["o"])
        return None if what is None else Said(template.format(what), category, slot, what if valued else None, importance)

    return tell


def _person(match: re.Match[str], clause: Clause) -> Said | None:
    heard = re.split(r",| y | que ", match["n"])[0].strip()
    cased = any(c.isupper() for c in clause.quote[1:])
    name, kin = clean_name(heard, cased=cased, most_words=4 if cased else 2), match["k"].lower()
    if name is None:
        return None
    article = "La" if kin in _FEMININE else "El"
    return Said(f"{article} {kin} del usuario se llama {name}", Category.PERSON, importance=0.7)


def _place(template: str, slot: str) -> Tell:
    def tell(match: re.Match[str], clause: Clause) -> Said | None:
        words = re.sub(r"\s+(?:ahora|ahora mismo|actualmente)$", "", match["o"], flags=re.IGNORECASE)
        where = thing(_PLACE_END.sub("", words))
        if where is None or not _is_place(where, clause):
            return None
        return Said(template.format(where), Category.PLACE, slot, where, 0.7)

    return tell


def _is_place(where: str, clause: Clause) -> bool:
    has_case = any(c.isupper() for c in clause.quote[1:])
    if re.match(r"(?:un|una|mi|su|casa|aquí|acuerdo|los que|las que|confianza|fiar)\b", where):
        return False
    return any(c.isupper() for c in where) or not has_case


def _address(match: re.Match[str], _: Clause) -> Said | None:
    place = thing(match["o"])
    if place is None or not is_address(place):
        return None
    return Said(f"La dirección del usuario es {place}", Category.PLACE, "address", place, 0.7)


def _birthday(match: re.Match[str], _: Clause) -> Said | None:
    when = thing(match["o"])
    if when is None or not _DATE.search(when):
        return None
    return Said(f"El cumpleaños del usuario es {when}", Category.DATE, "birthday", when, 0.7)


def _born(match: re.Match[str], clause: Clause) -> Said | None:
    what = thing(match["o"])
    if what is None:
        return None
    dated = bool(_DATE.search(what))
    if not dated and not _is_place(what.partition(" ")[2], clause):
        return None
    return Said(f"El usuario nació {what}", Category.DATE if dated else Category.PLACE, importance=0.7)


def _promises(match: re.Match[str], _: Clause) -> Said | None:
    verb = (_FUTURE | _PRESENT)[match["v"].lower()]
    what = thing(match["o"]) if match["o"] else ""
    return None if what is None else Said(f"El usuario {verb} {what}".strip(), Category.PROMISE, importance=0.8)


def _trade(match: re.Match[str], _: Clause) -> Said | None:
    what = thing(match["o"])
    if what is None or _NO_TRADE.match(what):
        return None
    return Said(f"{_subject(what)} es {what}", Category.PROFILE)


def _is(template: str, importance: float) -> Tell:
    """A state, with the subject in the gender that the caller used for themselves."""

    def tell(match: re.Match[str], _: Clause) -> Said | None:
        what = thing(match["o"])
        return None if what is None else Said(template.format(_subject(what), what), Category.PROFILE, importance=importance)

    return tell


def _subject(what: str) -> str:
    first = what.split()[0].lower()
    return "La usuaria" if first.endswith("a") and not first.endswith("ista") else "El usuario"


_REACH = {"llam": "phone", "escrib": "messages", "contact": "messages", "mand": "messages", "envi": "messages"}


def _stops(match: re.Match[str], _: Clause) -> Said | None:
    what, verb = (match["w"] or "").lower(), (match["v"] or match["d"]).lower().replace("í", "i")
    way = channel(what) or what or next(way for stem, way in _REACH.items() if verb.startswith(stem))
    told = what or ("llamadas" if way == "phone" else "mensajes")
    return Said(f"El usuario no quiere {told}", Category.DISLIKE, None, way, 0.8)


def _no_ways(match: re.Match[str], _: Clause) -> Said:
    ways = match["w"].lower()
    return Said(f"El usuario no quiere {ways}", Category.DISLIKE, None, channel(ways) or ways, 0.8)


_WAYS = r"(?:correos?(?: electrónicos?)?|emails?|llamadas|mensajes(?: de texto)?|cartas|whatsapps?)"
_O = r"(?P<o>.+)"
_DIET = "vegan[oa]|vegetarian[oa]|diabétic[oa]|celíac[oa]|sord[oa]|cieg[oa]|zurd[oa]|intolerante a .+"

CUES: tuple[Cue, ...] = (
    cue(r"(?:hay que hablar(?:me|le)|hábl[ea](?:n)?me|hablemos|me puede hablar|necesito que me hablen?|quiero hablar|quiero que me hablen?) en (?P<o>[^\W\d]+)", lambda m, _: _speaks(m)),
    cue(rf"(?:no me (?P<v>llamen|llame|llames|escriban|escriba|contacten|contacte|manden|mande|envíen|envíe|envien|envie)|dejen? de (?P<d>llamar|escribir|mandar|enviar|contactar)me)(?: más)?(?: (?P<w>{_WAYS}))?(?: (?:más|nunca|por favor))*", _stops),
    cue(rf"(?:no más|nada de|ningún|ya no más) (?P<w>{_WAYS})(?: por favor)?", _no_ways),
    cue(rf"{_ADVERBS}(?:prefiero|preferiría) {_O}", _prefers),
    cue(rf"(?:a mí )?{_ADVERBS}no me gusta(?P<p>n)? (?:nada )?{_O}", _stance("Al usuario no le gusta{n} {}", Category.DISLIKE)),
    cue(rf"(?:odio|detesto|no soporto|no aguanto) {_O}", _stance("Al usuario no le gusta {}", Category.DISLIKE)),
    cue(rf"(?:a mí )?{_ADVERBS}me gusta(?P<p>n)? (?:mucho |más )?{_O}", _stance("Al usuario le gusta{n} {}", Category.PREFERENCE)),
    cue(rf"(?:a mí )?{_ADVERBS}me encanta(?P<p>n)? {_O}", _stance("Al usuario le encanta{n} {}", Category.PREFERENCE)),
    cue(rf"{_ADVERBS}no (?:quiero|quisiera) {_O}", _about("El usuario no quiere {}", Category.DISLIKE, 0.8)),
    cue(rf"{_ADVERBS}(?:quiero|quisiera|querría|me gustaría) {_O}", _about("El usuario quiere {}", Category.INTENT, 0.8)),
    cue(rf"(?:llamo|estoy llamando) para {_O}", _about("El usuario quiere {}", Category.INTENT, 0.8)),
    cue(rf"(?:llamo|estoy llamando) por {_O}", _about("El usuario llamó por {}", Category.INTENT)),
    cue(rf"(?:estoy buscando|busco) {_O}", _about("El usuario busca {}", Category.INTENT)),
    cue(rf"{_ADVERBS}necesito {_O}", _about("El usuario necesita {}", Category.INTENT, 0.8)),
    cue(rf"mi (?P<k>{KIN})(?: pequeñ[oa]| mayor)? (?:se llama|es) (?P<n>.+)", _person),
    cue(rf"{_ADVERBS}(?:vivo|vivimos) en {_O}", _place("El usuario vive en {}", "home")),
    cue(rf"(?:me mudé|me he mudado|me acabo de mudar|acabo de mudarme|nos mudamos|nos hemos mudado|acabamos de mudarnos) a {_O}", _place("El usuario se mudó a {} y vive allí", "home")),
    cue(rf"(?:mi|nuestra) (?:nueva )?dirección (?:ahora )?es {_O}", _address),
    cue(rf"{_ADVERBS}soy de {_O}", _place("El usuario es de {}", "origin")),
    cue(rf"mi cumpleaños es {_O}", _birthday),
    cue(r"nací (?P<o>(?:en|el) .+)", _born),
    cue(rf"(?:{_CLITIC} )?(?P<v>{'|'.join(_FUTURE)})(?: (?P<o>.+))?", _promises),
    cue(rf"{_CLITIC} (?P<v>{'|'.join(_PRESENT)}) (?P<o>(?:.+ )?{_SOON}\b.*)", _promises),
    cue(r"voy a (?P<o>(?:llamar|enviar|mandar|pagar|traer|confirmar|firmar|escribir|devolver)(?:les|le|te|os)?\b.*)", _about("El usuario va a {}", Category.PROMISE, 0.8)),
    cue(rf"{_ADVERBS}soy (?P<o>alérgic[oa] .+)", _is("{} es {}", 0.8)),
    cue(rf"{_ADVERBS}soy (?P<o>(?:{_DIET})(?:,? (?:desde|ahora|hace) ?.*)?)", _is("{} es {}", 0.7)),
    cue(rf"soy (?P<o>(?:{_TRADES})(?: (?:en|de) .+)?)", _trade),
    cue(r"estoy (?P<o>jubilad[oa]|embarazada|casad[oa]|divorciad[oa]|viud[oa])", _is("{} está {}", 0.6)),
    cue(r"trabajo (?P<o>(?:como|de|en|para) .+)", _about("El usuario trabaja {}", Category.PROFILE)),
    cue(rf"{_ADVERBS}tengo (?P<o>{_HAVE})", _about("El usuario tiene {}", Category.PROFILE, 0.7)),
    cue(r"no (?P<o>como|bebo|tomo) (?P<x>.+)", lambda m, _c: _abstains(m)),
)  # fmt: skip


def _speaks(match: re.Match[str]) -> Said | None:
    tongue = wished_language(match["o"])
    return Said(f"El usuario prefiere hablar en {match['o'].lower()}", Category.PREFERENCE, "language", tongue, 0.9) if tongue else None


_APPOSED = re.compile(rf"\b[Mm]i (?P<k>{KIN}),? (?P<n>[A-ZÀ-Þ][\w'-]+)\b(?!\s+[A-ZÀ-Þ])")


def _abstains(match: re.Match[str]) -> Said | None:
    verb = {"como": "come", "bebo": "bebe", "tomo": "toma"}[match["o"].lower()]
    what = thing(match["x"])
    return None if what is None else Said(f"El usuario no {verb} {what}", Category.PROFILE, importance=0.7)


def apposed(clause: Clause) -> Said | None:
    """A person named in passing: "mi mujer Lucía"."""
    match = _APPOSED.search(clause.said)
    return _person(match, clause) if match else None
