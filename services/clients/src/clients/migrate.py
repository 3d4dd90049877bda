"""``python -m clients.migrate``: brings the database of clients up to date."""

from servicekit.db.migrate import main

if __name__ == "__main__":
    main("clients")
