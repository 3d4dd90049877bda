"""O que se cadastra, e por quais caminhos: os passos que servem a todos os tipos os leem daqui."""

from dataclasses import dataclass

EMBUTIDO = "${tipo:cliente|endereço|produto}"  # num nome de passo, o tipo de que ele fala


@dataclass(frozen=True)
class Tipo:
    """Um tipo de cadastro; ``{id}`` e ``{client_id}`` são os do registro."""

    criar: str
    consultar: str
    lista: str
    mudar: str
    apagar: str
    existe: str = ""
    unicos: tuple[str, ...] = ()  # campos que não se repetem, e pelos quais a lista procura


TIPOS = {
    "cliente": Tipo(
        criar="/clients/create",
        consultar="/clients/fetch/{id}",
        lista="/clients/fetch",
        mudar="/clients/update/{id}",
        apagar="/clients/delete/{id}",
        existe="/clients/exists/{id}",
        unicos=("email", "cpf"),
    ),
    "endereço": Tipo(
        criar="/address/create",
        consultar="/address/fetch/{client_id}",
        lista="/address/fetch",
        mudar="/address/update/{id}",
        apagar="/address/delete/{id}",
    ),
    "produto": Tipo(
        criar="/products/create",
        consultar="/products/fetch/{id}",
        lista="/products/fetch",
        mudar="/products/update/{id}",
        apagar="/products/delete/{id}",
        existe="/products/exists/{id}",
        unicos=("name",),
    ),
}

# o que um cenário cria por ali, apaga por aqui
APAGAR_EM = {tipo.criar: tipo.apagar for tipo in TIPOS.values()} | {
    "/inventory/add_product": "/inventory/remove_product/{id}",
}
