"""``python -m auth.migrate``: brings the database of auth up to date."""

from servicekit.db.migrate import main

if __name__ == "__main__":
    main("auth")
