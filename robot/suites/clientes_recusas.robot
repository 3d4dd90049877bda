*** Configurações ***
Documentação    O que o serviço de clientes não aceita, e como diz por quê.
Nome    Clientes: recusas
Recurso    ../recursos/clientes.resource
Etiquetas dos Testes    clientes    recusa

*** Casos de Teste ***
Cadastro com um campo errado é recusado, e nada fica guardado
    [Etiquetas]    op:clients.create
    [Modelo]    O cadastro de cliente é recusado
    # campo    valor    motivo
    name    ""    está vazio
    name    "${SPACE}"    só tem um espaço
    name    7    não é um texto
    email    "arthur"    não tem arroba
    email    "arthur@"    não tem domínio
    email    "a@b@example.com"    tem dois arrobas
    cpf    "12345678901"    os dígitos verificadores não conferem
    cpf    "111.111.111-11"    é um número repetido
    cpf    "529.982.247"    falta um pedaço
    balance    -0.01    é negativo
    balance    30.255    tem três casas
    balance    10000000000    é grande demais
    balance    "trinta"    não é um número
    balance    true    não é um número

Mudança com um campo errado é recusada, e nada muda
    [Etiquetas]    op:clients.update
    [Modelo]    A mudança de cliente é recusada
    # campo    valor    motivo
    name    ""    está vazio
    email    "arthur"    não tem arroba
    cpf    "12345678901"    os dígitos verificadores não conferem
    balance    -1    é negativo

Id que não é um id é recusado
    [Etiquetas]    op:clients.fetch    op:clients.exists    op:clients.delete
    [Modelo]    O pedido com id errado é recusado
    # verbo    caminho    campo    id
    GET    /clients/fetch    client_id    0
    GET    /clients/fetch    client_id    abc
    GET    /clients/exists    client_id    -1
    DELETE    /clients/delete    client_id    9223372036854775808

Filtro que a lista não conhece é recusado
    [Etiquetas]    op:clients.list_all
    [Modelo]    O filtro errado é recusado
    # caminho    filtro    valor    motivo
    /clients/fetch    limit    0    é menos que um
    /clients/fetch    limit    1001    é mais que mil
    /clients/fetch    after    -1    não é um id
    /clients/fetch    cpf    123    não é um CPF
    /clients/fetch    cor    azul    a lista não conhece

Corpo que não se entende é recusado
    [Etiquetas]    op:clients.create    op:clients.update
    [Modelo]    O corpo que não se entende é recusado
    # verbo    caminho
    POST    /clients/create
    PUT    /clients/update/1

E-mail de outro cliente é recusado
    [Etiquetas]    conflito    op:clients.create
    Dado que há um cliente
    E que tenho os dados de um cliente    email=${CLIENTE}[email]
    Quando cadastro o cliente
    Então o sistema diz que o "email" já tem dono

CPF de outro cliente é recusado
    [Etiquetas]    conflito    op:clients.create
    Dado que há um cliente
    E que tenho os dados de um cliente    cpf=${CLIENTE}[cpf]
    Quando cadastro o cliente
    Então o sistema diz que o "cpf" já tem dono

Mudança feita sobre uma versão velha é recusada
    [Etiquetas]    versao    op:clients.update
    Dado que há um cliente
    E que li a versão do cliente
    E que alguém mudou o cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente se ainda for a versão    ${VERSAO}
    Então o pedido é recusado porque houve outra mudança
    E o cliente continua como estava

Chave que já serviu a outro pedido é recusada
    [Etiquetas]    repeticao    op:clients.create
    Dado que tenho uma chave nova
    E que tenho os dados de um cliente
    E que cadastro o cliente com a chave    ${CHAVE}
    E que tenho os dados de um cliente
    Quando cadastro o cliente com a chave    ${CHAVE}
    Então o pedido é recusado porque a chave serviu a outro
    E nenhum cliente ficou com esses dados

Cliente que não existe não se acha
    [Etiquetas]    ausente    op:clients.fetch
    Quando peço o cliente de id    ${ID_DE_NINGUEM}
    Então o sistema diz que isso não existe

Sem token não se vê ninguém
    [Etiquetas]    token    op:clients.fetch
    Dado que há um cliente
    E que não tenho token
    Quando consulto o cliente
    Então o pedido é recusado por falta de token

Token adulterado não serve
    [Etiquetas]    token    op:clients.fetch
    [Modelo]    O token adulterado é recusado
    # como
    com a assinatura trocada
    com o conteúdo trocado
    sem assinatura
    assinado por outra chave
    assinado com um segredo
    que não é um JWT

Token que só permite outra coisa não serve
    [Etiquetas]    token    op:clients.fetch
    Dado que há um cliente
    E que meu token só permite products:read
    Quando consulto o cliente
    Então o pedido é recusado por falta de permissão
