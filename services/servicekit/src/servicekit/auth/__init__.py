"""Bearer tokens: verification, authorization, key sets and the service's own token."""
