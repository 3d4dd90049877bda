"""Wiring that Cadastro's services share; it knows no business noun."""
