*** Configurações ***
Documentação    O que o Cadastro promete a quem o usa, em português.
Nome    Cadastro
Finalização de Teste    Encerrar o cenário    ${TEST_TAGS}    ${TEST_STATUS}
