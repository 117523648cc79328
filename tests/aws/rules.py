"""What must hold of the translated template and no linter looks at: each rule yields what is wrong."""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.aws.tools import Template

Rule = Callable[[Template], Iterator[str]]
WILDCARDS = {"xray:PutTraceSegments", "xray:PutTelemetryRecords"}
"""Actions that have no narrower resource."""


def of_type(template: Template, kind: str) -> dict[str, dict[str, Any]]:
    """The properties of every resource of a kind, by name."""
    return {
        name: resource.get("Properties", {})
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def logs_have_their_groups(template: Template) -> Iterator[str]:
    """Each function writes to a group of its own that bears its name and forgets."""
    groups = of_type(template, "AWS::Logs::LogGroup")
    for name, function in of_type(template, "AWS::Lambda::Function").items():
        group = groups.get(function.get("LoggingConfig", {}).get("LogGroup", {}).get("Ref"), {})
        if group.get("LogGroupName") != f"/aws/lambda/{function['FunctionName']}":
            yield f"{name} does not write to a group of its own name"
        if group.get("RetentionInDays") != {"Ref": "LogRetentionDays"}:
            yield f"the log of {name} is kept for ever"


def one_role_each(template: Template) -> Iterator[str]:
    """No two functions share a role."""
    roles = [json.dumps(f["Role"]) for f in of_type(template, "AWS::Lambda::Function").values()]
    if len(set(roles)) != len(roles):
        yield "functions share a role"


def _statements(value: object) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for inner in value.values():
            yield from _statements(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _statements(inner)


def roles_name_what_they_reach(template: Template) -> Iterator[str]:
    """Neither actions nor resources are wildcards, but for what has no narrower one."""
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for statement in _statements(role["Policies"]):
            actions = set(statement["Action"])
            if any("*" in action for action in actions):
                yield f"{name} may do anything of a service"
            if statement["Resource"] == "*" and not actions <= WILDCARDS:
                yield f"{name} reaches everything with {sorted(actions)}"


def the_ring_reaches_no_bodies(template: Template) -> Iterator[str]:
    """client-data and search-data have no business in bucket and queues; post-call none in the table.

    But for one: where rings are to be kept, client-data hands them to the worker.
    """
    forbidden = {"ClientDataRole": ("s3:", "sqs:"), "RetrieveRole": ("s3:", "sqs:"), "PostCallRole": ("dynamodb:",)}
    for name, prefixes in forbidden.items():
        policies = of_type(template, "AWS::IAM::Role")[name]["Policies"]
        for statement in _statements([p for p in policies if p != RINGS]):
            yield from (f"{name} may {a}" for a in statement["Action"] if a.startswith(prefixes))
    if RINGS not in of_type(template, "AWS::IAM::Role")["ClientDataRole"]["Policies"]:
        yield "rings cannot be handed over, or always can"


RINGS = {"Fn::If": ["KeepRings", {
    "PolicyName": "rings",
    "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
        "Sid": "HandOverRings", "Effect": "Allow", "Action": ["sqs:SendMessage"],
        "Resource": {"Fn::GetAtt": ["PostCallQueue", "Arn"]},
    }]},
}, {"Ref": "AWS::NoValue"}]}  # fmt: skip


def only_forgetting_erases(template: Template) -> Iterator[str]:
    """It alone may delete everywhere in the bucket, and it can put nothing anywhere."""
    for name, role in of_type(template, "AWS::IAM::Role").items():
        for statement in _statements(role["Policies"]):
            actions, resource = statement["Action"], json.dumps(statement["Resource"])
            erases = any(a.startswith("s3:Delete") for a in actions)
            if erases and name != "ForgetRole" and '.Arn}/*"' in resource:
                yield f"{name} may delete every body"
            if name == "ForgetRole" and any(re.search(":(Put|Send|Update)", a) for a in actions if not a.startswith("xray:") and not a.startswith("logs:")):
                yield "forgetting writes"


def queue_waits_for_its_worker(template: Template) -> Iterator[str]:
    """Visibility of at least six times the worker's timeout, as the event source asks."""
    worker = of_type(template, "AWS::Lambda::Function")["WorkerFunction"]
    queue = of_type(template, "AWS::SQS::Queue")["PostCallQueue"]
    if queue["VisibilityTimeout"] < 6 * worker["Timeout"]:
        yield "the queue shows a message again while it may still be worked on"
    if str(queue["VisibilityTimeout"]) != worker["Environment"]["Variables"]["WORKER_LEASE"]:
        yield "the worker does not know how long it may hold a message"


