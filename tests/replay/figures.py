"""The figures of `rcptguard replay` are those of the mailbox, counted here in another way; and its verdicts are those of `explain`."""

import collections

import mailbox
import replaycase
import tap


class Verdicts(replaycase.ReplayCase):
    def test_each_message(self):
        """message by message what the policy says, counted by hand"""
        found, _last = self.objects("--messages", "sent")
        self.assertEqual(len(found), len(self.made))
        for index, (each, message) in enumerate(zip(found, self.made)):
            with self.subTest(index):
                self.assertEqual((each["file"], each["index"]), ("sent", index))
                self.assertEqual((each["verdict"], each["rule"]), message.verdict())
                self.assertEqual(each["would"], message.would)
                self.assertEqual(each["sender"], message.sender)
                self.assertEqual([each["counts"][kind] for kind in ("visible", "parties", "hidden")], [message.visible, message.parties, message.hidden])

    def test_same_as_explain(self):
        """message by message what explain says"""
        found, _last = self.objects("--messages", "sent")
        explained = self.folder.json("explain", "--json", "-p", "policy", "sent")
        self.assertEqual(len(found), len(explained))
        for each, other in zip(found, explained):
            for key in ("file", "index", "verdict", "rule", "would", "sender", "outbound", "defects"):
                self.assertEqual(each[key], other[key], key)
            self.assertEqual(each["counts"], {kind: counts["external"] for kind, counts in other["counts"].items()})

    def test_as_it_came_in(self):
        """options that say what an MTA knows mean what they mean to explain"""
        for options in (["--local"], ["--client", "192.0.2.1"], ["--user", "news"], ["--bcc-visible"], ["--time", "2020-01-01T00:00:00Z"],
                        ["--listener", "smtp"]):
            with self.subTest(options):
                found, _last = self.objects("--messages", *options, "sent")
                explained = self.folder.json("explain", "--json", "-p", "policy", *options, "sent")
                self.assertEqual([(each["verdict"], each["rule"], each["outbound"]) for each in found],
                                 [(each["verdict"], each["rule"], each["outbound"]) for each in explained])

    def test_found_again(self):
        """a message that is named is found by its number, and by its Message-ID"""
        found, last = self.objects("--messages", "sent")
        near = [each for threshold in last["thresholds"] for each in threshold["below"] + threshold["above"]]
        self.assertGreater(len(near), 10)
        for each in [found[0], found[-1]] + near[:6]:
            with self.subTest(each["index"]):
                self.assertEqual(each["message_id"], "%d.mail@corp.example" % each["index"])
                for options in (["--index", str(each["index"])], ["--id", each["message_id"]], ["--id", "<%s>" % each["message_id"]],
                                ["--index", str(each["index"]), "--id", each["message_id"]]):
                    explained, = self.folder.json("explain", "--json", "-p", "policy", *options, "sent")
                    self.assertEqual([explained[key] for key in ("file", "index", "verdict", "rule")],
                                     [each[key] for key in ("file", "index", "verdict", "rule")])
        self.assertIn("<%s>" % near[0]["message_id"], self.replay("sent"))
        self.assertIn(near[0]["message_id"], self.page("sent"))

    def test_not_found(self):
        for options, said in ((["--index", "1500"], "sent: there is no message [1500]; expected a number below 1500"),
                              (["--id", "1500.mail@corp.example"], "none of the 1500 messages that were read has the Message-ID 1500.mail@corp.example"),
                              (["--index", "3", "--id", "4.mail@corp.example"], "has the Message-ID 4.mail@corp.example")):
            code, output, errors = self.folder.run("explain", "-p", "policy", *options, "sent")
            self.assertEqual((code, output), (1, ""))
            self.assertIn(said, errors)
        for arguments in (["--index", "-2", "sent"], ["--index", "0", "sent", "sent"], ["--index", "0", "."], ["--index", "0"], ["--index", "x", "sent"]):
            self.assertEqual(self.folder.run("explain", "-p", "policy", *arguments)[0], 2, arguments)

    def test_long_id(self):
        """is not kept"""
        for length, kept in (250, True), (251, False):
            self.folder.write("long", "From: a@corp.example\nMessage-ID: <%s>\n\nx\n" % ("i" * length))
            found, _last = self.objects("--messages", "long")
            self.assertEqual(found[0]["message_id"], "i" * length if kept else None)

    def test_bcc(self):
        """whoever stands in Bcc is hidden, and not a visible recipient"""
        found, _last = self.objects("--messages", "sent")
        self.assertGreater(sum(each["counts"]["hidden"] for each in found), 100)
        shown, _last = self.objects("--messages", "--bcc-visible", "sent")
        self.assertEqual(sum(each["counts"]["hidden"] for each in shown), 0)
        self.assertEqual(sum(each["counts"]["visible"] for each in shown),
                         sum(each["counts"]["visible"] + each["counts"]["hidden"] for each in found))


