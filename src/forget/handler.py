"""Erases a caller from the whole stack, as a Lambda function invoked by hand."""

from agentic_memory.interfaces.functions import forget_function

handler = forget_function()
