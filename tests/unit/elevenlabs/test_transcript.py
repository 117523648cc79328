import pytest

from agentic_memory.domain.call import Role, TurnKind
from agentic_memory.platforms.elevenlabs.reading import Bounds
from agentic_memory.platforms.elevenlabs.transcript import turns

A, C = Role.AGENT, Role.CALLER


def said(transcript: object) -> list[tuple[Role, str]]:
    return [(turn.role, turn.text) for turn in turns(transcript, Bounds())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("User: Hi.\nAgent: Hello.", [(C, "Hi."), (A, "Hello.")]),
        ("USER : Hi.\n\n  assistant:Hello.\r\nthere", [(C, "Hi."), (A, "Hello. \nthere")]),
        ("Agent: Hello. User: Hi there. Agent: Bye.", [(A, "Hello."), (C, "Hi there."), (A, "Bye.")]),
        ("User: my agent: none", [(C, "my agent: none")]),
        ("Usuario: Hola.\nAgente: Buenas.", [(C, "Hola."), (A, "Buenas.")]),
        ("no speaker at all", [(A, "no speaker at all")]),
        ("Intro\nUser: Hi.", [(A, "Intro"), (C, "Hi.")]),
        ("", []),
    ],
)
def test_one_text(text: str, expected: list[tuple[Role, str]]) -> None:
    assert said(text) == expected


def test_lines_in_an_array() -> None:
    assert said(["User: Hi.", "Agent: Hello.", "at 10: nobody"]) == [(C, "Hi."), (A, "Hello."), (A, "at 10: nobody")]


@pytest.mark.parametrize("odd", [None, 7, True, {}, {"role": "user"}, [None, 3, [[]]]])
def test_what_is_no_transcript_has_no_turns(odd: object) -> None:
    assert said(odd) == []


@pytest.mark.parametrize(
    ("turn", "kind"),
    [
        ({"role": "user", "message": "Yes."}, TurnKind.SPOKEN),
        ({"role": "user", "message": "None."}, TurnKind.SPOKEN),
        ({"role": "user", "message": "да"}, TurnKind.SPOKEN),
        ({"role": "agent", "message": "Wait.", "tool_calls": [{}]}, TurnKind.SPOKEN),
        ({"role": "agent", "message": "...", "tool_calls": [{}]}, TurnKind.TOOL),
        ({"role": "agent", "message": None, "tool_results": [{}]}, TurnKind.TOOL),
        ({"role": "system", "message": "Be kind."}, TurnKind.TOOL),
        ({"role": ["user"], "message": "Hi."}, TurnKind.TOOL),
        ({"role": "user", "message": "Basket: 2", "contextual_update_info": {"context_id": "b"}}, TurnKind.TOOL),
        ({"role": "user", "message": "mhm", "ignored_as_backchannel": True}, TurnKind.BACKCHANNEL),
        ({"role": "user", "message": "a photo", "source_medium": "image"}, TurnKind.SILENT),
        ({"role": "user", "message": "1234", "source_medium": "dtmf"}, TurnKind.SILENT),
        ({"role": "user", "message": "typed", "source_medium": ["odd"]}, TurnKind.SPOKEN),
        ({"role": "agent", "message": ""}, TurnKind.SILENT),
        ({"role": "agent", "message": "…"}, TurnKind.SILENT),
    ],
)
def test_kinds(turn: dict[str, object], kind: TurnKind) -> None:
    assert [t.kind for t in turns([turn], Bounds())] == [kind]
