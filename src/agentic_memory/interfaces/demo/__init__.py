"""The demonstration: calls played through a real server, and what the agent is told afterwards."""
