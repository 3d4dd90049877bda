"""An attendant at the counter: registers clients and addresses, and looks them up."""

from locust import between, task

from load.users import fake_data
from load.users.persona import Persona

KEEP = 20  # clients whom nobody deletes: others need some


class Attendant(Persona):
    """Three in the story. A moment's thought between two clients."""

    weight = 3
    wait_time = between(2, 6)

    @task(30)
    def register(self) -> None:
        """Register a client."""
        body = fake_data.client(self.caller.world.run)
        answer = self.call("clients.create", body=body)
        if answer.is_ok:
            self.caller.world.clients[answer.body["id"]] = body

    @task(20)
    def add_address(self) -> None:
        """Add an address to a client."""
        with self.caller.world.client() as client_id:
            self.call("addresses.create", body=fake_data.address(client_id))

    @task(60)
    def look_up(self) -> None:
        """Look a client up by number."""
        with self.caller.world.client() as client_id:
            self.call("clients.fetch", client_id)

    @task(30)
    def find(self) -> None:
        """Find a client by e-mail."""
        with self.caller.world.client() as client_id:
            email = self.caller.world.clients[client_id]["email"]
            self.call("clients.list_all", query=f"?email={email}")

    @task(20)
    def look_at_addresses(self) -> None:
        """Look at a client's addresses."""
        with self.caller.world.client() as client_id:
            self.call("addresses.list_of_client", client_id)

    @task(20)
    def correct(self) -> None:
        """Correct a client's balance."""
        with self.caller.world.client() as client_id:
            changed = {**self.caller.world.clients[client_id], "balance": 10}
            self.call("clients.update", client_id, body=changed)

    @task(15)
    def close_account(self) -> None:
        """Delete a client, whose inventory goes too."""
        client_id = self.caller.world.take_client(keep=KEEP)
        if client_id is None:
            self.look_up()
            return
        answer = self.call("clients.delete", client_id)
        if answer.is_ok:
            self.caller.world.gone(client_id)
        else:
            self.caller.world.maybe_gone(client_id)

    @task(2)
    def begin_a_shift(self) -> None:
        """Log in: dear for the system (a password hash), and rare."""
        self.call("users.login")