def dead_letters_are_kept(template: Template) -> Iterator[str]:
    """After five receives, for 14 days, and the worker buries no later than the queue does."""
    queues = of_type(template, "AWS::SQS::Queue")
    policy = queues["PostCallQueue"].get("RedrivePolicy", {})
    if policy.get("deadLetterTargetArn") != {"Fn::GetAtt": ["PostCallDeadLetters", "Arn"]}:
        yield "nothing catches what fails"
    if policy.get("maxReceiveCount") != 5:
        yield "not five receives"
    if queues["PostCallDeadLetters"].get("MessageRetentionPeriod") != 14 * 86_400:
        yield "dead letters are not kept for 14 days"
    for name, function in of_type(template, "AWS::Lambda::Function").items():
        if function["Environment"]["Variables"]["WORKER_ATTEMPTS"] != str(policy.get("maxReceiveCount")):
            yield f"{name} counts other attempts than the queue"


def queues_are_encrypted(template: Template) -> Iterator[str]:
    """At rest."""
    for name, queue in of_type(template, "AWS::SQS::Queue").items():
        if queue.get("SqsManagedSseEnabled") is not True:
            yield f"{name} is not encrypted"


def worker_reports_by_message(template: Template) -> Iterator[str]:
    """One bad message must not bring the whole batch back; not too many workers at once."""
    (source,) = of_type(template, "AWS::Lambda::EventSourceMapping").values()
    if source.get("FunctionResponseTypes") != ["ReportBatchItemFailures"]:
        yield "a whole batch comes again for one message"
    if source.get("BatchSize") != 5 or "MaximumConcurrency" not in source.get("ScalingConfig", {}):
        yield "the worker is not bounded"


def keys_are_not_shown(template: Template) -> Iterator[str]:
    """Keys are NoEcho, and only the secret is made of them."""
    keys = ("ElevenLabsWorkspaceKey", "ElevenLabsHmacKey", "Mem0ApiKey", "Mem0OrgId", "Mem0ProjectId")
    for key in keys:
        if template["Parameters"][key].get("NoEcho") is not True:
            yield f"{key} is echoed"
    for name, resource in template["Resources"].items():
        if name != "MemorySecret":
            text = json.dumps(resource)
            yield from (f"{name} holds {k}" for k in keys if f'"{k}"' in text or f"${{{k}}}" in text)


def secret_is_json_of_known_keys(template: Template) -> Iterator[str]:
    """The functions read it as an object of settings."""
    text = of_type(template, "AWS::SecretsManager::Secret")["MemorySecret"]["SecretString"]["Fn::Sub"]
    try:
        keys = set(json.loads(text))
    except ValueError:
        yield "the secret is no JSON"
        return
    if keys != {"ELEVENLABS_WORKSPACE_KEY", "ELEVENLABS_HMAC_KEY", "MEM0_API_KEY", "MEM0_ORG_ID", "MEM0_PROJECT_ID"}:
        yield f"the secret holds {sorted(keys)}"


def snapshots_and_warm_instances_exclude_each_other(template: Template) -> Iterator[str]:
    """Lambda refuses both at once."""
    both = template["Conditions"]["UseSnapStart"].get("Fn::And", [])
    if {"Fn::Equals": [{"Ref": "ProvisionedConcurrency"}, 0]} not in both:
        yield "SnapStart does not give way"
    for name in ("ClientDataFunction", "RetrieveFunction"):
        resources = template["Resources"]
        if resources[name]["Properties"].get("SnapStart", {}).get("Fn::If", [""])[0] != "UseSnapStart":
            yield f"{name} starts without a snapshot"
        alias = resources[f"{name}Aliaslive"]["Properties"]
        if alias.get("ProvisionedConcurrencyConfig", {}).get("Fn::If", [""])[0] != "UseProvisioned":
            yield f"{name} cannot be kept warm"


