*** Configurações ***
Documentação    O que o serviço de clientes faz: cadastra, mostra, muda e apaga quem compra.
Nome    Clientes
Recurso    ../recursos/clientes.resource
Etiquetas dos Testes    clientes

*** Casos de Teste ***
Cliente cadastrado se lê como foi enviado
    [Etiquetas]    sucesso    op:clients.create    op:clients.fetch
    Dado que tenho os dados de um cliente
    Quando cadastro o cliente
    Então o cliente ficou guardado como foi enviado

CPF sem pontuação se lê com pontuação
    [Etiquetas]    sucesso    op:clients.create    op:clients.fetch
    Dado que tenho os dados de um cliente com o CPF sem pontuação
    Quando cadastro o cliente
    Então o cliente ficou guardado como foi enviado

Saldo se lê exato e com duas casas
    [Etiquetas]    sucesso    dinheiro    op:clients.create    op:clients.fetch
    [Modelo]    O saldo se lê
    # enviado    lido
    0    0.00
    7    7.00
    30.25    30.25
    0.1    0.10
    "30.25"    30.25
    "0"    0.00
    "1.50000"    1.50
    1.10000    1.10
    9999999999.99    9999999999.99
    "9999999999.99"    9999999999.99

E-mail se lê como foi enviado
    [Etiquetas]    sucesso    op:clients.create    op:clients.fetch
    [Modelo]    O e-mail se lê como foi enviado
    # antes do arroba    domínio
    arthur+compras_    example.com
    Vinícius_Peixoto_    example.com
    monitor_    cadastro.invalid
    monitor_    cadastro.test

Cliente mudado se lê como foi mudado
    [Etiquetas]    sucesso    op:clients.update    op:clients.fetch
    Dado que há um cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente
    Então o cliente ficou como foi mudado

Cliente pode manter o próprio e-mail e o próprio CPF
    [Etiquetas]    sucesso    op:clients.update
    Dado que há um cliente
    E que tenho os dados de um cliente    email=${CLIENTE}[email]    cpf=${CLIENTE}[cpf]
    Quando mudo o cliente
    Então o cliente ficou como foi mudado

Mudar um cliente não muda os outros
    [Etiquetas]    sucesso    op:clients.update
    Dado que há outro cliente
    E que há um cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente
    Então o outro cliente continua como estava

Cliente apagado não se acha mais
    [Etiquetas]    sucesso    op:clients.delete    op:clients.fetch    op:clients.exists
    Dado que há um cliente
    Quando apago o cliente
    Então o pedido é aceito
    E o cliente não existe mais

Apagar um cliente não apaga os outros
    [Etiquetas]    sucesso    op:clients.delete
    Dado que há outro cliente
    E que há um cliente
    Quando apago o cliente
    Então o outro cliente continua como estava

CPF e e-mail de um cliente apagado ficam livres
    [Etiquetas]    sucesso    op:clients.create    op:clients.delete
    Dado que há um cliente
    E que tenho os dados de um cliente    email=${CLIENTE}[email]    cpf=${CLIENTE}[cpf]
    Quando apago o cliente
    E cadastro o cliente
    Então o cliente ficou guardado como foi enviado

Sistema diz que um cliente existe
    [Etiquetas]    sucesso    op:clients.exists
    Dado que há um cliente
    Quando pergunto se o cliente existe
    Então a resposta é que existe

Lista acha um cliente pelo nome
    [Etiquetas]    lista    op:clients.list_all
    Dado que tenho um nome que ninguém tem
    E que há um cliente    name=${NOME}
    Quando procuro clientes por    name    ${NOME}
    Então a lista tem só o cliente

Lista acha um cliente pelo CPF
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente
    Quando procuro clientes por    cpf    ${CLIENTE}[cpf]
    Então a lista tem só o cliente

Lista acha um cliente pelo CPF sem pontuação
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente
    Quando procuro clientes pelos dígitos do CPF
    Então a lista tem só o cliente

Lista acha um cliente pelo e-mail, em maiúsculas ou não
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente
    Quando procuro clientes pelo e-mail em maiúsculas
    Então a lista tem só o cliente

Lista vem em páginas que não repetem nem pulam ninguém
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente
    E que há outro cliente
    Quando leio a lista de clientes em páginas de um
    Então a lista tem os dois clientes, em ordem e sem repetição

Cadastro repetido com a mesma chave é um cadastro só
    [Etiquetas]    repeticao    op:clients.create
    Dado que tenho os dados de um cliente
    E que tenho uma chave nova
    Quando cadastro o cliente com a chave    ${CHAVE}
    E cadastro o cliente com a chave    ${CHAVE}
    Então o cliente ficou guardado como foi enviado

Mudança feita sobre a versão lida é aceita
    [Etiquetas]    versao    op:clients.update    op:clients.fetch
    Dado que há um cliente
    E que li a versão do cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente se ainda for a versão    ${VERSAO}
    Então o cliente ficou como foi mudado

Quem tem a versão atual não a recebe de novo
    [Etiquetas]    versao    op:clients.fetch
    Dado que há um cliente
    E que li a versão do cliente
    Quando consulto o cliente se a versão não for    ${VERSAO}
    Então o sistema diz que nada mudou

Quem tem uma versão velha recebe a nova
    [Etiquetas]    versao    op:clients.fetch
    Dado que há um cliente
    E que li a versão do cliente
    E que alguém mudou o cliente
    Quando consulto o cliente se a versão não for    ${VERSAO}
    Então recebo o cliente como foi cadastrado

Caminho que termina em barra é o mesmo caminho
    [Etiquetas]    borda    op:clients.create
    Dado que tenho os dados de um cliente
    Quando cadastro o cliente pelo caminho com barra
    Então o cliente ficou guardado como foi enviado

Resposta leva o número do pedido
    [Etiquetas]    borda    op:clients.fetch
    Dado que há um cliente
    Quando consulto o cliente com o número de pedido    pedido-de-aceitacao-1
    Então recebo o cliente como foi cadastrado
    E o cabeçalho "X-Request-ID" diz "pedido-de-aceitacao-1$"

Dados de clientes não ficam guardados no caminho
    [Documentação]    Nenhum navegador nem intermediário guarda a resposta.
    [Etiquetas]    borda    op:clients.fetch
    Dado que há um cliente
    Quando consulto o cliente
    Então o cabeçalho "Cache-Control" diz "no-store"
    E o cabeçalho "X-Content-Type-Options" diz "nosniff"

CPF que só tem a forma certa é aceito no modo format
    [Etiquetas]    modo    op:clients.create
    Dado que o sistema está no modo "format"
    E que tenho os dados de um cliente com o CPF errado
    Quando cadastro o cliente
    Então o cliente ficou guardado como foi enviado

Serviço de clientes diz que está bem
    [Etiquetas]    saude    op:clients.health
    Dado que não tenho token
    Quando pergunto pela saúde do serviço de clientes
    Então o serviço diz que está bem
