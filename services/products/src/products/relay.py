"""`python -m products.relay`: sends deletions of products to the inventory."""

from products.settings import ProductsSettings
from servicekit.outbox.relay import DeliveryRequest, main


def _call(settings: ProductsSettings) -> DeliveryRequest:
    return DeliveryRequest(
        "DELETE",
        f"{settings.inventory_url}/inventory/remove_many",
        lambda kind, subject_id: {"remotion_id": subject_id, "type": kind},
    )


if __name__ == "__main__":
    main("products", ProductsSettings.from_environment, _call)
