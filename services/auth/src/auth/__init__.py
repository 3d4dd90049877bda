"""The auth service: users, and access tokens for all services."""
