"""A mailbox for the tests of replay, and what is true of it.

Each message is made from a list of recipients, so that its counts are known here
without any reader of headers.  The policy counts `corp.example` as internal and
each mailbox at two providers as a party; the other domains are organisations as
they stand.
"""

import random

INTERNAL = "corp.example"
FREE = ("free1.example", "free2.example")

POLICY = """\
version 1
class internal { domain "corp.example" }
class freemail { domain "free1.example", "free2.example" individuals }

rule newsletter { when sender = "news@corp.example" accept }
rule clinic { when sender = "clinic@corp.example" and parties(external) >= 2 quarantine "x" }
rule mass { when parties(external) >= 50 reject "x" }
rule wide { when parties(external) >= 10 or visible(external) > 39 quarantine "x" }
rule trial { monitor when parties(external) >= 5 quarantine "x" }
rule never { when hidden(external) >= 9000 tempfail "x" }
default accept
"""

# The same with other numbers and one rule renamed.
OTHER = POLICY.replace("parties(external) >= 10", "parties(external) >= 8").replace("rule clinic", "rule doctors") \
    .replace(">= 50", ">= 60").replace("rule trial", "rule attempt")


class Message:
    def __init__(self, sender, to, bcc, date, number):
        self.sender = sender
        self.to = to
        self.bcc = bcc
        self.date = date
        self.number = number

    @property
    def external(self):
        return {address for address in self.to if not address.endswith("@" + INTERNAL)}

    @property
    def visible(self):
        return len(self.external)

    @property
    def parties(self):
        return len({address if address.split("@")[1] in FREE else address.split("@")[1] for address in self.external})

    @property
    def hidden(self):
        return len({address for address in self.bcc if not address.endswith("@" + INTERNAL)} - self.external)

    def verdict(self, clinic="clinic", wide=10, mass=50):
        """(verdict, rule) by POLICY, or by another of its kind."""
        if self.sender == "news@corp.example":
            return "accept", "newsletter"
        if self.sender == "clinic@corp.example" and self.parties >= 2:
            return "quarantine", clinic
        if self.parties >= mass:
            return "reject", "mass"
        if self.parties >= wide or self.visible >= 40:
            return "quarantine", "wide"
        return "accept", "default"

    def old_verdict(self):
        return self.verdict()

    def new_verdict(self):
        return self.verdict("doctors", 8, 60)

    @property
    def would(self):
        reached = self.verdict()[1] == "default"
        return ["quarantine:trial"] if reached and self.parties >= 5 else []

    def text(self):
        lines = ["From: The sender <%s>" % self.sender, "To: %s" % ",\n\t".join(self.to[:30] or ["undisclosed-recipients:;"])]
        if self.to[30:]:
            lines.append("Cc: %s" % ",\n\t".join(self.to[30:]))
        if self.bcc:
            lines.append("Bcc: %s" % ", ".join(self.bcc))
        lines += ["Message-ID: <%d.mail@corp.example>" % self.number, "Subject: message %d" % self.number, "Date: %s" % self.date, "", "Hello.", ""]
        return "\n".join(lines)


def people(random_numbers, count):
    """Recipients outside, in one of the ways in which people write to many."""
    way = random_numbers.random()
    if way < 0.3:
        return ["person%d@%s" % (random_numbers.randrange(10 ** 6), random_numbers.choice(FREE)) for _ in range(count)]
    if way < 0.5:
        return ["q%d@bigcustomer.example" % n for n in range(count)]
    return ["p%d@cust%d.example" % (random_numbers.randrange(9), random_numbers.randrange(3000)) for _ in range(count)]


def messages(count, seed=1):
    """A year of somebody's mail: mostly to one, sometimes to many."""
    numbers = random.Random(seed)
    senders = ["care@corp.example", "clinic@corp.example", "news@corp.example"] + ["staff%d@corp.example" % n for n in range(40)]
    made = []
    for number in range(count):
        chance = numbers.random()
        many = (0 if chance < 0.3 else 1 if chance < 0.6 else numbers.randrange(2, 8) if chance < 0.8
                else numbers.randrange(7, 14) if chance < 0.9 else numbers.randrange(36, 64) if chance < 0.99 else numbers.randrange(100, 300))
        to = ["colleague%d@corp.example" % numbers.randrange(50) for _ in range(numbers.randrange(3))] + people(numbers, many)
        bcc = ["hidden%d@secret.example" % n for n in range(numbers.randrange(1, 4))] if numbers.random() < 0.1 else []
        date = "%02d %s %d %02d:%02d:00 +0100" % (numbers.randrange(1, 29), numbers.choice(["Jan", "Jun", "Nov"]), numbers.choice([2025, 2026]),
                                                  numbers.randrange(24), numbers.randrange(60))
        sender = numbers.choice(senders[:3] if numbers.random() < 0.3 else senders)
        made.append(Message(sender, list(dict.fromkeys(to)), bcc, date, number))
    return made


def mbox(made):
    return "".join("From %s Mon Nov 23 18:34:00 2026\n%s\n" % (message.sender, message.text()) for message in made)
