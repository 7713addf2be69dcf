"""Ways to write one person that a mail program shows and an MTA delivers to, and that a grammar may not read.

FORMS has one item of each, with `{n}` for the number: sixty of it are sixty people.
"""

FORMS = (
    # A comment beside the `@` or a dot.
    "u{n}(x)@d{n}.example", "U <u{n}@(x)d{n}.example>", "x@d.(c)e{n}.example", "u{n}@d{n}(x).example", "ann{n}@example(work).org", "Pete) <pete{n}(his account)@silly .test(his host)>",
    # Empty or doubled quotes, as exports write them; quoted and unquoted words side by side.
    '<u{n}""@d{n}.example>', '<c"d{n}"@z.example>', 'u{n}""@d{n}.example', '"""u{n}@z.example"""', '""u{n}""@z.example',
    # Blanks around every dot and `@`, and in a domain.
    "u{n} . a @ d{n} . example", "<  some  one{n} @ some host . some where . com >", "Pete) <pete{n}@silly .test>", "Patient {n} <p{n}@gmail. com>", '"Patient {n}" p{n}@gmail. com',
    "Customer <c@customer. mail{n}.example>", "Patient {n} <p{n}@gmail .com>",
    # A bracket between the local part and the `@`.
    "Ann <c[x]{n}@z.example>", "bob{n}[@example.com", "[test{n}]@example.org", "<bob{n}>@example.com", "bob{n})@example.com", "bob{n}:@example.com",
    # An address literal among several `@`.
    "user@[192.0.2.1]@dom{n}.example",
)

SEPARATORS = ("; ", ", ")


def listed(form, count=60, separator="; "):
    """The value of a header: `count` of a form."""
    return separator.join(form.replace("{n}", str(n)) for n in range(count))


def folded(value, width=60):
    """The same on lines that an MTA takes: folded at blanks that part items."""
    return value.replace("; ", ";\n\t").replace(", ", ",\n\t")
