"""The conversations of the demonstration, as data, and the webhooks that carry them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

AGENT_ID = "agent_demo_memoir"
STEFAN = "+15550100042"
LUCIA = "+15550100077"
SOMEBODY_NEW = "+15550100099"
OWN_NUMBER = "+15550100000"

SECONDS_A_TURN = 9
LANGUAGE_TOOL = "language_detection"


@dataclass(frozen=True, slots=True)
class DemoCall:
    """One finished conversation."""

    name: str
    """How `agentic-memory call` names it."""
    who: str
    number: str
    began: str
    """`2026-09-08T10:00`, UTC."""
    title: str
    summary: str
    talk: str
    """A line a turn: `A:` the agent, `C:` the caller, `T:` a tool of the agent's."""
    language: str = "en"
    collected: Mapping[str, str] = field(default_factory=dict)
    """What the platform's data collection reports, by its id."""

    @property
    def started_at(self) -> int:
        """Unix seconds."""
        return int(datetime.fromisoformat(self.began).replace(tzinfo=UTC).timestamp())

    @property
    def turns(self) -> list[tuple[str, str]]:
        """Every turn's letter and words."""
        lines = [line.strip().partition(": ") for line in self.talk.strip().splitlines()]
        return [(letter, words) for letter, _, words in lines]

    @property
    def duration(self) -> int:
        """Seconds."""
        return SECONDS_A_TURN * len(self.turns)

    @property
    def conversation_id(self) -> str:
        """As the platform names it."""
        return f"conv_demo_{self.name.replace('-', '_')}"

    def webhook(self) -> dict[str, object]:
        """The post-call webhook that the platform sends after this conversation."""
        return {
            "type": "post_call_transcription",
            "event_timestamp": self.started_at + self.duration + 20,
            "data": {
                "agent_id": AGENT_ID,
                "agent_name": "Memoir interviewer",
                "conversation_id": self.conversation_id,
                "status": "done",
                "user_id": None,
                "transcript": [
                    _turn(letter, words, SECONDS_A_TURN * i)
                    for i, (letter, words) in enumerate(self.turns)
                ],
                "metadata": self._metadata(),
                "analysis": self._analysis(),
                "conversation_initiation_client_data": {
                    "dynamic_variables": {"system__caller_id": self.number}
                },
            },
        }

    def _metadata(self) -> dict[str, object]:
        return {
            "start_time_unix_secs": self.started_at,
            "call_duration_secs": self.duration,
            "main_language": self.language,
            "termination_reason": "client ended call",
            "phone_call": {
                "type": "twilio",
                "direction": "inbound",
                "external_number": self.number,
                "agent_number": OWN_NUMBER,
                "call_sid": f"CA{self.started_at:032x}",
            },
        }

    def _analysis(self) -> dict[str, object]:
        return {
            "call_successful": "success",
            "call_summary_title": self.title,
            "transcript_summary": self.summary,
            "data_collection_results": {
                name: {"data_collection_id": name, "value": value}
                for name, value in self.collected.items()
            },
            "evaluation_criteria_results": {},
        }


def _turn(letter: str, words: str, seconds: int) -> dict[str, object]:
    turn: dict[str, object] = {
        "role": "user" if letter == "C" else "agent",
        "message": None if letter == "T" else words,
        "tool_calls": [],
        "tool_results": [],
        "time_in_call_secs": seconds,
        "interrupted": False,
    }
    if letter == "T":
        turn["tool_calls"] = [
            {
                "type": "system",
                "request_id": f"tool_{seconds}",
                "tool_name": LANGUAGE_TOOL,
                "params_as_json": f'{{"language": "{words}"}}',
                "tool_has_been_called": True,
            }
        ]
    return turn


HARBOUR = DemoCall(
    name="stefan-1",
    who="Stefan",
    number=STEFAN,
    began="2026-09-08T09:05",
    title="Growing up above the harbour",
    summary="Stefan grew up in a flat above the harbour in Hamburg. His grandfather taught him to fish, until the great flood of 1962.",
    collected={"caller_name": "Stefan"},
    talk="""
        A: Hello! Welcome to our memoir interview service. Could you please tell me your name?
        C: Good morning! My name is Stefan. These calls are a birthday present from my children.
        A: It is good to meet you, Stefan, and what a lovely present. I ask, you tell, and next time I will remember. Where did you grow up?
        C: In Hamburg, in a flat right above the harbour. At night you could hear the ships.
        A: What did they sound like?
        C: Like cows, to be honest. Deep, and far away.
        A: Did anybody in your family go to sea?
        C: My grandfather had a little fishing boat, the Marlene. Every Sunday he took me out before church, and we came back smelling of herring.
        A: What became of the Marlene?
        C: He sold her after the great flood of 1962. I was eleven, and I cried for a week.
        A: Thank you for bringing me on board, Stefan. When this chapter is written down, how shall we let you know?
        C: I prefer email updates. I never hear the phone in the garden.
        A: Then email it is. Next time I would like to hear how you left Hamburg. Goodbye, Stefan.
    """,
)

