*** Configurações ***
Documentação    O que passa por mais de um serviço: a compra, quem some, o token que vence, os monitores.
Nome    Jornadas
Recurso    ../recursos/jornadas.resource
Etiquetas dos Testes    jornada

*** Casos de Teste ***
Inventário guarda o nome que o produto tinha na compra
    [Etiquetas]    sucesso    op:inventory.list_products    op:products.update
    Dado que o cliente comprou o produto
    E que tenho os dados de um produto
    Quando mudo o produto
    Então o pedido é aceito
    E o inventário do cliente continua como estava

Compra depois da mudança leva o nome novo
    [Etiquetas]    sucesso    op:inventory.add_product    op:products.update
    Dado que há um produto
    E que alguém mudou o produto
    E que o cliente comprou o produto
    Quando consulto o inventário do cliente
    Então recebo tudo o que o cliente comprou

Cliente apagado leva o inventário junto
    [Etiquetas]    sucesso    op:clients.delete    op:inventory.list_products
    Dado que há um produto
    E que há outro cliente
    E que o outro cliente comprou o produto
    E que o cliente comprou o produto
    Quando apago o cliente
    Então o pedido é aceito
    E o inventário do cliente fica vazio
    Mas o inventário do outro cliente ainda tem o produto

Produto apagado sai de todos os inventários
    [Etiquetas]    sucesso    op:products.delete    op:inventory.list_products
    Dado que há um produto
    E que há outro cliente
    E que o outro cliente comprou o produto
    E que o cliente comprou o produto
    Quando apago o produto
    Então o pedido é aceito
    E o inventário do cliente fica vazio
    E o inventário do outro cliente fica vazio

Produto apagado não leva os outros produtos do inventário
    [Etiquetas]    sucesso    op:products.delete    op:inventory.list_products
    Dado que há outro produto
    E que o cliente comprou o outro produto
    E que o cliente comprou o produto
    Quando apago o produto
    Então o pedido é aceito
    E o inventário do cliente acaba só com o outro produto

Ninguém compra um produto apagado
    [Etiquetas]    recusa    op:inventory.add_product    op:products.delete
    Dado que há um cliente
    E que há um produto
    Quando apago o produto
    E o cliente tenta comprar o produto
    Então o sistema diz que o "product_id" não existe

Quem foi apagado não compra
    [Etiquetas]    recusa    op:inventory.add_product    op:clients.delete
    Dado que há um cliente
    E que há um produto
    Quando apago o cliente
    E o cliente tenta comprar o produto
    Então o sistema diz que o "client_id" não existe

Venda inteira, do cadastro à retirada
    [Etiquetas]    sucesso    op:clients.create    op:addresses.create    op:products.create    op:inventory.add_product
    ...            op:inventory.remove_product
    Dado que há um cliente
    E que há um endereço
    E que há um produto
    Quando o cliente compra 3 unidades do produto em 2024-11-01T07:30:00-03:00
    Então o inventário do cliente tem 3 unidades do produto em 2024-11-01T10:30:00+00:00
    Quando retiro a compra que acabo de registrar
    Então o inventário do cliente fica vazio

Token de um usuário vence, e não serve mais a nenhum serviço
    [Etiquetas]    token    vencimento    op:users.login    op:clients.list_all    op:products.list_all
    ...            op:inventory.list_products
    Dado que há um usuário
    Quando entro por /users/login
    Então recebo um token que me deixa trabalhar
    Mas o token que recebi venceu
    E nenhum serviço o aceita

Token de um monitor vence, e não serve mais a nenhum serviço
    [Etiquetas]    token    vencimento    op:users.token    op:clients.list_all    op:products.list_all
    ...            op:inventory.list_products
    Quando peço um token como synthetic, com o segredo certo    grant_type=client_credentials
    Então recebo um token que me deixa trabalhar
    Mas o token que recebi venceu
    E nenhum serviço o aceita

Usuário não vê o cliente de um monitor
    [Etiquetas]    monitor    op:clients.fetch    op:clients.exists    op:clients.list_all
    Dado que sou um monitor
    E que há um cliente
    E que sou um usuário
    Quando consulto o cliente
    Então o sistema diz que isso não existe
    E o cliente não existe mais

