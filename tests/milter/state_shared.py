"""Two daemons on one state file: what they have seen adds up, whoever asks; no race lets both of two messages through; and both outlive its loss."""

import glob
import os

import daemon
import damage
import ledgerfile
import statecase
import surroundings
import tap


class Shared(statecase.StateCase):
    def setUp(self):
        self.folder = daemon.temporary_directory()
        self.addCleanup(daemon.shutil.rmtree, self.folder, True)
        os.chmod(self.folder, 0o700)
        daemon.own(self.folder)
        self.path = os.path.join(self.folder, "state.db")

    def guards(self, policy=statecase.WINDOWS):
        config = {("state", "path"): self.path, ("state", "key"): os.path.join(self.folder, "state.key")}
        found = [self.guard(policy, config=config) for _ in range(2)]
        for guard in found:
            guard.state = self.path
        return found

    def test_windows_add_up(self):
        one, other = self.guards()
        self.assertEqual([self.again(guard) for guard in (one, other, one, other, other)], [9, 18, 27, 36, 45])
        one.stop()
        self.assertEqual(self.again(other), 54)
        other.stop()
        self.assertEqual(glob.glob(self.path + "*"), [self.path])

    def test_known(self):
        """what one has let pass the other knows"""
        one, other = self.guards(statecase.BOTH)
        circle = self.people()
        self.assertPassed(self.answered(lambda: self.send(one, circle)))
        daemon.wait_until(lambda: ledgerfile.query(self.path, "SELECT * FROM circle"), what="learning")
        answer = self.answered(lambda: self.send(other, circle))
        self.assertEqual(other.verdict(answer).known, "yes")
        one.stop()
        other.stop()

    def test_race(self):
        """of two at once one is held, or deferred, whichever daemon has it"""
        guards = self.guards(statecase.RACE)
        self.check_race(guards)
        self.check_race([guards[0]] * 2)
        for guard in guards:
            guard.stop()

    def test_deleted(self):
        """both begin the same new file, and it adds up"""
        guards = self.guards()
        for guard in guards:
            self.again(guard)
        for name in glob.glob(self.path + "*"):
            os.unlink(name)
        self.check_again(guards)

    def test_damaged(self):
        for kind in damage.everything, damage.the_rest, damage.cut_to_nothing:
            with self.subTest(kind=kind.__name__):
                guards = self.guards()
                for guard in guards:
                    self.again(guard)
                ledgerfile.execute(self.path, "PRAGMA wal_checkpoint(TRUNCATE)")
                for suffix in "", "-wal":
                    damage.damage(self.path + suffix, kind)
                self.check_again(guards)
                for name in glob.glob(self.path + "*"):
                    os.unlink(name)

    def check_again(self, guards):
        """Each has answered again, and then both see all that both let pass."""
        for guard in guards * 2:
            self.again(guard)
        before = self.again(guards[0])
        self.assertEqual([self.again(guard) for guard in (guards[1], guards[0], guards[1])], [before + 9, before + 18, before + 27])
        self.assertEqual(ledgerfile.integrity(self.path), ["ok"])
        for guard in guards:
            self.assertTrue(self.failures(guard))
            guard.stop()


if __name__ == "__main__":
    surroundings.enter()
    tap.main(120)
