"""O que `make robot` executa: os cenários, os relatórios e o resumo."""
