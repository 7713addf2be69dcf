"""rcptguard-fleet(7): its tables, roles, times and commands are those of the code, and its example is that of the README, which tests/manual/docs.py types."""

import re
import unittest

import csource
import page
import tap

PAGE = "rcptguard-fleet(7)"
NUMBERS = {word: number for number, word in enumerate("zero one two three four five six seven eight nine ten".split())}


def words(title=None):
    """The page, or a section, as one line."""
    tree = page.tree(PAGE)
    return " ".join((tree if title is None else page.section(tree, title)).text().split())


def example(name):
    """The commands of a display, each as one line."""
    display, = [display for display in page.displays(PAGE) if display.kind == name]
    return display.text.replace("\\\n", "").splitlines()


def heads(title):
    """The words at the head of the items of a section's list."""
    return [head.text() for head, _body in page.items(page.section(page.tree(PAGE), title))]


def code(*names):
    return "".join(csource.read(name) for name in names)


class FleetManual(page.PageCase):
    PAGE = PAGE

    def test_readme(self):
        """the README has the same commands in the same order"""
        text = csource.read("README.md").partition("### Several servers")[2].partition("### ")[0]
        self.assertEqual(re.findall(r"(?m)^    (.*)$", text), example("database") + example("node") + example("tables"))

    def test_counts(self):
        """as many commands as the page and the README say"""
        said = r"(\w+) commands on (?:\.Li )?db1 ?, (\w+) on each relay, and (\w+) more on the first"
        counted = [len(example(name)) for name in ("database", "node", "tables")]
        for text in words("SET IT UP"), " ".join(csource.read("README.md").split()):
            self.assertEqual([NUMBERS[word] for word in re.search(said, text).groups()], counted)

    def test_tables(self):
        """each table of the database, with those of the state under one name"""
        tables = set(re.findall(r"CREATE TABLE (?:IF NOT EXISTS )?rcptguard\.(\w+)", code(*csource.sources("milter"))))
        self.assertGreaterEqual(len(tables), 5)
        self.assertSame(heads("WHAT THE DATABASE HOLDS"), {"state_*" if table.startswith("state_") else table for table in tables}, "tables")

    def test_roles(self):
        """the roles that are made"""
        roles = re.findall(r'#define FLEET_(?:OWNER|NODE|REVIEWER) +"(\w+)"', code("milter/fleet/fleet_schema.h"))
        self.assertSame(heads("ROLES AND RIGHTS"), roles, "roles")

    def test_commands(self):
        """each action of `rcptguardq fleet` is there, and no other"""
        command, = [file for file in csource.sources("milter") if file.endswith("/command_fleet.c")]
        actions = csource.strings(re.search(r"\baction_names\[\w+\] = \{(.*?)\};", code(command)).group(1))
        found = set(re.findall(r"rcptguardq fleet (\w+)", page.read(PAGE))) | {"remove"}
        self.assertSame(found, actions, "actions")
        options = set(re.findall(r'\{"([a-z-]+)", 0, 0, G_OPTION_ARG', code(command)))
        used = {option for line in page.read(PAGE).splitlines() if "rcptguardq fleet" in line or line.startswith("--") for option in re.findall(r"--([a-z-]+)", line)}
        self.assertLessEqual(used, options)
        self.assertGreaterEqual(len(used), 3)

    def test_times(self):
        """the times of the page are those of the code"""
        manage = dict(re.findall(r"#define (FLEET_\w+) +(\d+)", code("milter/fleet/fleet_manage.h")))
        self.assertEqual(int(manage["FLEET_AWAY_AFTER"]), 60 * NUMBERS[re.search(r"not seen for (\w+) minutes", words("WHEN A NODE IS AWAY")).group(1)])
        self.assertEqual(int(manage["FLEET_SKEW_LIMIT"]), 1000 * NUMBERS[re.search(r"more than (\w+) seconds", words("CLOCKS")).group(1)])
        patience = re.search(r"#define FLEET_PATIENCE \((\d+) \*", code("milter/fleet/fleet.h")).group(1)
        self.assertEqual(int(patience), NUMBERS[re.search(r"deadline: (\w+) seconds", words("CONNECTIONS")).group(1)])
        self.assertIn("#define AGENT_DECISION_LIMIT G_TIME_SPAN_DAY", code("milter/agent/agent.h"))
        self.assertIn("older than a day", words("WHEN A NODE IS AWAY"))
        agent = dict(re.findall(r"#define (\w+) +\((\d+) \* G_USEC_PER_SEC\)", code("milter/agent/agent_fleet.c")))
        self.assertEqual(int(agent["LONGEST_PAUSE"]) + int(patience), int(re.search(r"at least every (\d+) seconds", words("METRICS")).group(1)))

    def test_connection(self):
        """what the connection gets by itself, and what of it is the node's alone"""
        connection = code("milter/postgresql/pg_connection.c")
        self.assertIn('"target_session_attrs"', connection)
        self.assertIn('"read-write"', connection)
        self.assertIn("target_session_attrs=read-write", words("CONNECTIONS"))


if __name__ == "__main__":
    tap.main()
