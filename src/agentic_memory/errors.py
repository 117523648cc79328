"""Every error of the house, one tree.

AgenticMemoryError
├── SettingsError                  a setting is wrong: the start stops
├── RequestError                   the client sent something unusable: 400
│   ├── MissingField
│   ├── InvalidField
│   ├── NotJSON
│   ├── TooDeep
│   ├── TooLarge                   413
│   ├── TooManyRequests            429
│   ├── RequestTimeout             408
│   ├── NotFound                   404
│   └── MethodNotAllowed           405
├── NotAuthorized                  401
│   ├── InvalidWorkspaceKey
│   ├── InvalidMemoryToken
│   ├── NoActiveCall
│   ├── InvalidAdminKey
│   └── SignatureRejected
├── PayloadError                   an accepted body that no retry will mend: buried at once
│   ├── MalformedPayload
│   └── PayloadOutOfBounds
├── StorageError                   the database; retryable unless it says otherwise
│   ├── StorageUnavailable
│   ├── StorageFull
│   ├── StorageLocked
│   ├── StorageCorrupt             not retryable
│   ├── RevisionConflict
│   └── LeaseLost                  not retryable
├── ArchiveError                   the archive; retryable
│   ├── ArchiveUnavailable
│   ├── ArchiveKeyMissing          not retryable
│   └── ArchiveKeyInvalid          not retryable
├── ModelError
│   ├── EmbedderUnavailable        retryable
│   ├── EmbedderCorrupt            not retryable
│   └── ExtractorFailed            retryable
├── SecretUnavailable              the keys of the AWS stack; retryable
└── MemoryUnavailable              nothing could be had in time: 503, retryable
    ├── MemoryServiceUnavailable   Mem0 Cloud is slow, down or asks to wait
    ├── MemoryServiceRefused       not retryable
    └── MemoryServiceFailed        it took the call and could not remember it; not retryable

A class's docstring is its message: `{fields}` in it are filled from the keyword arguments.
`retryable` says whether the same call may succeed later; `public` whether a client may read the message.
"""

from typing import ClassVar


class AgenticMemoryError(Exception):
    """Something went wrong in AgenticMemory."""

    retryable: ClassVar[bool] = False
    public: ClassVar[bool] = False

    def __init__(self, **fields: object) -> None:
        """Keep `fields` as attributes of the error and fill the message with them."""
        self.fields = fields
        super().__init__(self.message)

    @property
    def message(self) -> str:
        """The class's docstring, folded to one line, filled with this error's fields."""
        template = " ".join((type(self).__doc__ or "").split())
        return template.format_map(_Fields(self.fields))

    @property
    def code(self) -> str:
        """The stable name of this kind of error, for logs, metrics and dead letters."""
        return type(self).__name__


class _Fields(dict[str, object]):
    def __missing__(self, key: str) -> str:
        return f"<{key}>"


class SettingsError(AgenticMemoryError):
    """{name}: {problem}. Example: {name}={example}"""


class RequestError(AgenticMemoryError):
    """The request cannot be used"""

    public = True


class MissingField(RequestError):
    """Missing {field}"""


class InvalidField(RequestError):
    """Invalid {field}: expected {expected}"""


class NotJSON(RequestError):
    """Invalid body: expected a JSON object"""


class TooDeep(RequestError):
    """Invalid body: nested deeper than {limit} levels"""


class TooLarge(RequestError):
    """Body too large: at most {limit} bytes"""


class TooManyRequests(RequestError):
    """Too many requests: try again in {seconds} s"""


class RequestTimeout(RequestError):
    """The body did not come whole within {seconds} s"""


class NotFound(RequestError):
    """{what} not found"""


class MethodNotAllowed(RequestError):
    """Method not allowed: use {allowed}"""


class NotAuthorized(AgenticMemoryError):
    """Not authorized"""

    public = True


class InvalidWorkspaceKey(NotAuthorized):
    """Invalid workspace key"""


class InvalidMemoryToken(NotAuthorized):
    """Invalid memory token"""


class NoActiveCall(NotAuthorized):
    """No active call of this caller"""


class InvalidAdminKey(NotAuthorized):
    """Invalid admin key"""


class SignatureRejected(NotAuthorized):
    """Invalid signature"""

    # `reason` (kept in `fields`) is for our logs; a client learns only that it was refused.


class PayloadError(AgenticMemoryError):
    """The delivery's body cannot be used: {reason}"""


class MalformedPayload(PayloadError):
    """The delivery's body cannot be parsed: {reason}"""


class PayloadOutOfBounds(PayloadError):
    """The delivery's body is out of bounds: {field} exceeds {limit}"""


class StorageError(AgenticMemoryError):
    """The database failed: {reason}"""

    retryable = True


class StorageUnavailable(StorageError):
    """The database cannot be reached: {reason}. Check DATABASE_URL, the folder's permissions and that the disk is mounted."""


class StorageFull(StorageError):
    """The disk that holds the database is full. Free some space: deliveries are refused with 503 until then, so that senders retry."""


class StorageLocked(StorageError):
    """The database is locked by another process for longer than {seconds} s. End what holds it (a backup tool, an open shell)."""


class StorageCorrupt(StorageError):
    """The database file is damaged: {reason}. Restore a backup, or rebuild it with `agentic-memory replay --archive`."""

    retryable = False


class RevisionConflict(StorageError):
    """Another process changed this caller meanwhile (expected revision {expected}, found {found})."""


class LeaseLost(StorageError):
    """The lease on delivery {delivery} has passed to another worker."""

    retryable = False


class ArchiveError(AgenticMemoryError):
    """The archive failed: {reason}"""

    retryable = True


class ArchiveUnavailable(ArchiveError):
    """The archive cannot be reached: {reason}. Deliveries wait in the inbox until it is back."""


class ArchiveKeyMissing(ArchiveError):
    """The archive has no {key}"""

    retryable = False


class ArchiveKeyInvalid(ArchiveError):
    """{key} cannot name an entry of the archive: expected a relative path without `..`"""

    retryable = False


class ModelError(AgenticMemoryError):
    """The model failed: {reason}"""


class EmbedderUnavailable(ModelError):
    """The embedding model cannot be used: {reason}. Recall works on words alone until then."""

    retryable = True


class EmbedderCorrupt(ModelError):
    """The weights of {model} are not the ones we know: sha256 {found}, expected {expected}. Reinstall the package."""


class ExtractorFailed(ModelError):
    """The extractor gave nothing usable: {reason}"""

    retryable = True


class SecretUnavailable(AgenticMemoryError):
    """The secret that holds the keys cannot be read: {reason}. Check MEMORY_SECRET_ID and the function's role."""

    retryable = True


class MemoryUnavailable(AgenticMemoryError):
    """Memory is temporarily unavailable"""

    retryable = True
    public = True


class MemoryServiceUnavailable(MemoryUnavailable):
    """The memory service cannot be used: {reason}"""

    public = False


class MemoryServiceRefused(MemoryUnavailable):
    """The memory service refuses the request: {reason}. Trying again will not help before that is mended."""

    retryable = False
    public = False


class MemoryServiceFailed(MemoryUnavailable):
    """The memory service took the call and failed to remember it: {reason}. `agentic-memory replay --dead` tries it again."""

    retryable = False
    public = False
