"""What rcptguardq really logs: as text and as JSON, for logcheck and for the examples in packaging/logs."""

import json
import os
import re

import daemon
import devlog
import logparsers
import mta
import mtacase
import review

REASON = 'he said "x decision=delete", \\x2C <all> are partners: K\u00f6ln'
HEADS = ["Nov  4 08:10:19 mail rcptguardq[195]: ", "2026-11-24T08:10:19.123456+00:00 mail.corp.example rcptguardq[195]: "]
FIELDS = ["queue_id", "decision", "by", "uid", "requeued", "rule", "sender", "msgid", "reason"]
NOTICE = os.path.join(daemon.SOURCE, "packaging", "examples", "notice.txt")


class Logs(review.ReviewCase):
    MTAS = ("postfix",)
    CONFIG = {("review", "notice"): NOTICE}

    def configured(self, form, **keys):
        self.configure(**keys)
        with open(self.config_path, "a", encoding="utf-8") as file:
            file.write("\n[log]\nformat = %s\n" % form)

    def decided(self, form, action):
        """(the line, what it has to say) of a decision of this process's user."""
        self.configured(form)
        held = self.hold()
        said = self.done(action, held.id, *(["--yes"] if action == "delete" else []), reason=REASON).out
        found = lambda: [line.partition("]: ")[2] for line in devlog.lines() if " rcptguardq[" in line and held.id in line and "decision" in line]
        line, = daemon.wait_until(found, mta.LIMIT, "the line of the decision")
        requeued = re.search(r"released, as (\w+)", said)
        return line, {"queue_id": held.id, "decision": action, "by": "root", "uid": os.geteuid(), "requeued": requeued.group(1) if requeued else "",
                      "rule": "wide-cc", "sender": mtacase.SENDER, "msgid": self.row(held.id)["message_id"], "reason": REASON}

    @staticmethod
    def true_values(fields):
        return {name: int(value) if name == "uid" else logparsers.unescaped(value) for name, value in fields.items()}

    def test_a_decision_as_text(self):
        for action in ("release", "delete"):
            line, truth = self.decided("text", action)
            for head in [*HEADS, ""]:
                found, = logparsers.splunk_text([head + line])
                self.assertEqual(self.true_values(found), truth)
                document, = logparsers.elastic([head + line])
                found = {name: logparsers.unescaped(value) if isinstance(value, str) else value for name, value in document["rcptguard"].items()}
                self.assertEqual({"requeued": "", **found}, truth)
                self.assertEqual((document["event"]["action"], document["user"]["name"]), (action, "root"))
                message, decision, _ = logparsers.loki_patterns()["loki.alloy"]
                groups, = logparsers.perl(decision, [head + line])
                self.assertEqual(self.true_values(groups), truth)
                logparsers.go(decision, {head + line: groups})
                logparsers.go(message, {head + line: None})
            self.assertEqual(logparsers.left_over([head + line for head in HEADS]), [])

    def test_a_decision_as_json(self):
        for action in ("release", "return"):
            line, truth = self.decided("json", action)
            self.assertEqual(json.loads(line), truth)
            self.assertEqual(list(json.loads(line)), FIELDS)
            self.assertNotIn("=", line)
            for head in [*HEADS, ""]:
                self.assertEqual(logparsers.splunk_json([head + line]), [truth])
                document, = logparsers.elastic([head + line])
                self.assertEqual((document["rcptguard"], document["event"]["action"], document["event"]["reason"]), (truth, action, REASON))
                logparsers.go(logparsers.loki_patterns()["loki.alloy"][2], {head + line: {"json": line}})
            for name, (members, _, _) in logparsers.loki_members().items():
                self.assertLessEqual(set(FIELDS), set(members), name)
            self.assertEqual(logparsers.left_over([head + line for head in HEADS]), [])

    def test_what_the_timers_print_is_ordinary(self):
        """The units of notify and digest have the journal on their standard output."""
        self.configured("text")
        lines = self.done("notify").out.splitlines() + self.done("digest", "--to", "ops@me.example").out.splitlines()
        self.configured("text", notice=NOTICE)
        self.hold("auth")
        lines += self.done("notify").out.splitlines() + self.done("digest", "--to", "ops@me.example", "--to", "lead@me.example").out.splitlines()
        self.assertGreaterEqual(len(lines), 4)
        self.assertEqual(logparsers.left_over([head + line for head in HEADS for line in lines]), [])
        self.assertEqual(len(logparsers.left_over([HEADS[0] + "4XyZ1234: failed: sendmail: no"])), 1)


if __name__ == "__main__":
    review.main(180)
