"""The attendant persona: registers clients and addresses, and reads them."""

from locust import between, task

from load.users import fake_data
from load.users.persona import Persona

MIN_CLIENTS = 20  # clients that are never deleted: other personas need some


class Attendant(Persona):
    """Three in the scenario; 2 to 6 seconds between two clients."""

    weight = 3
    wait_time = between(2, 6)

    @task(30)
    def register_client(self) -> None:
        """Register a client."""
        body = fake_data.client(self.api.dataset.run_id)
        response = self.call("clients.create", body=body)
        if response.is_ok:
            self.api.dataset.clients[response.body["id"]] = body

    @task(20)
    def add_address(self) -> None:
        """Add an address to a client."""
        with self.api.dataset.use_client() as client_id:
            self.call("addresses.create", body=fake_data.address(client_id))

    @task(60)
    def fetch_client(self) -> None:
        """Fetch a client by its id."""
        with self.api.dataset.use_client() as client_id:
            self.call("clients.fetch", client_id)

    @task(30)
    def find_by_email(self) -> None:
        """Search a client by its e-mail address."""
        with self.api.dataset.use_client() as client_id:
            email = self.api.dataset.clients[client_id]["email"]
            self.call("clients.list_all", query=f"?email={email}")

    @task(20)
    def list_addresses(self) -> None:
        """List the addresses of a client."""
        with self.api.dataset.use_client() as client_id:
            self.call("addresses.list_of_client", client_id)

    @task(20)
    def update_client(self) -> None:
        """Update the balance of a client."""
        with self.api.dataset.use_client() as client_id:
            changed = {**self.api.dataset.clients[client_id], "balance": 10}
            self.call("clients.update", client_id, body=changed)

    @task(15)
    def delete_client(self) -> None:
        """Delete a client; its inventory is deleted asynchronously."""
        client_id = self.api.dataset.remove_unused_client(keep=MIN_CLIENTS)
        if client_id is None:
            self.fetch_client()
            return
        response = self.call("clients.delete", client_id)
        if response.is_ok:
            self.api.dataset.deletion_confirmed(client_id)
        else:
            self.api.dataset.deletion_uncertain(client_id)

    @task(2)
    def log_in(self) -> None:
        """Log in; rare, since each login computes a password hash."""
        self.call("users.login")
