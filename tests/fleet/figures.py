"""The figures of the exchange with a fleet's database: rcptguard-fleet.prom beside the daemon's metrics, by a real agent; see METRICS in rcptguard-fleet(7)."""

import os
import pathlib
import time

import daemon
import decided
import fleetcase
import mta
import prometheus

PREFIX = "rcptguard_fleet_"


class Figures(fleetcase.FleetCase):
    NODES = ("postfix",)

    class Measured(fleetcase.Node):
        @classmethod
        def configure(cls, **keys):
            path = super().configure(**keys)
            cls.folder = os.path.join(cls.guard.directory, "metrics")
            os.makedirs(cls.folder, exist_ok=True)
            daemon.own(cls.folder)
            with open(path, "a", encoding="utf-8") as file:
                file.write("[metrics]\npath = %s/rcptguard.prom\ninstance = out\n" % cls.folder)
            return path

    BASES = (Measured,)

    def setUp(self):
        super().setUp()
        self.node, = self.nodes
        self.path = pathlib.Path(self.node.folder, "rcptguard-fleet.prom")

    def figures(self):
        """{name without what all have: value}; those with a label under `name/value`."""
        found = prometheus.read(self.path)
        for key in found.samples:
            self.assertEqual(key[1:3], ("rcptguard_instance", "out"), key)
        return {"/".join([key[0].removeprefix(PREFIX), *key[4::2]]): value for key, value in found.samples.items()}

    def wait_for(self, condition, what):
        """The figures, once they are so."""
        found = {}

        def look():
            found.clear()
            found.update(self.figures() if self.path.exists() else {})
            return bool(found) and condition(found)
        daemon.wait_until(look, 2 * mta.LIMIT, lambda: "%s: %s" % (what, found))
        return found

    def test_all_is_well(self):
        """what is held is published; the file is the daemon's user's, and everybody's to read"""
        held = self.node.hold()
        since = time.time()
        found = self.wait_for(lambda figures: figures["published_timestamp_seconds"] > since and figures["unpublished_messages"] == 0, "all is published")
        self.assertEqual(self.rows("SELECT node FROM rcptguard.held WHERE queue_id = '%s'" % held.id), [{"node": "mx1"}])
        self.assertGreaterEqual(found["reached_timestamp_seconds"], found["published_timestamp_seconds"] - 1)
        self.assertLessEqual(found["start_time_seconds"], found["published_timestamp_seconds"])
        self.assertEqual(found["waiting_decisions"], 0)
        self.assertNotIn("oldest_waiting_timestamp_seconds", found)
        self.assertEqual((self.path.owner(), self.path.stat().st_mode & 0o777), (daemon.USER, 0o644))
        daemon.wait_until(lambda: [path.name for path in self.path.parent.iterdir()] == ["rcptguard-fleet.prom"], mta.LIMIT, "the end of what is written beside it")

    def test_a_decision_waits(self):
        """one that cannot be carried out yet, and since when"""
        held = self.node.hold()
        self.wait_for(lambda figures: figures["unpublished_messages"] == 0, "all is published")
        key = decided.key_path(self.node)
        os.chmod(key, 0o644)  # so it seals nothing
        try:
            number, = self.decide([(self.node, held)])
            found = self.wait_for(lambda figures: figures["waiting_decisions"] == 1, "a decision waits")
            made, = self.rows("SELECT extract(epoch FROM at) AS at FROM rcptguard.decision WHERE id = %d" % number)
            self.assertAlmostEqual(found["oldest_waiting_timestamp_seconds"], float(made["at"]), places=3)
        finally:
            os.chmod(key, 0o600)
        self.assertEqual(self.answer(number).code, 0)
        self.wait_for(lambda figures: figures["waiting_decisions"] == 0 and "oldest_waiting_timestamp_seconds" not in figures, "none waits")

    def test_the_database_is_away(self):
        """it is counted, what is held meanwhile is counted, and the file is written all the same"""
        self.wait_for(lambda figures: figures["unpublished_messages"] == 0, "all is published")
        before = self.figures()
        self.server.stop()
        try:
            stopped = time.time()
            self.node.hold()
            found = self.wait_for(lambda figures: figures["errors_total/away"] > before["errors_total/away"] and figures["unpublished_messages"] > 0, "a failure is counted")
            self.assertLessEqual(found["reached_timestamp_seconds"], stopped)
            self.assertGreater(found["metrics_timestamp_seconds"], stopped)
        finally:
            self.server.start()
        self.wait_for(lambda figures: figures["reached_timestamp_seconds"] > stopped and figures["unpublished_messages"] == 0, "it is back")
        self.assertEqual({name: value for name, value in self.figures().items() if name in ("errors_total/refused", "errors_total/wrong")},
                         {"errors_total/refused": before["errors_total/refused"], "errors_total/wrong": before["errors_total/wrong"]})

    def test_the_database_refuses(self):
        """another kind of failure"""
        before = self.figures()
        self.server.psql("REVOKE rcptguard_node FROM mx1")
        self.hang_up("mx1")
        try:
            self.wait_for(lambda figures: figures["errors_total/refused"] > before["errors_total/refused"], "a refusal is counted")
        finally:
            self.server.psql("GRANT rcptguard_node TO mx1")
        self.wait_for(lambda figures: figures["reached_timestamp_seconds"] > time.time() - 5 and figures["unpublished_messages"] == 0, "it is let in")


if __name__ == "__main__":
    fleetcase.main(600)  # what is waited for may take a minute each time
