"""Decisions about what another node holds: who may, who says who it is, and what waits.

It starts three MTAs, which takes most of its time.
"""

import json
import threading

import daemon
import fleetpeople
import mta
import review
from fleetpeople import ANN, BOB, CARL, EVE


class Deciding(fleetpeople.PeopleCase):
    def setUp(self):
        super().setUp()
        self.one, self.two, self.three = self.nodes

    def trail(self, node, held):
        """[(who, action, reason, the node that vouches)] as this node shows it, after looks and what was noticed."""
        return [(each["who"], each["action"], each["reason"], each["by_node"]) for each in node.ask("log", "--json", held.id).json()]

    def assertSameTrail(self, holder, held, wanted):
        self.wait_published(holder)
        for node in self.nodes:
            self.assertEqual(self.trail(node, held), wanted, node.NODE)

    # ---- what is done

    def test_each_action(self):
        """release, return and delete from another node; the words and the code are those of the node that holds it"""
        held = self.hold_seen(self.three, self.three, self.three)
        for one, action, words in zip(held, ("release", "return", "delete"), ("released", "returned to its sender", "deleted")):
            result = self.decided(self.one, action, one.id, reason="agreed")
            self.assertRegex(result.out, r"^mx3:%s: %s" % (one.id, words))
            self.assertNotIn(one.id, self.three.mta.held())
            self.assertSameTrail(self.three, one, [("root", action, "agreed", "mx1")])
        self.three.assertArrived(held[0])
        self.three.assertNothingDelivered(held[2:])
        result = self.one.refused(review.GONE, "mx3:%s: was released by root" % held[0].id, "release", held[0].id, reason="again")
        self.assertEqual(len(self.decisions(self.three, held[0])), 1, result)

    def test_gone_meanwhile(self):
        """what was decided there before this node knows is said in the holder's words"""
        held, = self.hold_seen(self.two)
        self.two.stop_agent()
        self.two.done("delete", "--node", "mx2", held.id, reason="spam")
        waiting = threading.Thread(target=lambda: said.append(self.one.ask("release", held.id, reason="ok")))
        said = []
        waiting.start()
        daemon.wait_until(lambda: self.decisions(self.two, held), mta.LIMIT, "the decision")
        self.two.exchange()
        self.addCleanup(self.two.restart_agent)
        waiting.join(mta.LIMIT)
        self.assertIn(said[0].code, (review.GONE, review.PASSING))
        answer = self.answer(self.decisions(self.two, held)[0]["id"])
        self.assertEqual(answer.code, review.GONE)
        self.assertRegex(answer.words, "was deleted by root")

    def test_many(self):
        """--all with a filter, and ids on standard input: over all nodes, or one"""
        held = self.hold_seen(*self.nodes, sender="gina@me.example")
        result = self.one.ask("delete", "--all", "--sender", "gina@me.example", "--dry-run", reason="x")
        self.assertEqual(sorted(result.out.splitlines()), sorted("%s%s: would be deleted" % ("" if node is self.one else node.NODE + ":", each.id) for node, each in zip(self.nodes, held)))
        self.decided(self.one, "delete", "--all", "--sender", "gina@me.example", "--node", "mx2", "--yes", reason="x")
        self.assertEqual([node.mta.held() for node in self.nodes], [[held[0].id], [], [held[2].id]])
        lines = self.one.done("list", "--sender", "gina@me.example").out
        self.assertIn("mx3", lines)
        self.wait_published(self.two)
        result = self.decided(self.one, "release", "--yes", "-", reason="fine", answer=lines)
        self.assertEqual(len(result.out.splitlines()), 2, result)
        for node, each in (self.one, held[0]), (self.three, held[2]):
            node.assertArrived(each)

    # ---- who it was

    def test_own_credentials(self):
        """who has a role decides as himself, whatever role the node has"""
        held, = self.hold_seen(self.three)
        self.assertSaid(self.by(self.one, ANN, "release", held.id, reason="asked her"), 0, "^mx3:%s: released" % held.id)
        self.three.assertArrived(held)
        row, = self.decisions(self.three, held)
        self.assertEqual((row["who"], row["vouched_for"]), (ANN, None))
        self.assertSameTrail(self.three, held, [(ANN, "release", "asked her", None)])
        self.assertRegex(self.one.done("log", held.id).out, r'%s +mx3 +%s +release +"asked her"\n' % (held.id, ANN))

    def test_passfile(self):
        """the password of his own home, over the network"""
        held = self.hold_seen(self.three, self.three)
        home = daemon.temporary_directory()
        self.addCleanup(self.fleet_conninfo, None)
        daemon.own(home, ANN)
        path = daemon.write(home + "/.pgpass", "127.0.0.1:%d:*:%s:%s\n" % (self.server.port, ANN, fleetpeople.fleetcase.PASSWORD), 0o600)
        daemon.own(path, ANN)
        passwd = open("/etc/passwd", encoding="utf-8").read()
        self.addCleanup(daemon.write, "/etc/passwd", passwd)
        lines = [line.split(":") for line in passwd.splitlines()]
        daemon.write("/etc/passwd", "".join(":".join(fields[:5] + [home] + fields[6:] if fields[0] == ANN else fields) + "\n" for fields in lines))
        # The node's own password is in a file that only it can read.
        secret = daemon.write(self.fleet.folder + "/node.pgpass", "127.0.0.1:*:*:mx1:node\n", 0o600)
        daemon.own(secret)
        self.server.psql("ALTER ROLE mx1 PASSWORD 'node'")
        self.addCleanup(self.one.configure)
        uri = "postgresql://%%s@127.0.0.1:%d/%s?passfile=%s" % (self.server.port, fleetpeople.fleetcase.postgres.DATABASE, secret)
        for each, conninfo in zip(held, (lambda node: self.server.conninfo_tcp(node, passfile=secret), lambda node: uri % node)):
            self.fleet_conninfo(conninfo)
            self.one.configure()
            self.assertSaid(self.by(self.one, ANN, "release", each.id, reason="mine"), 0, "mx3:%s: released" % each.id)
            row, = self.decisions(self.three, each)
            self.assertEqual((row["who"], row["vouched_for"]), (ANN, None))
        self.assertSaid(self.by(self.one, CARL, "list", "--all"), 0, held[0].id)

    def fleet_conninfo(self, function):
        self.fleet.conninfo_of = function

    def test_vouched(self):
        """for who has no role the node vouches, which the trail says everywhere"""
        held, = self.hold_seen(self.two)
        self.assertSaid(self.by(self.one, CARL, "release", held.id, reason="fine"), 0, "^mx2:%s: released" % held.id)
        self.two.assertArrived(held)
        row, = self.decisions(self.two, held)
        self.assertEqual((row["who"], row["vouched_for"]), ("mx1", CARL))
        self.assertSameTrail(self.two, held, [(CARL, "release", "fine", "mx1")])
        self.assertRegex(self.three.done("log", held.id).out, r'%s +release +"fine" \(by node mx1\)' % CARL)

    def test_no_vouching(self):
        """an owner can forbid it; who has a role does not need it"""
        held, = self.hold_seen(self.two)
        self.fleet.manage("update", "--vouching", "no")
        self.addCleanup(self.fleet.manage, "update", "--vouching", "yes")
        self.assertSaid(self.by(self.one, CARL, "release", held.id, reason="fine"), review.FORBIDDEN,
                        r"mx2:%s: is held by node mx2, and the fleet's database does not take a decision of `%s` from here: no node may vouch for a person, and his own credentials do not do: " % (held.id, CARL))
        self.assertSaid(self.by(self.one, CARL, "list"), 0, held.id)
        self.assertEqual(self.decisions(self.two, held), [])
        self.assertSaid(self.by(self.one, ANN, "release", held.id, reason="fine"), 0, "released")

    def test_without_right(self):
        """it is refused at once; and by the holder if the other node does not know better"""
        held, = self.hold_seen(self.two)
        self.assertSaid(self.by(self.one, EVE, "list"), 0, held.id)
        self.assertSaid(self.by(self.one, EVE, "release", held.id, reason="x"), review.FORBIDDEN, r"`%s` is in no group that \[review\] lets release" % EVE)
        self.assertEqual(self.decisions(self.two, held), [])
        self.one.configure(release="%s, %s" % (ANN, EVE))
        self.addCleanup(self.one.configure)
        self.assertSaid(self.by(self.one, EVE, "release", held.id, reason="x"), review.FORBIDDEN, "not permitted|in no group")
        self.assertEqual([row["code"] for row in self.decisions(self.two, held)], [review.FORBIDDEN])
        self.two.assertOnHold(held)

    def test_own_mail(self):
        """nobody releases his own, wherever it is held"""
        held, = self.hold_seen(self.two, sender="ann@me.example")
        self.assertSaid(self.by(self.one, ANN, "release", held.id, reason="x"), review.FORBIDDEN, "mx2:%s: is your own mail" % held.id)
        shown, = self.by(self.one, ANN, "show", "--json", held.id).json()
        self.assertEqual({each["action"]: each["allowed"] for each in shown["may"]}, {"release": False, "return": True, "delete": True})
        self.assertEqual(self.decisions(self.two, held), [])
        self.assertSaid(self.by(self.one, BOB, "release", held.id, reason="x"), 0, "released")

    def test_two_reviewers(self):
        """one on each of two nodes, for a message of the third"""
        for node in self.nodes:
            node.configure(approvals=2)
            self.addCleanup(node.configure)
            node.restart_agent()
            self.addCleanup(node.restart_agent)
        held, = self.hold_seen(self.three, sender="gina@me.example")
        self.assertSaid(self.by(self.one, ANN, "release", held.id, reason="fine"), 0, "^mx3:%s: approved, 1 of 2" % held.id)
        self.wait_published(self.three)
        self.assertSaid(self.by(self.two, ANN, "release", held.id, reason="again"), review.FORBIDDEN, "you have approved it already")
        self.assertSaid(self.by(self.two, BOB, "list"), 0, "1 of 2 approvals")
        self.three.assertOnHold(held)
        self.assertSaid(self.by(self.two, BOB, "release", held.id, reason="me too"), 0, "^mx3:%s: released" % held.id)
        self.three.assertArrived(held)
        self.assertSameTrail(self.three, held, [(ANN, "approve", "fine", None), (BOB, "approve", "me too", None), (BOB, "release", "me too", None)])

    # ---- what waits

    def test_waits(self):
        """for a node that is away: at once, shown by all, once; and carried out when it is back"""
        held, = self.hold_seen(self.three)
        self.make_away(self.three, 12)
        result = self.one.ask("release", held.id, reason="later")
        self.assertEqual((result.code, result.out), (review.PASSING, ""))
        self.assertIn("mx3:%s: waits for node mx3, which was last seen 12 min ago\n" % held.id, result.err)
        self.assertEqual(self.one.ask("release", held.id, reason="again").code, review.PASSING)
        self.assertEqual(len(self.decisions(self.three, held)), 1)
        for node in self.one, self.two:
            self.assertRegex(node.ask("list").out, r"(?m)^%s +mx3 \(away\) .* release by root waits " % held.id)
            each, = [json.loads(line) for line in node.ask("list", "--json").out.splitlines()]
            self.assertEqual({key: each["pending"][key] for key in ("action", "who", "by_node", "reason")}, {"action": "release", "who": "root", "by_node": "mx1", "reason": "later"})
            self.assertRegex(node.ask("show", held.id).out, r"(?m)^Waits         release by root by node mx1, ")
        self.three.assertOnHold(held)
        self.three.agent()
        self.assertEqual(self.answer(self.decisions(self.three, held)[0]["id"]).code, review.DONE)
        self.three.assertArrived(held)
        self.assertSameTrail(self.three, held, [("root", "release", "later", "mx1")])

    def test_removed(self):
        """the node is removed while a reviewer waits: nothing is decided, and nothing waits"""
        held, = self.hold_seen(self.three)
        self.three.stop_agent()
        self.addCleanup(self.three.restart_agent)
        said = []
        waiting = threading.Thread(target=lambda: said.append(self.one.ask("release", "--json", held.id, reason="ok")))
        waiting.start()
        daemon.wait_until(lambda: self.decisions(self.three, held), mta.LIMIT, "the decision")
        self.fleet.manage("remove", "mx3", "--anyway")
        waiting.join(mta.LIMIT)
        answer, = [json.loads(line) for line in (said[0].out + said[0].err).splitlines()]
        self.assertEqual((said[0].code, answer["code"], answer["waits"]), (review.WRONG, review.WRONG, False), answer)
        self.assertEqual(answer["said"], "is not decided: the decision was removed from the database, with its node")
        self.three.assertOnHold(held)

    def test_silent(self):
        """a node that is there and does not answer is waited for once, not for each message"""
        held = self.hold_seen(self.three, self.three, self.three, sender="gina@me.example")
        self.three.stop_agent()
        self.addCleanup(self.three.restart_agent)
        result = self.one.ask("delete", "--all", "--sender", "gina@me.example", "--yes", reason="x")
        self.assertEqual(result.code, review.PASSING, result)
        self.assertEqual(sorted(result.err.splitlines()), sorted("mx3:%s: waits for node mx3: it has not answered yet" % each.id for each in held))
        self.assertEqual(sum(len(self.decisions(self.three, each)) for each in held), 3)


if __name__ == "__main__":
    fleetpeople.main()
