"""The OpenAPI 3.1 description of every route, held to the code by a test."""

from collections.abc import Mapping

from agentic_memory import __version__

Schema = dict[str, object]


def _object(required: tuple[str, ...] = (), **properties: Schema) -> Schema:
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return schema


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "number"}
INTEGER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
MAYBE_TEXT: Schema = {"type": ["string", "null"]}
MAYBE_NUMBER: Schema = {"type": ["number", "null"]}
MAYBE_INTEGER: Schema = {"type": ["integer", "null"]}
MAYBE_TIME: Schema = {"type": ["string", "null"], "format": "date-time"}
ANY_OBJECT: Schema = {"type": "object"}

SCHEMAS: dict[str, Schema] = {
    "Error": _object(("error",), error=TEXT),
    "Ring": _object(
        ("caller_id",),
        caller_id={"type": ["string", "null", "integer"], "maxLength": 1000},
        called_number=MAYBE_TEXT,
        agent_id=MAYBE_TEXT,
        call_sid=MAYBE_TEXT,
        conversation_id=MAYBE_TEXT,
    ),
    "Initiation": _object(
        ("type", "dynamic_variables"),
        type={"const": "conversation_initiation_client_data"},
        dynamic_variables={"type": "object", "additionalProperties": TEXT},
        conversation_config_override=ANY_OBJECT,
    ),
    "Question": _object(
        ("query", "user_id"),
        query={"type": "string", "minLength": 1},
        user_id={"type": "string", "minLength": 1, "maxLength": 1000},
        agent_id=MAYBE_TEXT,
        limit={"type": ["integer", "null"], "minimum": 1, "maximum": 50},
        detail={"type": ["boolean", "null"]},
    ),
    "Found": _object(
        ("id", "kind", "text", "similarity", "date", "conversation_id", "turn", "turns", "quote"),
        id=TEXT,
        kind={"enum": ["factual", "semantic"]},
        text=TEXT,
        similarity=NUMBER,
        date={"type": "string", "format": "date"},
        conversation_id=TEXT,
        turn=MAYBE_INTEGER,
        turns=_list(INTEGER),
        quote=MAYBE_TEXT,
        superseded=FLAG,
    ),
    "Answer": _object(
        ("memories",), memories={"type": "array", "items": {"oneOf": [TEXT, _ref("Found")]}}
    ),
    "Received": _object(("status",), status={"const": "ok"}),
    "Readiness": _object(
        ("status", "checks", "inbox"),
        status={"enum": ["ready", "degraded"]},
        checks={"type": "object", "additionalProperties": TEXT},
        inbox=_object(
            ("pending", "dead"),
            pending=MAYBE_INTEGER,
            dead=MAYBE_INTEGER,
            quarantined=MAYBE_INTEGER,
        ),
    ),
    "Caller": _object(
        ("caller_id", "name", "call_count"),
        caller_id=TEXT,
        name=MAYBE_TEXT,
        language=MAYBE_TEXT,
        first_call_at=MAYBE_TIME,
        last_call_at=MAYBE_TIME,
        call_count=INTEGER,
        revision=INTEGER,
    ),
    "CallerWithBrief": {
        "allOf": [_ref("Caller"), _object(("brief",), brief={"type": ["object", "null"]})]
    },
    "Evidence": _object(
        ("conversation_id",),
        conversation_id=TEXT,
        turn=MAYBE_INTEGER,
        quote=MAYBE_TEXT,
        offset=MAYBE_NUMBER,
        field=MAYBE_TEXT,
    ),
    "Memory": _object(
        ("id", "text", "evidence"),
        id=TEXT,
        kind={"enum": ["factual", "semantic"]},
        category=TEXT,
        text=TEXT,
        slot=MAYBE_TEXT,
        value=MAYBE_TEXT,
        language=MAYBE_TEXT,
        importance=NUMBER,
        sensitivity={"enum": ["ordinary", "sensitive"]},
        created_at=MAYBE_TIME,
        valid_from=MAYBE_TIME,
        valid_until=MAYBE_TIME,
        superseded_by=MAYBE_TEXT,
        expires_at=MAYBE_TIME,
        version=INTEGER,
        evidence=_list(_ref("Evidence")),
        metadata=ANY_OBJECT,
    ),
    "Change": _object(
        ("memory_id", "action", "at", "actor"),
        memory_id=TEXT,
        action=TEXT,
        at=MAYBE_TIME,
        actor={"enum": ["call", "operator"]},
        conversation_id=MAYBE_TEXT,
        old_text=MAYBE_TEXT,
        new_text=MAYBE_TEXT,
    ),
    "Call": _object(
        ("conversation_id", "platform", "started_at", "status"),
        conversation_id=TEXT,
        platform=TEXT,
        agent_id=MAYBE_TEXT,
        agent_name=MAYBE_TEXT,
        direction={"enum": ["inbound", "outbound", "unknown"]},
        started_at=MAYBE_TIME,
        duration=MAYBE_NUMBER,
        status=TEXT,
        result=MAYBE_TEXT,
        language=MAYBE_TEXT,
        title=MAYBE_TEXT,
        summary=MAYBE_TEXT,
        raw_key=MAYBE_TEXT,
        audio_key=MAYBE_TEXT,
        collected=ANY_OBJECT,
        analysis=ANY_OBJECT,
        turns=_list(ANY_OBJECT),
    ),
    "DeadLetter": _object(
        ("id", "cause", "error"),
        id=TEXT,
        platform=TEXT,
        type=MAYBE_TEXT,
        conversation_id=MAYBE_TEXT,
        received_at=MAYBE_TIME,
        buried_at=MAYBE_TIME,
        attempts=INTEGER,
        cause=TEXT,
        error=TEXT,
        size=INTEGER,
    ),
    "CallerPage": _object(
        ("callers", "next_cursor"), callers=_list(_ref("Caller")), next_cursor=MAYBE_TEXT
    ),
    "Memories": _object(("memories",), memories=_list(_ref("Memory"))),
    "History": _object(("history",), history=_list(_ref("Change"))),
    "Calls": _object(("calls",), calls=_list(_ref("Call"))),
    "DeadLetters": _object(
        ("dead_letters", "next_cursor"),
        dead_letters=_list(_ref("DeadLetter")),
        next_cursor=MAYBE_TEXT,
    ),
    "Quarantined": _object(
        ("id", "platform", "received_at", "size", "reason"),
        id=TEXT,
        platform=TEXT,
        received_at=MAYBE_TIME,
        size=INTEGER,
        reason=MAYBE_TEXT,
    ),
    "Quarantine": _object(
        ("quarantine", "total"), quarantine=_list(_ref("Quarantined")), total=INTEGER
    ),
    "Dropped": _object(("dropped",), dropped=FLAG),
    "Edit": _object(("text",), text={"type": "string", "minLength": 1, "maxLength": 2000}),
    "Erased": _object(("erased",), erased=FLAG),
    "Deleted": _object(("deleted",), deleted=FLAG),
    "ReplayOrder": _object(
        ("source",),
        source={"enum": ["dead_letters", "archive", "quarantine"]},
        ids={"type": ["array", "null"], "items": TEXT, "maxItems": 500},
    ),
    "Replayed": _object(("replayed",), replayed=MAYBE_INTEGER, still_refused=INTEGER),
}


