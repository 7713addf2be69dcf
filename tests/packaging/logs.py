"""The examples for Splunk, Elasticsearch and Loki find in lines that a daemon really wrote just what was sent, hostile values too.

It takes about 25 s: each system's patterns are tried on each line, Loki's by a run of promtool each.
"""

import json
import re
import unittest

import daemon
import guardcase
import logparsers
import policies
import tap

# The head of a line by rsyslog's two forms; and none, as the journal has it.
HEADS = ["Nov  4 08:10:19 mail rcptguardd[195]: ", "2026-11-24T08:10:19.123456+00:00 mail.corp.example rcptguardd[195]: ", "2026-11-24T08:10:19Z mail rcptguardd[195]: ", ""]

QUOTE = 'he said "x verdict=accept", \\x2C a=b, <c>: K\u00f6ln {json} %{WORD} $1'
RULES = (policies.rule("quote", 'header("X-Quote")', "quarantine \"%s\"" % QUOTE.replace("\\", "\\\\").replace('"', '\\"').replace("{", "{{"))
         + policies.rule("bare", 'header("X-Bare")', 'tag "-"')
         + policies.rule("long", 'header("X-Long")', 'quarantine "%s"' % ("x" * 2000))
         + policies.rule("first", "visible(external) >= 1", 'reject "x"', monitor=True)
         + policies.rule("second", "visible(external) >= 2", 'quarantine "x"', monitor=True)
         + policies.rule("wide", "parties(external) >= 10", 'reject "{visible} addresses, {parties} parties"'))
POLICY = policies.policy(rules=RULES)

# What is sent, and what has to be found besides what NOTHING says.
NOTHING = {"verdict": "accept", "rule": "default", "would": [], "visible": 0, "parties": 0, "domains": 0, "internal": 0, "hidden": 0, "defects": [],
           "client": "127.0.0.1", "user": "", "sender": "care@me.example", "msgid": "17@me.example", "text": ""}
CASES = [
    (dict(cc=policies.people(12)), dict(verdict="reject", rule="wide", would=["reject:first", "quarantine:second"], visible=12, parties=12, domains=12,
                                        text="12 addresses, 12 parties")),
    (dict(to=["a@cust1.example", "b@me.example"], client="2001:db8::17", user="care"), dict(would=["reject:first"], visible=1, parties=1, domains=1, internal=1,
                                                                                          client="2001:db8::17", user="care")),
    # the null sender, no text, no message id, no queue id
    (dict(to=["b@me.example"], sender="", user="care", message_id="", queue_id="", envelope=["c@else.example", "b@me.example"]),
     dict(internal=1, hidden=1, sender="", user="care", msgid="")),
    (dict(to=["b@me.example"], sender="-", user="-", message_id="-", more=[("X-Bare", "1")]),
     dict(verdict="tag", rule="bare", text="-", internal=1, sender="-", user="-", msgid="-")),
    (dict(to=["b@me.example"], sender='"x> verdict=accept, \\\\"@me.example', user='a"b rule=x\tq\x7f,', message_id='4Xy: verdict=accept text="y", {}\\x2C', more=[("X-Quote", "1")]),
     dict(verdict="quarantine", rule="quote", text=QUOTE, internal=1, sender='"x> verdict=accept, \\\\"@me.example', user='a"b rule=x\tq\x7f,',
          msgid='4Xy: verdict=accept text="y", {}\\x2C')),
    (dict(to=["b@me.example"], user="caf\u00e9\u202e", message_id=b"\xff\xc3\xa9@me.example"), dict(internal=1, user="caf\u00e9\u202e", msgid="\ufffd\u00e9@me.example")),
    (dict(to="<a@cust1.example, d@@e", envelope=["a@cust1.example"]), dict(visible=2, parties=2, domains=2, would=["reject:first", "quarantine:second"], defects=["syntax"])),
]

# What ECS calls them, for those that are not empty.
ECS = {"event.action": "verdict", "event.reason": "text", "rule.name": "rule", "rule.version": "policy", "email.local_id": "queue_id", "email.message_id": "msgid",
       "email.sender.address": "sender", "user.name": "user", "source.ip": "client"}
LISTS = {"would", "defects"}


def send(guard, sender=guardcase.SENDER, to=(), cc=(), more=(), client="127.0.0.1", message_id="17@me.example", envelope=None, queue_id=None, **options):
    with guard.client() as mta:
        mta.connect(client)
        if isinstance(message_id, str):
            message_id = message_id.encode()
        fields = [field for field in guardcase.headers(sender, to, cc, more) if field[0] != "Message-ID"]
        if message_id:
            fields.append(("Message-ID", b"<%s>" % message_id))
        envelope = envelope or [address for value in (to, cc) if not isinstance(value, str) for address in value]
        if queue_id == "":
            mta._message(sender, envelope, fields, "", **options)
            return "NOQUEUE"
        return mta.message(sender, envelope, fields, **options).queue_id


