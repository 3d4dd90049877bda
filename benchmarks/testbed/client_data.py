"""Generated clients: a number determines all fields, and no two numbers share a value."""

WEIGHTS = (range(10, 1, -1), range(11, 1, -1))  # of a CPF's two check digits
FIRST_NEW = 112_000_000  # above the numbers of seeded rows; none has nine equal digits
LAST_NEW = 200_000_000


def cpf(number: int) -> str:
    """Return the formatted CPF with ``number`` as its first nine digits."""
    digits = [int(digit) for digit in f"{number:09d}"]
    for weights in WEIGHTS:
        remainder = sum(map(int.__mul__, digits, weights)) * 10 % 11
        digits.append(remainder % 10)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def body(number: int, balance: str = "30.25") -> bytes:
    """Return a client as a JSON request body; the balance is a JSON number."""
    fields = f'"name":"Pessoa {number}","email":"{email(number)}","cpf":"{cpf(number)}"'
    return f'{{{fields},"balance":{balance}}}'.encode()


def email(number: int) -> str:
    """Return the e-mail address of a client."""
    return f"pessoa{number}@example.com"


def copy_line(number: int) -> str:
    """Return a client as a line for PostgreSQL's COPY, with the number as its id."""
    address = email(number)
    return f"{number}\tlive\tPessoa {number}\t{address}\t{address}\t{cpf(number)}\t30.25\n"
