"""What is a name and what is not, in what people say and in what platforms report. Pure.

Precision comes first: a caller greeted by a word that is not their name is worse than one greeted by none.
"""

import re
import unicodedata
from difflib import SequenceMatcher

from agentic_memory.domain.wording import plain, straight, without_accents, word_set

MAX_WORDS = 6

PARTICLES = word_set(
    "al ap af av bin bint d da das de degli del della der di do dos du e el en i la las le los san santa "
    "st ten ter van vom von y zu zum zur"
)
"""Lower-case words inside a name: they need a name after them."""

TITLES = word_set("dr dra prof profesor profesora mr mrs ms mx miss sr sra srta don doña sir doctor doctora señor señora señorita")

NOT_NAMES = word_set(
    """
    a about absolutely account actually address afraid after again agent ah ahead alive all allergic
    allright almost alone already alright also always am an and angry annoyed another any anybody anyone
    anything are as asap ask asking at available away awesome back bad be because been before being better
    bit booked bored both busy but buying by bye call called caller calling can cancel cannot case cell
    certain certainly changed changing checking clear client close closed cold come coming common
    company completely concerned confidential confused considering correct could currently customer
    daughter day dead definitely did different difficult disappointed divorced do does doing done
    down driving due easy either else email enough er even every everyone exactly excited excuse
    family fed feeling few fifty fine first following for forty four five friday from frustrated full
    further getting give given giving glad go going gone good got grateful great guess had half happy hard
    has have having he hear hello help her here hers hey hi him hire his hm hmm hoping how hundred hungry
    husband i if ill important in incorrect insane inside interested into is issue it its
    january february march july september october november december monday
    tuesday wednesday thursday saturday sunday today tomorrow yesterday morning afternoon evening night
    just keep kidding kind know last late later leave leaving less let like listed listen listening little
    living located long looking lost lot mad made make married me mean meant member mhm mine missing
    mister mistaken mom moment more mother moving much must my name named need needing neither never new next
    nice no nobody none nope nor normal not nothing now number occupied of off ok okay old on one only
    open or order other our out outside over paid pardon pay paying phone please pleased pleasure
    possible prefer prefers preferred pregnant pretty private probably problem pronounced put question
    quite ready really receiving registered repeat retired returning ridiculous right running sad
    same satisfied say saying sad scared second secret see seeing sending serious several she short should
    sick single sitting six so some somebody someone something soon sorry speak speaking spelled spelt
    staying still stressed stuck stupid such super support sure surprised taken taking talk talking ten
    terrible than thank thanks that the their them then there these they thing thinking third this
    those three through till time tired to told too total totally trying twenty two ugly uh uhm um
    unable under undecided unhappy unimportant unknown unsure until up upset us use used user using usually
    very wait waiting walking want wanted wanting was we weird well went were what whatever when whenever
    where which who whoever why wife wish with without wondering working worried would wow writing
    wrong yeah yep yes yet you your yours yup zero anonymous withheld restricted undefined null nil
    na test testing male female unavailable unspecified provided refund invoice order

    abierto aburrido aca adios agente ahi ahora ahorita algo alguien alergica alergico alla alli amable
    antes aqui asi aun aunque ayer ayuda bastante bien bueno buena buenas buenos cada cansada cansado
    capaz casada casado casi cerca cita claro cliente clienta como con conmigo consciente consulta
    contenta contento correcto cual cuando cuanto cuenta cumpleanos decia decir dejame demasiado desde
    despues dia dias diabetica diabetico dice digo digame disculpa disculpe donde dos duda eh ella ellos
    embarazada enferma enfermo enfermera enfermero entonces era eres es esa ese eso esta estaba estamos
    estan estar este esto estoy exactamente feliz fue gracias gusta gusto ha habla hablar hablo hace
    haciendo hasta hay hijo hija hola hombre hoy igual importante incorrecto interesada interesado
    ir jubilada jubilado joven lamentablemente le libre listo lista llamaba llamada llamaban llamame
    llamar llame llamo llega lo luego madre mal manana mas mayor me mejor menos mi
    miercoles lunes martes jueves viernes sabado enero febrero abril mayo junio
    agosto septiembre octubre noviembre diciembre momento mucha muchas mucho mujer muy nada nadie necesito
    ni ningun ninguna no noche nombre nos nosotros nuestra nueva nuevo numero nunca nuestro o ocupada
    ocupado os otra otro oye padre para parece pedido perdida perdido perdon perdone pero persona pienso
    poco por porque posible prefiero pregunta primera primero problema pronto propia propietaria
    propietario pues puede puedo que quien quiere quiero quisiera responsable sabe se segura seguro
    senor senora senorita ser si siempre siento sin sobre solamente solo soltera soltero somos son soy
    su sus tal tambien tampoco tarde te telefono tengo tenia titular toda todavia todo todos triste
    trabajo tu tus un una uno usted usuario usuaria vale vecina vecino vegana vegano vegetariana
    vegetariano ver verdad vez viuda viudo vivo voy ya yo desconocido desconocida ninguno anonimo

    catholic protestant muslim jewish hindu buddhist atheist human robot
    african american argentine argentinian asian australian austrian bangladeshi belgian bolivian
    brazilian british bulgarian canadian chilean chinese colombian croatian cuban czech danish dominican
    dutch ecuadorian egyptian english european filipino finnish french german greek guatemalan
    haitian honduran hungarian icelandic indian indonesian iranian iraqi irish israeli italian
    jamaican japanese kenyan korean latina latino latvian lebanese lithuanian mexican moroccan
    nicaraguan nigerian norwegian pakistani panamanian paraguayan peruvian polish portuguese romanian
    russian salvadoran saudi scottish serbian slovak somali spanish swedish swiss syrian taiwanese
    thai tunisian turkish ukrainian uruguayan venezuelan vietnamese welsh
    alemana aleman americana americano argentina argentino boliviana boliviano brasilena brasileno
    catolica catolico chilena chileno china chino colombiana colombiano cristiana
    cubana cubano dominicana dominicano ecuatoriana ecuatoriano escocesa escoces espanol espanola
    europea europeo francesa frances gallega gallego hondurena hondureno inglesa ingles irlandes
    irlandesa italiana italiano japones japonesa judia judio marroqui mexicana mexicano musulmana
    nicaraguense panamena panameno paraguaya paraguayo peruana peruano portugues portuguesa
    rumana rumano rusa ruso salvadorena salvadoreno uruguaya uruguayo vasca vasco venezolana venezolano
    """
)
"""Words, without accents, that are never a part of a name as callers say theirs."""

