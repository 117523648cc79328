"""What the AWS stack costs, by its formula. Prices are US dollars of us-east-1 as remembered; give yours.

    python scripts/aws_cost.py
    python scripts/aws_cost.py --calls 1000000 --backend dynamodb --price lambda_gb_second=0.0000133334
"""

import argparse
import sys
from collections.abc import Mapping

PRICES: Mapping[str, float] = {
    "lambda_gb_second": 0.0000133334,
    "lambda_request": 0.20e-6,
    "api_request": 1.00e-6,
    "sqs_request": 0.40e-6,
    "s3_put": 5.0e-6,
    "s3_get": 0.4e-6,
    "s3_gb_month": 0.023,
    "dynamodb_write": 0.625e-6,
    "dynamodb_read": 0.125e-6,
    "dynamodb_gb_month": 0.25,
    "logs_gb": 0.50,
    "metric_month": 0.30,
    "alarm_month": 0.10,
    "dashboard_month": 3.00,
    "secret_month": 0.40,
    "provisioned_gb_second": 0.0000033334,
}
FREE_METRICS, FREE_ALARMS, FREE_DASHBOARDS = 10, 10, 3
ALARMS, METRICS = 20, 20
SEARCHES = 5
"""Searches in a call of three minutes, with a pause for talking."""
SECONDS: Mapping[str, Mapping[str, float]] = {
    # Billed seconds of each function: waiting for Mem0 counts like working.
    "dynamodb": {"client_data": 0.015, "retrieve": 0.03, "post_call": 0.06, "worker": 0.25},
    "mem0": {"client_data": 0.15, "retrieve": 0.25, "post_call": 0.06, "worker": 2.0},
}
GIGABYTES: Mapping[str, Mapping[str, float]] = {
    "dynamodb": {"client_data": 0.5, "retrieve": 1.0, "post_call": 0.5, "worker": 1.0},
    "mem0": {"client_data": 0.5, "retrieve": 0.5, "post_call": 0.5, "worker": 1.0},
}
BODY_GB = 40e-6
"""One call's body, three times: inbox (deleted when done), by conversation, by number."""
LOG_GB = 6e-6
"""Log lines of one call."""


def variable(calls: int, backend: str, price: Mapping[str, float]) -> dict[str, float]:
    """Dollars that grow with the calls."""
    times = {"client_data": 1, "retrieve": SEARCHES, "post_call": 1, "worker": 1}
    seconds, gigabytes = SECONDS[backend], GIGABYTES[backend]
    computing = sum(n * seconds[f] * gigabytes[f] for f, n in times.items()) * price["lambda_gb_second"]
    parts = {
        "functions": computing + sum(times.values()) * price["lambda_request"],
        "APIs": (2 + SEARCHES) * price["api_request"],
        "queue": 4 * price["sqs_request"],
        "bucket": 6 * price["s3_put"] + 6 * price["s3_get"] + 2 * BODY_GB * price["s3_gb_month"],
        "logs": LOG_GB * price["logs_gb"],
    }
    if backend == "dynamodb":
        parts["table"] = 14 * price["dynamodb_write"] + (4 + 4 * SEARCHES) * price["dynamodb_read"]
    return {name: dollars * calls for name, dollars in parts.items()}


def fixed(price: Mapping[str, float], provisioned: int = 0) -> dict[str, float]:
    """Dollars a month without a single call; what an account has free is taken off."""
    month = 30 * 86_400
    return {
        "secret": price["secret_month"],
        "alarms": max(0, ALARMS - FREE_ALARMS) * price["alarm_month"],
        "metrics": max(0, METRICS - FREE_METRICS) * price["metric_month"],
        "warm instances": provisioned * 2 * 0.5 * month * price["provisioned_gb_second"],
    }


def table(price: Mapping[str, float]) -> str:
    """Both backends for three sizes, as Markdown."""
    lines = ["| calls a month | own table | Mem0 (its own price not included) |", "|---|---|---|"]
    for calls in (10_000, 100_000, 1_000_000):
        own, mem0 = (sum(variable(calls, backend, price).values()) for backend in ("dynamodb", "mem0"))
        lines.append(f"| {calls:,} | ${own:,.2f} | ${mem0:,.2f} |")
    return "\n".join([*lines, f"| none: fixed | ${sum(fixed(price).values()):.2f} | ${sum(fixed(price).values()):.2f} |"])


def main() -> None:
    """Print the table, or one case part by part."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, help="calls a month, for one case part by part")
    parser.add_argument("--backend", choices=sorted(SECONDS), default="dynamodb")
    parser.add_argument("--provisioned", type=int, default=0, help="ProvisionedConcurrency")
    parser.add_argument("--price", action="append", default=[], metavar="NAME=DOLLARS", help=f"one of {', '.join(PRICES)}")
    given = parser.parse_args()
    price = dict(PRICES)
    for pair in given.price:
        name, _, value = pair.partition("=")
        if name not in PRICES:
            sys.exit(f"{name} is no price; one of {', '.join(PRICES)}")
        price[name] = float(value)
    if given.calls is None:
        print(table(price))
        return
    parts = variable(given.calls, given.backend, price) | fixed(price, given.provisioned)
    for name, dollars in parts.items():
        print(f"{name:16} {dollars:10.2f}")
    print(f"{'a month':16} {sum(parts.values()):10.2f}")


if __name__ == "__main__":
    main()
