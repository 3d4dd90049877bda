"""Load tests with Locust against a running Cadastro."""