def apis_are_throttled_and_write_no_bodies(template: Template) -> Iterator[str]:
    """By parameter; access logs hold neither bodies nor headers nor addresses."""
    for name, stage in of_type(template, "AWS::ApiGatewayV2::Stage").items():
        settings = stage.get("DefaultRouteSettings", {})
        if settings.get("ThrottlingRateLimit") != {"Ref": "ThrottleRate"}:
            yield f"{name} is not throttled"
        if settings.get("ThrottlingBurstLimit") != {"Ref": "ThrottleBurst"}:
            yield f"{name} is not throttled"
        form = stage.get("AccessLogSettings", {}).get("Format", "")
        try:
            values = json.loads(form).values()
        except ValueError:
            yield f"the access log of {name} is no JSON"
            continue
        private = [v for v in values if re.search(r"body|header|sourceIp|identity|authorizer", v)]
        yield from (f"the access log of {name} holds {value}" for value in private)


def apis_may_invoke_one_function_each(template: Template) -> Iterator[str]:
    """On its one path, through the alias."""
    permissions = of_type(template, "AWS::Lambda::Permission")
    for key, path in (("ClientData", "client-data"), ("Retrieve", "retrieve"), ("PostCall", "post-call")):
        permission = permissions.get(f"{key}Permission", {})
        alias = {"Ref": f"{key}FunctionAliaslive"}
        if permission.get("FunctionName") != alias:
            yield f"{key} is invoked past its alias"
        if not permission.get("SourceArn", {}).get("Fn::Sub", "").endswith(f"${{{key}Api}}/Prod/POST/{path}"):
            yield f"{key} may be invoked by others"
        integration = of_type(template, "AWS::ApiGatewayV2::Integration")[f"{key}Integration"]
        if integration.get("IntegrationUri") != alias or integration.get("PayloadFormatVersion") != "2.0":
            yield f"{key} is integrated otherwise"


def cors_is_off_by_default(template: Template) -> Iterator[str]:
    """Only by parameter."""
    if template["Parameters"]["CorsOrigins"].get("Default") != "":
        yield "pages of others may call"
    for name, api in of_type(template, "AWS::ApiGatewayV2::Api").items():
        if api.get("CorsConfiguration", {}).get("Fn::If", [""])[0] != "UseCors":
            yield f"{name} has CORS of its own"


def bucket_is_closed(template: Template) -> Iterator[str]:
    """Versioned, encrypted, not public, TLS only, owner-enforced; ages into cheaper storage; stays."""
    bucket = of_type(template, "AWS::S3::Bucket")["MemoryBucket"]
    if set(bucket.get("PublicAccessBlockConfiguration", {}).values()) != {True} or len(bucket["PublicAccessBlockConfiguration"]) != 4:
        yield "the bucket may be public"
    if bucket.get("VersioningConfiguration") != {"Status": "Enabled"} or "BucketEncryption" not in bucket:
        yield "the bucket is neither versioned nor encrypted"
    if bucket.get("OwnershipControls") != {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}:
        yield "others may own objects"
    rules = json.dumps(bucket.get("LifecycleConfiguration", {}))
    if '"Prefix": "done/", "ExpirationInDays": 400' not in rules:
        yield "marks of what is done stay for ever"
    for wanted in ('"STANDARD_IA", "TransitionInDays": 30', '"GLACIER_IR", "TransitionInDays": 90', '"DaysAfterInitiation": 7'):
        if wanted not in rules:
            yield f"no rule {wanted}"
    if template["Resources"]["MemoryBucket"].get("DeletionPolicy") != "Retain":
        yield "the bucket goes with the stack"
    policies = json.dumps(of_type(template, "AWS::S3::BucketPolicy"))
    if '"aws:SecureTransport": "false"' not in policies or '"Deny"' not in policies:
        yield "the bucket answers without TLS"


def table_is_the_stores(template: Template) -> Iterator[str]:
    """Keys and index as the record store defines them; recoverable, protected, on demand."""
    from agentic_memory.backends.dynamodb import schema

    table = of_type(template, "AWS::DynamoDB::Table")["MemoryTable"]
    for name, value in schema.definition("any").items():
        if name != "TableName" and table.get(name) != value:
            yield f"{name} is not what the store defines"
    if table.get("TimeToLiveSpecification") != {"AttributeName": schema.EXPIRES, "Enabled": True}:
        yield "nothing expires"
    if table.get("PointInTimeRecoverySpecification") != {"PointInTimeRecoveryEnabled": True}:
        yield "the table cannot be recovered"
    if template["Resources"]["MemoryTable"].get("DeletionPolicy") != "Retain":
        yield "the table goes with the stack"
    if template["Resources"]["MemoryTable"].get("Condition") != "UseDynamo":
        yield "the table is made where nobody asked for it"