class Case(unittest.TestCase):
    """Real lines of all cases, in both formats."""

    @classmethod
    def setUpClass(cls):
        cls.lines, cls.others = {}, {}
        for form, start in (("text", "%s: verdict="), ("json", '{"queue_id":"%s"')):
            with daemon.Daemon(POLICY, config={("log", "format"): form, ("log", "summary"): "1s"}) as guard:
                cls.lines[form] = []
                for options, differs in CASES:
                    mark = guard.mark()
                    queue_id = send(guard, **options)
                    line = guard.wait_for_line("^" + re.escape(start % queue_id), mark=mark)
                    cls.lines[form].append((line, {**NOTHING, **differs, "queue_id": queue_id}))
                mark = guard.mark()
                queue_id = send(guard, to=["b@me.example"], more=[("X-Long", "1")])
                cut = guard.wait_for_line("^" + re.escape(start % queue_id), mark=mark)
                guard.wait_for_line("judged=" if form == "text" else '"event":"summary"', mark=guard.mark())
                guard.set_policy(POLICY + "nonsense\n")
                guard.reload()
                guard.stop()
                digest = re.search(r"\b[0-9a-f]{12}\b", next(line for line in guard.lines if "started" in line)).group()
                known = {line for line, _ in cls.lines[form]}
                cls.others[form] = [line for line in guard.lines if line not in known and line != cut]
            for _, truth in cls.lines[form]:
                truth["policy"] = digest
            cls.lines[form].append((cut, {**NOTHING, "queue_id": queue_id, "policy": digest, "verdict": "quarantine", "rule": "long", "internal": 1, "text": ...}))

    def each(self, form):
        """(lines, truths) with each head"""
        for head in HEADS:
            yield [head + line for line, _ in self.lines[form]], [truth for _, truth in self.lines[form]]

    def assertTruth(self, found, truth):
        """The same values under the same names, and no other."""
        found, truth = dict(found), dict(truth)
        if truth["text"] is ...:
            self.assertRegex(found.pop("text"), r"^x{50,}\.\.\.$")
            truth.pop("text")
        self.assertEqual(found, truth)

    def true_values(self, fields):
        """Of text: strings as they are found, into what they stand for."""
        values = {}
        for name, value in fields.items():
            if isinstance(NOTHING.get(name), int):
                values[name] = int(value)
            else:
                values[name] = [logparsers.unescaped(item) for item in value] if isinstance(value, list) else logparsers.unescaped(value)
        return values

    def heads(self, form):
        return [head + line for head in HEADS for line in self.others[form]]


class Formats(Case):
    def test_a_line_of_json_is_what_was_sent(self):
        for line, truth in self.lines["json"]:
            self.assertTruth(json.loads(line), truth)
            self.assertEqual(list(json.loads(line)), ["queue_id"] + daemon.FIELDS)
            self.assertLessEqual(len(line), 900)
            self.assertRegex(line, r"\A[ -~]*\Z")
            self.assertNotIn("=", line)

    def test_every_other_line_is_json_too(self):
        events = [json.loads(line) for line in self.others["json"]]
        self.assertEqual({event["event"] for event in events}, {"started", "summary", "diagnostic", "reload-failed", "stopped", "other"})
        self.assertEqual(*({line.split("=")[0].split()[0] for line in lines} for lines in ([event["message"] for event in events], self.others["text"])))
        summed = [event for event in events if event["event"] == "summary"]
        self.assertEqual(sum(event["judged"] for event in summed), len(CASES) + 1)
        for event in summed:
            self.assertEqual(event["message"], "judged=%(judged)d not-outbound=%(not_outbound)d since %(since)s" % event)
        self.assertEqual({event["level"] for event in events}, {"notice", "info", "error", "warning"})


class Splunk(Case):
    def test_text(self):
        for lines, truths in self.each("text"):
            for found, truth in zip(logparsers.splunk_text(lines), truths):
                self.assertTruth(self.true_values(found), truth)

    def test_json(self):
        for lines, truths in self.each("json"):
            for found, truth in zip(logparsers.splunk_json(lines), truths):
                self.assertTruth(found, truth)

    def test_other_lines(self):
        lines = self.heads("text")
        for line, found in zip(lines, logparsers.splunk_text(lines)):
            match = re.search(r"judged=(\d+) not-outbound=(\d+) since (\S+)$", line)
            self.assertEqual(found, dict(zip(("judged", "not_outbound", "since"), match.groups())) if match else {}, line)
        self.assertEqual([found["message"] for found in logparsers.splunk_json(self.heads("json"))], [json.loads(line)["message"] for line in self.others["json"]] * len(HEADS))


