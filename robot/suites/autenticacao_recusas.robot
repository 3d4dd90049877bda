*** Configurações ***
Documentação    A quem o serviço de autenticação diz não, e como diz por quê.
Nome    Autenticação: recusas
Recurso    ../recursos/autenticacao.resource
Etiquetas dos Testes    autenticacao    recusa

*** Casos de Teste ***
Cadastro com um campo errado é recusado
    [Etiquetas]    campo    op:users.create    op:users.create.alias
    [Modelo]    O cadastro de usuário por ${caminho} com ${campo} ${valor} é recusado: ${motivo}
    # caminho    campo    valor    motivo
    /users/create    username    (ausente)    falta
    /users/create    username    ""    está vazio
    /users/create    username    "${SPACE}"    só tem um espaço
    /users/create    username    "Arthur:Peixoto"    tem dois-pontos
    /users/create    username    (texto de 101 letras)    é comprido demais
    /users/create    username    7    não é um texto
    /users/create    password    (ausente)    falta
    /users/create    password    "7letras"    é curta demais
    /users/create    password    (texto de 129 letras)    é comprida demais
    /users/create    password    12345678    não é um texto
    /users/create    realm    "live"    não é um campo de um usuário
    /user/create    password    "7letras"    é curta demais

Nome de outro usuário é recusado
    [Etiquetas]    conflito    op:users.create    op:users.create.alias
    [Modelo]    O nome de outro usuário é recusado por ${caminho}
    /users/create
    /user/create

Nome de outro usuário é recusado também em maiúsculas
    [Etiquetas]    conflito    op:users.create
    Dado que há um usuário
    E que o nome está em maiúsculas
    Quando cadastro o usuário por /users/create
    Então o sistema diz que o "username" já tem dono

Corpo que não se entende é recusado
    [Etiquetas]    corpo    op:users.create    op:users.create.alias
    [Modelo]    ${verbo} ${caminho} recusa um corpo que não se entende
    # verbo    caminho
    POST    /users/create
    POST    /user/create

Chave que já serviu a outro cadastro é recusada
    [Etiquetas]    repeticao    op:users.create    op:users.create.alias
    [Modelo]    A chave de outro cadastro é recusada por ${caminho}
    /users/create
    /user/create

Cadastro aberto não aceita um token que não presta
    [Documentação]    Sem token o cadastro é aberto; mas um token, quando vem, tem de ser bom.
    [Etiquetas]    token    op:users.create    op:users.create.alias
    [Modelo]    Com um token ${como}, ${verbo} ${caminho} é recusado, e nada muda
    # como    verbo    caminho
    com a assinatura trocada    POST    /users/create
    sem assinatura    POST    /user/create

Cadastro não aceita um token que só permite outra coisa
    [Etiquetas]    token    op:users.create    op:users.create.alias
    [Modelo]    Só com a permissão ${escopos}, ${verbo} ${caminho} é recusado, e nada muda
    # escopos    verbo    caminho
    clients:read    POST    /users/create
    clients:read    POST    /user/create

Quem erra a senha não entra
    [Documentação]    A senha errada e o nome que ninguém tem recebem a mesma resposta.
    [Etiquetas]    senha    op:users.login    op:users.login.alias
    [Modelo]    Quem erra a senha por ${caminho} não entra
    /users/login
    /user/login

Quem não diz quem é não entra
    [Etiquetas]    senha    op:users.login    op:users.login.alias
    [Modelo]    Quem não diz quem é não entra por ${caminho}
    /users/login
    /user/login

Quem erra muito a senha tem de esperar, e depois entra
    [Documentação]    A espera cresce a cada erro, e passa: ninguém fica trancado do lado de fora.
    [Etiquetas]    senha    op:users.login    op:users.login.alias
    [Modelo]    Quem erra muito por ${caminho} tem de esperar, e depois entra
    /users/login
    /user/login

Senha de um usuário não vale para outro
    [Etiquetas]    senha    op:users.login
    Dado que há um usuário
    E que tenho o nome dele e a senha de outro
    Quando entro por /users/login
    Então a entrada é recusada

Segredo errado não dá token a um monitor
    [Etiquetas]    monitor    op:users.token
    Quando peço um token como synthetic, com o segredo errado    grant_type=client_credentials
    Então a entrada é recusada
    E o erro do OAuth é "invalid_client"

Serviço que ninguém conhece não recebe token
    [Etiquetas]    monitor    op:users.token
    Quando peço um token como ninguem, com o segredo errado    grant_type=client_credentials
    Então a entrada é recusada
    E o erro do OAuth é "invalid_client"

Monitor não recebe mais do que pode
    [Etiquetas]    monitor    op:users.token
    Quando peço um token como synthetic, com o segredo certo    grant_type=client_credentials    scope=inventory:remove
    Então o pedido é recusado por causa do "scope"
    E o erro do OAuth é "invalid_scope"

Pedido de token com o formulário errado é recusado
    [Etiquetas]    monitor    op:users.token
    Quando peço um token como synthetic, com o segredo certo    grant_type=password
    Então o pedido é recusado por causa do "grant_type"
    E o erro do OAuth é "unsupported_grant_type"
    Quando peço um token como synthetic, com o segredo certo    scope=clients:read
    Então o pedido é recusado por causa do "grant_type"
    E o erro do OAuth é "invalid_request"

Pedido de token que não é um formulário é recusado
    [Etiquetas]    monitor    corpo    op:users.token
    Quando peço um token com um corpo do tipo application/json
    Então o pedido é recusado pelo tipo do corpo
    Quando peço um token com um formulário de 70 mil letras
    Então o pedido é recusado pelo tamanho

Verbo errado é recusado
    [Etiquetas]    borda
    [Modelo]    ${verbo} ${caminho} não é um verbo que sirva ali
    # verbo    caminho
    GET    /users/create
    GET    /user/login
    POST    /users/jwks.json
