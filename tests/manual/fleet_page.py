"""What rcptguardq(8) says of several nodes is what the program prints with a fleet: keys of JSON with their types, and times.

It starts two Postfix and a PostgreSQL, which takes most of its time.
"""

import json
import re

import csource
import fleetpeople
import page
import tool_page

PAGE = "rcptguardq(8)"


class FleetPage(fleetpeople.PeopleCase):
    NODES = ("postfix", "postfix", "postfix")

    def setUp(self):
        super().setUp()
        self.one, self.two, self.three = self.nodes

    def documented(self, title):
        found = {}
        for head, _body in page.items(page.section(page.tree(PAGE), title, "Ss")):
            found[next(iter(head.find("Va", "elem"))).text()] = {element.text() for element in head.find("Vt", "elem")}
        return found

    def compare(self, title, objects, also=()):
        """The keys that there are only with a fleet, with all their types."""
        wanted = self.documented(title)
        seen = {}
        for one in objects:
            for path, kind in tool_page.flatten(one):
                if path in wanted or "node" in path or path in also:
                    seen.setdefault(path, set()).add(kind)
        self.assertEqual(seen, wanted, title)

    def test_keys(self):
        """rcptguardq(8) has each key of JSON that there is only with a fleet, and its types"""
        held = self.hold_seen(self.two, self.three)
        self.make_away(self.three, 12)
        self.addCleanup(self.three.agent)
        waits = self.one.ask("release", "--json", held[1].id, reason="ok").json()
        vouched = self.one.ask("delete", "--json", held[0].id, reason="ok").json()
        self.assertEqual([each["waits"] for each in waits + vouched], [True, False])
        self.server.psql("UPDATE rcptguard.decision SET reason = NULL WHERE queue_id = '%s'" % held[1].id)
        shown = [json.loads(self.one.ask("show", "--json", each.id).out) for each in held]
        self.server.psql("SET session_replication_role = replica; UPDATE rcptguard.decision SET reason = 'x', vouched_for = NULL WHERE queue_id = '%s'" % held[1].id)
        shown += [json.loads(line) for line in self.one.ask("list", "--json").out.splitlines()]
        shown += self.two.ask("show", "--json", held[0].id).json()
        self.compare("Keys of list and show", shown)
        self.compare("Keys of decisions", waits + vouched)
        self.compare("Keys of log", [json.loads(line) for line in self.one.ask("log", "--json").out.splitlines()])
        counts = [json.loads(self.one.ask("counts", "--json", *options).out) for options in ((), ("--node", "mx1"))]
        self.server.stop()
        try:
            counts.append(json.loads(self.one.ask("counts", "--json").out))
        finally:
            self.server.start()
        self.compare("Keys of counts", counts)

    def test_numbers(self):
        """the times of the manual are those of the code"""
        text = re.sub(r"\s+", " ", page.section(page.tree(PAGE), "SEVERAL NODES").text())
        away = int(re.search(r"FLEET_PEER_AWAY \((\d+) \* G_TIME_SPAN_MINUTE\)", csource.read("milter/fleet/fleet_mirror.h")).group(1))
        patience = int(re.search(r"REMOTE_PATIENCE \((\d+) \* G_USEC_PER_SEC\)", csource.read("milter/review/remote_decision.h")).group(1))
        self.assertEqual((re.findall(r"not seen for (\d+) minutes", text), re.findall(r"waits up to (\d+) seconds", text)), ([str(away)], [str(patience)]))


if __name__ == "__main__":
    fleetpeople.main()