LISBON = DemoCall(
    name="stefan-2",
    who="Stefan",
    number=STEFAN,
    began="2026-09-22T09:10",
    title="How Stefan met Ingrid",
    summary="Stefan met Ingrid in Lisbon in 1974, when he was a cook on a freighter. She answered his forty-first letter, and they married in 1976.",
    talk="""
        A: Hello Stefan! I know you prefer email updates. How can I assist you today?
        C: Today you get the story of how I met my wife.
        A: I have been looking forward to that one. Where does it begin?
        C: In Lisbon, in the spring of 1974, of all times. I was a cook on a freighter, and we were in port for three days.
        A: The spring of the revolution.
        C: Exactly. There was dancing in the streets. A nurse from Bremen put a red carnation in my apron and told me that I danced like a broken crane.
        A: And that was her?
        C: That was Ingrid. Then the ship left, and all I had was her address on a napkin.
        A: What did you do?
        C: I wrote to her from every port. She answered the forty-first letter. Two years later we were married.
        A: Do you still have those letters?
        C: She keeps them in a biscuit tin on top of the wardrobe, and nobody is allowed to read them aloud.
        A: Then we will leave the tin closed. Thank you for Lisbon, Stefan.
    """,
)

BAKERY = DemoCall(
    name="stefan-3",
    who="Stefan",
    number=STEFAN,
    began="2026-10-13T09:02",
    title="The bakery in Altona",
    summary="Stefan and Ingrid opened a bakery in Altona in 1981. Their daughter Clara runs it today, with the oven of the first day.",
    talk="""
        A: Hello Stefan! I know you prefer email updates. How can I assist you today?
        C: I thought we could talk about the bakery.
        A: Gladly. How does a ship's cook become a baker?
        C: When Clara was born I left the sea. In 1981 we took over a tiny shop in Altona, with an oven older than both of us.
        A: What was a day like?
        C: I got up at two in the morning, every single day but Monday. By six there was a queue around the corner for our cinnamon rolls.
        A: What made them so good?
        C: Cardamom, and burnt butter. I learnt that from a Danish stoker, and I have never told anybody until now.
        A: Your secret is in good hands. Who bakes there today?
        C: My daughter Clara. She still uses the old oven.
        A: Is there a picture of the shop for the book?
        C: There is one of the opening day, with the whole street in front of the door. I will send you the photograph of the opening day.
        A: I will look out for it. Thank you, Stefan. The whole house smells of cinnamon now.
    """,
)

ADDRESS = DemoCall(
    name="stefan-4",
    who="Stefan",
    number=STEFAN,
    began="2026-11-10T15:31",
    title="A new email address",
    summary="User wants to update email address.",
    talk="""
        A: Hello Stefan! I know you prefer email updates. How can I assist you today?
        C: No stories today, only a small thing. I want to update my email address.
        A: Of course. What has happened to the old one?
        C: It belonged to the bakery, and Clara is closing that mailbox at the end of the month.
        A: I understand. Which address shall we use from now on?
        C: I do not have one yet. Clara sets it up for me on Sunday, when she comes for lunch.
        A: Then we leave everything as it is until you tell us the new one.
        C: Good. I will call back next week.
        A: I will remember. And after that, I would like to hear what became of the old sailors' choir.
        C: Oh, the choir! That is a story for a whole evening. Until next week, then.
        A: Until next week, Stefan.
    """,
)

MARKET = DemoCall(
    name="lucia-1",
    who="Lucía",
    number=LUCIA,
    began="2026-10-27T17:20",
    title="A stall at the market in Oaxaca",
    summary="Lucía spoke of the market in Oaxaca, and of the family recipe that she saved in 1988.",
    language="es",
    talk="""
        A: Hello! Welcome to our memoir interview service. Could you please tell me your name?
        C: Buenas tardes. Me llamo Lucía. ¿Podemos hablar en español?
        T: es
        A: Claro que sí, Lucía, con mucho gusto. ¿Por dónde le gustaría empezar?
        C: Por mi abuela Rosario. Tenía un puesto de pan en el mercado de Oaxaca.
        A: ¿Qué recuerda de aquel puesto?
        C: El olor a anís. Los domingos mi abuela horneaba pan de yema, y yo le ayudaba a amasar desde las cuatro de la mañana.
        A: ¿Quién le enseñó a ella?
        C: Nadie lo sabe. Nunca escribió la receta: decía que las manos se acuerdan solas.
        A: ¿Y se perdió la receta?
        C: No, porque la escribí yo en 1988, cuando ella ya casi no veía. La medí con sus propias manos.
        A: Qué regalo para su familia. ¿Cómo prefiere que le avisemos cuando el capítulo esté listo?
        C: Prefiero los mensajes de WhatsApp.
        A: Así lo haremos. Gracias, Lucía. La próxima vez me gustaría conocer el mercado entero.
    """,
)

CALLS = (HARBOUR, LISBON, BAKERY, MARKET, ADDRESS)
"""In the order in which they are played: Stefan's four, and one of Lucía's in between."""

SAMPLES: Mapping[str, DemoCall] = {call.name: call for call in CALLS}
"""By name, for `agentic-memory call`."""


@dataclass(frozen=True, slots=True)
class Question:
    """One search during a call, as the agent asks it."""

    number: str
    words: str
    remark: str
    """What there is to see in it."""
    answer: str
    """A word of the right answer, for the tests."""


QUESTIONS = (
    Question(
        STEFAN,
        "What was his grandfather's boat called?",
        "the agent looks something up for Stefan",
        "Marlene",
    ),
    Question(
        LUCIA,
        "What did her grandmother bake on Sundays?",
        "asked in English, once said in Spanish",
        "pan de yema",
    ),
)