def functions_are_traced(template: Template) -> Iterator[str]:
    """And run what the layer is built for."""
    for name, function in of_type(template, "AWS::Lambda::Function").items():
        if function.get("TracingConfig") != {"Mode": {"Ref": "Tracing"}} or template["Parameters"]["Tracing"].get("Default") != "Active":
            yield f"{name} is not traced"
        if (function["Runtime"], function["Architectures"]) != ("python3.13", ["arm64"]):
            yield f"{name} runs on something else than the layer"


def post_call_outlives_no_api(template: Template) -> Iterator[str]:
    """An HTTP API gives up after thirty seconds."""
    for name in ("ClientDataFunction", "RetrieveFunction", "PostCallFunction"):
        if template["Resources"][name]["Properties"]["Timeout"] >= 30:
            yield f"{name} works on when nobody listens any more"


ALARMS = {
    "Errors": ("ClientData", "Retrieve", "PostCall", "Worker"),
    "Throttles": ("ClientData", "Retrieve", "PostCall", "Worker"),
    "Slow": ("ClientData", "Retrieve", "PostCall"),
    "Api5xx": ("ClientData", "Retrieve", "PostCall"),
    "Authentication": ("ClientData", "Retrieve", "PostCall"),
    "": ("QuarantinedBodies", "QueueAge", "DeadLetters"),
}


def alarms_reach_somebody(template: Template) -> Iterator[str]:
    """All of them, to the topic; quiet where nothing happens."""
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    wanted = {f"{key}{kind}Alarm" for kind, keys in ALARMS.items() for key in keys}
    yield from (f"{name} is missing" for name in wanted - set(alarms))
    for name, alarm in alarms.items():
        if alarm.get("AlarmActions") != [{"Ref": "AlarmTopic"}]:
            yield f"{name} tells nobody"
        if alarm.get("TreatMissingData") != "notBreaching":
            yield f"{name} rings when nothing happens"
    thresholds = {"QueueAgeAlarm": 300, "DeadLettersAlarm": 0, "ClientDataSlowAlarm": 2000, "ClientDataErrorsAlarm": 5}
    for name, threshold in thresholds.items():
        if alarms.get(name, {}).get("Threshold") != threshold:
            yield f"{name} has another threshold"


def dashboard_is_json(template: Template) -> Iterator[str]:
    """Its body parses, every widget has metrics, and what it refers to exists."""
    body = of_type(template, "AWS::CloudWatch::Dashboard")["Dashboard"]["DashboardBody"]["Fn::Sub"]
    try:
        widgets = json.loads(body)["widgets"]
    except (ValueError, KeyError):
        yield "the dashboard is no JSON"
        return
    known = {*template["Resources"], "AWS::Region"}
    for name in re.findall(r"\$\{([\w:]+)", body):
        if name not in known:
            yield f"the dashboard names {name}"
    if len(widgets) < 10 or not all(w["properties"]["metrics"] for w in widgets):
        yield "the dashboard shows too little"


def nobody_is_a_dimension(template: Template) -> Iterator[str]:
    """Callers and agents never are."""
    allowed = {"FunctionName", "ApiId", "Stage", "QueueName", "Endpoint"}
    for name, alarm in of_type(template, "AWS::CloudWatch::Alarm").items():
        found = set(re.findall(r'"Name": "(\w+)"', json.dumps(alarm)))
        yield from (f"{name} goes by {dimension}" for dimension in found - allowed)


RULES: tuple[Rule, ...] = (
    logs_have_their_groups, one_role_each, roles_name_what_they_reach, the_ring_reaches_no_bodies,
    queue_waits_for_its_worker, dead_letters_are_kept, queues_are_encrypted, worker_reports_by_message,
    keys_are_not_shown, only_forgetting_erases, secret_is_json_of_known_keys, snapshots_and_warm_instances_exclude_each_other,
    apis_are_throttled_and_write_no_bodies, apis_may_invoke_one_function_each, cors_is_off_by_default,
    bucket_is_closed, table_is_the_stores, functions_are_traced, post_call_outlives_no_api,
    alarms_reach_somebody, dashboard_is_json, nobody_is_a_dimension,
)  # fmt: skip