_WORD = re.compile(r"[^\W\d_][^\W\d_'·.-]*(?:['·.-][^\W\d_]+)*\.?")
_ROMAN_END = re.compile(r"(?:jr|sr|ii|iii|iv)\.?", re.IGNORECASE)


def clean_name(text: str, *, cased: bool = True, most_words: int = MAX_WORDS) -> str | None:
    """The name in `text` as it is to be written, or None where `text` as a whole is not a name.

    `cased=True` wants capitals as writers set them, and gives the name as it stands; otherwise (speech
    recognition without capitals, forms in capitals) the capitals are set.
    """
    words = straight(plain(text)).strip(" .,;:!?¡¿\"()").split()
    if not words or len(words) > most_words or not _may_be_name(words):
        return None
    judged = words[:1] if cased else words
    if any(is_no_name(w) for w in judged) or words[-1].lower() in PARTICLES:
        return None
    if all(is_particle(w) or _bare(w) in TITLES for w in words):
        return None
    if cased and not all(is_capital(w) or is_particle(w) for w in words):
        return None
    return " ".join(words if cased else _capitals(words))


def reported_name(value: str) -> str | None:
    """A name from a form or a platform's data collection: any capitals, any script; None for fillers."""
    value = _TOLD_OF.sub("", straight(plain(value)))
    words = value.split()
    if any(_bare(w) in _NOT_GIVEN for w in words) or value.strip(" .").lower() in {"n/a", "na"}:
        return None
    mixed = any(is_capital(w) and w != w.upper() for w in words) or not any(w.islower() for w in words)
    shouted = len(words) > 0 and all(w == w.upper() and w != w.lower() for w in words)
    return clean_name(value, cased=False) if shouted or not mixed else _as_reported(value)


def extends(longer: str, shorter: str) -> bool:
    """Whether `longer` is `shorter` with more names behind it: "Omar Castell" and "Omar"."""
    long, short = longer.casefold().split(), shorter.casefold().split()
    return 0 < len(short) < len(long) and long[: len(short)] == short


def corrects(quote: str, name: str, held: str) -> bool:
    """Whether the words mend how a person is called, rather than say that somebody else speaks.

    "No, it's Katrin" mends Karin, for the names are alike; "my name is Maria" speaks of the name;
    "it's Maria, not Eva" rejects the other. "No, this is Maria" said to Stefan is another person.
    """
    said = straight(plain(quote))
    if not name.split() or not held.split() or _RELATIVE.search(said):
        return False
    if SequenceMatcher(None, _letters(name), _letters(held)).ratio() >= ALIKE:
        return True
    rejects = re.compile(rf"(?i)\b(?:not|no)(?: (?:me llamo|soy|es))? {re.escape(held.split()[0])}\b")
    of_name = _OF_NAMES.search(said) or rejects.search(said)
    return of_name is not None and not _SPEAKS.search(said)


