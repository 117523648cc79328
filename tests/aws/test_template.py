"""The template: linted, translated, held to our rules and to the original's names; and the rules to mutants."""

import json
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.aws import rules
from tests.aws.rules import RULES, Rule
from tests.aws.tools import TEMPLATE, Template, run, translated

GOLDEN = json.loads((Path(__file__).parent / "names_of_the_original.json").read_text())
REGION = "eu-central-1"


def test_sam_finds_nothing() -> None:
    done = run("aws", "sam", "validate", "--lint", "--template", TEMPLATE, "--region", REGION)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_linter_finds_nothing_in_what_cloudformation_sees(tmp_path: Path) -> None:
    path = tmp_path / "translated.json"
    path.write_text(json.dumps(translated()))
    done = run("aws", "cfn-lint", "--regions", REGION, "--", path)
    assert done.returncode == 0, done.stdout


def test_the_linter_sees_what_it_should(tmp_path: Path) -> None:
    broken = translated()
    broken["Resources"]["WorkerFunctionCalls"]["Properties"]["BatchSize"] = 0
    path = tmp_path / "translated.json"
    path.write_text(json.dumps(broken))
    assert run("aws", "cfn-lint", "--regions", REGION, "--", path).returncode != 0


SKIPPED = {
    "CKV_AWS_18": "access to the bucket is CloudTrail's, by choice: docs/howto/deploy-aws.md",
    "CKV_AWS_26": "CloudWatch cannot publish to a topic under the AWS-managed key; alarms hold nobody's data",
    "CKV_AWS_27": "queues are encrypted by SQS's own keys (SqsManagedSseEnabled)",
    "CKV_AWS_115": "a reserved limit takes from the account's; throttles are the APIs'",
    "CKV_AWS_116": "called synchronously; the queue has the dead letters",
    "CKV_AWS_117": "no VPC: nothing private is reached, and endpoints cost more than the stack",
    "CKV_AWS_149": "the secret is encrypted by AWS's key",
    "CKV_AWS_158": "logs hold no personal data and are encrypted by AWS's key",
    "CKV_AWS_173": "the environment holds no secret",
}


def test_checkov_finds_nothing_but_what_has_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "translated.json"
    path.write_text(json.dumps(translated()))
    done = run("checkov", "checkov", "--framework", "cloudformation", "--skip-download", "--quiet", "--output", "json", "-f", path)
    found = json.loads(done.stdout)
    assert found["summary"]["parsing_errors"] == 0
    failed = {(c["check_id"], c["resource"]) for c in found["results"]["failed_checks"]}
    assert {pair for pair in failed if pair[0] not in SKIPPED} == set()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_a_rule_holds(rule: Rule) -> None:
    assert list(rule(translated())) == []


def _properties(name: str) -> Callable[[Template], dict[str, Any]]:
    return lambda template: template["Resources"][name]["Properties"]


def _set(name: str, key: str, value: object) -> Callable[[Template], None]:
    def mutate(template: Template) -> None:
        *path, last = key.split(".")
        at = template["Resources"][name]["Properties"]
        for part in path:
            at = at[int(part)] if isinstance(at, list) else at[part]
        if value is None:
            del at[last]
        else:
            at[int(last) if isinstance(at, list) else last] = value

    return mutate


def _echo(template: Template) -> None:
    del template["Parameters"]["Mem0ApiKey"]["NoEcho"]


def _shown(template: Template) -> None:
    template["Resources"]["WorkerFunction"]["Properties"]["Environment"]["Variables"]["K"] = {"Ref": "ElevenLabsHmacKey"}


def _open(template: Template) -> None:
    template["Parameters"]["CorsOrigins"]["Default"] = "*"


def _both(template: Template) -> None:
    template["Conditions"]["UseSnapStart"] = {"Fn::Equals": [{"Ref": "SnapStart"}, "on"]}


def _always(template: Template) -> None:
    policies = template["Resources"]["ClientDataRole"]["Properties"]["Policies"]
    policies[2] = policies[2]["Fn::If"][1]


def _untraced(template: Template) -> None:
    template["Parameters"]["Tracing"]["Default"] = "PassThrough"


