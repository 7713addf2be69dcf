"""A real pair of Postfix instances, as postmulti(1) manages them: the one without a name in /etc/postfix, and postfix-out.

    class Both(instances.PairCase):
        def test_something(self):
            held = self.hold_in(self.pair.out)

    if __name__ == "__main__":
        instances.main()

They have one host name, so that nothing but what setup writes tells them apart.  The test program has its own /etc.
"""

import os
import re
import subprocess

import daemon
import mta
import mtacase
import postfix
import review

ETC, ETC_OUT = "/etc/postfix", "/etc/postfix-out"
NAME, NAME_OUT = "postfix", "postfix-out"

# Where the configurations of rcptguard are: the program's help says it.
CONFIG = re.search(r"the configuration \((.*)\)", subprocess.run([daemon.PROGRAM, "--help"], stdout=subprocess.PIPE, check=True).stdout.decode()).group(1)
FOLDER = os.path.dirname(CONFIG)

_FIRST = """\
multi_instance_enable = yes
multi_instance_directories = %s
""" % ETC_OUT

_SECOND = """\
multi_instance_enable = yes
multi_instance_name = %s
""" % NAME_OUT


class Pair:
    """
    apart   each has a socket in its own queue directory; else both have one of TCP
    short   queue ids are short
    """

    def __init__(self, apart=False, short=False):
        more = "enable_long_queue_ids = no\n" if short else ""
        self.first = postfix.Postfix(milter="unix" if apart else "inet", extra=_FIRST + more, etc=ETC)
        try:
            self.out = postfix.Postfix(milter="unix" if apart else self.first, extra=_SECOND + more, etc=ETC_OUT)
        except BaseException:
            self.first.close()
            raise

    def close(self):
        try:
            self.first.close()
        finally:
            self.out.close()

    def __iter__(self):
        return iter((self.first, self.out))

    def name_of(self, one):
        return NAME if one is self.first else NAME_OUT


class PairCase(review.ReviewCase):
    """Both behind one daemon; `self.mta` is the first."""

    MTAS = ("postfix",)
    SHORT = False
    PLACES = "postmulti"  # `postfix-config` in [review]

    @classmethod
    def setUpClass(cls):
        cls.pair = Pair(short=cls.SHORT)
        cls.mta = cls.pair.first
        try:
            cls.guard = daemon.Daemon(cls.POLICY, socket=cls.mta.socket, config=cls.CONFIG)
        except BaseException:
            cls.pair.close()
            raise
        cls.configure()

    @classmethod
    def tearDownClass(cls):
        try:
            cls.guard.__exit__(None, None, None)
        finally:
            cls.pair.close()

    @classmethod
    def configure(cls, **keys):
        return super().configure(**{"postfix-config": cls.PLACES, **keys})

    def daemons(self):
        return getattr(self, "guards", None) or [self.guard]

    def tearDown(self):
        for one in self.pair:
            for queue_id in one.held():
                one.drop(queue_id)

    def hold_in(self, one, **options):
        """Puts a message on hold in one of them; it knows which."""
        self.mta = one
        try:
            held = self.hold(**options)
        finally:
            del self.mta
        held.mta = one
        return held

    def hold_in_each(self, **options):
        return [self.hold_in(one, **options) for one in self.pair]

    def assertArrivedAt(self, held):
        """By its own instance, each recipient once, and by no other."""
        daemon.wait_until(lambda: len(held.mta.recipients(held.subject)) >= len(held.recipients), mta.LIMIT, "the delivery of %s" % held.subject)
        self.assertEqual(held.mta.recipients(held.subject), sorted(held.recipients))
        for one in self.pair:
            if one is not held.mta:
                self.assertEqual(one.recipients(held.subject), [])

    def assertStays(self, *many):
        for held in many:
            self.assertIn(held.id, held.mta.held())
            self.assertEqual(held.mta.recipients(held.subject), [])

    def set_in(self, one, *lines):
        """Values of main.cf, which Postfix reads anew."""
        subprocess.run(["postconf", "-c", one.etc, "-e", *lines], check=True)
        daemon.settle(os.path.join(one.etc, "main.cf"))
        one.reload()


def main():
    mtacase.main(folders=("/etc", os.path.dirname(os.path.dirname(FOLDER))) if not FOLDER.startswith("/etc/") else ("/etc",))
