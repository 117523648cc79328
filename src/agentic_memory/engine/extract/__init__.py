"""Finding facts in a call without a language model: reported values, the summary, and what was said."""

from agentic_memory.engine.extract.rules import RuleExtractor

__all__ = ["RuleExtractor"]
