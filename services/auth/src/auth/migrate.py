"""`python -m auth.migrate`: upgrades the database of auth."""

from servicekit.db.migrate import main

if __name__ == "__main__":
    main("auth")
