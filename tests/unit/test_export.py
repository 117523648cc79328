"""What a reader sees of a memory, and what stays behind."""

from agentic_memory.domain.memory import Category, Evidence, Memory
from agentic_memory.service.export import memory_value


def test_metadata_of_others_and_of_the_operator_is_shown_bookkeeping_is_not() -> None:
    metadata = {"mem0": {"id": "m1"}, "source": "import", "edited": True, "claims": [{"text": "User likes tea"}]}
    memory = Memory("m1", "User likes tea", Category.OTHER, (Evidence("conv_1", 0, "I like tea"),), 500.0, metadata=metadata)
    assert memory_value(memory)["metadata"] == {"mem0": {"id": "m1"}, "source": "import", "edited": True}
