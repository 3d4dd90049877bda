"""Journeys over the services, replayed by a probe and scheduled by an operator."""

__version__ = "1.0.0"
