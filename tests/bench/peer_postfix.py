"""What each milter takes of Postfix's throughput: one private Postfix, a port for each milter.

smtp-source(1) sends over four sessions; the mail is delivered by discard(8).  Throughput is the
messages a second until the last one is taken.
"""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import time

import milters
from milters import Failure, Syslog, repeated, wait_for
from peer_programs import YARDSTICK, Rcptguardd

import daemon
import mta
import postfix

SESSIONS = 4
RECIPIENTS = 3
LIMIT = 120
NONE, CHECKS = "no milter", "header_checks"

# Each in a queue of its own kind would be another benchmark: all mail goes the same way after cleanup.
EXTRA = """\
default_transport = discard:
in_flow_delay = 0
header_checks =
"""

# More than fifty addresses in one field; what a person without a milter writes.
HEADER_CHECKS = r"/^(To|Cc):([^@]*@){51}/ REJECT too many recipients" + "\n"

SERVICE = """\
127.0.0.1:{port} inet n - n - - smtpd
  -o smtpd_milters={milter}
  -o cleanup_service_name={cleanup}
"""

MESSAGE = """\
Date: Mon, 06 Jul 2026 10:11:12 +0200
From: Customer Care <care@corp.example>
To: "Person 0, Example" <colleague1@corp.example>
Cc: "Person 1, Example" <person1.1@mail.customer1.example>,
	"Person 2, Example" <person1.2@mail.customer2.example>
Subject: Re: the offer of last week, and a question about the second page
Message-ID: <1b0c2f3a-77aa-4c19-9f5e-2f1f0e1d2c3b@corp.example>
User-Agent: Mozilla Thunderbird
MIME-Version: 1.0
Content-Type: text/plain; charset=UTF-8; format=flowed
Content-Transfer-Encoding: 8bit

""" + "The offer of last week, and a question about the second page of it.\n" * 32


class Box(postfix.Postfix):
    """A Postfix with more services, before it starts."""

    def __init__(self, milter_of):
        self.milter_of = milter_of
        super().__init__(extra=EXTRA)

    def path(self, *names):
        return pathlib.Path(self._path(*names))

    def _start(self):
        self.port_of = dict(zip(self.milter_of, mta.free_ports(len(self.milter_of))))
        with open(self.path("etc", "master.cf"), "a", encoding="ascii") as file:
            for name, port in self.port_of.items():
                file.write(SERVICE.format(port=port, milter=self.milter_of[name], cleanup="checks" if name == CHECKS else "cleanup"))
            file.write(f"checks unix n - n - 0 cleanup\n  -o header_checks=regexp:{self.path('etc', 'header_checks')}\n")
        self.path("etc", "header_checks").write_text(HEADER_CHECKS)
        self.path("message").write_text(MESSAGE)
        self._settle("etc")
        super()._start()

    def send(self, name, messages):
        """Seconds for so many messages."""
        command = ["smtp-source", "-d", "-s", str(SESSIONS), "-m", str(messages), "-r", str(RECIPIENTS), "-f", "care@corp.example", "-t", "ann@x.example",
                   "-F", str(self.path("message")), f"127.0.0.1:{self.port_of[name]}"]
        before = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LIMIT)
        seconds = time.monotonic() - before
        if done.returncode != 0 or done.stderr:
            raise Failure(f"smtp-source to {name}: {done.stderr.strip()}")
        return seconds

    def wait_empty(self):
        """Until all of it has been delivered, so that the next one has the machine for itself."""
        names = [self.path("queue", each) for each in ("incoming", "active", "deferred", "hold")]
        wait_for("an empty queue", lambda: not any(files for name in names for _, _, files in os.walk(name)), LIMIT)


class Throughput:
    def __init__(self, build, peers, messages):
        self.messages = messages
        self.peers = {peer.name: peer for peer in peers}
        self.sockets = pathlib.Path(daemon.temporary_directory())
        self.syslog = Syslog(self.sockets)
        os.symlink(self.sockets / "log", "/dev/log")
        self.build = build
        self.rates, self.cpu = {}, {}

    def start(self):
        for peer in self.peers.values():
            folder = self.sockets / re.sub(r"\W", "", peer.name)
            folder.mkdir()
            shutil.chown(folder, milters.USER, "postfix")
            folder.chmod(0o2755)
            peer.start(self.build, self.sockets, folder / "sock")
            shutil.chown(folder / "sock", milters.USER, "postfix")
            (folder / "sock").chmod(0o660)
        milter_of = {NONE: "", CHECKS: ""}
        milter_of.update({name: f"unix:{peer.daemon.path}" for name, peer in self.peers.items()})
        self.box = Box(milter_of)
        self.names = list(milter_of)

    def run(self, name):
        peer = self.peers.get(name)
        line = peer and peer.line(RECIPIENTS)
        self.syslog.expect(line or b"visible=")
        if peer:
            peer.daemon.find_processes()
        before = peer.daemon.cpu() if peer else 0
        seconds = self.box.send(name, self.messages)
        cpu = (peer.daemon.cpu() if peer else 0) - before
        self.box.wait_empty()
        self.syslog.check(self.messages if line else 0)
        return self.messages / seconds, cpu / self.messages * 1e6

    def measure(self, pairs):
        for name in self.names:
            repeated(lambda name=name: self.run(name))
        found = {name: [] for name in self.names}
        for pair in range(pairs):
            for name in self.names if pair % 2 == 0 else reversed(self.names):
                found[name].append(repeated(lambda name=name: self.run(name)))
        return found

    def close(self):
        try:
            if hasattr(self, "box"):
                self.box.close()
        finally:
            for peer in self.peers.values():
                peer.stop()
            os.unlink("/dev/log")
            shutil.rmtree(self.sockets, ignore_errors=True)


def interval(values):
    """Of the median, 95 % by order statistics: the counts of a binomial distribution with one half."""
    values, count = sorted(values), len(values)
    total, below, outside = 2 ** count, 0, 1
    for rank in range(count // 2):
        below += outside
        if below / total > 0.025:
            break
        outside = outside * (count - rank) // (rank + 1)
    else:
        rank = 0
    return values[max(rank - 1, 0)], values[min(count - rank, count - 1)]


def report(found):
    def ratios(name, yardstick):
        each = [mine[0] / other[0] for mine, other in zip(found[name], found[yardstick])]
        low, high = interval(each)
        return f"{statistics.median(each):.2f} ({min(each):.2f} to {max(each):.2f}; 95 %: {low:.2f} to {high:.2f})"
    print()
    print(f"| behind Postfix, {SESSIONS} sessions, {RECIPIENTS} named recipients | messages a second | to no milter | to the null milter | CPU of the milter, µs |")
    print("| --- | --- | --- | --- | --- |")
    for name, runs in found.items():
        cpu = statistics.median(each[1] for each in runs)
        print(f"| {name} | {statistics.median(each[0] for each in runs):.0f} | {ratios(name, NONE)} | {ratios(name, YARDSTICK)} | {cpu:.0f} |", flush=True)


def measure(build, peers, pairs, messages):
    throughput = Throughput(build, peers, messages)
    try:
        throughput.start()
        report(throughput.measure(pairs))
    finally:
        throughput.close()
