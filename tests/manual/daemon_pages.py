"""rcptguardd(8), rcptguard.conf(5) and the daemon have the same options, keys, values, log words and exit codes."""

import os
import re

import csource
import daemon
import guardcase
import page
import policies
import prometheus
import tool
import tap

POLICY = 'version 1\nclass internal { domain "corp.example" }\nrule wide { when parties(external) >= 10 quarantine "wide" }\nexpect "corp.example" is internal\ndefault accept\n'
with open(os.path.join(daemon.SOURCE, "packaging", "examples", "notice.txt"), encoding="utf-8") as _file:
    NOTICE = _file.read()


class Config(page.PageCase):
    PAGE = "rcptguard.conf(5)"

    @staticmethod
    def keys():
        """{group: {key: the words that it may be; none if it takes anything else}} of the code."""
        file = "milter/common/conf_keys.c"
        table = re.search(r"^static const struct key keys\[\] = \{(.*?)^\};", csource.read(file), re.DOTALL | re.MULTILINE).group(1)
        found = {}
        for group, key, words in re.findall(r'\{"([\w-]+)", "([\w-]+)", \w+, KEY_\w+, KEY_\w+,\s*AT\([^()]+\)(?:, \.words = (\w+))?[^{}]*\}', table):
            found.setdefault(group, {})[key] = csource.array(file, words) if words else []
        return found

    def groups(self):
        return {block.part("head").text()[len("The group ["):-1]: block.part("body") for block in self.tree.find("Ss", "block")
                if block.part("head").text().startswith("The group [")}

    def test_restart(self):
        """the keys that need a restart"""
        known = {key for key, use in re.findall(r'\{"[\w-]+", "([\w-]+)", \w+, KEY_(\w+),', csource.read("milter/common/conf_keys.c")) if use == "RESTART"}
        text = page.read(self.PAGE).partition("These keys need a restart:\n")[2].partition("A reload names")[0]
        self.assertEqual(set(re.findall(r"[a-z-]+", " ".join(re.findall(r"(?m)^\.Cm (.*)$", text)))), known)

    def test_groups(self):
        """every group has its subsection"""
        self.assertSame(self.groups(), self.keys(), "groups")

    def test_keys(self):
        """every key is an item of its group"""
        groups = self.groups()
        for group, keys in self.keys().items():
            with self.subTest(group):
                listed = [head.text() for head, _body in page.items(groups[group])]
                self.assertSame(listed, keys, "keys of [%s]" % group)
                self.assertEqual(len(listed), len(set(listed)))

    def test_variables(self):
        """every variable of a notice's template"""
        listed = [head.text().strip("{}") for head, _body in page.items(page.section(self.tree, "NOTICES"))]
        self.assertSame(listed, csource.array("milter/notify/notice_template.c", "variables"), "variables")

    def test_values(self):
        """every word that a key may have stands in its item, and no other"""
        groups = self.groups()
        names = {key for keys in self.keys().values() for key in keys}
        for group, keys in self.keys().items():
            for head, body in page.items(groups[group]):
                words = keys[head.text()]
                marked = {word.rstrip(",") for word in page.marked(body, "Cm")}
                # `local0 to local7` names those between
                for first, last in re.findall(r"\b([a-z]+\d) to ([a-z]+\d)\b", re.sub(r"\s+", " ", body.text())):
                    marked.update("%s%d" % (first[:-1], n) for n in range(int(first[-1]), int(last[-1])))
                if words:
                    with self.subTest(head.text()):
                        self.assertSame(marked - (names - {"user"} - set(words)), words, "values of %s" % head.text())

    def test_schemes(self):
        """the kinds of sockets are those of the code"""
        groups = self.groups()
        body = next(body for head, body in page.items(groups["milter"]) if head.text() == "socket")
        manual = {word for word in page.marked(body, "Cm") if word.endswith(":")}
        known = {word for word in csource.strings(csource.read("milter/common/endpoint.c")) if re.fullmatch(r"[a-z0-9]+:", word)}
        self.assertSame(manual, known, "kinds of sockets")

    def test_defaults(self):
        """the example is the defaults, as it says"""
        example, = [display.text for display in page.displays(self.PAGE) if display.text.startswith("[milter]")]
        text = csource.read("milter/common/conf.h").replace("SYSCONFDIR ", '"/etc" ').replace("LOCALSTATEDIR ", '"/var" ').replace('" "', "")
        for name, keys in (("POLICY", ["policy"]), ("SOCKET", ["socket"]), ("USER", ["user"]), ("LEDGER", ["path"]),
                           ("REVIEWERS", ["list", "show", "release", "return", "delete"])):
            value = re.search(r'CONFIG_DEFAULT_%s +"(.*?)"' % name, text).group(1)
            for key in keys:
                self.assertRegex(example, r"(?m)^%s = %s$" % (key, re.escape(value)))
        seconds = {"s": 1, "m": 60, "h": 3600, "d": 86400}
        for name, key in (("TIMEOUT", "timeout"), ("SUMMARY", "summary"), ("KEEP", "keep")):
            value, unit = re.search(r"(?m)^%s = (\d+)([smhd])$" % key, example).groups()
            self.assertEqual(int(value) * seconds[unit], csource.number("milter/common/conf.h", "CONFIG_DEFAULT_" + name), key)
        for group, keys in self.keys().items():
            section = example[example.index("[%s]" % group):].split("\n\n")[0]
            self.assertSame(re.findall(r"(?m)^(?:# )?([\w-]+) = ", section), keys, "keys of [%s] in the example" % group)

    def test_examples(self):
        """every configuration in any page passes `rcptguardd -n`"""
        found = [display for name in page.PAGES for display in page.displays(name) if re.match(r"\[\w+\]\n", display.text)]
        self.assertGreaterEqual(len(found), 1)
        for display in found:
            with self.subTest(str(display)), tool.Folder({"policy": POLICY, "notice.txt": NOTICE}) as folder:
                # What this machine has otherwise: the user, and where the policy and the ledger are.
                text = display.text if "[milter]" in display.text else "[milter]\npolicy = x\nuser = x\n\n" + display.text
                text = re.sub(r"(?m)^policy = .*", "policy = policy", text)
                text = re.sub(r"(?m)^user = .*\n", "user = %s\n" % daemon.USER if daemon.ROOT else "", text)
                if "[ledger]" not in text:
                    text += "\n[ledger]\npath = x\n"
                text = re.sub(r"(?m)^path = .*", "path = state/ledger.db", text)
                state = os.path.join(folder.path, "state")
                os.mkdir(state)
                daemon.own(state)
                if re.search(r"(?m)^notice = notice\.txt$", text):
                    with open(os.path.join(daemon.SOURCE, "packaging/examples/notice.txt"), encoding="utf-8") as template:
                        folder.write("notice.txt", template.read())
                folder.write("rcptguard.conf", text)
                status, _output, errors = folder.run("-n", "-c", "rcptguard.conf", program=daemon.PROGRAM)
                self.assertEqual((status, errors), (0, ""))
                folder.write("rcptguard.conf", text.replace("]\n", "]\nnothing = 1\n", 1))
                self.assertEqual(folder.run("-n", "-c", "rcptguard.conf", program=daemon.PROGRAM)[0], 1)


