*** Configurações ***
Documentação    O que o Cadastro promete a quem o usa, em português.
Nome    Cadastro
Finalização de Teste    Apagar o que o cenário criou
