*** Configurações ***
Documentação    O que o serviço de clientes faz com endereços: cada cliente pode ter vários.
Nome    Endereços
Recurso    ../recursos/enderecos.resource
Etiquetas dos Testes    enderecos

*** Casos de Teste ***
Endereço cadastrado se lê como foi enviado
    [Etiquetas]    sucesso    op:addresses.create    op:addresses.list_of_client
    Dado que há um cliente
    E que tenho os dados de um endereço
    Quando cadastro o endereço
    Então o endereço ficou guardado como foi enviado

CEP se lê com traço e com o mesmo nome
    [Documentação]    O campo pode se chamar CEP ou cep, e o traço pode faltar.
    [Etiquetas]    sucesso    op:addresses.create    op:addresses.list_of_client
    [Modelo]    O CEP ${cep} no campo ${campo} se lê ${lido}
    # CEP    campo    lido
    16900-000    CEP    16900-000
    16900000    CEP    16900-000
    01310-100    cep    01310-100
    01310100    cep    01310-100

Cada uma das 27 UFs é aceita
    [Etiquetas]    sucesso    op:addresses.create    op:addresses.list_of_client
    [Modelo]    O endereço em ${uf} se lê como foi enviado
    AC
    AL
    AM
    AP
    BA
    CE
    DF
    ES
    GO
    MA
    MG
    MS
    MT
    PA
    PB
    PE
    PI
    PR
    RJ
    RN
    RO
    RR
    RS
    SC
    SE
    SP
    TO

Cliente pode ter vários endereços
    [Etiquetas]    sucesso    lista    op:addresses.create    op:addresses.list_of_client
    Dado que há um endereço
    E que há outro endereço
    Quando consulto os endereços do cliente
    Então a lista tem o endereço
    E a lista tem o outro endereço

Endereço de um cliente não aparece na lista de outro
    [Etiquetas]    sucesso    lista    op:addresses.list_of_client
    Dado que há um endereço
    E que há um cliente
    Quando consulto os endereços do cliente
    Então a lista vem vazia

Quem não tem endereço recebe uma lista vazia
    [Etiquetas]    lista    op:addresses.list_of_client
    Dado que há um cliente
    Quando consulto os endereços do cliente
    Então a lista vem vazia

Quem não existe recebe uma lista vazia
    [Etiquetas]    lista    op:addresses.list_of_client
    Quando consulto os endereços de quem não existe
    Então a lista vem vazia

Endereço mudado se lê como foi mudado
    [Etiquetas]    sucesso    op:addresses.update    op:addresses.list_of_client
    Dado que há um endereço
    E que tenho os dados de um endereço
    Quando mudo o endereço
    Então o endereço ficou como foi mudado

Endereço mudado continua do mesmo cliente
    [Etiquetas]    sucesso    op:addresses.update    op:addresses.list_of_client
    Dado que há um endereço
    Quando mudo o endereço sem dizer de quem é
    Então o endereço ficou como foi mudado

Mudar um endereço não muda os outros
    [Etiquetas]    sucesso    op:addresses.update
    Dado que há outro endereço
    E que há um endereço
    E que tenho os dados de um endereço
    Quando mudo o endereço
    Então o pedido é aceito
    E o outro endereço continua como estava

Endereço apagado não se acha mais
    [Etiquetas]    sucesso    op:addresses.delete
    Dado que há um endereço
    Quando apago o endereço
    Então o pedido é aceito
    E o endereço não existe mais

Apagar um endereço não apaga o cliente nem os outros endereços
    [Etiquetas]    sucesso    op:addresses.delete
    Dado que há outro endereço
    E que há um endereço
    Quando apago o endereço
    Então o pedido é aceito
    E o outro endereço continua como estava
    E o cliente continua como estava

Cliente apagado leva os endereços junto
    [Etiquetas]    sucesso    op:clients.delete    op:addresses.list_of_client
    Dado que há um endereço
    E que há outro endereço
    Quando apago o cliente
    Então o pedido é aceito
    E o cliente não tem nenhum endereço

Lista de todos acha os endereços de um estado
    [Etiquetas]    lista    op:addresses.list_all
    Dado que há um endereço    state=SP
    E que há outro endereço    state=PE
    Quando procuro o endereço pelo "state"
    Então a lista tem o endereço
    Mas a lista não tem o outro endereço

Lista de todos acha os endereços de uma cidade
    [Etiquetas]    lista    op:addresses.list_all
    Dado que há um endereço    city=São José dos Campos
    E que há outro endereço    city=São José
    Quando procuro o endereço pelo "city"
    Então a lista tem o endereço
    Mas a lista não tem o outro endereço

Lista de todos vem em páginas que não repetem nem pulam ninguém
    [Etiquetas]    lista    op:addresses.list_all
    Dado que há um endereço
    E que há outro endereço
    Quando leio a lista, um endereço por página
    Então a lista tem os dois endereços, sem repetir nem pular ninguém

Cadastro repetido com a mesma chave é um cadastro só
    [Etiquetas]    repeticao    op:addresses.create
    Dado que tenho os dados de um endereço
    E que tenho uma chave nova
    Quando cadastro o endereço com a chave
    E cadastro o endereço com a chave
    Então o endereço ficou guardado como foi enviado
    E o cliente tem um endereço só

Mudança feita sobre a versão lida é aceita
    [Etiquetas]    versao    op:addresses.update
    Dado que há um endereço
    E que li a versão do endereço
    E que tenho os dados de um endereço
    Quando mudo o endereço se ainda for a versão lida
    Então o endereço ficou como foi mudado

Caminho que termina em barra é o mesmo caminho
    [Etiquetas]    borda    op:addresses.create
    Dado que tenho os dados de um endereço
    Quando cadastro o endereço pelo caminho que termina em barra
    Então o endereço ficou guardado como foi enviado

Estado que não existe é aceito no modo format
    [Etiquetas]    modo    op:addresses.create
    Dado que o sistema está no modo "format"
    E que tenho os dados de um endereço    state=TS
    Quando cadastro o endereço
    Então o endereço ficou guardado como foi enviado
