*** Configurações ***
Documentação    O que o serviço de produtos faz: cadastra, mostra, muda e apaga o que se vende.
Nome    Produtos
Recurso    ../recursos/produtos.resource
Etiquetas dos Testes    produtos

*** Casos de Teste ***
Produto cadastrado se lê como foi enviado
    [Etiquetas]    sucesso    op:products.create    op:products.fetch
    Dado que tenho os dados de um produto
    Quando cadastro o produto
    Então o produto ficou guardado como foi enviado

Preço se lê exato e com duas casas
    [Etiquetas]    sucesso    dinheiro    op:products.create    op:products.fetch
    [Modelo]    O preço ${enviado} se lê ${lido}
    # enviado    lido
    0    0.00
    100.00    100.00
    89.9    89.90
    0.01    0.01
    "0.10"    0.10
    1.005000000000000000e2    100.50
    "7.0000"    7.00
    9999999999.99    9999999999.99

Valor no limite é aceito
    [Etiquetas]    sucesso    op:products.create    op:products.fetch
    [Modelo]    O campo ${campo} ${valor} se lê como foi enviado
    # campo    valor
    quantity    0
    quantity    2147483647
    description    ""
    description    (texto de 2000 letras)
    name    (texto de 200 letras)
    status    true
    status    false

Produto mudado se lê como foi mudado
    [Etiquetas]    sucesso    op:products.update    op:products.fetch
    Dado que há um produto
    E que tenho os dados de um produto
    Quando mudo o produto
    Então o produto ficou como foi mudado

Produto pode manter o próprio nome
    [Etiquetas]    sucesso    op:products.update
    Dado que há um produto
    E que tenho os dados de um produto com o mesmo "name"
    Quando mudo o produto
    Então o produto ficou como foi mudado

Produto sai de linha, e volta
    [Etiquetas]    sucesso    op:products.update    op:products.fetch
    Dado que há um produto    status=${TRUE}
    E que tenho os dados de um produto    status=${FALSE}
    Quando mudo o produto
    Então o produto ficou como foi mudado
    Dado que tenho os dados de um produto    status=${TRUE}
    Quando mudo o produto
    Então o produto ficou como foi mudado

Mudar um produto não muda os outros
    [Etiquetas]    sucesso    op:products.update
    Dado que há outro produto
    E que há um produto
    E que tenho os dados de um produto
    Quando mudo o produto
    Então o pedido é aceito
    E o outro produto continua como estava

Produto apagado não se acha mais
    [Etiquetas]    sucesso    op:products.delete    op:products.fetch    op:products.exists
    Dado que há um produto
    Quando apago o produto
    Então o pedido é aceito
    E o produto não existe mais

Apagar um produto não apaga os outros
    [Etiquetas]    sucesso    op:products.delete
    Dado que há outro produto
    E que há um produto
    Quando apago o produto
    Então o pedido é aceito
    E o outro produto continua como estava

Nome de um produto apagado fica livre
    [Etiquetas]    sucesso    op:products.create    op:products.delete
    Dado que há um produto
    E que tenho os dados de um produto com o mesmo "name"
    Quando apago o produto
    E cadastro o produto
    Então o produto ficou guardado como foi enviado

Sistema diz que um produto existe, e como se chama
    [Etiquetas]    sucesso    op:products.exists
    Dado que há um produto
    Quando pergunto se o produto existe
    Então a resposta é que existe, e como se chama

Sistema diz que um produto não existe, sem que isso seja um erro
    [Etiquetas]    sucesso    op:products.exists
    Quando pergunto se existe o produto de id 9223372036854775807
    Então a resposta é que não existe

Lista acha um produto pelo nome
    [Etiquetas]    lista    op:products.list_all
    Dado que há um produto
    Quando procuro o produto pelo "name"
    Então a lista tem só o produto

Lista separa os produtos à venda dos outros
    [Etiquetas]    lista    op:products.list_all
    Dado que há um produto    status=${TRUE}
    E que há outro produto    status=${FALSE}
    Quando procuro o produto pelo "status"
    Então a lista tem o produto
    Mas a lista não tem o outro produto

Lista separa os produtos que não estão à venda
    [Etiquetas]    lista    op:products.list_all
    Dado que há um produto    status=${FALSE}
    E que há outro produto    status=${TRUE}
    Quando procuro o produto pelo "status"
    Então a lista tem o produto
    Mas a lista não tem o outro produto

Lista vem em páginas que não repetem nem pulam nada
    [Etiquetas]    lista    op:products.list_all
    Dado que há um produto
    E que há outro produto
    Quando leio a lista, um produto por página
    Então a lista tem os dois produtos, sem repetir nem pular ninguém

Cadastro repetido com a mesma chave é um cadastro só
    [Etiquetas]    repeticao    op:products.create
    Dado que tenho os dados de um produto
    E que tenho uma chave nova
    Quando cadastro o produto com a chave
    E cadastro o produto com a chave
    Então o produto ficou guardado como foi enviado

Mudança feita sobre a versão lida é aceita
    [Etiquetas]    versao    op:products.update    op:products.fetch
    Dado que há um produto
    E que li a versão do produto
    E que tenho os dados de um produto
    Quando mudo o produto se ainda for a versão lida
    Então o produto ficou como foi mudado

Quem tem a versão atual não a recebe de novo
    [Etiquetas]    versao    op:products.fetch
    Dado que há um produto
    E que li a versão do produto
    Quando consulto o produto se não for mais a versão lida
    Então o sistema diz que nada mudou

Quem tem uma versão velha recebe a nova
    [Etiquetas]    versao    op:products.fetch
    Dado que há um produto
    E que li a versão do produto
    E que alguém mudou o produto
    Quando consulto o produto se não for mais a versão lida
    Então recebo o produto como foi cadastrado

Caminho que termina em barra é o mesmo caminho
    [Etiquetas]    borda    op:products.create
    Dado que tenho os dados de um produto
    Quando cadastro o produto pelo caminho que termina em barra
    Então o produto ficou guardado como foi enviado

Serviço de produtos diz que está bem
    [Etiquetas]    saude    op:products.health
    Quando pergunto pela saúde em /products/health
    Então o serviço diz que está bem
