"""People who do not exist: the n-th one is always the same, and unlike every other."""

WEIGHTS = (range(10, 1, -1), range(11, 1, -1))  # of a CPF's two check digits
FIRST_NEW = 112_000_000  # numbers that no seeded row has; none of them has nine equal digits
LAST_NEW = 200_000_000


def cpf(number: int) -> str:
    """Return the CPF whose first nine digits are ``number``, with its punctuation."""
    digits = [int(digit) for digit in f"{number:09d}"]
    for weights in WEIGHTS:
        rest = sum(map(int.__mul__, digits, weights)) * 10 % 11
        digits.append(rest % 10)
    text = "".join(map(str, digits))
    return f"{text[:3]}.{text[3:6]}.{text[6:9]}-{text[9:]}"


def body(number: int, balance: str = "30.25") -> bytes:
    """Return a person as the JSON of a request; the balance is a JSON number."""
    person = f'"name":"Pessoa {number}","email":"{email(number)}","cpf":"{cpf(number)}"'
    return f'{{{person},"balance":{balance}}}'.encode()


def email(number: int) -> str:
    """Return the e-mail address of a person."""
    return f"pessoa{number}@example.com"


def line(number: int) -> str:
    """Return a person as a line of PostgreSQL's COPY: the id is the number."""
    address = email(number)
    return f"{number}\tlive\tPessoa {number}\t{address}\t{address}\t{cpf(number)}\t30.25\n"
