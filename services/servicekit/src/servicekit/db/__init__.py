"""PostgreSQL access: connections, timeouts, table repositories, migrations and purging."""
