"""rcptguardq(8) and the program have the same commands, options, JSON keys, words and exit codes, and its examples are real."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

import csource
import daemon
import ledgerfile
import page
import policies
import review
import screen
import tool
import tool_page

PAGE = "rcptguardq(8)"
COMMON = {"-c", "--config", "--instance", "--json", "--utc", "-h", "--help"}
DECIDING = "release", "return", "delete"

NOTICE = os.path.join(daemon.SOURCE, "packaging", "examples", "notice.txt")

# The queue id of the page's examples.
ID = "4XyZ7d2nKqz1bYdl"


class QueueCase(page.PageCase):
    PAGE = PAGE

    def subsection(self, command):
        return page.section(self.tree, "rcptguardq " + command, "Ss")

    def shared(self):
        return page.section(self.tree, "Options of release, return and delete", "Ss")

    def options(self, command):
        common = {name: argument for name, argument in tool_page.options_of(page.section(self.tree, "DESCRIPTION")).items() if name in COMMON}
        self.assertEqual(set(common), COMMON)
        own = tool_page.options_of(self.shared()) if command in DECIDING else {}
        return {**common, **own, **tool_page.options_of(self.subsection(command))}


def commands():
    with tool.Folder() as folder:
        status, output, _errors = folder.run("--help", program=review.PROGRAM)
    assert status == 0
    return re.findall(r"^  (\w+) ", output, re.MULTILINE)


def help_of(command):
    with tool.Folder() as folder:
        status, output, _errors = folder.run(command, "--help", program=review.PROGRAM)
    assert status == 0
    return output


class Options(QueueCase):
    def test_commands(self):
        """every command has its subsection and its synopsis"""
        titles = {block.part("head").text() for block in self.tree.find("Ss", "block")}
        self.assertSame({title.split(" ")[1] for title in titles if title.startswith("rcptguardq ")}, commands(), "commands")
        self.assertSame(page.marked(page.section(self.tree, "SYNOPSIS"), "Cm"), commands(), "commands of the synopsis")

    def test_options(self):
        """every option of `COMMAND --help`, with its argument"""
        for command in commands():
            with self.subTest(command):
                manual, program = self.options(command), tool.options(help_of(command))
                self.assertSame(manual, program, "options of " + command)
                for name, argument in program.items():
                    if name.startswith("--"):
                        self.assertEqual(manual[name], argument, "argument of %s" % name)

    def test_synopsis(self):
        """the synopsis of a command has its options and no other"""
        source = page.read(PAGE)
        synopsis = source[source.index(".Sh SYNOPSIS\n"):source.index(".Sh DESCRIPTION\n")]
        blocks = re.findall(r"^\.Cm (\w+)\n((?:\.(?:Op|Fl|Ar) .*\n)*)", synopsis, re.MULTILINE)
        self.assertEqual([command for command, _text in blocks], commands())
        for command, text in blocks:
            with self.subTest(command):
                shown = {"-" + name for name in re.findall(r"\bFl (\S+)", text)}
                self.assertSame(shown | {"-c", "--config", "--instance", "--utc", "-h", "--help"}, tool.options(help_of(command)), "options of " + command)

    def test_without_command(self):
        listed = tool_page.options_of(page.section(self.tree, "Options without a command", "Ss"))
        self.assertEqual(set(listed), {"--help", "--version"})
        with tool.Folder() as folder:
            for option in listed:
                status, output, _errors = folder.run(option, program=review.PROGRAM)
                self.assertEqual((status, "rcptguardq" in output), (0, True))
            self.assertEqual(folder.run("--nothing", program=review.PROGRAM)[0], 2)
            self.assertEqual(folder.run(program=review.PROGRAM)[0], 2)


class Words(QueueCase):
    def test_exit_codes(self):
        listed = {int(head.text()) for head, _body in page.items(page.section(self.tree, "EXIT STATUS"))}
        known = csource.enumeration("policy/cli/exit_codes.h", "EXITS_[A-Z]+")
        self.assertSame(listed, set(known.values()), "exit codes")

    def test_states(self):
        listed = {word for head, _body in page.items(page.section(self.tree, "STATES")) for word in page.marked(head, "Cm") - {","}}
        self.assertSame({word.rstrip(",") for word in listed}, set(csource.array("milter/ledger/ledger.c", "state_names")) | {"untracked"}, "states")

    def body_of(self, command, key):
        return next(body for head, body in page.items(self.subsection(command)) if key in [each.text() for each in head.find("Va", "elem")])

    @staticmethod
    def quoted(body):
        return {each.text() for each in body.find("Ql", "body")}

    def test_actions(self):
        """what stands in the history"""
        noted = set(re.findall(r'\b(?:row_)?note(?:_claimed)?\([^;]*?"([a-z-]+)"', csource.read("milter/ledger/ledger_transitions.c") + csource.read("milter/ledger/ledger_decisions.c")))
        names = csource.strings(csource.function("milter/ledger/ledger.c", "ledger_action_name"))
        seen = {"held", "left"}
        self.assertLessEqual(seen, set(csource.array("milter/ledger/ledger.c", "state_names")))
        self.assertSame(self.quoted(self.body_of("log", "action")), noted | set(names) | seen, "actions")

    def test_checks(self):
        """what doctor looks at"""
        known = {name for file in csource.sources("milter")
                 for table in re.findall(r"const struct examination \w+\[\] = \{(.*?)\n\};", csource.read(file), re.DOTALL) for name in csource.strings(table)}
        self.assertGreaterEqual(len(known), 30)
        listed = [word for head, _body in page.items(page.section(self.tree, "CHECKS")) for word in page.marked(head, "Cm")]
        self.assertSame(set(listed), known, "checks")
        self.assertEqual(len(listed), len(set(listed)), "a check stands twice")
        places = set(re.findall(r'#define (?:MEND_SHELL|MEND_PSQL|MAIN_CF|CONF|MC) +"([^"]+)"', "".join(csource.read(file) for file in csource.sources("milter"))))
        self.assertSame(self.quoted(self.body_of("doctor", "mend[].place")), places, "places")
        self.assertSame(self.quoted(self.body_of("doctor", "severity")), set(csource.array("milter/setup/findings.c", "severity_names")), "severities")

    def test_verdicts(self):
        """what counts counts"""
        self.assertSame(self.quoted(self.body_of("counts", "verdicts[].verdict")), csource.array("policy/message/disposition.c", "disposition_names"), "verdicts")

    def test_defects(self):
        self.assertSame(self.quoted(self.body_of("list", "defects[]")), csource.strings(csource.function("policy/message/defects.c", "defect_name")), "defects")

    def test_inside(self):
        """kinds of parts, and why one was not read"""
        for key, table in ("inside[].part", "kind_names"), ("opaque[]", "opaque_names"):
            words = re.search(r"\b%s\[\w+\] = \{(.*?)\};" % table, csource.read("policy/parts/part_kind.c")).group(1)
            self.assertSame(self.quoted(self.body_of("list", key)) - {"header"}, csource.strings(words), key)
        self.assertIn("header", self.quoted(self.body_of("list", "inside[].part")))
        self.assertIn('"header"', csource.function("policy/exposure/inside_counts.c", "inside_place_name"))

    def test_headers(self):
        """which fields are shown"""
        text = re.sub(r"\s+", " ", self.body_of("show", "headers[]").text())
        self.assertSame(set(re.findall(r"[A-Z][\w-]+", text)), csource.array("milter/queue/message_reader.c", "fields_shown"), "fields")

    def test_text(self):
        """what is shown of a message's text: the words for a part, and the bounds"""
        self.assertSame(self.quoted(self.body_of("show", "parts[].use")), csource.strings(csource.function("milter/content/message_content.c", "content_use_name")), "uses")
        text = re.sub(r"\s+", " ", page.section(self.tree, "The text of a message", "Ss").text())
        header = csource.read("milter/content/message_content.h")
        limits = {name: int(re.search(r"#define CONTENT_%s_LIMIT \(?(\d+)u" % name, header).group(1)) for name in ("PART", "TEXT", "PARTS", "DEPTH")}
        self.assertIn("(%du * 1024)" % limits["PART"], header)
        for pattern, value in {r"Up to (\d+) MB of a message": int(re.search(r"READER_INPUT_LIMIT +\((\d+)u \* 1024 \* 1024\)", csource.read("milter/queue/message_reader.h")).group(1)),
                               r"(\d+) KB of text of each part": limits["PART"], r"and (\d+) MB of all": limits["TEXT"] // 1024, r"(\d+) parts are listed": limits["PARTS"],
                               r"nested (\d+) deep": limits["DEPTH"], r"More than (\d+) invisible characters": csource.number("milter/content/html_text.c", "INVISIBLE_SHOWN")}.items():
            self.assertEqual(re.findall(pattern, text), [str(value)], pattern)

    def test_rights(self):
        """whom the configuration can let do what"""
        names = page.marked(page.section(self.tree, "PERMISSIONS"), "Cm")
        rights = {name.lower() for name in re.findall(r"\bREVIEW_([A-Z]+)\b", re.search(r"enum review_action \{(.*?)\}", csource.read("milter/common/conf.h"), re.DOTALL).group(1))} - {"actions"}
        self.assertSame({name.rstrip(",") for name in names} - {"counts", "log", "doctor", "review", "digest", "notify", "setup", "reload", "forget", "agent", "fleet"}, rights, "rights")

    def test_fields(self):
        """the fields of a decision's line in their order"""
        fields = re.findall(r'\b(?:entry|add)_\w+\(entry, "([a-z-]+)"', csource.function("milter/log/log_fields.c", "report_decision_entry"))
        self.assertGreaterEqual(len(fields), 8)
        listed = [head.text().rstrip("=") for head, _body in page.items(page.section(self.tree, "LOG"))]
        self.assertEqual(listed, fields)

    def test_numbers(self):
        text = re.sub(r"\s+", " ", self.tree.text())
        seconds = int(re.search(r"#define RECONCILE_PATIENCE \((\d+) \* 60 \* G_USEC_PER_SEC\)", csource.read("milter/queue/reconcile.h")).group(1))
        orphans = int(re.search(r"#define RECONCILE_ORPHANS \((\d+) \* G_USEC_PER_SEC\)", csource.read("milter/queue/reconcile.h")).group(1))
        for pattern, value in {r"only after (\d+) seconds": orphans, r"not seen in the queue within (\d+) minutes": seconds, r"cut to (\d+) characters": csource.number("milter/ledger/ledger.h", "LEDGER_SUBJECT_LIMIT"),
                               r"Without it, the (\d+) largest": csource.number("milter/review/held_details.c", "PARTIES_SHOWN"),
                               r"knows the (\d+) largest": csource.number("milter/ledger/ledger.h", "LEDGER_PARTIES_LIMIT"), r"first characters, (\d+) at least": csource.number("milter/places/typed_ids.h", "TYPED_ID_LEAST"), r"up to (\d+) messages": csource.number("milter/rcptguardq/command_digest.c", "DIGEST_LIMIT"),
                               r"in one hour at most (\d+) mails": csource.number("milter/rcptguardq/command_notify.c", "MAILS_AN_HOUR"), r"after (\d+) such interruptions": csource.number("milter/ledger/ledger.h", "LEDGER_NOTICE_TRIES")}.items():
            self.assertEqual(re.findall(pattern, text), [str(value)], pattern)

    def test_files(self):
        """the sudoers file of the page is what the package has"""
        self.assertTrue(os.path.exists(os.path.join(daemon.SOURCE, "packaging", "sudoers", "rcptguard")))
        paths = {element.text() for head, _body in page.items(page.section(self.tree, "FILES")) for element in head.find("Pa", "elem")}
        self.assertEqual(paths, {"/etc/rcptguard/rcptguard.conf", "/etc/rcptguard/decision.key", "/var/lib/rcptguard/answers.key", "/etc/sudoers.d/rcptguard"})


