"""Processes again what the worker could not, as a Lambda function invoked by hand."""

from agentic_memory.interfaces.functions import replay_function

handler = replay_function()
