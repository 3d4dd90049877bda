*** Configurações ***
Documentação    O que o serviço de inventário não aceita, e como diz por quê.
Nome    Inventário: recusas
Recurso    ../recursos/inventario.resource
Etiquetas dos Testes    inventario    recusa

*** Casos de Teste ***
Compra com um campo errado é recusada, e nada entra no inventário
    [Etiquetas]    campo    op:inventory.add_product
    [Modelo]    A compra com ${campo} ${valor} é recusada: ${motivo}
    # campo    valor    motivo
    client_id    (ausente)    falta
    client_id    "4"    não é um número
    client_id    0    é menor que um
    product_id    (ausente)    falta
    product_id    -1    é negativo
    product_id    1.5    não é inteiro
    number_of_items    (ausente)    falta
    number_of_items    0    é menor que um
    number_of_items    -5    é negativo
    number_of_items    "5"    não é um número
    number_of_items    2147483648    é grande demais
    purchase_date    (ausente)    falta
    purchase_date    "ontem"    não é uma data
    purchase_date    "01/11/2024"    não está em ISO 8601
    purchase_date    "2024-02-30"    não existe
    purchase_date    "2023-02-29T10:00:00"    não existe fora de um ano bissexto
    purchase_date    "2024-11-01T25:00:00"    tem uma hora que não existe
    purchase_date    20241101    não é um texto
    product_name    "Teclado"    quem diz é o produto

Retirada com um campo errado é recusada, e nada sai do inventário
    [Etiquetas]    campo    op:inventory.remove_many    op:inventory.remove_many.alias
    [Modelo]    A retirada por ${caminho} com ${campo} ${valor} é recusada: ${motivo}
    # caminho    campo    valor    motivo
    /inventory/remove_many    remotion_id    (ausente)    falta
    /inventory/remove_many    remotion_id    0    é menor que um
    /inventory/remove_many    type    (ausente)    falta
    /inventory/remove_many    type    "cliente"    não é client nem product
    /inventory/remove_many    todos    true    não é um campo de uma retirada
    /inventory/remove_products    type    "cliente"    não é client nem product

Ninguém compra o que não existe
    [Etiquetas]    ausente    op:inventory.add_product
    Dado que tenho os dados de uma compra com o "product_id" igual a 9223372036854775807
    Quando registro a compra
    Então o sistema diz que o "product_id" não existe

Quem não existe não compra
    [Etiquetas]    ausente    op:inventory.add_product
    Dado que tenho os dados de uma compra com o "client_id" igual a 9223372036854775807
    Quando registro a compra
    Então o sistema diz que o "client_id" não existe

Item que ninguém comprou não se retira
    [Etiquetas]    ausente    op:inventory.remove_product
    [Modelo]    ${verbo} ${caminho} diz que não há ${tipo} desse id
    # verbo    caminho    tipo
    DELETE    /inventory/remove_product/{item_id}    item

Item retirado não se retira de novo
    [Etiquetas]    ausente    op:inventory.remove_product
    Dado que o cliente comprou o produto
    Quando retiro o item do inventário
    E retiro o item do inventário
    Então o sistema diz que isso não existe

Id que não é um id é recusado
    [Etiquetas]    id    op:inventory.list_products    op:inventory.list_products.alias    op:inventory.remove_product
    [Modelo]    ${verbo} ${caminho} com o id ${id} é recusado: ${motivo}
    # verbo    caminho    id    motivo
    GET    /inventory/list_products_ids/{client_id}    0    é menor que um
    GET    /inventory/list_products_id/{client_id}    abc    não é um número
    DELETE    /inventory/remove_product/{item_id}    -1    é negativo
    DELETE    /inventory/remove_product/{item_id}    9223372036854775808    é grande demais

Filtro que a lista não conhece é recusado
    [Etiquetas]    lista    op:inventory.list_products    op:inventory.list_products.alias
    [Modelo]    A lista ${caminho} recusa ${filtro} ${valor}: ${motivo}
    # caminho    filtro    valor    motivo
    /inventory/list_products_ids/{cliente}    limit    0    é menos que um
    /inventory/list_products_ids/{cliente}    limit    1001    é mais que mil
    /inventory/list_products_id/{cliente}    after    -1    não é um id
    /inventory/list_products_ids/{cliente}    cor    azul    não é um filtro da lista

Corpo que não se entende é recusado
    [Etiquetas]    corpo    op:inventory.add_product    op:inventory.remove_many    op:inventory.remove_many.alias
    [Modelo]    ${verbo} ${caminho} recusa um corpo que não se entende
    # verbo    caminho
    POST    /inventory/add_product
    DELETE    /inventory/remove_many
    DELETE    /inventory/remove_products

Chave que já serviu a outra compra é recusada
    [Etiquetas]    repeticao    op:inventory.add_product
    Dado que tenho uma chave nova
    E que tenho os dados de uma compra
    E que registro a compra com a chave
    E que tenho os dados de uma compra com o "number_of_items" igual a 1000
    Quando registro a compra com a chave
    Então o pedido é recusado porque a chave serviu a outro
    E o cliente tem uma compra só

Sem token não se faz nada com o inventário
    [Etiquetas]    token    op:inventory.add_product    op:inventory.list_products    op:inventory.list_products.alias
    ...            op:inventory.remove_product    op:inventory.remove_many    op:inventory.remove_many.alias
    [Modelo]    Sem token, ${verbo} ${caminho} é recusado, e nada muda
    # verbo    caminho
    POST    /inventory/add_product
    GET    /inventory/list_products_ids/{cliente}
    GET    /inventory/list_products_id/{cliente}
    DELETE    /inventory/remove_product/{item}
    DELETE    /inventory/remove_many
    DELETE    /inventory/remove_products

Token adulterado não serve
    [Etiquetas]    token    op:inventory.remove_product
    [Modelo]    Com um token ${como}, ${verbo} ${caminho} é recusado, e nada muda
    # como    verbo    caminho
    com o conteúdo trocado    DELETE    /inventory/remove_product/{item}
    sem assinatura    DELETE    /inventory/remove_product/{item}

Token que só permite outra coisa não serve
    [Etiquetas]    token    op:inventory.add_product    op:inventory.list_products    op:inventory.list_products.alias
    ...            op:inventory.remove_product    op:inventory.remove_many    op:inventory.remove_many.alias
    [Modelo]    Só com a permissão ${escopos}, ${verbo} ${caminho} é recusado, e nada muda
    # escopos    verbo    caminho
    inventory:read    POST    /inventory/add_product
    inventory:write    GET    /inventory/list_products_ids/{cliente}
    clients:read    GET    /inventory/list_products_id/{cliente}
    inventory:read    DELETE    /inventory/remove_product/{item}
    inventory:read    DELETE    /inventory/remove_many
    inventory:read    DELETE    /inventory/remove_products

Verbo errado é recusado
    [Etiquetas]    borda
    [Modelo]    ${verbo} ${caminho} não é um verbo que sirva ali
    # verbo    caminho
    GET    /inventory/add_product
    POST    /inventory/remove_many