class Real(review.ReviewCase, QueueCase):
    """What needs mail on hold."""

    MTAS = ("postfix",)
    CONFIG = {("review", "notice"): NOTICE}
    REVIEW = {"notice": NOTICE, "digest-to": "desk@me.example"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.tree = page.tree(PAGE)
        cls.reinject(os.path.join(cls.mta.root, "etc"), "-P", "=")

    @classmethod
    def reinject(cls, etc, option, value=""):
        """The milters of the listener that takes mail back from a content filter."""
        daemon.settle(*(os.path.join(etc, name) for name in ("main.cf", "master.cf")))
        subprocess.run(["postconf", "-c", etc, option, "127.0.0.1:%d/inet/smtpd_milters%s" % (cls.mta.ports["reinject"], value)], check=True)
        daemon.settle(*(os.path.join(etc, name) for name in ("main.cf", "master.cf")))

    # ---- JSON

    def documented(self, command):
        found = {}
        for head, _body in page.items(self.shared() if command in DECIDING else self.subsection(command)):
            keys = [element.text() for element in head.find("Va", "elem")]
            if keys:
                self.assertEqual(len(keys), 1)
                self.assertNotIn(keys[0], found, "documented twice")
                found[keys[0]] = {element.text() for element in head.find("Vt", "elem")}
        return found

    def compare(self, manual, objects, command):
        seen = {}
        for one in objects:
            for path, kind in tool_page.flatten(one):
                seen.setdefault(path, set()).add(kind)
        self.assertSame(manual, seen, "JSON keys of " + command)
        for path, kinds in seen.items():
            self.assertEqual(manual[path], kinds, "types of %s" % path)

    def change(self, queue_id, assignments):
        ledgerfile.execute(self.guard.ledger_path, "UPDATE held SET %s WHERE queue_id = ?" % assignments, queue_id)

    def delay(self, rule):
        """What this rule holds is released after a time, by the policy's file: the daemon does not read it again."""
        text = pathlib.Path(self.guard.policy_path).read_text(encoding="utf-8")
        self.addCleanup(daemon.write, self.guard.policy_path, text)
        text, count = re.subn(r'(rule %s \{[^}]*quarantine "[^"]*")' % rule, r"\1 release after 10m", text)
        self.assertEqual(count, 1)
        daemon.write(self.guard.policy_path, text)

    def answerable(self, held):
        """What is shown of a message whose sender can release it."""
        text = pathlib.Path(self.guard.policy_path).read_text(encoding="utf-8")
        daemon.write(self.guard.policy_path, text.replace("release after 10m", "release by sender"))
        self.addCleanup(daemon.write, self.guard.policy_path, text)
        self.change(held.id, "user = 'care'")
        ledgerfile.execute(self.guard.ledger_path, "INSERT OR REPLACE INTO notice (held, author, state, at) SELECT id, 'care@me.example', 'sent', ? FROM held WHERE queue_id = ?",
                           ledgerfile.now(), held.id)
        self.configure(answers="desk@me.example")
        found, = self.done("show", "--json", held.id).json()
        self.configure()
        return found

    def with_metrics(self):
        path = daemon.write(os.path.join(self.guard.directory, "page.prom"), "rcptguard_start_time_seconds 1795341600\nrcptguard_metrics_timestamp_seconds 1795345200\n")
        daemon.write(self.config_path, pathlib.Path(self.config_path).read_text(encoding="utf-8") + "\n[metrics]\npath = %s\n" % path)
        found = self.done("counts", "--json").json()
        self.configure()
        return found

    def test_json(self):
        """the keys of each command with their types; each is seen with each of its types"""
        counts = self.done("counts", "--json").json()
        full, bare = self.hold("auth"), self.hold(sender="clinic@me.example", people=review.WIDE[:2] + ["blind@x.example"], cc=review.WIDE[:2])
        self.done("list")
        self.change(full.id, "defects = 15, leaves = judged + 600000000, inside = 'calendar:45/43', opaque = 9, instance = 'postfix'")
        self.change(bare.id, "message_id = NULL, client = NULL, subject = NULL, text = NULL, stopped = 'split'")
        self.configure(expire="10d return")
        self.delay("wide-cc")
        ledgerfile.execute(self.guard.ledger_path, "INSERT INTO party (held, class, name, individuals, people, parties) SELECT id, 'other', NULL, 0, 7, 5 FROM held WHERE queue_id = ?", full.id)
        ledgerfile.execute(self.guard.ledger_path, "INSERT INTO remembered (held, record, scope, known, counted, within) SELECT id, 0, 0, 'no', 'parties', 27 FROM held WHERE queue_id = ?", full.id)
        released = self.hold()
        self.done("list")
        self.change(released.id, "instance = 'postfix'")
        decided = self.done("release", "--json", released.id, reason="ok").json()
        decided += self.ask("delete", "--json", "4NoSuchThing", reason="x").json()
        self.change(released.id, "requeued = '4New', former = '4Old'")
        ledgerfile.execute(self.guard.ledger_path, "UPDATE history SET detail = 'as 4New'")
        ledgerfile.execute(self.guard.ledger_path, "INSERT INTO decision (held, action, way, at) SELECT id, 'return', 'expiry', ? FROM held WHERE queue_id = ?", ledgerfile.now(), released.id)
        gone = self.hold()
        self.done("list")
        self.change(gone.id, "message_id = (SELECT message_id FROM held WHERE queue_id = '%s')" % released.id)
        self.mta.drop(gone.id)
        listed = self.done("list", "--all", "--json").json()
        self.compare(self.documented("list"), listed, "list")
        named = self.hold(cc=['"Ann" <%s>' % review.WIDE[0], *review.WIDE[1:]], headers=[("Content-Type", 'application/pdf; name="a.pdf"')])
        shown = [self.done("show", "--json", "--recipients", "--message", "--text", one.id).json()[0] for one in (full, bare, named)]
        shown += [self.done("show", "--json", one.id).json()[0] for one in (released, gone)]
        shown.append(self.answerable(named))
        self.compare({**self.documented("list"), **self.documented("show")}, shown, "show")
        for command in DECIDING:
            self.compare(self.documented(command), decided, command)
        counts += self.with_metrics()
        self.compare(self.documented("counts"), counts, "counts")
        self.compare(self.documented("log"), self.done("log", "--json").json(), "log")
        self.compare(self.documented("doctor"), self.ask("doctor", "--json").json(), "doctor")
        self.hold()
        self.compare(self.documented("notify"), self.done("notify", "--json").json(), "notify")
        self.compare(self.documented("digest"), self.done("digest", "--json").json(), "digest")
        copy = self.mta.copy_configuration("smtpd_milters =")
        self.reinject(copy, "-PX")
        setup = [self.done("setup", "postfix", "--json", *options, "--postfix-config", copy).json()[0] for options in ((), ("--yes",))]
        self.compare(self.documented("setup"), setup, "setup")

    # ---- examples

    def example(self):
        """The message of the page's examples: on hold for two hours."""
        people = policies.people(9) + ["a@acme.example", "b@acme.example", "c@acme.example"] + ["x%d@free1.test" % n for n in range(15)]
        held = self.hold("auth", people=people, to=people[:2], cc=people[2:], subject="Price list 2027")
        self.mta.age(held.id, 7300)
        self.change(held.id, "began = began - 7300000000, judged = judged - 7300000000")
        return held

    def play(self, kind, text, queue_id):
        """What a person sees on a terminal of 80 columns."""
        folder = daemon.temporary_directory()
        self.addCleanup(shutil.rmtree, folder)
        daemon.write(os.path.join(folder, "rcptguardq"), '#!/bin/sh\nname=$1\nshift\nexec %s "$name" -c %s "$@"\n' % (review.PROGRAM, self.config_path), 0o755)
        shown = ""
        if kind == "screen":
            with screen.Screen(self.command("review")) as terminal:
                terminal.wait_for("q quit")
                return text.splitlines()[0] + "\n" + re.sub(r"<test\.[\w.-]+@", "<17@", terminal.text().rstrip("\n").replace(queue_id, ID)) + "\n"
        daemon.write(os.path.join(folder, "sudo"), '#!/bin/sh\nexec "$@"\n', 0o755)  # tests/mta/review_people.py has the real one
        for line in text.splitlines():
            if line.startswith(("$ ", "# ")):
                _code, output = review.on_terminal(["sh", "-c", "PATH=%s:$PATH; %s" % (folder, line[2:].replace(ID, queue_id))])
                shown += line + "\n" + re.sub(r"<test\.[\w.-]+@", "<17@", output.decode("utf-8").replace("\r\n", "\n").replace(queue_id, ID))
        return shown

    @staticmethod
    def normal(text):
        """Without what differs from one run to the next."""
        text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "DATE", text)
        text = re.sub(r"(?m)^(Date +).*", r"\1DATE", text)
        text = re.sub(r"\b(4\w{14,18}) +", r"\1  ", text)  # a queue id is as long as the file's number
        return tool.without_digest(text)

    def examples(self):
        found = [display for display in page.displays(PAGE) if display.kind in ("run", "screen")]
        self.assertGreaterEqual(len(found), 4)
        held = self.example()
        return [(display, self.play(display.kind, display.text, held.id)) for display in found]

    def test_examples(self):
        """each command of the examples prints what the page shows"""
        examples = self.examples()
        for display, shown in examples:
            with self.subTest(str(display)):
                self.assertRegex(display.text, r"(?m)^(\$ sudo|#) rcptguardq ")
                self.assertEqual(self.normal(display.text), self.normal(shown))
        for command in "list", "show", "review", "digest", "notify", "release", "log":
            self.assertIn("rcptguardq " + command, " ".join(display.text for display, _shown in examples))

    def update(self):
        """Writes the examples of the page anew, for who has changed the program's words: look at the difference."""
        source = page.read(PAGE)
        for display, shown in self.examples():
            source = source.replace(tool_page.escape(display.text), tool_page.escape(shown))
        with open(page.path(PAGE), "w", encoding="utf-8") as file:
            file.write(source)


if __name__ == "__main__":
    if "--update" in sys.argv[1:]:
        sys.argv[1:] = ["test_update", "--update"]
        Real.test_update = Real.update
    review.main(60)