def _query(name: str, schema: Schema, text: str) -> Schema:
    return {"name": name, "in": "query", "schema": schema, "description": text}


def _path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


LIMIT = _query("limit", {"type": "integer", "minimum": 1, "maximum": 500}, "Rows of a page.")
CURSOR = _query("cursor", TEXT, "`next_cursor` of the page before.")
SIGNATURE: Schema = {
    "name": "ElevenLabs-Signature",
    "in": "header",
    "schema": TEXT,
    "description": "`t=<unix seconds>,v0=<hex HMAC-SHA256 of t.body>`",
}


def _operation(
    name: str,
    summary: str,
    answer: str,
    *,
    body: str | None = None,
    also: int | None = None,
    **more: object,
) -> Schema:
    """`also` is a further status with the same answer."""
    content: Schema = {"application/json": {"schema": _ref(answer)}}
    statuses = ("200",) if also is None else ("200", str(also))
    operation: Schema = {
        "operationId": name,
        "summary": summary,
        "responses": {
            **{status: {"description": summary, "content": content} for status in statuses},
            "default": {
                "description": "What went wrong.",
                "content": {"application/json": {"schema": _ref("Error")}},
            },
        },
        **more,
    }
    if body is not None:
        schema = ANY_OBJECT if body == "any" else _ref(body)
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return operation


def _admin(name: str, summary: str, answer: str, **more: object) -> Schema:
    return _operation(name, summary, answer, security=[{"AdminKey": []}], **more)  # type: ignore[arg-type]


def _plain(operation: Schema, content_type: str) -> Schema:
    schema = ANY_OBJECT if content_type == "application/json" else TEXT
    operation["responses"]["200"]["content"] = {content_type: {"schema": schema}}  # type: ignore[index]
    return operation