def _gone(name: str) -> Callable[[Template], None]:
    def mutate(template: Template) -> None:
        del template["Resources"][name]["DeletionPolicy"]

    return mutate


def _unwatched(template: Template) -> None:
    del template["Resources"]["DeadLettersAlarm"]


POLICY = "Policies.0.PolicyDocument.Statement"
MUTANTS: list[tuple[Rule, Callable[[Template], None]]] = [
    (rules.logs_have_their_groups, _set("ClientDataFunction", "LoggingConfig", None)),
    (rules.logs_have_their_groups, _set("WorkerLogGroup", "LogGroupName", "/aws/lambda/another")),
    (rules.logs_have_their_groups, _set("WorkerLogGroup", "RetentionInDays", None)),
    (rules.one_role_each, _set("RetrieveFunction", "Role", {"Fn::GetAtt": ["ClientDataRole", "Arn"]})),
    (rules.roles_name_what_they_reach, _set("WorkerRole", f"{POLICY}.3.Action", ["s3:*"])),
    (rules.roles_name_what_they_reach, _set("WorkerRole", f"{POLICY}.3.Resource", "*")),
    (rules.the_ring_reaches_no_bodies, _set("ClientDataRole", f"{POLICY}.2.Action", ["s3:GetObject"])),
    (rules.the_ring_reaches_no_bodies, _set("ClientDataRole", "Policies.2", {"PolicyName": "none"})),
    (rules.the_ring_reaches_no_bodies, _always),
    (rules.only_forgetting_erases, _set("ReplayRole", f"{POLICY}.5.Resource", {"Fn::Sub": "${MemoryBucket.Arn}/*"})),
    (rules.only_forgetting_erases, _set("ForgetRole", f"{POLICY}.3.Action", ["s3:PutObject"])),
    (rules.queue_waits_for_its_worker, _set("PostCallQueue", "VisibilityTimeout", 359)),
    (rules.queue_waits_for_its_worker, _set("WorkerFunction", "Timeout", 61)),
    (rules.dead_letters_are_kept, _set("PostCallQueue", "RedrivePolicy.deadLetterTargetArn", None)),
    (rules.dead_letters_are_kept, _set("PostCallQueue", "RedrivePolicy.maxReceiveCount", 6)),
    (rules.dead_letters_are_kept, _set("PostCallDeadLetters", "MessageRetentionPeriod", 345_600)),
    (rules.queues_are_encrypted, _set("PostCallQueue", "SqsManagedSseEnabled", None)),
    (rules.worker_reports_by_message, _set("WorkerFunctionCalls", "FunctionResponseTypes", None)),
    (rules.worker_reports_by_message, _set("WorkerFunctionCalls", "ScalingConfig", {})),
    (rules.keys_are_not_shown, _echo),
    (rules.keys_are_not_shown, _shown),
    (rules.secret_is_json_of_known_keys, _set("MemorySecret", "SecretString", {"Fn::Sub": "{"})),
    (rules.secret_is_json_of_known_keys, _set("MemorySecret", "SecretString", {"Fn::Sub": "{}"})),
    (rules.snapshots_and_warm_instances_exclude_each_other, _both),
    (rules.snapshots_and_warm_instances_exclude_each_other, _set("RetrieveFunction", "SnapStart", None)),
    (rules.apis_are_throttled_and_write_no_bodies, _set("RetrieveStage", "DefaultRouteSettings", None)),
    (rules.apis_are_throttled_and_write_no_bodies, _set("RetrieveStage", "AccessLogSettings.Format", '{"a": "$context.identity.sourceIp"}')),
    (rules.apis_may_invoke_one_function_each, _set("PostCallPermission", "FunctionName", {"Ref": "PostCallFunction"})),
    (rules.apis_may_invoke_one_function_each, _set("PostCallPermission", "SourceArn", {"Fn::Sub": "${PostCallApi}/*"})),
    (rules.apis_may_invoke_one_function_each, _set("PostCallIntegration", "PayloadFormatVersion", "1.0")),
    (rules.cors_is_off_by_default, _open),
    (rules.cors_is_off_by_default, _set("ClientDataApi", "CorsConfiguration", {"AllowOrigins": ["*"]})),
    (rules.bucket_is_closed, _set("MemoryBucket", "PublicAccessBlockConfiguration.BlockPublicAcls", False)),
    (rules.bucket_is_closed, _set("MemoryBucket", "VersioningConfiguration", None)),
    (rules.bucket_is_closed, _set("MemoryBucket", "LifecycleConfiguration.Rules.1", {})),
    (rules.bucket_is_closed, _set("MemoryBucket", "LifecycleConfiguration.Rules.3", {})),
    (rules.bucket_is_closed, _gone("MemoryBucket")),
    (rules.table_is_the_stores, _set("MemoryTable", "KeySchema.0.AttributeName", "id")),
    (rules.table_is_the_stores, _set("MemoryTable", "PointInTimeRecoverySpecification", None)),
    (rules.table_is_the_stores, _gone("MemoryTable")),
    (rules.functions_are_traced, _set("ReplayFunction", "TracingConfig", None)),
    (rules.functions_are_traced, _untraced),
    (rules.functions_are_traced, _set("ReplayFunction", "Architectures", ["x86_64"])),
    (rules.post_call_outlives_no_api, _set("PostCallFunction", "Timeout", 120)),
    (rules.alarms_reach_somebody, _unwatched),
    (rules.alarms_reach_somebody, _set("QueueAgeAlarm", "AlarmActions", [])),
    (rules.alarms_reach_somebody, _set("QueueAgeAlarm", "Threshold", 3000)),
    (rules.dashboard_is_json, _set("Dashboard", "DashboardBody", {"Fn::Sub": '{"widgets": ['})),
    (rules.dashboard_is_json, _set("Dashboard", "DashboardBody", {"Fn::Sub": '{"widgets": [], "x": "${Nothing}"}'})),
    (rules.nobody_is_a_dimension, _set("QueueAgeAlarm", "Dimensions", [{"Name": "CallerId", "Value": "x"}])),
]


