"""Transactional outbox and its relay."""