def facts(name, function=None):
    """The names of the facts that a source file, or one function of it, adds to an entry, in their order."""
    text = csource.read(name) if function is None else csource.function(name, function)
    return re.findall(r'\b(?:entry|add)_\w+\(&?entry, "([a-z-]+)"', text)


def kinds():
    """{kind of a line: its id}, as the code has them."""
    return dict(re.findall(r'\[ENTRY_\w+\] = \{"([\w-]+)", "([0-9a-f]{32})"\}', csource.read("milter/log/log_entry.c")))


class Daemon(page.PageCase):
    PAGE = "rcptguardd(8)"

    def test_options(self):
        """every option of --help and of the code stands in the synopsis and is described"""
        status, output, _errors = daemon.run("--help")
        self.assertEqual(status, 0)
        program = tool.options(output)
        letters = re.search(r'getopt_long\(argc, argv, "([a-z:]+)"', csource.read("milter/daemon/rcptguardd.c")).group(1)
        self.assertEqual({name for name in program if not name.startswith("--")}, {"-" + letter for letter in letters if letter != ":"})
        usage = set(re.findall(r"\[(-\w)", output))
        self.assertEqual(usage, {name for name in program if not name.startswith("--")})
        described = {"-" + name.text(): " ".join(argument.text() for argument in head.find("Ar", "elem"))
                     for head, _body in page.items(page.section(self.tree, "DESCRIPTION")) for name in head.find("Fl", "elem")}
        self.assertSame(described, program, "options")
        for name, argument in program.items():
            self.assertEqual(described[name].lower(), (argument or "").lower(), name)
        synopsis = {"-" + name.text() for name in page.section(self.tree, "SYNOPSIS").find("Fl", "elem")}
        self.assertSame({word for word in synopsis if word != "-"}, program, "options of the synopsis")

    @staticmethod
    def fields():
        """The log line's fields, in the order in which report_entry adds them."""
        return facts("milter/log/log_fields.c", "report_entry")

    def log_items(self):
        """(items of the fields, items of the other lines)"""
        fields, others = [], []
        for head, body in page.items(page.section(self.tree, "LOG")):
            names = page.marked(head, "Cm")
            if names:
                self.assertEqual(len(names), 1)
                fields.append((names.pop(), body))
            else:
                others.append((head.text(), body))
        return fields, others

    def test_fields(self):
        """every field of the log line, in its order"""
        fields = self.fields()
        self.assertEqual(fields, daemon.FIELDS + daemon.STATE_FIELDS, "what the milter's tests read")
        listed = [name.rstrip("=") for name, _body in self.log_items()[0]]
        self.assertSame(listed, fields, "fields of the log line")
        self.assertEqual(listed, fields, "their order")

    def test_field_values(self):
        """the verdicts and the defects are those of the code"""
        bodies = dict(self.log_items()[0])
        words = set(csource.strings(csource.function("policy/message/defects.c", "defect_name"))) | {"none"}
        self.assertSame(page.marked(bodies["defects="], "Li"), words, "defects")
        verdicts = set(csource.words("dispositions"))
        for word in verdicts:
            self.assertRegex(bodies["verdict="].text(), r"\b%s\b" % word)
        listed = {head.text() for head, _body in page.items(page.section(self.tree, "Replies to the MTA", "Ss"))}
        self.assertSame(listed, verdicts, "verdicts")

    def test_numbers(self):
        """the numbers of the page are those of the code"""
        text = re.sub(r"\s+", " ", self.tree.text())
        said = {
            r"A line has at most (\d+) bytes": csource.number("milter/log/log_entry.h", "ENTRY_LINE_LIMIT"),
            r"A line of JSON has at most (\d+) bytes": csource.number("milter/log/log_entry.h", "ENTRY_LINE_LIMIT"),
            r"one such field for each of its items, (\d+) at most": csource.number("milter/log/journal.c", "ITEMS_LIMIT"),
            r"could not be raised to (\d+)": csource.number("milter/common/privileges.h", "PRIVILEGES_DESCRIPTORS"),
        }
        for pattern, value in said.items():
            self.assertEqual(re.findall(pattern, text), [str(value)], pattern)
        digits = {12: "twelve"}[csource.number("policy/engine/policy.h", "POLICY_DIGEST_SHOWN")]
        self.assertIn("first %s digits of the policy's digest" % digits, text)

    def test_other_lines(self):
        """every other line that the daemon logs begins with a word of the page, and the reverse"""
        formats = [text for name in csource.sources("milter") if name.endswith(".c")
                   for text in re.findall(r'log_(?:line\(\w+|event\(&entry), "((?:[^"\\]|\\.)*)', csource.read(name))]
        starts = [text for text in formats if not text.startswith(("%", "fleet: "))]  # those of the fleet are rcptguardq's
        self.assertGreater(len(starts), 10)
        words = [head for head, _body in self.log_items()[1]]
        # The lead of the diagnostics of a reload is an argument.
        starts += [text for text in csource.strings(csource.read("milter/daemon/service.c")) if text == "reload: "]
        self.assertEqual([text for text in starts if not any(text.startswith(word) for word in words)], [], "lines that the page lacks")
        self.assertEqual([word for word in words if not any(text.startswith(word) for text in starts)], [], "lines that the code lacks")

    def test_json(self):
        """every member of the other lines' objects, and the words for their levels"""
        items = list(page.items(page.section(self.tree, "JSON")))
        added = {name.replace("-", "_") for source in csource.sources("milter") if source.endswith(".c") and not source.endswith(("log_fields.c", "log_entry.c"))
                 for name in facts(source)}
        own = {"event", "level", "message"}
        entry_json = csource.function("milter/log/log_entry.c", "write_json") + csource.function("milter/log/log_entry.c", "append_member")
        for name in own | {"queue_id"}:
            self.assertIn('"%s"' % name, entry_json)
        self.assertSame([name for head, _body in items for name in page.marked(head, "Cm")], added | own, "members")
        levels = next(body for head, body in items if head.text() == "level")
        self.assertSame(page.marked(levels, "Li"), csource.strings(csource.function("milter/log/log_entry.c", "level_name")), "levels")
        lists = set(re.findall(r'\b(?:entry_list|add_defects)\(entry, "([a-z]+)"', csource.function("milter/log/log_fields.c", "report_entry")))
        text = re.sub(r"\s+", " ", page.section(self.tree, "JSON").text())
        self.assertEqual(set(re.findall(r"\w{3,}", re.search(r"and ((?:\w+ , )+\w+ and \w+) are arrays", text).group(1))) - {"and"}, lists)

    def test_kinds(self):
        """every kind of line with its id, in both directions, and no other id anywhere on the page"""
        items = list(page.items(page.section(self.tree, "JOURNAL")))
        listed = {name: page.marked(body, "Li") & set(re.findall(r"[0-9a-f]{32}", body.text())) for head, body in items for name in page.marked(head, "Cm")
                  if name.islower()}
        self.assertEqual(listed, {name: {number} for name, number in kinds().items()})
        self.assertEqual(set(re.findall(r"\b[0-9a-f]{32}\b", self.tree.text())), set(kinds().values()))

    def test_journal_fields(self):
        """the fields of the journal that are not facts of the line"""
        items = list(page.items(page.section(self.tree, "JOURNAL")))
        listed = [name for head, _body in items for name in page.marked(head, "Cm") if name.isupper()]
        source = csource.read("milter/log/journal.c")
        known = set(re.findall(r'\badd\(fields, "([A-Z_]+)"', source)) | set(re.findall(r'(?:"|\\n)([A-Z_]+)=%', source))
        prefix = re.search(r'"(RCPTGUARD_)"', source).group(1)
        known |= {prefix, prefix + re.search(r'append_name\(fields, "([a-z-]+)"\)', source).group(1).upper().replace("-", "_")}
        self.assertSame(listed, known, "fields of the journal")

    def test_exit_codes(self):
        """the exit codes of the code and no other"""
        listed = {int(head.text()) for head, _body in page.items(page.section(self.tree, "EXIT STATUS"))}
        known = csource.enumeration("policy/cli/exit_codes.h", "EXITS_[A-Z]+")
        self.assertEqual(listed, {value for name, value in known.items() if name not in ("EXITS_GONE", "EXITS_FORBIDDEN")})

    def test_signals(self):
        """the signals that the supervisor handles"""
        numbers = re.search(r"const int numbers\[\] = \{(.*?)\};", csource.read("milter/daemon/supervisor.c")).group(1)
        known = set(re.findall(r"SIG[A-Z0-9]+", numbers)) - {"SIGCHLD"}  # that one is between the two processes
        listed = {name for head, _body in page.items(page.section(self.tree, "SIGNALS")) for name in re.findall(r"SIG[A-Z0-9]+", head.text())}
        self.assertSame(listed, known, "signals")

    def test_files(self):
        """the files of the page are where the code looks for them"""
        paths = {element.text() for head, _body in page.items(page.section(self.tree, "FILES")) for element in head.find("Pa", "elem")}
        text = csource.read("milter/common/conf.h").replace('SYSCONFDIR "', '"/etc').replace('LOCALSTATEDIR "', '"/var')
        for name in "PATH", "POLICY", "SOCKET", "LEDGER":
            value = re.search(r'CONFIG_DEFAULT_%s +"(?:unix:)?(.*?)"' % name, text).group(1)
            self.assertIn(value, paths)


