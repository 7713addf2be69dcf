"""replay reads the bodies of a mailbox where the policy asks for them, whatever the threads, packed or not."""

import gzip
import random

import replaycase
import tap

SEPARATOR = "From care@corp.example Mon Nov 23 18:34:00 2026\n"
HEAD = 'version 1\nclass internal { domain "corp.example" }\n'
TABLE = 'rule table { when visible(external) inside table >= 10 quarantine "{inside}" }\n'
FIELD = 'rule field { when visible(external) inside header("X-All") >= 10 quarantine "{inside}" }\n'
UNREAD = 'rule unread { when opaque(types) tag "x" }\n'
SPLIT = 'rule split { when parties(external) within 10m >= 1000 quarantine "x" }\n'
COUNT = 400


def people(count, message):
    return ["p%d@c%d-%d.example" % (n, n, message) for n in range(count)]


def message(number, kind, count):
    """A message of a kind that shows that many people beside its two recipients."""
    lines = ["From: care@corp.example", "To: a@x.example, b@y.example", "Message-ID: <%d@corp.example>" % number, "Date: Mon, 23 Nov 2026 10:%02d:%02d +0000" % (number // 60, number % 60)]
    listed = people(count, number)
    body = "Hello.\n"
    if kind == "table":
        lines.append('Content-Type: text/csv; name="list.csv"')
        body = "".join("%d;%s\n" % (n, one) for n, one in enumerate(listed))
    elif kind == "field":
        lines.append("X-All: " + ",\n ".join(listed))
    elif kind == "unread":
        lines.append('Content-Type: application/pdf; name="list.pdf"')
        body = "%PDF-1.4\n" + "\n".join(listed) + "\n"
    return "\n".join(lines) + "\n\n" + body


class Inside(replaycase.ReplayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        chosen = random.Random(1)
        cls.kinds = [(chosen.choice(["table", "field", "unread", "plain"]), chosen.choice([1, 9, 10, 40, 300])) for _ in range(COUNT)]
        text = "".join(SEPARATOR + message(number, kind, count) + "\n" for number, (kind, count) in enumerate(cls.kinds))
        cls.folder.write("box", text)
        with gzip.open(cls.folder.path + "/box.gz", "wt") as file:
            file.write(text)
        cls.folder.write("both", HEAD + TABLE + FIELD + UNREAD + "default accept\n")
        cls.folder.write("fields", HEAD + FIELD + "default accept\n")
        cls.folder.write("waiting", HEAD + SPLIT + TABLE + FIELD + UNREAD + "default accept\n")

    def expected(self, rules=("table", "field", "unread")):
        found = []
        for kind, count in self.kinds:
            decided = kind in rules and (kind == "unread" or count >= 10)
            found.append(kind if decided else "default")
        return found

    def rules(self, *arguments, **options):
        objects, _total = self.objects("--messages", *arguments, **options)
        return [each["rule"] for each in objects]

    def test_bodies(self):
        for arguments in ("--jobs", "1"), ("--jobs", "4"):
            for box in "box", "box.gz":
                with self.subTest(arguments=arguments, box=box):
                    self.assertEqual(self.rules(*arguments, box, policy="both"), self.expected())

    def test_header_fields_alone(self):
        self.assertEqual(self.rules("box", policy="fields"), self.expected(["field"]))

    def test_messages_that_wait(self):
        """what depends on earlier mail is evaluated again at the end, with what its body showed"""
        self.assertEqual(sorted(self.rules("box", policy="waiting")), sorted(self.expected()))

    def test_against(self):
        """bodies are there for either policy"""
        objects, _total = self.objects("--against", "fields", "box", policy="both")
        self.assertEqual([each["index"] for each in objects], [n for n, rule in enumerate(self.expected()) if rule in ("table", "unread")])
        objects, _total = self.objects("--against", "both", "box", policy="fields")
        self.assertEqual([each["index"] for each in objects], [n for n, rule in enumerate(self.expected()) if rule in ("table", "unread")])


if __name__ == "__main__":
    tap.main()
