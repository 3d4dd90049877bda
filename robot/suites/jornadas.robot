*** Configurações ***
Documentação    O que passa por mais de um serviço: a compra, e o que acontece quando alguém some.
Nome    Jornadas
Recurso    ../recursos/compras.resource
Etiquetas dos Testes    jornada

*** Casos de Teste ***
Produto comprado aparece no inventário do cliente
    [Etiquetas]    sucesso    op:inventory.add_product    op:inventory.list_products
    Dado que há um cliente
    E que há um produto
    Quando o cliente compra    ${5}    do produto em    2024-11-01T10:30:00
    Então o inventário do cliente tem    5    do produto em    2024-11-01T10:30:00+00:00

Inventário guarda o nome que o produto tinha na compra
    [Etiquetas]    sucesso    op:inventory.list_products    op:products.update
    Dado que há um cliente
    E que há um produto
    E que o cliente comprou o produto
    Quando o produto muda de nome
    Então o inventário do cliente ainda diz o nome antigo

Cliente apagado leva o inventário junto
    [Etiquetas]    sucesso    op:clients.delete    op:inventory.list_products
    Dado que há um cliente
    E que há um produto
    E que o cliente comprou o produto
    Quando apago o cliente
    Então o inventário do cliente fica vazio

Produto apagado sai de todos os inventários
    [Etiquetas]    sucesso    op:products.delete    op:inventory.list_products
    Dado que há um cliente
    E que há um produto
    E que o cliente comprou o produto
    Quando apago o produto
    Então o inventário do cliente fica vazio

Ninguém compra o que não existe
    [Etiquetas]    recusa    op:inventory.add_product
    Dado que há um cliente
    E que há um produto
    Quando apago o produto
    E o cliente tenta comprar o produto
    Então o sistema diz que o "product_id" não existe

Quem não existe não compra
    [Etiquetas]    recusa    op:inventory.add_product
    Dado que há um cliente
    E que há um produto
    Quando apago o cliente
    E o cliente tenta comprar o produto
    Então o sistema diz que o "client_id" não existe

Item retirado sai do inventário
    [Etiquetas]    sucesso    op:inventory.remove_product
    Dado que há um cliente
    E que há um produto
    E que o cliente comprou o produto
    Quando retiro o que foi comprado
    Então o inventário do cliente fica vazio

Dados de um monitor não se misturam com os dos usuários
    [Etiquetas]    monitor    op:clients.fetch
    Dado que sou um monitor
    E que há um cliente
    E que sou um usuário
    Quando consulto o cliente
    Então o sistema diz que isso não existe
