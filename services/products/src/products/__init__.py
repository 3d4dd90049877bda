"""The products service: what is sold."""
