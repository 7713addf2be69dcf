"""Two instances of Postfix on one host, each with a rcptguardd, are two nodes of a fleet.

It starts two MTAs and a PostgreSQL, which takes most of its time.
"""

import os
import signal
import subprocess

import daemon
import fleetdb
import instances
import mta
import mtacase
import postgres
import review

NODE, NODE_OUT = "mail", "mail-postfix-out"  # the short name of the tests' host, and that of the instance
OUT = ["--instance", instances.NAME_OUT]


class Nodes(instances.PairCase):
    @classmethod
    def setUpClass(cls):
        os.makedirs(instances.FOLDER, exist_ok=True)
        cls.pair, cls.guards, cls.agents = None, [], []
        cls.server = postgres.Server()
        try:
            fleetdb.init(cls.server)
            cls.pair = instances.Pair(apart=True)
            cls.mta = cls.pair.first
            cls.guard = cls.start(cls.pair.first, instances.CONFIG, NODE)
            cls.guard_out = cls.start(cls.pair.out, os.path.join(instances.FOLDER, instances.NAME_OUT + ".conf"), NODE_OUT)
            for options in [], OUT:
                cls.agents.append(subprocess.Popen([review.PROGRAM, "agent", "--wait", *options], env=daemon.environment(), stdin=subprocess.DEVNULL,
                                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True))
        except BaseException:
            cls.tearDownClass()
            raise

    @classmethod
    def start(cls, one, path, node):
        """A daemon and its configuration, which names the database and no node."""
        cls.server.create_role(node, ["rcptguard_node"], system_user=daemon.USER)
        guard = daemon.Daemon(cls.POLICY, socket=one.socket, config_path=path, config={("review", "mta"): "postfix", ("fleet", "database"): cls.server.conninfo(node)})
        cls.guards.append(guard)
        return guard

    @classmethod
    def tearDownClass(cls):
        for process in cls.agents:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        try:
            for guard in cls.guards:
                guard.__exit__(None, None, None)
        finally:
            if cls.pair is not None:
                cls.pair.close()
            cls.server.close()

    def setUp(self):
        self.config_path = instances.CONFIG

    def command(self, name, *arguments, reason=None):
        return [review.PROGRAM, name, *(["--reason", reason] if reason is not None else []), *arguments]

    def seen(self, *arguments):
        return {(one["node"], one["id"]) for one in self.ask("list", "--json", *arguments).json() if one["on_hold"]}

    def decided(self, *arguments, **options):
        """By the node that holds it."""
        result = fleetdb.in_the_end(self.server, self.ask(*arguments, **options))
        self.assertEqual((result.code, result.err), (review.DONE, ""), result)

    def test_nodes(self):
        """each is a node by its own name, and either decides about what the other holds"""
        first, second = self.hold_in_each()
        wanted = {(NODE, first.id), (NODE_OUT, second.id)}
        # What each sees in its own queue the other one sees then.
        daemon.wait_until(lambda: [self.seen(), self.seen(*OUT)] == [wanted, wanted], mta.LIMIT, "the messages of both nodes")
        self.assertEqual(self.seen("--node", NODE_OUT), {(NODE_OUT, second.id)})
        self.decided("release", second.id, reason="ok")
        self.assertArrivedAt(second)
        self.assertStays(first)
        self.decided("return", "%s:%s" % (NODE, first.id), *OUT, reason="ok")
        daemon.wait_until(lambda: [mail for mail in self.pair.first.deliveries() if mail.recipients == [mtacase.SENDER] and first.subject.replace(" ", ".") in mail.message],
                          mta.LIMIT, "the return of %s" % first.id)


if __name__ == "__main__":
    instances.main()
