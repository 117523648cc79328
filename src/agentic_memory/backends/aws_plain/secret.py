"""One named secret: a JSON object of keys, its current version and the one before."""

from collections.abc import Mapping

from agentic_memory.backends.aws_plain.service import NoAnswer, Service, json_object
from agentic_memory.errors import SecretUnavailable
from agentic_memory.settings import AwsSettings

CURRENT, PREVIOUS = "AWSCURRENT", "AWSPREVIOUS"


class Secret:
    """Reads the secret; keeps nothing."""

    def __init__(self, settings: AwsSettings) -> None:
        """`settings` name the secret and say who asks."""
        self._id = settings.memory_secret_id
        self._service = Service(settings, "secretsmanager", "1.1")

    def versions(self, now: float) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """Settings by name: the current version, and the one before it (empty where there is none).

        `now` in Unix seconds. Raises SecretUnavailable.
        """
        try:
            current = self._version(CURRENT, now)
            if not current:
                raise NoAnswer("it has no current version")
            return current, self._version(PREVIOUS, now)
        except NoAnswer as error:
            raise SecretUnavailable(reason=str(error)) from None

    def _version(self, stage: str, now: float) -> Mapping[str, str]:
        """The secret's object at a stage; empty where there is no such version."""
        asked = {"SecretId": self._id, "VersionStage": stage}
        answer = self._service.ask("secretsmanager.GetSecretValue", asked, now)
        if answer.status == 400 and b"ResourceNotFoundException" in answer.body and stage == PREVIOUS:
            return {}
        if answer.status != 200:
            raise NoAnswer(f"status {answer.status}")
        return _strings(json_object(answer.body).get("SecretString"))


def _strings(text: object) -> Mapping[str, str]:
    given = json_object(text if isinstance(text, str) else "")
    return {name: value for name, value in given.items() if isinstance(value, str) and value}
