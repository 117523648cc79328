"""Facts and rules of remembering callers: standard library only, no input or output, no clock."""
