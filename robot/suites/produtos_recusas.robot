*** Configurações ***
Documentação    O que o serviço de produtos não aceita, e como diz por quê.
Nome    Produtos: recusas
Recurso    ../recursos/produtos.resource
Etiquetas dos Testes    produtos    recusa

*** Casos de Teste ***
Cadastro com um campo errado é recusado, e nada fica guardado
    [Etiquetas]    campo    op:products.create
    [Modelo]    O cadastro de produto com ${campo} ${valor} é recusado: ${motivo}
    # campo    valor    motivo
    name    (ausente)    falta
    name    ""    está vazio
    name    "${SPACE}"    só tem um espaço
    name    (texto de 201 letras)    é comprido demais
    name    null    não é um texto
    description    (ausente)    falta
    description    (texto de 2001 letras)    é comprida demais
    description    7    não é um texto
    quantity    (ausente)    falta
    quantity    -1    é negativa
    quantity    1.5    não é inteira
    quantity    "10"    não é um número
    quantity    2147483648    é grande demais
    price    (ausente)    falta
    price    -0.01    é negativo
    price    10.999    tem três casas
    price    10000000000    é grande demais
    price    "dez"    não é um número
    price    ""    está vazio
    status    (ausente)    falta
    status    "true"    não é verdadeiro nem falso
    status    1    não é verdadeiro nem falso
    cor    "azul"    não é um campo de um produto

Mudança com um campo errado é recusada, e nada muda
    [Etiquetas]    campo    op:products.update
    [Modelo]    A mudança de produto com ${campo} ${valor} é recusada: ${motivo}
    # campo    valor    motivo
    name    ""    está vazio
    description    (ausente)    falta
    quantity    -1    é negativa
    price    0.001    tem três casas
    status    "sim"    não é verdadeiro nem falso
    id    1    não se muda

Id que não é um id é recusado
    [Etiquetas]    id    op:products.fetch    op:products.exists    op:products.delete    op:products.update
    [Modelo]    ${verbo} ${caminho} com o id ${id} é recusado: ${motivo}
    # verbo    caminho    id    motivo
    GET    /products/fetch/{product_id}    0    é menor que um
    GET    /products/exists/{product_id}    abc    não é um número
    PUT    /products/update/{product_id}    -1    é negativo
    DELETE    /products/delete/{product_id}    9223372036854775808    é grande demais

Produto que ninguém cadastrou não se acha
    [Etiquetas]    ausente    op:products.fetch    op:products.update    op:products.delete
    [Modelo]    ${verbo} ${caminho} diz que não há ${tipo} desse id
    # verbo    caminho    tipo
    GET    /products/fetch/{product_id}    produto
    PUT    /products/update/{product_id}    produto
    DELETE    /products/delete/{product_id}    produto

Filtro que a lista não conhece é recusado
    [Etiquetas]    lista    op:products.list_all
    [Modelo]    A lista ${caminho} recusa ${filtro} ${valor}: ${motivo}
    # caminho    filtro    valor    motivo
    /products/fetch    limit    0    é menos que um
    /products/fetch    after    x    não é um id
    /products/fetch    status    talvez    não é verdadeiro nem falso
    /products/fetch    cor    azul    não é um filtro da lista

Corpo que não se entende é recusado
    [Etiquetas]    corpo    op:products.create    op:products.update
    [Modelo]    ${verbo} ${caminho} recusa um corpo que não se entende
    # verbo    caminho
    POST    /products/create
    PUT    /products/update/{produto}

Nome de outro produto é recusado no cadastro
    [Etiquetas]    conflito    op:products.create
    Dado que há um produto
    E que tenho os dados de um produto com o mesmo "name"
    Quando cadastro o produto
    Então o sistema diz que o "name" já tem dono
    E o produto continua como estava

Nome de outro produto é recusado também em maiúsculas
    [Etiquetas]    conflito    op:products.create
    Dado que há um produto
    E que tenho os dados de um produto com o mesmo "name" em maiúsculas
    Quando cadastro o produto
    Então o sistema diz que o "name" já tem dono
    E o produto continua como estava

Produto não toma o nome de outro numa mudança
    [Etiquetas]    conflito    op:products.update
    Dado que há um produto
    E que tenho os dados de um produto com o mesmo "name"
    E que há um produto
    Quando mudo o produto
    Então o sistema diz que o "name" já tem dono
    E o produto continua como estava

Mudança feita sobre uma versão velha é recusada
    [Etiquetas]    versao    op:products.update
    Dado que há um produto
    E que li a versão do produto
    E que alguém mudou o produto
    E que tenho os dados de um produto
    Quando mudo o produto se ainda for a versão lida
    Então o pedido é recusado porque houve outra mudança
    E o produto continua como estava

Quem apaga uma versão velha é recusado
    [Etiquetas]    versao    op:products.delete
    Dado que há um produto
    E que li a versão do produto
    E que alguém mudou o produto
    Quando apago o produto se ainda for a versão lida
    Então o pedido é recusado porque houve outra mudança
    E o produto continua como estava

Consulta de uma versão velha é recusada
    [Etiquetas]    versao    op:products.fetch
    Dado que há um produto
    E que li a versão do produto
    E que alguém mudou o produto
    Quando consulto o produto se ainda for a versão lida
    Então o pedido é recusado porque houve outra mudança

Mudança de uma versão que se excluiu é recusada
    [Etiquetas]    versao    op:products.update
    Dado que há um produto
    E que li a versão do produto
    E que tenho os dados de um produto
    Quando mudo o produto se não for mais a versão lida
    Então o pedido é recusado porque nada mudou
    E o produto continua como estava

Chave que já serviu a outro pedido é recusada
    [Etiquetas]    repeticao    op:products.create
    Dado que tenho uma chave nova
    E que tenho os dados de um produto
    E que cadastro o produto com a chave
    E que tenho os dados de um produto
    Quando cadastro o produto com a chave
    Então o pedido é recusado porque a chave serviu a outro
    E nenhum produto ficou com esses dados

Sem token não se faz nada com produtos
    [Etiquetas]    token    op:products.create    op:products.fetch    op:products.list_all    op:products.update
    ...            op:products.delete    op:products.exists
    [Modelo]    Sem token, ${verbo} ${caminho} é recusado, e nada muda
    # verbo    caminho
    POST    /products/create
    GET    /products/fetch/{produto}
    GET    /products/fetch
    PUT    /products/update/{produto}
    DELETE    /products/delete/{produto}
    GET    /products/exists/{produto}

Token adulterado não serve
    [Etiquetas]    token    op:products.delete
    [Modelo]    Com um token ${como}, ${verbo} ${caminho} é recusado, e nada muda
    # como    verbo    caminho
    com o conteúdo trocado    DELETE    /products/delete/{produto}
    assinado por outra chave    DELETE    /products/delete/{produto}

Token que só permite outra coisa não serve
    [Etiquetas]    token    op:products.create    op:products.fetch    op:products.list_all    op:products.update
    ...            op:products.delete    op:products.exists
    [Modelo]    Só com a permissão ${escopos}, ${verbo} ${caminho} é recusado, e nada muda
    # escopos    verbo    caminho
    products:read    POST    /products/create
    products:write    GET    /products/fetch/{produto}
    clients:read    GET    /products/fetch
    products:read    PUT    /products/update/{produto}
    products:read    DELETE    /products/delete/{produto}
    products:write    GET    /products/exists/{produto}

Verbo errado é recusado
    [Etiquetas]    borda
    [Modelo]    ${verbo} ${caminho} não é um verbo que sirva ali
    # verbo    caminho
    GET    /products/create
    PUT    /products/fetch
