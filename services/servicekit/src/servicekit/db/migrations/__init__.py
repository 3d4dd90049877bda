"""What the services' migrations share; each service keeps a history of its own."""
