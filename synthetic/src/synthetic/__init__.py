"""Journeys over the services, replayed by a probe and scheduled by an operator."""
