"""``python -m auth.migrate``: brings the database of auth up to date."""

from servicekit.migrate import main

if __name__ == "__main__":
    main("auth")
