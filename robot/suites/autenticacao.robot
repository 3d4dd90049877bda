*** Configurações ***
Documentação    O que o serviço de autenticação faz: cadastra usuários, deixa-os entrar e assina tokens.
Nome    Autenticação
Recurso    ../recursos/autenticacao.resource
Etiquetas dos Testes    autenticacao

*** Casos de Teste ***
Quem se cadastra entra, e o token serve
    [Etiquetas]    sucesso    op:users.create    op:users.login    op:clients.list_all
    [Modelo]    Quem se cadastra por ${cadastro} entra por ${entrada}
    # cadastro    entrada
    /users/create    /users/login

Caminhos antigos cadastram e deixam entrar do mesmo jeito
    [Etiquetas]    sucesso    antigo    op:users.create.alias    op:users.login.alias
    [Modelo]    Quem se cadastra por ${cadastro} entra por ${entrada}
    # cadastro    entrada
    /user/create    /user/login
    /users/create/    /user/login/

Um estranho pode se cadastrar, e entra
    [Documentação]    O cadastro é aberto a todos, a não ser que OPEN_REGISTRATION diga que não.
    [Etiquetas]    sucesso    op:users.create    op:users.login
    Dado que tenho um nome e uma senha que ninguém tem
    Quando um estranho se cadastra como usuário
    Então o pedido é aceito
    Quando entro por /users/login
    Então recebo um token que me deixa trabalhar
    E o token diz "realm" igual a "live"

Usuário pode cadastrar outro
    [Etiquetas]    sucesso    op:users.create
    Dado que tenho um nome e uma senha que ninguém tem
    Quando um usuário cadastra o novo usuário
    Então o pedido é aceito
    Quando entro por /users/login
    Então recebo um token que me deixa trabalhar

Quem um monitor cadastra é do mundo sintético
    [Etiquetas]    sucesso    monitor    op:users.create    op:users.login
    Dado que há um usuário
    Quando entro por /users/login
    Então o token diz "realm" igual a "synthetic"

Maiúsculas no nome não importam a quem entra
    [Etiquetas]    sucesso    op:users.login
    Dado que há um usuário
    Quando entro por /users/login com o nome em maiúsculas
    Então recebo um token que me deixa trabalhar

Nome e senha no limite são aceitos
    [Etiquetas]    sucesso    op:users.create    op:users.login
    [Modelo]    Quem tem ${campo} ${valor} se cadastra e entra
    # campo    valor
    password    "8 letras"
    password    (texto de 128 letras)
    password    "çãé €日本 😀"

Token se confere com as chaves publicadas
    [Etiquetas]    sucesso    token    op:users.login    op:users.jwks
    Dado que há um usuário
    Quando entro por /users/login
    Então o token se confere com as chaves publicadas
    E o token é do tipo at+jwt, e vence

Chaves publicadas estão abertas a todos, sem a parte secreta
    [Etiquetas]    sucesso    token    op:users.jwks
    Dado que não tenho token
    Quando peço as chaves publicadas
    Então o pedido é aceito
    E as chaves publicadas não têm a parte secreta
    E o cabeçalho "Cache-Control" diz "public, max-age="

Monitor recebe um token com tudo o que pode
    [Etiquetas]    sucesso    monitor    op:users.token
    Quando peço um token como synthetic, com o segredo certo    grant_type=client_credentials
    Então recebo um token que me deixa trabalhar
    E o token se confere com as chaves publicadas
    E o token diz "realm" igual a "synthetic"

Monitor pode pedir menos do que pode
    [Etiquetas]    sucesso    monitor    op:users.token
    Quando peço um token como synthetic, com o segredo certo    grant_type=client_credentials    scope=clients:read
    Então recebo um token que me deixa trabalhar
    E o token diz "scope" igual a "clients:read"

Cadastro repetido com a mesma chave é um cadastro só
    [Etiquetas]    repeticao    op:users.create
    Dado que tenho um nome e uma senha que ninguém tem
    E que tenho uma chave nova
    Quando cadastro o usuário com a chave
    E cadastro o usuário com a chave
    Então o pedido é aceito
    Quando entro por /users/login
    Então recebo um token que me deixa trabalhar

Serviço de autenticação diz que está bem
    [Etiquetas]    saude    op:users.health    op:users.health.alias
    [Modelo]    O serviço em ${caminho} diz que está bem
    /users/health
    /user/health
