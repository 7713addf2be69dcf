"""What rcptguardq shows of other nodes: three servers with one PostgreSQL; and what it says when one of them, or the database, is away.

It starts three MTAs, which takes most of its time.
"""

import json
import pathlib
import re
import subprocess

import daemon
import fleetpeople
import ledgerfile
import mta
import review
import screen

class Seen(fleetpeople.PeopleCase):
    def setUp(self):
        super().setUp()
        self.one, self.two, self.three = self.nodes

    def listed(self, node, *arguments):
        """{(node, id): what list --json says}"""
        return {(each["node"], each["id"]): each for each in node.done("list", "--json", *arguments).json()}

    # ---- list

    def test_list(self):
        """all nodes, by node, with the facts that each node itself shows"""
        held = self.hold_seen(*self.nodes)
        wanted = {(node.NODE, one.id) for node, one in zip(self.nodes, held)}
        for node in self.nodes:
            there = self.listed(node)
            self.assertEqual(set(there), wanted)
            for other, one in zip(self.nodes, held):
                own = self.listed(other, "--node", other.NODE)[other.NODE, one.id]
                seen = there[other.NODE, one.id]
                for key in "age", "changed":
                    own.pop(key), seen.pop(key)
                self.assertEqual(seen, own)
        text = self.one.done("list").out
        self.assertRegex(text, r"(?m)^ID +NODE +AGE ")
        for node, one in zip(self.nodes, held):
            self.assertRegex(text, r"(?m)^%s +%s +\d+ (s|min) " % (one.id, node.NODE))
        self.assertEqual(set(self.listed(self.one, "--node", "MX2")), {("mx2", held[1].id)})
        self.assertEqual(set(self.listed(self.one, "--node", "mx1")), {("mx1", held[0].id)})
        self.assertEqual(set(self.listed(self.one, "--party", held[0].recipients[0].partition("@")[2])), wanted)
        self.one.refused(review.WRONG, "the fleet has no node `mx9`: it has mx1, mx2, mx3", "list", "--node", "mx9")

    def test_closed(self):
        """what no longer waits, and a state"""
        held, = self.hold_seen(self.three)
        self.three.done("delete", held.id, reason="spam")
        self.wait_published(self.three)
        self.assertNotIn(("mx3", held.id), self.listed(self.one))
        for options in ("--all",), ("--state", "deleted"):
            self.assertEqual(self.listed(self.one, *options)["mx3", held.id]["state"], "deleted")
        self.one.refused(review.GONE, "mx3:%s: was deleted by root" % held.id, "release", held.id, reason="x")

    # ---- ids

    def test_ids(self):
        """NODE:ID is always taken; an id of several nodes is not, and is printed with its node"""
        held = self.hold_seen(self.one, self.two)
        for node in self.nodes:
            node.stop_agent()
        self.server.psql("UPDATE rcptguard.held SET queue_id = '%(new)s', record = jsonb_set(record, '{held,queue_id}', '\"%(new)s\"') WHERE node = 'mx2' AND queue_id = '%(old)s'"
                         % {"new": held[0].id, "old": held[1].id})
        text = self.one.done("list").out
        for name in "mx1", "mx2":
            self.assertRegex(text, r"(?m)^%s:%s +%s " % (name, held[0].id, name))
            shown, = self.one.done("show", "--json", "%s:%s" % (name, held[0].id)).json()
            self.assertEqual((shown["node"], shown["id"]), (name, held[0].id))
        several = "is a message of several nodes, say which: mx1:%s, mx2:%s" % (held[0].id, held[0].id)
        self.one.refused(review.WRONG, several, "release", held[0].id, reason="x")
        self.one.refused(review.WRONG, several, "show", held[0].id)
        self.one.refused(review.WRONG, "the fleet has no such node", "show", "mx9:" + held[0].id)
        self.one.refused(review.WRONG, "the fleet has no such node", "delete", "mx9:" + held[0].id, reason="x")
        self.assertEqual(len(self.one.done("log", "mx1:" + held[0].id).out.splitlines()), len(self.one.events(held[0].id)))
        self.one.done("release", "mx1:" + held[0].id, reason="ok")
        self.one.assertArrived(held[0])

    def test_instances(self):
        """of a node with several instances of its MTA: its record says which, and an id of two of them takes it"""
        held = self.hold_seen(self.two, self.two)
        names = "postfix", "postfix-out"
        for one, name in zip(held, names):
            ledgerfile.execute(self.two.guard.ledger_path, "UPDATE held SET instance = ? WHERE queue_id = ?", name, one.id)
            ledgerfile.execute(self.two.guard.ledger_path, "INSERT OR REPLACE INTO unpublished SELECT id, 1 FROM held WHERE queue_id = ?", one.id)
        self.two.restart_agent()
        daemon.wait_until(lambda: [self.listed(self.one)["mx2", one.id].get("instance") for one in held] == list(names), mta.LIMIT, "the instances")
        text = self.one.done("list").out
        self.assertRegex(text, r"(?m)^ID +NODE +AGE .* INSTANCE +SENDER ")
        self.assertRegex(text, r"(?m)^%s +mx2 .* postfix-out +\S+@" % held[1].id)
        for node in self.nodes:
            node.stop_agent()
        self.server.psql("UPDATE rcptguard.held SET queue_id = '%(new)s', record = jsonb_set(record, '{held,queue_id}', '\"%(new)s\"') WHERE node = 'mx2' AND queue_id = '%(old)s'"
                         % {"new": held[0].id, "old": held[1].id})
        text, digest = self.one.done("list").out, self.one.done("digest", "--print").out
        for name in names:
            self.assertRegex(text, r"(?m)^%s/%s +mx2 .* %s +\S+@" % (name, held[0].id, name))
            self.assertIn("    instance: %s\n" % name, digest)
            for word in "mx2:%s/%s" % (name, held[0].id), "%s/%s" % (name, held[0].id):
                shown, = self.one.done("show", "--json", word).json()
                self.assertEqual((shown["node"], shown["instance"], shown["id"]), ("mx2", name, held[0].id))
                self.assertRegex(self.one.done("show", word).out, r"\Amx2:%s  in %s  on hold for" % (held[0].id, name))
        several = "is on hold in several instances: say which, mx2:postfix"
        self.one.refused(review.WRONG, several, "release", held[0].id, reason="x")
        self.one.refused(review.WRONG, several, "show", held[0].id)
        self.one.refused(review.WRONG, "is not known", "show", "mx2:postfix-in/" + held[0].id)
        self.start_agents()
        self.one.ask("release", "mx2:postfix/" + held[0].id, reason="ok")
        self.two.assertArrived(held[0])

    def test_beginning(self):
        """the first characters of an id of another node"""
        held, = self.hold_seen(self.three)
        shown, = self.one.done("show", "--json", held.id[:-1]).json()
        self.assertEqual((shown["node"], shown["id"]), ("mx3", held.id))
        self.one.done("show", "mx3:" + held.id[:-1])
        self.one.refused(review.WRONG, "a decision takes whole queue ids: .*mx3:" + held.id, "release", held.id[:-1], reason="x")

    # ---- one message

    def test_show(self):
        """all that the ledger has; what only the queue has is said to be elsewhere"""
        held, = self.hold_seen(self.three)
        here, there = (node.done("show", "--json", held.id).json()[0] for node in (self.one, self.three))
        self.assertEqual((there.pop("elsewhere"), there["node"]), (None, "mx3"))
        elsewhere = here.pop("elsewhere")
        self.assertRegex(elsewhere, r"^is held by node mx3 .*: ask there: rcptguardq show %s$" % held.id)
        for each in here, there:
            for key in "age", "changed", "headers":
                each.pop(key, None)
        self.assertEqual(here, there)
        text = self.one.done("show", held.id).out
        for words in "mx3:%s  on hold for " % held.id, "Held because  wide Cc", "Node          mx3\n", "has 12":
            self.assertIn(words, text)
        for option in "--recipients", "--text", "--message", "--raw":
            with self.subTest(option):
                result = self.one.refused(review.WRONG, r"is held by node mx3 .*: ask there: rcptguardq show %s %s$" % (held.id, option), "show", option, held.id)
                self.assertNotIn(held.recipients[0], result.out)
        self.assertEqual(self.three.events(held.id), [])

    def test_review(self):
        """on the whole terminal, a message of another node is decided as one of this"""
        first, second = self.hold_seen(self.two, self.one)
        terminal = screen.Screen(self.one.command("review"), lines=40)
        self.addCleanup(terminal.__exit__)
        for words in "1 of 2  mx2:%s" % first.id, "r release", "Node          mx2":
            terminal.wait_for(words)
        terminal.keys("a")
        terminal.wait_for("is held by node mx2")
        terminal.keys("a", "r")
        terminal.wait_for("Reason to release it")
        terminal.type("looks fine")
        terminal.keys("Enter")
        terminal.wait_for("mx2:%s: would be released. y: do it" % first.id)
        terminal.keys("y")
        said = re.compile(r"mx2:%s: (released|waits for node mx2: it has )" % first.id)
        if daemon.wait_until(lambda: said.search(terminal.text()), mta.LIMIT, lambda: "an answer of mx2: " + terminal.text()).group(1) != "released":
            terminal.keys("s")  # a loaded machine may need longer than it waits: it goes to the next one by hand
        self.assertIn(second.id, terminal.wait_for("2 of 2"))
        terminal.keys("q")
        self.assertEqual(terminal.wait_end(), review.DONE)
        self.two.assertArrived(first)

    # ---- all that happened

    def test_log(self):
        """the history of all nodes, by time; and of one message"""
        held = self.hold_seen(*self.nodes)
        for node, one in zip(self.nodes, held):
            node.done("delete", "--node", node.NODE, one.id, reason="because of " + node.NODE)
            self.wait_published(node)
        events = self.two.done("log", "--newer", "1h", "--json").json()
        mine = [(each["node"], each["id"], each["action"]) for each in events if each["id"] in {one.id for one in held} and each["action"] == "delete"]
        self.assertEqual(mine, [(node.NODE, one.id, "delete") for node, one in zip(self.nodes, held)])
        self.assertEqual([each["time"] for each in events], sorted(each["time"] for each in events))
        self.assertEqual({each["node"] for each in self.two.done("log", "--node", "mx3", "--json").json()}, {"mx3"})
        lines = self.one.done("log", held[2].id).out.splitlines()
        self.assertEqual(len(lines), len(self.three.events(held[2].id)))
        self.assertRegex(lines[-1], r"%s +mx3 +root +delete +\"because of mx3\"$" % held[2].id)

    def test_counts(self):
        """the sum, and each node by itself"""
        self.hold_seen(*self.nodes)
        counts, = self.one.done("counts", "--json").json()
        self.assertEqual(counts["waiting"], 3)
        self.assertEqual([(each["node"], each["own"], each["away"], each["waiting"], each["pending"]) for each in counts["nodes"]],
                         [("mx1", True, False, 1, 0), ("mx2", False, False, 1, 0), ("mx3", False, False, 1, 0)])
        self.assertIsNone(counts["nodes_said"])
        hours = [self.one.done("counts", "--json", "--node", node.NODE).json()[0]["hours"] for node in self.nodes]
        for key in "held", "released", "returned", "deleted", "expired":
            self.assertEqual(sum(each[key] for each in counts["hours"]), sum(each[key] for node in hours for each in node), key)
        text = self.one.done("counts").out
        self.assertIn("3 messages wait", text)
        self.assertRegex(text, r"(?m)^mx3 +1 +0 +\d+ (s|min)$")

    def test_follow(self):
        """what another node holds is seen at once"""
        process = subprocess.Popen(self.one.command("counts", "--follow", "--json"), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=daemon.environment())
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        self.assertEqual(json.loads(process.stdout.readline())["waiting"], 0)
        self.hold_seen(self.three)
        for line in process.stdout:
            if json.loads(line)["waiting"] == 1:
                break

    def test_digest(self):
        """all nodes in one mail; that of the timer is about its own node"""
        held = self.hold_seen(*self.nodes)
        text = self.one.done("digest", "--print").out
        for node, one in zip(self.nodes, held):
            self.assertIn("  %s%s " % ("" if node is self.one else node.NODE + ":", one.id), text)
        self.assertIn("3 messages wait for review", text)
        alone = self.one.done("digest", "--print", "--if-configured", "--to", "desk@me.example").out
        self.assertIn("1 message waits for review", alone)
        self.assertIn("1 message waits for review", self.one.done("digest", "--print", "--node", "mx2").out)

    # ---- away

    def test_node_away(self):
        """it is shown with what is known of it, and for how long it has been away"""
        held, = self.hold_seen(self.three)
        self.make_away(self.three, 12)
        self.addCleanup(self.three.agent)
        result = self.one.ask("list")
        self.assertEqual((result.code, result.err), (0, "rcptguardq: node mx3 is away: last seen 12 min ago, and what is shown of it is from then\n"))
        self.assertRegex(result.out, r"(?m)^%s +mx3 \(away\) " % held.id)
        each = json.loads(self.one.ask("list", "--json").out)
        self.assertEqual((each["node"], each["node_away"]), ("mx3", True))
        self.assertRegex(each["node_seen"], r"^\d{4}-\d\d-\d\dT[\d:]+Z$")
        self.assertIn("Node          mx3, away: last seen 12 min ago", self.one.ask("show", held.id).out)
        self.assertRegex(self.one.ask("counts").out, r"(?m)^mx3 \(away\) +1 +0 +12 min$")
        self.assertEqual(self.one.done("list", "--node", "mx1").err, "")

    def test_unreadable(self):
        """what a node has published may be anything: the others are shown, and that it cannot be read is said"""
        theirs, bad = self.hold_seen(self.two, self.three)
        for node in self.nodes:
            node.stop_agent()
        kept = "UPDATE rcptguard.held SET record = %s WHERE node = 'mx3' AND queue_id = '" + bad.id + "'"
        record = self.server.psql("SELECT record FROM rcptguard.held WHERE node = 'mx3' AND queue_id = '%s'" % bad.id)
        for strange in "1", "{}", '{"held": {"id": 1}}', '{"held": 1, "history": 1}', '{"held": {"id": "x"}, "history": [{"at": "never"}, 1]}':
            with self.subTest(strange):
                self.server.psql(kept % ("'%s'" % strange))
                for command in ["list"], ["log", "--newer", "1h"], ["counts"], ["digest", "--print"]:
                    result = self.one.ask(*command)
                    self.assertEqual(result.code, review.DONE, result)
                    self.assertRegex(result.err, r"^(rcptguardq: what node mx3 holds is not shown: it cannot be read: [^\n]+\n)?$")
                    self.assertNotIn("not shown: a", result.out)
                self.assertIn(theirs.id, self.one.ask("list").out)
        self.assertIn("cannot be read", self.one.ask("list").err)
        self.server.psql(kept % ("'%s'" % record.replace("'", "''")))
        self.assertIn(bad.id, self.one.done("list").out)

    def test_database_away(self):
        """what is here is shown and decided; other nodes are not, and that is said"""
        mine, theirs = self.hold_seen(self.one, self.two)
        for stop, start in (self.server.stop, self.server.start), (self.server.pause, self.server.resume):
            stop()
            try:
                result = self.one.ask("list")
                self.assertEqual(result.code, 0, result)
                self.assertRegex(result.err, r"^rcptguardq: other nodes are not shown: [^\n]+\n$")
                self.assertIn(mine.id, result.out)
                self.assertNotIn(theirs.id, result.out)
                self.assertEqual(self.one.ask("show", mine.id).code, 0)
                self.one.refused(review.PASSING, "node mx2 cannot be looked at", "list", "--node", "mx2")
                self.one.refused(review.PASSING, "%s: is not known.*; other nodes cannot be asked" % theirs.id, "release", theirs.id, reason="x")
                self.assertEqual(self.one.done("list", "--node", "mx1").code, 0)
                counts = json.loads(self.one.ask("counts", "--json").out)
                self.assertEqual([each["node"] for each in counts["nodes"]], ["mx1"])
                self.assertTrue(counts["nodes_said"])
            finally:
                start()
        self.server.stop()
        try:
            result = self.one.ask("release", mine.id, reason="ok")
            self.assertEqual((result.code, result.out), (0, "%s: released\n" % mine.id))
        finally:
            self.server.start()
        self.one.assertArrived(mine)

    # ---- without a fleet

    def test_without(self):
        """nothing is different, and --node is an error"""
        held = self.one.hold()
        text = pathlib.Path(self.one.config_path).read_text(encoding="utf-8")
        self.addCleanup(daemon.write, self.one.config_path, text)
        daemon.write(self.one.config_path, text[:text.index("[fleet]")])
        each, = self.one.done("list", "--json").json()
        self.assertEqual([key for key in each if "node" in key or key == "pending"], [])
        self.assertNotIn("NODE", self.one.done("list").out)
        self.one.refused(review.WRONG, "there is no fleet", "list", "--node", "mx1")
        self.one.refused(review.WRONG, "mx1:%s: is not known" % held.id, "show", "mx1:" + held.id)


if __name__ == "__main__":
    fleetpeople.main()
