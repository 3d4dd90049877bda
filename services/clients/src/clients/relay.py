"""`python -m clients.relay`: sends deletions of clients to the inventory."""

from clients.settings import ClientsSettings
from servicekit.outbox.relay import DeliveryRequest, main


def _call(settings: ClientsSettings) -> DeliveryRequest:
    return DeliveryRequest(
        "DELETE",
        f"{settings.inventory_url}/inventory/remove_many",
        lambda kind, subject_id: {"remotion_id": subject_id, "type": kind},
    )


if __name__ == "__main__":
    main("clients", ClientsSettings.from_environment, _call)
