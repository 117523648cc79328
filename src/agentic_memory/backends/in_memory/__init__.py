"""The reference backends: everything in this process's memory."""
