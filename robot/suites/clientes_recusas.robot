*** Configurações ***
Documentação    O que o serviço de clientes não aceita, e como diz por quê.
Nome    Clientes: recusas
Recurso    ../recursos/clientes.resource
Etiquetas dos Testes    clientes    recusa

*** Casos de Teste ***
Cadastro com um campo errado é recusado, e nada fica guardado
    [Etiquetas]    campo    op:clients.create
    [Modelo]    O cadastro de cliente com ${campo} ${valor} é recusado: ${motivo}
    # campo    valor    motivo
    name    (ausente)    falta
    name    ""    está vazio
    name    "${SPACE}"    só tem um espaço
    name    7    não é um texto
    name    (texto de 201 letras)    é comprido demais
    email    (ausente)    falta
    email    "arthur"    não tem arroba
    email    "arthur@"    não tem domínio
    email    "a@b@example.com"    tem dois arrobas
    email    "arthur@exa mple.com"    tem um espaço
    cpf    (ausente)    falta
    cpf    "12345678901"    tem os dígitos verificadores errados
    cpf    "529.982.247"    não está inteiro
    cpf    "529-982-247.25"    tem a pontuação trocada
    cpf    52998224725    não é um texto
    balance    (ausente)    falta
    balance    -0.01    é negativo
    balance    30.255    tem três casas
    balance    10000000000    é grande demais
    balance    "trinta"    não é um número
    balance    true    não é um número
    idade    30    não é um campo de um cliente

Mudança com um campo errado é recusada, e nada muda
    [Etiquetas]    campo    op:clients.update
    [Modelo]    A mudança de cliente com ${campo} ${valor} é recusada: ${motivo}
    # campo    valor    motivo
    name    ""    está vazio
    name    (ausente)    falta
    email    "arthur"    não tem arroba
    cpf    "12345678901"    tem os dígitos verificadores errados
    cpf    (ausente)    falta
    balance    -1    é negativo
    balance    0.001    tem três casas
    id    1    não se muda

CPF de dígitos errados é recusado no modo strict
    [Etiquetas]    modo    campo    op:clients.create
    Dado que o sistema está no modo "strict"
    E que tenho os dados de um cliente com um dígito errado no CPF
    Quando cadastro o cliente
    Então o pedido é recusado por causa do "cpf"
    E nenhum cliente ficou com esses dados

CPF de um número só, repetido, é recusado no modo strict
    [Etiquetas]    modo    campo    op:clients.create
    Dado que o sistema está no modo "strict"
    E que tenho os dados de um cliente    cpf=111.111.111-11
    Quando cadastro o cliente
    Então o pedido é recusado por causa do "cpf"
    E nenhum cliente ficou com esses dados

CPF de dígitos errados e sem pontuação é recusado nos dois modos
    [Etiquetas]    modo    campo    op:clients.create
    Dado que tenho os dados de um cliente com um dígito errado no CPF, sem pontuação
    Quando cadastro o cliente
    Então o pedido é recusado por causa do "cpf"

Id que não é um id é recusado
    [Etiquetas]    id    op:clients.fetch    op:clients.exists    op:clients.delete    op:clients.update
    [Modelo]    ${verbo} ${caminho} com o id ${id} é recusado: ${motivo}
    # verbo    caminho    id    motivo
    GET    /clients/fetch/{client_id}    0    é menor que um
    GET    /clients/fetch/{client_id}    abc    não é um número
    GET    /clients/exists/{client_id}    -1    é negativo
    GET    /clients/exists/{client_id}    1.5    não é inteiro
    PUT    /clients/update/{client_id}    0    é menor que um
    DELETE    /clients/delete/{client_id}    9223372036854775808    é grande demais

Cliente que ninguém cadastrou não se acha
    [Etiquetas]    ausente    op:clients.fetch    op:clients.update    op:clients.delete
    [Modelo]    ${verbo} ${caminho} diz que não há ${tipo} desse id
    # verbo    caminho    tipo
    GET    /clients/fetch/{client_id}    cliente
    PUT    /clients/update/{client_id}    cliente
    DELETE    /clients/delete/{client_id}    cliente

Cliente apagado não se apaga de novo
    [Etiquetas]    ausente    op:clients.delete
    Dado que há um cliente
    Quando apago o cliente
    E apago o cliente
    Então o sistema diz que isso não existe

Filtro que a lista não conhece é recusado
    [Etiquetas]    lista    op:clients.list_all
    [Modelo]    A lista ${caminho} recusa ${filtro} ${valor}: ${motivo}
    # caminho    filtro    valor    motivo
    /clients/fetch    limit    0    é menos que um
    /clients/fetch    limit    1001    é mais que mil
    /clients/fetch    limit    dez    não é um número
    /clients/fetch    after    -1    não é um id
    /clients/fetch    cpf    123    não é um CPF
    /clients/fetch    email    arthur    não é um e-mail
    /clients/fetch    cor    azul    não é um filtro da lista

