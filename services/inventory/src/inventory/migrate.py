"""``python -m inventory.migrate``: brings the database of the inventory up to date."""

from servicekit.db.migrate import main

if __name__ == "__main__":
    main("inventory")
