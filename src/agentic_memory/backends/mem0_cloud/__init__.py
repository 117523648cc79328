"""Mem0 Cloud as the memory of callers, over its HTTP API, without its client."""