Corpo que não se entende é recusado
    [Etiquetas]    corpo    op:clients.create    op:clients.update
    [Modelo]    ${verbo} ${caminho} recusa um corpo que não se entende
    # verbo    caminho
    POST    /clients/create
    PUT    /clients/update/{cliente}

E-mail de outro cliente é recusado no cadastro
    [Etiquetas]    conflito    op:clients.create
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "email"
    Quando cadastro o cliente
    Então o sistema diz que o "email" já tem dono

E-mail de outro cliente é recusado também em maiúsculas
    [Etiquetas]    conflito    op:clients.create
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "email" em maiúsculas
    Quando cadastro o cliente
    Então o sistema diz que o "email" já tem dono

CPF de outro cliente é recusado no cadastro
    [Etiquetas]    conflito    op:clients.create
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "cpf"
    Quando cadastro o cliente
    Então o sistema diz que o "cpf" já tem dono

CPF de outro cliente é recusado também sem pontuação
    [Etiquetas]    conflito    op:clients.create
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "cpf" sem pontuação
    Quando cadastro o cliente
    Então o sistema diz que o "cpf" já tem dono

Cliente não toma o e-mail de outro numa mudança
    [Etiquetas]    conflito    op:clients.update
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "email"
    E que há um cliente
    Quando mudo o cliente
    Então o sistema diz que o "email" já tem dono
    E o cliente continua como estava

Mudança feita sobre uma versão velha é recusada
    [Etiquetas]    versao    op:clients.update
    Dado que há um cliente
    E que li a versão do cliente
    E que alguém mudou o cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente se ainda for a versão lida
    Então o pedido é recusado porque houve outra mudança
    E o cliente continua como estava

Quem apaga uma versão velha é recusado
    [Etiquetas]    versao    op:clients.delete
    Dado que há um cliente
    E que li a versão do cliente
    E que alguém mudou o cliente
    Quando apago o cliente se ainda for a versão lida
    Então o pedido é recusado porque houve outra mudança
    E o cliente continua como estava

Consulta de uma versão velha é recusada
    [Etiquetas]    versao    op:clients.fetch
    Dado que há um cliente
    E que li a versão do cliente
    E que alguém mudou o cliente
    Quando consulto o cliente se ainda for a versão lida
    Então o pedido é recusado porque houve outra mudança

Mudança de uma versão que se excluiu é recusada
    [Etiquetas]    versao    op:clients.update
    Dado que há um cliente
    E que li a versão do cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente se não for mais a versão lida
    Então o pedido é recusado porque nada mudou
    E o cliente continua como estava

Chave que já serviu a outro pedido é recusada
    [Etiquetas]    repeticao    op:clients.create
    Dado que tenho uma chave nova
    E que tenho os dados de um cliente
    E que cadastro o cliente com a chave
    E que tenho os dados de um cliente
    Quando cadastro o cliente com a chave
    Então o pedido é recusado porque a chave serviu a outro
    E nenhum cliente ficou com esses dados

Sem token não se faz nada com clientes
    [Etiquetas]    token    op:clients.create    op:clients.fetch    op:clients.list_all    op:clients.update
    ...            op:clients.delete    op:clients.exists
    [Modelo]    Sem token, ${verbo} ${caminho} é recusado, e nada muda
    # verbo    caminho
    POST    /clients/create
    GET    /clients/fetch/{cliente}
    GET    /clients/fetch
    PUT    /clients/update/{cliente}
    DELETE    /clients/delete/{cliente}
    GET    /clients/exists/{cliente}

Token adulterado não serve
    [Etiquetas]    token    op:clients.fetch    op:clients.delete
    [Modelo]    Com um token ${como}, ${verbo} ${caminho} é recusado, e nada muda
    # como    verbo    caminho
    com a assinatura trocada    GET    /clients/fetch/{cliente}
    com o conteúdo trocado    DELETE    /clients/delete/{cliente}
    sem assinatura    GET    /clients/fetch/{cliente}
    assinado por outra chave    DELETE    /clients/delete/{cliente}
    assinado com um segredo    GET    /clients/fetch/{cliente}
    que não é um JWT    GET    /clients/fetch/{cliente}

Token que só permite outra coisa não serve
    [Etiquetas]    token    op:clients.create    op:clients.fetch    op:clients.list_all    op:clients.update
    ...            op:clients.delete    op:clients.exists
    [Modelo]    Só com a permissão ${escopos}, ${verbo} ${caminho} é recusado, e nada muda
    # escopos    verbo    caminho
    clients:read    POST    /clients/create
    clients:write    GET    /clients/fetch/{cliente}
    products:read    GET    /clients/fetch
    clients:read    PUT    /clients/update/{cliente}
    clients:read    DELETE    /clients/delete/{cliente}
    clients:write    GET    /clients/exists/{cliente}

Verbo errado é recusado
    [Etiquetas]    borda
    [Modelo]    ${verbo} ${caminho} não é um verbo que sirva ali
    # verbo    caminho
    DELETE    /clients/create
    POST    /clients/fetch
    PUT    /clients/health
