*** Configurações ***
Documentação    O que o serviço de inventário faz: guarda que cliente comprou que produto.
Nome    Inventário
Recurso    ../recursos/inventario.resource
Etiquetas dos Testes    inventario

*** Casos de Teste ***
Compra registrada aparece no inventário do cliente
    [Etiquetas]    sucesso    op:inventory.add_product    op:inventory.list_products
    Dado que há um cliente
    E que há um produto
    Quando o cliente compra 5 unidades do produto em 2024-11-01T10:30:00
    Então o inventário do cliente tem 5 unidades do produto em 2024-11-01T10:30:00+00:00

Data da compra se lê em UTC
    [Documentação]    Sem fuso, a data já é UTC; sem hora, é meia-noite.
    [Etiquetas]    sucesso    data    op:inventory.add_product    op:inventory.list_products
    [Modelo]    A compra em ${enviada} se lê ${lida}
    # enviada    lida
    2024-11-01T10:30:00    2024-11-01T10:30:00+00:00
    2024-11-01T10:30:00Z    2024-11-01T10:30:00+00:00
    2024-11-01T07:30:00-03:00    2024-11-01T10:30:00+00:00
    2024-12-31T23:00:00-03:00    2025-01-01T02:00:00+00:00
    2024-11-01T10:30    2024-11-01T10:30:00+00:00
    2024-11-01    2024-11-01T00:00:00+00:00
    2024-02-29T12:00:00.250000    2024-02-29T12:00:00.250000+00:00

Cliente pode comprar o mesmo produto duas vezes
    [Etiquetas]    sucesso    op:inventory.add_product    op:inventory.list_products
    Dado que o cliente comprou o produto
    E que o cliente comprou o produto
    Quando consulto o inventário do cliente
    Então recebo tudo o que o cliente comprou

Cliente pode comprar vários produtos
    [Etiquetas]    sucesso    op:inventory.add_product    op:inventory.list_products
    Dado que há outro produto
    E que o cliente comprou o produto
    E que o cliente comprou o outro produto
    Quando consulto o inventário do cliente
    Então recebo tudo o que o cliente comprou

Inventário de um cliente não mostra o que outro comprou
    [Etiquetas]    sucesso    op:inventory.list_products
    Dado que há um produto
    E que há outro cliente
    E que o outro cliente comprou o produto
    E que o cliente comprou o produto
    Quando consulto o inventário do cliente
    Então recebo tudo o que o cliente comprou

Quem não comprou nada tem um inventário vazio
    [Etiquetas]    sucesso    op:inventory.list_products
    Dado que há um cliente
    Quando consulto o inventário do cliente
    Então recebo tudo o que o cliente comprou

Inventário se lê também pelo caminho antigo
    [Etiquetas]    sucesso    antigo    op:inventory.list_products.alias
    Dado que o cliente comprou o produto
    Quando consulto o inventário do cliente por /inventory/list_products_id
    Então recebo tudo o que o cliente comprou

Inventário vem em páginas
    [Etiquetas]    lista    op:inventory.list_products
    Dado que o cliente comprou o produto
    E que o cliente comprou o produto
    Quando consulto o inventário do cliente, 1 por vez
    Então recebo só o primeiro item, e o endereço da página seguinte

Item retirado sai do inventário
    [Etiquetas]    sucesso    op:inventory.remove_product    op:inventory.list_products
    Dado que o cliente comprou o produto
    Quando retiro o item do inventário
    Então o pedido é aceito
    E o inventário do cliente fica vazio

Retirar um item não retira os outros
    [Etiquetas]    sucesso    op:inventory.remove_product
    Dado que há outro produto
    E que o cliente comprou o outro produto
    E que o cliente comprou o produto
    Quando retiro o item do inventário
    Então o pedido é aceito
    E o inventário do cliente só tem o outro produto

Tudo o que é de um cliente se retira de uma vez
    [Etiquetas]    sucesso    op:inventory.remove_many
    Dado que há um produto
    E que há outro cliente
    E que o outro cliente comprou o produto
    E que o cliente comprou o produto
    Quando retiro tudo o que é do cliente por /inventory/remove_many
    Então o pedido é aceito
    E o inventário do cliente fica vazio
    Mas o inventário do outro cliente ainda tem o produto

Um produto se retira de todos os inventários de uma vez
    [Etiquetas]    sucesso    op:inventory.remove_many
    Dado que há outro produto
    E que o cliente comprou o produto
    E que o cliente comprou o outro produto
    Quando retiro tudo o que é do produto por /inventory/remove_many
    Então o pedido é aceito
    E o inventário do cliente só tem o outro produto

Retirada pelo caminho antigo é a mesma
    [Etiquetas]    sucesso    antigo    op:inventory.remove_many.alias
    Dado que o cliente comprou o produto
    Quando retiro tudo o que é do cliente por /inventory/remove_products
    Então o pedido é aceito
    E o inventário do cliente fica vazio

Retirada que um usuário faz não impede outra compra
    [Documentação]    Só quando o cliente ou o produto é apagado é que as compras acabam.
    [Etiquetas]    sucesso    op:inventory.remove_many    op:inventory.add_product
    Dado que há um cliente
    E que há um produto
    E que o cliente comprou o produto
    Quando retiro tudo o que é do cliente por /inventory/remove_many
    E o cliente compra 2 unidades do produto em 2024-11-01T10:30:00
    Então o inventário do cliente tem 2 unidades do produto em 2024-11-01T10:30:00+00:00

Retirar o que não há também é um sucesso
    [Etiquetas]    sucesso    op:inventory.remove_many    op:inventory.remove_many.alias
    [Modelo]    A retirada de quem não tem nada é aceita por ${caminho}
    /inventory/remove_many
    /inventory/remove_products

Compra repetida com a mesma chave é uma compra só
    [Etiquetas]    repeticao    op:inventory.add_product
    Dado que tenho os dados de uma compra
    E que tenho uma chave nova
    Quando registro a compra com a chave
    E registro a compra com a chave
    Então o inventário do cliente tem a compra uma vez só

Compra enviada várias vezes ao mesmo tempo é uma compra só
    [Etiquetas]    repeticao    op:inventory.add_product
    Dado que tenho os dados de uma compra
    E que tenho uma chave nova
    Quando envio a mesma compra várias vezes ao mesmo tempo, com a mesma chave
    Então o inventário do cliente tem a compra uma vez só

Serviço de inventário diz que está bem
    [Etiquetas]    saude    op:inventory.health
    Quando pergunto pela saúde em /inventory/health
    Então o serviço diz que está bem