class Tag(page.PageCase):
    PAGE = "rcptguardd(8)"

    def test_tag_field(self):
        """both pages name the field that a tag adds, and so does what `rcptguard explain` shows"""
        name = re.search(r'#define FILTER_TAG_FIELD +"(.*?)"', csource.read("milter/daemon/filter.c") + csource.read("milter/daemon/filter.h")).group(1)
        for one in "rcptguardd(8)", "rcptguard-policy(5)":
            self.assertIn(name, page.marked(page.tree(one), "Li"), one)
        self.assertIn("`%s: %%s`" % name, csource.read("policy/explain/explain_text.c"))

    def test_replies(self):
        """both pages name the codes of the replies, and so does what `rcptguard explain` shows"""
        shown = csource.read("policy/explain/explain_text.c")
        for disposition, number, status in re.findall(r'case DISPOSITION_(REJECT|TEMPFAIL):\s+set_reply\(context, "(\d+)", "([\d.]+)"',
                                                       csource.function("milter/daemon/filter.c", "answer")):
            for one in "rcptguardd(8)", "rcptguard-policy(5)":
                self.assertIn("%s %s" % (number, status), page.tree(one).text(), one)
            self.assertRegex(shown, r'DISPOSITION_%s\s*\? "%s %s "' % (disposition, number, re.escape(status)))


