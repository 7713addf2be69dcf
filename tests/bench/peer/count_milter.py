"""A milter with python3-milter that counts who is in To and Cc, and logs a line a message.

usage: count_milter.py SOCKET
"""

import ctypes
import email.utils
import sys
import syslog

import Milter

LIMIT = 6000
PACKET_LIMIT = 16 * 1024 * 1024


class Count(Milter.Base):
    @Milter.noreply
    def envfrom(self, sender, *_):
        self.lists, self.envelope = [], 0
        return Milter.CONTINUE

    @Milter.noreply
    def envrcpt(self, recipient, *_):
        self.envelope += 1
        return Milter.CONTINUE

    @Milter.noreply
    def header(self, name, value):
        if name.lower() in ("to", "cc"):
            self.lists.append(value)
        return Milter.CONTINUE

    def eom(self):
        count = len([address for _, address in email.utils.getaddresses(self.lists) if "@" in address])
        rejected = count >= LIMIT
        syslog.syslog("%s: verdict=%s visible=%d envelope=%d" % (self.getsymval("i"), "reject" if rejected else "accept", count, self.envelope))
        if rejected:
            self.setreply("550", "5.7.1", "too many recipients")
            return Milter.REJECT
        return Milter.ACCEPT


# libmilter ends a connection in which a header field is larger, and python3-milter does not pass this function on.
ctypes.CDLL("libmilter.so.1.0.1").smfi_setmaxdatasize(ctypes.c_size_t(PACKET_LIMIT))
syslog.openlog("count-python", syslog.LOG_PID, syslog.LOG_MAIL)
Milter.factory = Count
Milter.runmilter("count", sys.argv[1], 600)
