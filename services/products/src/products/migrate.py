"""``python -m products.migrate``: brings the database of products up to date."""

from servicekit.db.migrate import main

if __name__ == "__main__":
    main("products")
