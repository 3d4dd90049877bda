"""The auth service: users, and the tokens that the other services ask for."""
