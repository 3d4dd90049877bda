"""The whole system on one machine: PostgreSQL, the services and an ingress."""