def is_no_name(word: str) -> bool:
    """Whether a word rules out that it is part of a name."""
    bare = _bare(word)
    if bare in _NAMES_BY_ACCENT:
        return False
    return bare not in PARTICLES and bare not in TITLES and without_accents(bare) in NOT_NAMES


def is_particle(word: str) -> bool:
    """Whether a word is a lower-case link inside names, such as "de" or "van"."""
    return word.lower() in PARTICLES and word == word.lower()


def is_capital(word: str) -> bool:
    """Whether a word begins with a capital, or is of a script that has none; "d'Arc" counts."""
    first = word.split("'")[-1][:1] if re.match(r"[a-z]{1,2}'", word) else word[:1]
    return first.isupper() or first.istitle() or unicodedata.category(first or " ") == "Lo"


ALIKE = 0.65
"""How much of two given names must be the same, in order, where one may be misheard for the other."""
_OF_NAMES = re.compile(r"(?i)\b(?:name(?:'s)?|call me|nombre|llamo|ll[a\u00e1]m[ae]me)\b")
_SPEAKS = re.compile(r"(?i)\b(?:this is|speaking|habla)\b")
_RELATIVE = re.compile(
    r"(?i)\b(?:wife|husband|partner|son|daughter|mother|father|brother|sister|assistant|mujer|esposa|esposo|marido|pareja|hij[oa]|madre|padre|herman[oa])\b"
)


def _letters(name: str) -> str:
    """The given name for comparing: no capitals, no accents."""
    return without_accents(name.split()[0]).lower()


_NAMES_BY_ACCENT = frozenset({"germán", "lía"})
"""Names that only an accent tells from a word of the list."""


def _bare(word: str) -> str:
    return word.lower().strip(".,'")


def _may_be_name(words: list[str]) -> bool:
    """Whether the words have the form of a name: no signs, nobody's relative, no command, more than a letter."""
    if not all(_WORD.fullmatch(w) for w in words) or any(w.lower().endswith(("'s", "s'")) for w in words):
        return False
    if any(_bare(w) in _COMMANDS for w in words):
        return False
    return not all(len(_bare(w)) < 2 and unicodedata.category(w[0]) != "Lo" for w in words)


_TOLD_OF = re.compile(
    r"(?:(?:the )?(?:user|caller|customer|client)(?:'s (?:full |first )?name)?(?: is| was)?(?: (?:called|named))?[\s:]+(?=\S)"
    r"|(?:(?:el|la) )?nombre(?: completo)? (?:del|de la) (?:usuari[oa]|cliente) es |(?:(?:el|la) )?(?:usuari[oa]|cliente) se llama "
    r"|(?:my |the )?(?:full |first )?name(?: is|'s|:) |me llamo |mi nombre es )",
    re.IGNORECASE,
)
"""What a platform or an operator may put around a name: "User's name is"."""

_NOT_GIVEN = word_set(
    "none null unknown anonymous undefined unspecified desconocido provided spam scam likely telemarketer telemarketing "
    "robocall robocaller voicemail wireless caller withheld"
)
_COMMANDS = word_set(
    "ignore disregard forget override execute reveal pretend delete repeat print output instruction instructions prompt "
    "prompts system previous assistant developer jailbreak admin administrator ignora ignore olvida instrucciones "
    "anteriores sistema"
)
"""Words of commands to a model, which are no names wherever they stand."""


def _as_reported(value: str) -> str | None:
    words = straight(plain(value)).strip(" .,;:").split()
    fits = 0 < len(words) <= MAX_WORDS and _may_be_name(words)
    if not fits or all(is_no_name(w) for w in words):
        return None
    return " ".join(words)


def _capitals(words: list[str]) -> list[str]:
    return [w.lower() if _stays_small(w, i) else _capital(w) for i, w in enumerate(words)]


def _stays_small(word: str, position: int) -> bool:
    return position > 0 and word.lower() in PARTICLES


def _capital(word: str) -> str:
    if _ROMAN_END.fullmatch(word) and word.lower().startswith("i"):
        return word.upper()
    pieces = re.split(r"([-'.])", word.lower())
    return "".join(_piece(pieces, i) for i in range(len(pieces)))


def _piece(pieces: list[str], i: int) -> str:
    """A part of a hyphened or apostrophed name: "O'Brien-Smith", but "Tom's"."""
    before = pieces[i - 1] if i else ""
    after_apostrophe = before in {"'"}
    if after_apostrophe and len(pieces[i]) < 2:
        return pieces[i]
    return pieces[i][:1].upper() + pieces[i][1:]