@pytest.mark.parametrize(("rule", "mutate"), MUTANTS)
def test_a_mutant_is_seen(rule: Rule, mutate: Callable[[Template], None]) -> None:
    mutant = translated()
    mutate(mutant)
    assert list(rule(mutant)), "this change would go unnoticed"


def test_every_rule_has_a_mutant() -> None:
    assert {rule for rule, _ in MUTANTS} == set(RULES)


def test_the_names_are_those_of_the_original() -> None:
    template = translated()
    functions = rules.of_type(template, "AWS::Lambda::Function")
    assert set(GOLDEN["functions"]) <= {f["FunctionName"] for f in functions.values()}
    routes = {r["RouteKey"] for r in rules.of_type(template, "AWS::ApiGatewayV2::Route").values()}
    assert routes == set(GOLDEN["routes"])
    assert {s["StageName"] for s in rules.of_type(template, "AWS::ApiGatewayV2::Stage").values()} == {GOLDEN["stage"]}
    (bucket,) = rules.of_type(template, "AWS::S3::Bucket").values()
    assert bucket["BucketName"] == {"Fn::Sub": GOLDEN["bucket"]}
    assert set(GOLDEN["parameters"]) <= set(template["Parameters"])
    assert set(GOLDEN["outputs"]) <= set(template["Outputs"])
    example = (TEMPLATE.parent / "samconfig.toml.example").read_text()
    assert f'stack_name = "{GOLDEN["stack"]}"' in example


def test_the_example_configuration_does_not_move_memories_at_an_update() -> None:
    """What it names is set anew at each deployment: a stack with a table would be told to use Mem0."""
    example = tomllib.loads((TEMPLATE.parent / "samconfig.toml.example").read_text("utf-8"))
    named = {pair.partition("=")[0] for pair in example["default"]["deploy"]["parameters"]["parameter_overrides"]}
    assert named <= set(translated()["Parameters"])
    assert named.isdisjoint({"MemoryBackend", "Embedder", "SnapStart", *GOLDEN["parameters"]})


def test_each_environment_variable_is_a_setting() -> None:
    from agentic_memory.settings import AWS_SETTINGS, BY_NAME

    known = {*BY_NAME, *(setting.name for setting in AWS_SETTINGS)}
    for function in rules.of_type(translated(), "AWS::Lambda::Function").values():
        assert set(function["Environment"]["Variables"]) <= known
