"""Signing key and client secrets of a testbed."""

from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

OAUTH_CLIENTS = ("clients", "products", "inventory")


class Credentials:
    """Files below a folder, and the settings that name them."""

    def __init__(self, folder: Path) -> None:
        """Use ``keys``, ``oauth-clients`` and ``public.pem`` of a folder."""
        self.keys = folder / "keys"
        self._secrets = folder / "oauth-clients"
        self._public_key = folder / "public.pem"

    def write(self) -> None:
        """Write the public key of the generated key, for the peers, and the client secrets."""
        key = load_pem_private_key(next(self.keys.glob("*.pem")).read_bytes(), None)
        pem = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        self._public_key.write_bytes(pem)
        self._secrets.mkdir()
        for name in OAUTH_CLIENTS:
            (self._secrets / name).write_text("a-secret-of-this-run")

    def settings(self, name: str) -> dict[str, str]:
        """Return the environment variables of a service and of the peers."""
        return {
            "PUBLIC_KEY": str(self._public_key),
            "SERVICE_CLIENT_ID": name,
            "SERVICE_CLIENT_SECRET_FILE": str(self._secrets / name),
            "KEYS_DIR": str(self.keys),
            "OAUTH_CLIENTS_DIR": str(self._secrets),
        }