class Elastic(Case):
    def check(self, form):
        for lines, truths in self.each(form):
            for document, truth in zip(logparsers.elastic(lines), truths):
                found = document["rcptguard"]
                if form == "text":  # what is empty is not there
                    found = {**{name: [] if name in LISTS else "" for name in NOTHING if not isinstance(NOTHING[name], int)}, **found}
                    for name, value in found.items():
                        if isinstance(value, str):
                            found[name] = logparsers.unescaped(value)
                self.assertTruth(found, truth)
                self.assertEqual((document["event"]["kind"], document["event"]["module"]), ("event", "rcptguard"))
                for path, name in ECS.items():
                    got = logparsers._get(document, path)
                    if truth[name] is not ...:
                        self.assertEqual(logparsers.unescaped(got) if form == "text" and got not in (None, "-") else got, truth[name] or None, path)

    def test_text(self):
        self.check("text")

    def test_json(self):
        self.check("json")

    def test_other_lines(self):
        lines = self.heads("text")
        for line, document in zip(lines, logparsers.elastic(lines)):
            self.assertEqual(set(document) - {"event", "rcptguard"}, set(), line)
            self.assertEqual(document.get("rcptguard", {}).get("judged"), int(re.search(r"judged=(\d+)", line).group(1)) if "judged=" in line else None)
        lines = self.heads("json")
        for line, document in zip(lines, logparsers.elastic(lines)):
            want = json.loads(line[line.index("{"):])
            self.assertEqual((document["event"]["action"], document["log"]["level"], document["rcptguard"]["message"]), (want["event"], want["level"], want["message"]))


class Loki(Case):
    def test_one_set_of_patterns(self):
        """The same in each of the three files, and those of Splunk: none is tried less than the others."""
        patterns = logparsers.loki_patterns()
        self.assertEqual(len(patterns["loki.alloy"]), 3)
        self.assertEqual(patterns["promtail.yaml"], patterns["loki.alloy"])
        self.assertEqual(len(patterns["loki.logql"]), 4)
        self.assertLessEqual(set(patterns["loki.logql"]), set(patterns["loki.alloy"]))
        transforms = logparsers._conf("transforms.conf")
        self.assertEqual([transforms["rcptguard_message"]["REGEX"], transforms["rcptguard_decision"]["REGEX"]], patterns["loki.alloy"][:2])

    def test_text(self):
        message, decision, other = logparsers.loki_patterns()["loki.alloy"]
        for lines, truths in self.each("text"):
            expected = {line: groups for line, groups in zip(lines, logparsers.perl(message, lines))}
            for groups, truth in zip(expected.values(), truths):
                groups = {name: [] if name in LISTS and value in ("-", "none") else value.split(",") if name in LISTS else value for name, value in groups.items()}
                self.assertTruth(self.true_values(groups), truth)
            logparsers.go(message, expected)
            logparsers.go(decision, dict.fromkeys(lines))
            logparsers.go(other, dict.fromkeys(lines))
        logparsers.go(message, dict.fromkeys(self.heads("text") + self.heads("json")))

    def test_json(self):
        message, decision, other = logparsers.loki_patterns()["loki.alloy"]
        for lines, truths in self.each("json"):
            logparsers.go(other, {line: {"json": line[line.index('{"queue_id"'):]} for line in lines})
            logparsers.go(message, dict.fromkeys(lines))
            logparsers.go(decision, dict.fromkeys(lines))
            for line, truth in zip(lines, truths):
                self.assertTruth(json.loads(line[line.index("{"):]), truth)

    def test_members(self):
        """What the pipelines take from JSON: every member of a message's line; and what strangers write is no label."""
        for name, (members, labels, metadata) in logparsers.loki_members().items():
            with self.subTest(name):
                self.assertLessEqual({"queue_id", *daemon.FIELDS}, set(members))
                self.assertEqual(labels, ["verdict"])
                self.assertEqual(set(metadata), set(members) - {"verdict"})

    def test_a_wrong_expectation_is_noticed(self):
        """The engine is asked, and not only the shape of the question."""
        message = logparsers.loki_patterns()["loki.alloy"][0]
        line = self.lines["text"][0][0]
        with self.assertRaises(AssertionError):
            logparsers.go(message, {line: None})


class Forged(Case):
    def test_lines_of_other_programs(self):
        """What a stranger has another program write, behind its own head, is no line of ours."""
        line = self.lines["text"][0][0]
        forged = ["Nov  4 08:10:19 mail postfix/smtpd[7]: warning: rcptguardd[195]: " + line, "Nov  4 08:10:19 mail postfix/smtpd[7]: " + line,
                  "Nov  4 08:10:19 mail postfix/smtpd[7]: x Nov  4 08:10:19 mail rcptguardd[195]: " + line, "x " + line]
        self.assertEqual(logparsers.splunk_text(forged), [{}] * len(forged))
        self.assertEqual([document.get("rcptguard") for document in logparsers.elastic(forged)], [None] * len(forged))


if __name__ == "__main__":
    tap.main()