Monitor não vê o cliente de um usuário
    [Etiquetas]    monitor    op:clients.fetch    op:clients.exists    op:clients.list_all
    Dado que há um cliente
    E que sou um monitor
    Quando consulto o cliente
    Então o sistema diz que isso não existe
    E o cliente não existe mais

Monitor não muda nem apaga o cliente de um usuário
    [Etiquetas]    monitor    op:clients.update    op:clients.delete
    Dado que há um cliente
    E que tenho os dados de um cliente
    E que sou um monitor
    Quando mudo o cliente
    Então o sistema diz que isso não existe
    Quando apago o cliente
    Então o sistema diz que isso não existe
    Mas para um usuário o cliente continua como estava

Monitor não vê, não muda nem apaga o produto de um usuário
    [Etiquetas]    monitor    op:products.fetch    op:products.update    op:products.delete
    Dado que há um produto
    E que tenho os dados de um produto
    E que sou um monitor
    Quando consulto o produto
    Então o sistema diz que isso não existe
    Quando mudo o produto
    Então o sistema diz que isso não existe
    Quando apago o produto
    Então o sistema diz que isso não existe
    Mas para um usuário o produto continua como estava

Monitor não vê os endereços do cliente de um usuário
    [Etiquetas]    monitor    op:addresses.list_of_client    op:addresses.delete
    Dado que há um endereço
    E que sou um monitor
    Quando consulto os endereços do cliente
    Então a lista vem vazia
    Quando apago o endereço
    Então o sistema diz que isso não existe
    Mas para um usuário o endereço continua como estava

Monitor não vê nem esvazia o inventário do cliente de um usuário
    [Etiquetas]    monitor    op:inventory.list_products    op:inventory.remove_many    op:inventory.remove_product
    Dado que o cliente comprou o produto
    E que sou um monitor
    Quando consulto o inventário do cliente
    Então a lista vem vazia
    Quando retiro o item do inventário
    Então o sistema diz que isso não existe
    Quando retiro tudo o que é do cliente por /inventory/remove_many
    Então o pedido é aceito
    Mas para um usuário o inventário do cliente continua como estava

Monitor não compra o produto de um usuário
    [Etiquetas]    monitor    op:inventory.add_product
    Dado que há um produto
    E que sou um monitor
    E que há um cliente
    Quando o cliente tenta comprar o produto
    Então o sistema diz que o "product_id" não existe

CPF e e-mail de um usuário não estorvam um monitor
    [Documentação]    O que é único é único em cada mundo: o monitor não topa com dados de gente.
    [Etiquetas]    monitor    op:clients.create
    Dado que há um cliente
    E que tenho os dados de um cliente igual ao que há
    E que sou um monitor
    Quando cadastro o cliente
    Então o cliente ficou guardado como foi enviado

Nome do produto de um monitor não estorva um usuário
    [Etiquetas]    monitor    op:products.create
    Dado que sou um monitor
    E que há um produto
    E que tenho os dados de um produto com o mesmo "name"
    E que sou um usuário
    Quando cadastro o produto
    Então o produto ficou guardado como foi enviado

Monitor faz a venda inteira no mundo dele
    [Etiquetas]    monitor    op:clients.create    op:products.create    op:inventory.add_product    op:clients.delete
    Dado que sou um monitor
    E que há um cliente
    E que há um produto
    Quando o cliente compra 1 unidade do produto em 2024-11-01
    Então o inventário do cliente tem 1 unidade do produto em 2024-11-01T00:00:00+00:00
    Quando apago o cliente
    Então o inventário do cliente fica vazio

Dois que mudam o mesmo cliente ao mesmo tempo não se atropelam
    [Documentação]    Os dois leram a mesma versão: um consegue, o outro sabe que chegou tarde.
    [Etiquetas]    versao    op:clients.update
    Dado que há um cliente
    E que li a versão do cliente
    Quando vários mudam o cliente ao mesmo tempo, sobre a versão lida
    Então um só consegue, e o cliente ficou como ele quis
