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
    [Modelo]    O saldo ${enviado} se lê ${lido}
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
    [Modelo]    O e-mail ${antes_do_arroba} em ${dominio} se lê como foi enviado
    # antes do arroba    domínio
    arthur+compras_    example.com
    Vinícius_Peixoto_    example.com
    monitor_    cadastro.invalid
    monitor_    cadastro.test

Nome com acento e apóstrofo se lê como foi enviado
    [Etiquetas]    sucesso    op:clients.create    op:clients.fetch
    Dado que tenho os dados de um cliente    name=Antônia d'Ávila Gonçalves 😀
    Quando cadastro o cliente
    Então o cliente ficou guardado como foi enviado

Cliente mudado se lê como foi mudado
    [Etiquetas]    sucesso    op:clients.update    op:clients.fetch
    Dado que há um cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente
    Então o cliente ficou como foi mudado

Cliente pode manter o próprio e-mail
    [Etiquetas]    sucesso    op:clients.update
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "email"
    Quando mudo o cliente
    Então o cliente ficou como foi mudado

Cliente pode manter o próprio CPF
    [Etiquetas]    sucesso    op:clients.update
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "cpf"
    Quando mudo o cliente
    Então o cliente ficou como foi mudado

Mudar um cliente não muda os outros
    [Etiquetas]    sucesso    op:clients.update
    Dado que há outro cliente
    E que há um cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente
    Então o pedido é aceito
    E o outro cliente continua como estava

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
    Então o pedido é aceito
    E o outro cliente continua como estava

E-mail de um cliente apagado fica livre
    [Etiquetas]    sucesso    op:clients.create    op:clients.delete
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "email"
    Quando apago o cliente
    E cadastro o cliente
    Então o cliente ficou guardado como foi enviado

CPF de um cliente apagado fica livre
    [Etiquetas]    sucesso    op:clients.create    op:clients.delete
    Dado que há um cliente
    E que tenho os dados de um cliente com o mesmo "cpf"
    Quando apago o cliente
    E cadastro o cliente
    Então o cliente ficou guardado como foi enviado

Sistema diz que um cliente existe
    [Etiquetas]    sucesso    op:clients.exists
    Dado que há um cliente
    Quando pergunto se o cliente existe
    Então a resposta é que existe

Sistema diz que um cliente não existe, sem que isso seja um erro
    [Etiquetas]    sucesso    op:clients.exists
    Quando pergunto se existe o cliente de id 9223372036854775807
    Então a resposta é que não existe

Quem só pode perguntar se um cliente existe recebe a resposta
    [Etiquetas]    sucesso    token    op:clients.exists
    Dado que sou um monitor
    E que há um cliente
    E que meu token só permite clients:read
    Quando pergunto se o cliente existe
    Então a resposta é que existe

Lista acha um cliente por um campo
    [Documentação]    O nome é de uma pessoa qualquer; o e-mail e o CPF são de uma só.
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente
    Quando procuro o cliente pelo "email"
    Então a lista tem só o cliente
    Quando procuro o cliente pelo "cpf"
    Então a lista tem só o cliente
    Quando procuro o cliente pelo "name"
    Então a lista tem o cliente

Lista por nome não traz quem tem outro nome
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente    name=Conceição
    E que há outro cliente    name=Conceição Müller
    Quando procuro o cliente pelo "name"
    Então a lista tem o cliente
    Mas a lista não tem o outro cliente

Lista acha um cliente pelo CPF sem pontuação
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente
    Quando procuro o cliente pelo "cpf" sem pontuação
    Então a lista tem só o cliente

Lista acha um cliente pelo e-mail em maiúsculas
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente
    Quando procuro o cliente pelo "email" em maiúsculas
    Então a lista tem só o cliente

Lista vem em páginas que não repetem nem pulam ninguém
    [Etiquetas]    lista    op:clients.list_all
    Dado que há um cliente
    E que há outro cliente
    Quando leio a lista, um cliente por página
    Então a lista tem os dois clientes, sem repetir nem pular ninguém

Cadastro repetido com a mesma chave é um cadastro só
    [Etiquetas]    repeticao    op:clients.create
    Dado que tenho os dados de um cliente
    E que tenho uma chave nova
    Quando cadastro o cliente com a chave
    E cadastro o cliente com a chave
    Então o cliente ficou guardado como foi enviado

Mudança feita sobre a versão lida é aceita
    [Etiquetas]    versao    op:clients.update    op:clients.fetch
    Dado que há um cliente
    E que li a versão do cliente
    E que tenho os dados de um cliente
    Quando mudo o cliente se ainda for a versão lida
    Então o cliente ficou como foi mudado

Quem tem a versão atual não a recebe de novo
    [Etiquetas]    versao    op:clients.fetch
    Dado que há um cliente
    E que li a versão do cliente
    Quando consulto o cliente se não for mais a versão lida
    Então o sistema diz que nada mudou

Quem tem uma versão velha recebe a nova
    [Etiquetas]    versao    op:clients.fetch
    Dado que há um cliente
    E que li a versão do cliente
    E que alguém mudou o cliente
    Quando consulto o cliente se não for mais a versão lida
    Então recebo o cliente como foi cadastrado

Caminho que termina em barra é o mesmo caminho
    [Etiquetas]    borda    op:clients.create
    Dado que tenho os dados de um cliente
    Quando cadastro o cliente pelo caminho que termina em barra
    Então o cliente ficou guardado como foi enviado

Resposta leva o número que o pedido trouxe
    [Etiquetas]    borda    op:clients.fetch
    Dado que há um cliente
    Quando consulto o cliente    X-Request-ID=pedido-de-aceitacao-1
    Então recebo o cliente como foi cadastrado
    E o cabeçalho "X-Request-ID" diz "pedido-de-aceitacao-1$"

Pedido sem número recebe um
    [Etiquetas]    borda    op:clients.fetch
    Dado que há um cliente
    Quando consulto o cliente
    Então o cabeçalho "X-Request-ID" diz "[!-~]{8,}$"

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
    E que tenho os dados de um cliente com um dígito errado no CPF
    Quando cadastro o cliente
    Então o cliente ficou guardado como foi enviado

Serviço de clientes diz que está bem
    [Etiquetas]    saude    op:clients.health
    Quando pergunto pela saúde em /clients/health
    Então o serviço diz que está bem
