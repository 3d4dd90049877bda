"""A release pushed to a registry, and verified as by its users."""
