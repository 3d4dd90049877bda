"""`python -m inventory.migrate`: upgrades the database of the inventory."""

from servicekit.db.migrate import main

if __name__ == "__main__":
    main("inventory")
