"""`python -m clients.migrate`: upgrades the database of clients."""

from servicekit.db.migrate import main

if __name__ == "__main__":
    main("clients")
