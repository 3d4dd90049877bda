*** Configurações ***
Documentação    O que o serviço de clientes não aceita num endereço, e como diz por quê.
Nome    Endereços: recusas
Recurso    ../recursos/enderecos.resource
Etiquetas dos Testes    enderecos    recusa

*** Casos de Teste ***
Cadastro com um campo errado é recusado, e nada fica guardado
    [Etiquetas]    campo    op:addresses.create
    [Modelo]    O cadastro de endereço com ${campo} ${valor} é recusado: ${motivo}
    # campo    valor    motivo
    client_id    (ausente)    falta
    client_id    "um"    não é um número
    client_id    0    é menor que um
    state    (ausente)    falta
    state    "sp"    está em minúsculas
    state    "São Paulo"    não é uma sigla
    city    ""    está vazia
    city    (texto de 201 letras)    é comprida demais
    street    "${SPACE}"    só tem um espaço
    street    (ausente)    falta
    number    0    é menor que um
    number    "100"    não é um número
    number    1.5    não é inteiro
    number    2147483648    é grande demais
    CEP    (ausente)    falta
    CEP    "16900"    não está inteiro
    CEP    "16.900-000"    tem um ponto
    CEP    16900000    não é um texto
    bairro    "Centro"    não é um campo de um endereço

Mudança com um campo errado é recusada, e nada muda
    [Etiquetas]    campo    op:addresses.update
    [Modelo]    A mudança de endereço com ${campo} ${valor} é recusada: ${motivo}
    # campo    valor    motivo
    state    "sp"    está em minúsculas
    city    (ausente)    falta
    street    ""    está vazia
    number    0    é menor que um
    CEP    "16900"    não está inteiro
    id    1    não se muda

Dois CEPs num endereço só são recusados
    [Etiquetas]    campo    op:addresses.create
    Dado que tenho os dados de um endereço
    E que ponho nos dados    cep    16900-000
    Quando cadastro o endereço
    Então o pedido é recusado por causa do "CEP"
    E nenhum endereço ficou com esses dados

Estado que não existe é recusado no modo strict
    [Etiquetas]    modo    campo    op:addresses.create
    Dado que o sistema está no modo "strict"
    E que tenho os dados de um endereço    state=TS
    Quando cadastro o endereço
    Então o pedido é recusado por causa do "state"
    E nenhum endereço ficou com esses dados

Endereço de quem não existe é recusado
    [Etiquetas]    ausente    op:addresses.create
    Quando cadastro um endereço para quem não existe
    Então o sistema diz que o "client_id" não existe

Endereço de quem foi apagado é recusado
    [Etiquetas]    ausente    op:addresses.create
    Dado que há um cliente
    E que tenho os dados de um endereço
    Quando apago o cliente
    E cadastro o endereço
    Então o sistema diz que o "client_id" não existe

Endereço não muda de dono
    [Etiquetas]    campo    op:addresses.update
    Dado que há um endereço
    E que há outro cliente
    Quando mudo o endereço para outro cliente
    Então o pedido é recusado por causa do "client_id"
    E o endereço continua como estava

Id que não é um id é recusado
    [Etiquetas]    id    op:addresses.list_of_client    op:addresses.update    op:addresses.delete
    [Modelo]    ${verbo} ${caminho} com o id ${id} é recusado: ${motivo}
    # verbo    caminho    id    motivo
    GET    /address/fetch/{client_id}    0    é menor que um
    GET    /address/fetch/{client_id}    abc    não é um número
    PUT    /address/update/{address_id}    -1    é negativo
    DELETE    /address/delete/{address_id}    9223372036854775808    é grande demais

Endereço que ninguém cadastrou não se acha
    [Etiquetas]    ausente    op:addresses.update    op:addresses.delete
    [Modelo]    ${verbo} ${caminho} diz que não há ${tipo} desse id
    # verbo    caminho    tipo
    PUT    /address/update/{address_id}    endereço
    DELETE    /address/delete/{address_id}    endereço

Filtro que a lista não conhece é recusado
    [Etiquetas]    lista    op:addresses.list_all    op:addresses.list_of_client
    [Modelo]    A lista ${caminho} recusa ${filtro} ${valor}: ${motivo}
    # caminho    filtro    valor    motivo
    /address/fetch    limit    0    é menos que um
    /address/fetch    state    sp    não é uma sigla
    /address/fetch    cor    azul    não é um filtro da lista
    /address/fetch/{cliente}    limit    1001    é mais que mil
    /address/fetch/{cliente}    state    SP    não é um filtro da lista

Corpo que não se entende é recusado
    [Etiquetas]    corpo    op:addresses.create    op:addresses.update
    [Modelo]    ${verbo} ${caminho} recusa um corpo que não se entende
    # verbo    caminho
    POST    /address/create
    PUT    /address/update/{endereço}

Mudança feita sobre uma versão velha é recusada
    [Etiquetas]    versao    op:addresses.update
    Dado que há um endereço
    E que li a versão do endereço
    E que alguém mudou o endereço
    E que tenho os dados de um endereço
    Quando mudo o endereço se ainda for a versão lida
    Então o pedido é recusado porque houve outra mudança
    E o endereço continua como estava

Quem apaga uma versão velha é recusado
    [Etiquetas]    versao    op:addresses.delete
    Dado que há um endereço
    E que li a versão do endereço
    E que alguém mudou o endereço
    Quando apago o endereço se ainda for a versão lida
    Então o pedido é recusado porque houve outra mudança
    E o endereço continua como estava

Chave que já serviu a outro pedido é recusada
    [Etiquetas]    repeticao    op:addresses.create
    Dado que tenho uma chave nova
    E que tenho os dados de um endereço
    E que cadastro o endereço com a chave
    E que tenho os dados de um endereço
    Quando cadastro o endereço com a chave
    Então o pedido é recusado porque a chave serviu a outro
    E o cliente tem um endereço só

Sem token não se faz nada com endereços
    [Etiquetas]    token    op:addresses.create    op:addresses.list_of_client    op:addresses.list_all
    ...            op:addresses.update    op:addresses.delete
    [Modelo]    Sem token, ${verbo} ${caminho} é recusado, e nada muda
    # verbo    caminho
    POST    /address/create
    GET    /address/fetch/{cliente}
    GET    /address/fetch
    PUT    /address/update/{endereço}
    DELETE    /address/delete/{endereço}

Token que só permite outra coisa não serve
    [Etiquetas]    token    op:addresses.create    op:addresses.list_of_client    op:addresses.list_all
    ...            op:addresses.update    op:addresses.delete
    [Modelo]    Só com a permissão ${escopos}, ${verbo} ${caminho} é recusado, e nada muda
    # escopos    verbo    caminho
    clients:read    POST    /address/create
    clients:write    GET    /address/fetch/{cliente}
    products:read    GET    /address/fetch
    clients:read    PUT    /address/update/{endereço}
    clients:read    DELETE    /address/delete/{endereço}

Verbo errado é recusado
    [Etiquetas]    borda
    [Modelo]    ${verbo} ${caminho} não é um verbo que sirva ali
    # verbo    caminho
    GET    /address/create
    DELETE    /address/fetch
