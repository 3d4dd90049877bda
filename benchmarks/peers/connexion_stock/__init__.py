"""Connexion, unmodified: its own middleware and validators, the ORM."""
