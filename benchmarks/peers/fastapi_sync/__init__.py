"""FastAPI with plain functions, on its pool of threads, and the ORM."""