CALLER = _path("caller_id")
MEMORY = _path("memory_id")

PATHS: Mapping[str, Schema] = {
    "/client-data": {
        "post": _operation(
            "client_data",
            "The phone rings: what the agent is told about the caller.",
            "Initiation",
            body="Ring",
            security=[{"WorkspaceKey": []}],
        )
    },
    "/retrieve": {
        "post": _operation(
            "retrieve",
            "During the call: what this caller said before, best first.",
            "Answer",
            body="Question",
            security=[{}, {"MemoryToken": []}, {"WorkspaceKey": []}],
        )
    },
    "/post-call": {
        "post": _operation(
            "post_call",
            "After hang-up: answered once the delivery is durable.",
            "Received",
            body="any",
            parameters=[SIGNATURE],
        )
    },
    "/healthz": {"get": _operation("healthz", "The process runs.", "Received")},
    "/readyz": {"get": _operation("readyz", "Whether it can serve, and how well.", "Readiness", also=503)},
    "/v1/callers": {
        "get": _admin(
            "list_callers",
            "Callers, newest call first.",
            "CallerPage",
            parameters=[_query("q", TEXT, "Part of the id or of the name."), LIMIT, CURSOR],
        )
    },
    "/v1/callers/{caller_id}": {
        "parameters": [CALLER],
        "get": _admin("get_caller", "One caller with their brief.", "CallerWithBrief"),
        "delete": _admin("erase_caller", "Erase a caller's every trace.", "Erased"),
    },
    "/v1/callers/{caller_id}/memories": {
        "parameters": [CALLER],
        "get": _admin("list_memories", "Memories, oldest first.", "Memories"),
    },
    "/v1/callers/{caller_id}/memories/{memory_id}": {
        "parameters": [CALLER, MEMORY],
        "patch": _admin("edit_memory", "Set one memory's text.", "Memory", body="Edit"),
        "delete": _admin("delete_memory", "Delete one memory.", "Deleted"),
    },
    "/v1/callers/{caller_id}/memories/{memory_id}/history": {
        "parameters": [CALLER, MEMORY],
        "get": _admin("get_history", "What happened to one memory.", "History"),
    },
    "/v1/callers/{caller_id}/calls": {
        "parameters": [CALLER],
        "get": _admin("list_calls", "Calls without turns, newest first.", "Calls"),
    },
    "/v1/callers/{caller_id}/calls/{conversation_id}": {
        "parameters": [CALLER, _path("conversation_id")],
        "get": _admin("get_call", "One call with its turns.", "Call"),
    },
    "/v1/dead-letters": {
        "get": _admin(
            "list_dead_letters",
            "Dead letters, oldest first.",
            "DeadLetters",
            parameters=[LIMIT, CURSOR],
        )
    },
    "/v1/quarantine": {
        "get": _admin(
            "list_quarantine",
            "What is in quarantine, oldest first, and why it is still refused.",
            "Quarantine",
            parameters=[LIMIT],
        )
    },
    "/v1/quarantine/{item_id}": {
        "parameters": [_path("item_id")],
        "delete": _admin("drop_quarantined", "Drop one body from quarantine, for good.", "Dropped"),
    },
    "/v1/replay": {
        "post": _admin(
            "replay",
            "Process again: dead letters, the archive, or the quarantine.",
            "Replayed",
            body="ReplayOrder",
            also=202,
        )
    },
    "/v1/export": {
        "get": _plain(
            _admin(
                "export",
                "Everything, or one caller, as JSON Lines.",
                "Caller",
                parameters=[_query("caller_id", TEXT, "Only this caller.")],
            ),
            "application/x-ndjson",
        )
    },
    "/v1/openapi.json": {
        "get": _plain(_admin("describe", "This description.", "Caller"), "application/json")
    },
    "/metrics": {"get": _plain(_admin("metrics", "For Prometheus.", "Caller"), "text/plain")},
}

SECURITY: Schema = {
    "WorkspaceKey": {"type": "apiKey", "in": "header", "name": "X-Workspace-Key"},
    "MemoryToken": {"type": "http", "scheme": "bearer"},
    "AdminKey": {"type": "http", "scheme": "bearer"},
}


def description() -> Schema:
    """The whole description as plain values."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "AgenticMemory",
            "version": __version__,
            "description": "The memory of voice agents. Every path also answers under `/Prod`.",
        },
        "paths": dict(PATHS),
        "components": {"schemas": SCHEMAS, "securitySchemes": SECURITY},
    }
