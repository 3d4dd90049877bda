"""`python -m products.migrate`: upgrades the database of products."""

from servicekit.db.migrate import main

if __name__ == "__main__":
    main("products")
