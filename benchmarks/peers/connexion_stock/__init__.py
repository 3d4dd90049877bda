"""Connexion as it comes: its own middleware, its own validators, the ORM."""