class Metrics(page.PageCase):
    PAGE = "rcptguardd(8)"

    @classmethod
    def setUpClass(cls):
        """What a daemon writes that holds a message, so that every metric has a sample."""
        super().setUpClass()
        with tool.Folder() as folder:
            daemon.own(folder.path)
            path = os.path.join(folder.path, "rcptguard.prom")
            with daemon.Daemon(POLICY.replace("default", 'rule trial { monitor when visible(all) >= 0 tag "x" }\ndefault'), config={("metrics", "path"): path}) as guard:
                with guard.client() as mta:
                    mta.connect("127.0.0.1")
                    guardcase.send(mta, sender="care@corp.example", to=policies.people(12))
            cls.found = prometheus.read(path)
        cls.items = {head.text(): body for head, body in page.items(page.section(cls.tree, "METRICS"))}

    def test_names(self):
        """every metric that is written is an item, and the reverse; each has a sample"""
        self.assertSame(self.items, self.found.types, "metrics")
        self.assertEqual(set(self.found.labels()), set(self.found.types))

    def test_types_and_labels(self):
        """each item begins with the type and the labels, and the words of the code's labels are in it"""
        labels = self.found.labels()
        for name, body in self.items.items():
            with self.subTest(name):
                first = re.sub(r"\s+", " ", body.text()).replace(" ,", ",").split(".")[0].strip()
                names = " and ".join(sorted(labels[name], key=["verdict", "rule", "way", "action"].index if len(labels[name]) > 1 else None))
                if name.endswith("_info"):
                    names += ", always 1"
                self.assertEqual(first, self.found.types[name].capitalize() + (" by " + names if names else ""))
                if name in ("rcptguard_reloads_total", "rcptguard_ledger_errors_total", "rcptguard_defects_total", "rcptguard_delayed_messages"):
                    self.assertSame({word.rstrip(",") for word in page.marked(body, "Li")}, {key[2] for key in self.found.samples if key[0] == name}, "words")

    def test_interval(self):
        """the seconds between two writings"""
        text = re.sub(r"\s+", " ", page.section(self.tree, "METRICS").text())
        self.assertEqual(re.findall(r"every (\d+) seconds", text), [str(csource.number("milter/metrics/metrics_file.h", "METRICS_INTERVAL"))])
        suffix, = re.findall(r'#define NEW_SUFFIX "(.*)"', csource.read("milter/metrics/metrics_replace.c"))
        self.assertIn(suffix, page.marked(page.section(self.tree, "METRICS"), "Li"))


if __name__ == "__main__":
    tap.main()
