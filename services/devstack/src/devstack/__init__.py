"""The whole system on one machine: a real PostgreSQL, the services, and one port before them."""
