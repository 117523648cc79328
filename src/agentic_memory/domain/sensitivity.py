"""Which facts must never be read aloud: health, money, beliefs, credentials, trouble in the family."""

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
