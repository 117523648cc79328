"""AgenticMemory: the memory of voice agents."""

__version__ = "0.1.0"
