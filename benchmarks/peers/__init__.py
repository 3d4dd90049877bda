"""The same four operations on other stacks, written in their usual way."""
