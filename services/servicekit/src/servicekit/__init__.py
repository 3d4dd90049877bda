"""Framework code that the services of Cadastro share; it has no business terms."""
