"""FastAPI with coroutines on asyncpg, and a cache of verified tokens."""
