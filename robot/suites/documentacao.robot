*** Configurações ***
Documentação    O que cada serviço publica sobre si mesmo, aberto a todos.
Nome    Documentação
Recurso    ../recursos/comum.resource
Etiquetas dos Testes    documentacao

*** Casos de Teste ***
Cada serviço publica o contrato que cumpre
    [Etiquetas]    contrato
    [Modelo]    O contrato em ${caminho} descreve ${prefixos}
    # caminho    o que descreve
    /users/openapi.json    /users /user
    /clients/openapi.json    /clients /address
    /products/openapi.json    /products
    /inventory/openapi.json    /inventory

Cada serviço tem uma página para experimentar
    [Etiquetas]    pagina
    [Modelo]    A página em ${caminho} se abre com tudo o que ela usa
    /users/docs/
    /clients/docs/
    /products/docs/
    /inventory/docs/

Página se acha também sem a barra
    [Etiquetas]    pagina
    [Modelo]    O caminho ${caminho} leva a ${destino}
    # caminho    destino
    /users/docs    /users/docs/
    /clients/docs    /clients/docs/
    /products/docs    /products/docs/
    /inventory/docs    /inventory/docs/

Caminho que não existe recebe uma recusa que se entende
    [Etiquetas]    borda
    [Modelo]    O caminho ${caminho} não leva a nada
    /users/nada
    /clients/nada
    /products/nada
    /inventory/nada