class Summary(replaycase.ReplayCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        _none, cls.last = cls("objects").objects("sent")

    def test_only_one_object(self):
        found, last = self.objects("sent")
        self.assertEqual(found, [])
        self.assertEqual((last["messages"], last["judged"], last["partial"], last["warnings"]), (len(self.made), len(self.made), False, 0))

    def test_dates(self):
        order = {"Jan": "01", "Jun": "06", "Nov": "11"}
        dates = sorted("%s-%s-%s %s" % (year, order[month], day, time[:5]) for day, month, year, time, _zone in (m.date.split() for m in self.made))
        self.assertEqual((self.last["first"], self.last["last"]), (dates[0], dates[-1]))

    def test_verdicts(self):
        want = collections.Counter(message.verdict()[0] for message in self.made)
        self.assertEqual(self.last["verdicts"], {name: want[name] for name in replaycase.DISPOSITIONS})
        self.assertGreater(min(want["accept"], want["quarantine"], want["reject"]), 10, "a mailbox that shows nothing")

    def test_rules(self):
        """each rule in the order of the policy, those that never match too"""
        want = collections.Counter(message.verdict()[1] for message in self.made)
        want["trial"] = sum(1 for message in self.made if message.would)
        self.assertEqual([(rule["rule"], rule["messages"], rule["monitor"]) for rule in self.last["rules"]],
                         [(name, want[name], name == "trial") for name in ("newsletter", "clinic", "mass", "wide", "trial", "never", "default")])
        self.assertEqual([rule["line"] for rule in self.last["rules"]], [5, 6, 7, 8, 9, 10, 11])
        self.assertEqual([rule["verdict"] for rule in self.last["rules"]],
                         ["accept", "quarantine", "reject", "quarantine", "quarantine", "tempfail", "accept"])

    def test_senders(self):
        want = collections.defaultdict(collections.Counter)
        for message in self.made:
            want[message.sender][message.verdict()[0]] += 1
        stopped = {sender: by["quarantine"] + by["reject"] for sender, by in want.items()}
        order = sorted(want, key=lambda sender: (-stopped[sender], -sum(want[sender].values()), sender))
        self.assertEqual([each["sender"] for each in self.last["senders"]], order)
        for each in self.last["senders"]:
            self.assertEqual({name: each[name] for name in replaycase.DISPOSITIONS}, {name: want[each["sender"]][name] for name in replaycase.DISPOSITIONS})
        self.assertEqual(self.last["other_senders"]["messages"], 0)

    def test_bins(self):
        for kind in ("parties", "visible"):
            bins = self.last["spread"][kind]["bins"]
            self.assertEqual(bins[0]["from"], 0)
            self.assertEqual([each["from"] for each in bins[1:]], [each["to"] + 1 for each in bins[:-1]], "bins that leave no gap")
            for each in bins:
                inside = [message for message in self.made if each["from"] <= getattr(message, kind) <= each["to"]]
                self.assertEqual(each["messages"], len(inside))
                for name in replaycase.DISPOSITIONS:
                    self.assertEqual(each[name], sum(1 for message in inside if message.verdict()[0] == name))
            self.assertEqual(sum(each["messages"] for each in bins), len(self.made))

    def test_bins_part_at_thresholds(self):
        self.assertLessEqual({2, 5, 10, 50}, {each["from"] for each in self.last["spread"]["parties"]["bins"]})
        self.assertIn(40, {each["from"] for each in self.last["spread"]["visible"]["bins"]})

    def test_ladder(self):
        """at N you would have held k of m"""
        for kind in ("parties", "visible"):
            ladder = self.last["spread"][kind]["ladder"]
            self.assertGreater(len(ladder), 8)
            for rung in ladder:
                self.assertEqual(rung["held"], sum(1 for message in self.made if getattr(message, kind) >= rung["at"]))

    def hanging(self, test):
        """[(value, index)] of the messages for which the rule of a threshold hangs on it, in their order."""
        value = {"parties(external) >= 2": lambda m: m.parties if m.sender == "clinic@corp.example" else None,
                 "parties(external) >= 50": lambda m: m.parties if m.verdict()[1] not in ("newsletter", "clinic") else None,
                 "parties(external) >= 10": lambda m: m.parties if m.verdict()[1] in ("wide", "default") and m.visible < 40 else None,
                 "visible(external) > 39": lambda m: m.visible if m.verdict()[1] in ("wide", "default") and m.parties < 10 else None,
                 "parties(external) >= 5": lambda m: m.parties if m.verdict()[1] == "default" else None,
                 "hidden(external) >= 9000": lambda m: m.hidden if m.verdict()[1] == "default" else None}[test]
        return [(value(message), index) for index, message in enumerate(self.made) if value(message) is not None]

    def test_next_to_thresholds(self):
        """the nearest on both sides, and how many there are"""
        self.assertEqual([each["test"] for each in self.last["thresholds"]],
                         ["parties(external) >= 2", "parties(external) >= 50", "parties(external) >= 10", "visible(external) > 39",
                          "parties(external) >= 5", "hidden(external) >= 9000"])
        for each in self.last["thresholds"]:
            with self.subTest(each["test"]):
                found = self.hanging(each["test"])
                below = sorted((pair for pair in found if pair[0] < each["number"]), key=lambda pair: (-pair[0], pair[1]))
                above = sorted(pair for pair in found if pair[0] >= each["number"])
                self.assertEqual((each["below_messages"], each["above_messages"]), (len(below), len(above)))
                self.assertEqual([(one["value"], one["index"]) for one in each["below"]], below[:5])
                self.assertEqual([(one["value"], one["index"]) for one in each["above"]], above[:5])
        self.assertEqual([each["number"] for each in self.last["thresholds"]], [2, 50, 10, 40, 5, 9000])

    def test_alone(self):
        """a number that needs other tests is drawn as such"""
        self.assertEqual([each["alone"] for each in self.last["thresholds"]], [False, True, True, True, True, True])
        self.assertEqual([line.split("---")[1].strip() for line in self.replay("sent").splitlines() if line.startswith("  --- 2:")],
                         ["2: clinic, quarantine if other tests hold too"])

    def test_not_outbound(self):
        """mail that the policy does not judge is counted as such and nowhere else"""
        _none, last = self.objects("--client", "192.0.2.1", "sent")
        self.assertEqual((last["messages"], last["judged"]), (len(self.made), 0))
        self.assertEqual(sum(rule["messages"] for rule in last["rules"]) + len(last["senders"]), 0)
        self.assertIn("%s of them not outbound" % format(len(self.made), ","), self.replay("--client", "192.0.2.1", "sent"))


class Shares(replaycase.ReplayCase):
    def test_only_all_is_the_whole(self):
        """what is not all is not 100 %, however close"""
        one = "From a@corp.example Mon Nov 23 18:34:00 2026\nFrom: a@corp.example\nTo: p@c.example\n\nx\n\n"
        clinic = one.replace("From: a@", "From: news@").replace("From a@", "From news@")
        for count, share, other in (1000, "99.9 %", "0.10 %"), (2500, "99.96 %", "0.04 %"), (12000, "> 99.99 %", "< 0.01 %"):
            self.folder.write("many", one * (count - 1) + clinic)
            rows = {line.split()[-3]: line[11:21].strip() for line in self.replay("many").splitlines() if ", line" in line and "%" in line}
            self.assertEqual(rows, {"newsletter,": other, "default,": share})
        self.folder.write("many", one)
        self.assertRegex(self.replay("many"), r" +1 +100 %  accept +default, line")


class Unknown(replaycase.ReplayCase):
    """What a rule asks for and a mailbox does not say."""

    POLICY = """\
version 1
class internal { domain "corp.example" }
rule boss { when user = "staff1@corp.example" accept }
rule both { when not (user = "crm" or client in "192.0.2.1") and parties(external) >= 20 quarantine "x" }
rule anybody { when sender = "user@corp.example" or header("X-Client") = "local" accept }
rule wide { when parties(external) >= 10 and (local or authenticated or listener = "smtp") quarantine "x" }
default accept
"""

    def run_with(self, *options):
        self.folder.write("asking", self.POLICY)
        text = self.replay(*options, "sent", policy="asking")
        _none, last = self.objects(*options, "sent", policy="asking")
        return text, (last["unknown_rules"], last["unknown_tests"])

    def test_said(self):
        text, unknown = self.run_with()
        self.assertEqual(unknown, (3, ["user", "authenticated", "client", "listener", "local"]))
        self.assertIn("3 rules test what a mailbox does not say: user, authenticated, client, listener, local; --user-from=From takes the login "
                      "from the author.", text.replace("\n", " "))
        self.assertIn("3 rules test what a mailbox does not say: user,", self.page("sent", policy="asking"))

    def test_given(self):
        self.assertEqual(self.run_with("--user", "crm")[1], (2, ["client", "listener", "local"]))
        self.assertEqual(self.run_with("--user-from", "From", "--client", "192.0.2.1")[1], (1, ["listener"]))
        text, unknown = self.run_with("--user", "crm", "--client", "192.0.2.1", "--listener", "smtp")
        self.assertEqual(unknown, (0, []))
        self.assertNotIn("does not say", text)
        self.assertNotIn("does not say", self.replay("sent"))

    def test_user_from(self):
        """the login is the author's address, or what another field says"""
        self.folder.write("asking", self.POLICY)
        found, last = self.objects("--messages", "--user-from", "from", "sent", policy="asking")
        wanted = [message.sender == "staff1@corp.example" for message in self.made]
        self.assertGreater(sum(wanted), 5)
        self.assertEqual([each["rule"] == "boss" for each in found], wanted)
        self.folder.write("field", "From: a@corp.example\nX-Login:  crm \nTo: %s\n\nx\n" % ", ".join("p@c%d.example" % n for n in range(20)))
        for options, rule in ((["--user-from", "X-Login"], "wide"), (["--user-from", "X-Other"], "both"), (["--user-from", "From"], "both")):
            found, _last = self.objects("--messages", *options, "field", policy="asking")
            self.assertEqual(found[0]["rule"], rule)
            explained, = self.folder.json("explain", "--json", "-p", "asking", *options, "field")
            self.assertEqual(explained["rule"], rule)
        for options in (["--user", "a", "--user-from", "From"], ["--user-from", "From:"], ["--user-from", ""]):
            self.assertEqual(self.folder.run("replay", "-p", "asking", *options, "field")[0], 2)


class Against(replaycase.ReplayCase):
    def changed(self):
        return [message for message in self.made if message.old_verdict() != message.new_verdict()]

    def test_messages(self):
        """those that change, and no others, with both verdicts"""
        found, last = self.objects("--against", "policy", "sent", policy="other")
        self.assertEqual([(each["index"], (each["old"]["verdict"], each["old"]["rule"]), (each["verdict"], each["rule"])) for each in found],
                         [(message.number, message.old_verdict(), message.new_verdict()) for message in self.changed()])
        self.assertGreater(len(found), 50)
        self.assertEqual(last["changed"], sum(1 for message in self.changed() if message.old_verdict()[0] != message.new_verdict()[0]))
        self.assertEqual(last["changed"] + last["moved"], len(found))

    def test_kinds(self):
        _found, last = self.objects("--against", "policy", "sent", policy="other")
        want = collections.Counter(message.old_verdict() + message.new_verdict() for message in self.changed())
        self.assertEqual({(each["old_verdict"], each["old_rule"], each["verdict"], each["rule"]): each["messages"] for each in last["changes"]}, want)
        self.assertEqual(last["other_changes"], 0)

    def test_rules(self):
        """the table has both policies' numbers"""
        _found, last = self.objects("--against", "policy", "sent", policy="other")
        rules = {rule["rule"]: rule for rule in last["rules"]}
        for rule in rules.values():
            if not rule["monitor"]:
                self.assertEqual(rule["messages"], sum(1 for message in self.made if message.new_verdict()[1] == rule["rule"]))
                self.assertEqual(rule["old"], sum(1 for message in self.made if message.old_verdict()[1] == rule["rule"]))
        self.assertIsNone(rules["clinic"]["line"])
        self.assertEqual((rules["attempt"]["old"], rules["trial"]["messages"]), (0, 0))
        self.assertGreater(rules["trial"]["old"], rules["attempt"]["messages"])

    def test_text(self):
        output = self.replay("--against", "policy", "sent", policy="other")
        changed = self.changed()
        lines = [line for line in output.splitlines() if line.startswith("sent")]
        self.assertEqual(len(lines), len(changed))
        for line, message in zip(lines, changed):
            place = "sent [%d]" % message.number if message.number else "sent"
            self.assertTrue(line.startswith("%s: %s by %s -> %s by %s" % ((place,) + message.old_verdict() + message.new_verdict())), line)
        another = sum(1 for message in changed if message.old_verdict()[0] != message.new_verdict()[0])
        self.assertIn("\n%s messages: another verdict for %d, the same by another rule for %d\n"
                      % (format(len(self.made), ","), another, len(changed) - another), output)
        self.assertIn("would quarantine by attempt: 0 -> ", output)
        self.assertNotIn("Messages by", output)

    def test_same_policy(self):
        """nothing changes: one line says so"""
        self.assertEqual(self.replay("--against", "policy", "sent"),
                         "%s messages: another verdict for 0, the same by another rule for 0\n" % format(len(self.made), ","))

    def test_all_messages(self):
        """--messages prints the unchanged ones, too"""
        found, _last = self.objects("--against", "policy", "--messages", "sent", policy="other")
        self.assertEqual(len(found), len(self.made))


class Jobs(replaycase.ReplayCase):
    def test_same_output(self):
        """the number of threads changes nothing that is printed"""
        for arguments in ([], ["--json"], ["--json", "--messages"], ["--messages", "--recipients"], ["--against", "other"]):
            outputs = {self.replay("--jobs", jobs, *arguments, "sent") for jobs in ("1", "2", "8")}
            self.assertEqual(len(outputs), 1, arguments)

    def test_same_page(self):
        self.assertEqual(len({self.page("--jobs", jobs, "sent") for jobs in ("1", "2", "8")}), 1)

    def test_same_in_pieces(self):
        """one mailbox, or a Maildir with the same messages"""
        for message in self.made[:50]:
            self.folder.write("maildir/cur/%04d" % message.number, message.text())
        self.folder.write("small", mailbox.mbox(self.made[:50]))
        _none, one = self.objects("small")
        _none, many = self.objects("maildir")
        for last in (one, many):
            del last["thresholds"]  # they name files
        self.assertEqual(one, many)

    def test_usage(self):
        for arguments in (["--jobs", "-1", "sent"], ["--jobs", "100000", "sent"], ["--jobs", "x", "sent"], ["--time", "now", "sent"],
                          ["--client", "x", "sent"], ["--inbound", "sent"], []):
            self.assertEqual(self.folder.run("replay", "-p", "policy", *arguments)[0], 2, arguments)


if __name__ == "__main__":
    tap.main()
