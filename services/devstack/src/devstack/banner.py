"""Text shown when the system is ready."""

_TEXT = """
Cadastro is ready: {url}

  {url}/users/docs/      users and tokens
  {url}/clients/docs/    clients and their addresses
  {url}/products/docs/   products
  {url}/inventory/docs/  who bought what

Paste these:

  JSON='Content-Type: application/json'
  curl -s {url}/users/create -H "$JSON" -d '{{"username": "Arthur", "password": "Testando"}}'
  LOGIN=$(curl -s -X POST -u Arthur:Testando {url}/users/login)
  TOKEN=$(echo "$LOGIN" | sed 's/.*"token":"\\([^"]*\\)".*/\\1/')
  curl -s {url}/clients/create -H "Authorization: Bearer $TOKEN" -H "$JSON" \\
    -d '{{"name": "Arthur", "email": "a@example.com", "cpf": "529.982.247-25", "balance": 30.25}}'
  curl -s {url}/clients/fetch -H "Authorization: Bearer $TOKEN"

Ctrl-C stops everything; the data is kept.
"""


def format_banner(url: str) -> str:
    """Return the text for a system at ``url``."""
    return _TEXT.format(url=url)
