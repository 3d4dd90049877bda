"""O que `make robot-mutants` executa: defeitos nos serviços, que a suíte deve achar."""
