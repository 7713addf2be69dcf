"""What the MTA cut is `truncated`, and a long list that it did not cut is not: through a real Postfix."""

import mtacase
import policies

# "Firstname Lastname (Department of ..., Building ...)" <staff1@me.example>: over 60,000 bytes in all.
LONG_NAMES = ['"Maximiliane Featherstonehaugh (Department of Examples, Building %d)" <%s>' % (number, address)
              for number, address in enumerate(policies.colleagues(800))]


class Cut(mtacase.MtaCase):
    MTAS = ("postfix",)  # Sendmail cuts nothing

    def test_800_colleagues_with_long_names(self):
        """Cut, so held if one outsider gets it: he may stand behind the cut."""
        self.assertGreater(sum(map(len, LONG_NAMES)), 62000)
        line = self.check_held("plain", ["one@cust1.example"], to=LONG_NAMES, rule="unreadable", visible=0, hidden=1)
        self.assertIn("cut", line.defects.split(","))
        self.assertGreater(line.internal, 500)
        self.assertLess(line.internal, 800)

    def test_800_colleagues_with_long_names_among_themselves(self):
        """Cut, and no harm: nobody outside gets it."""
        people = policies.colleagues(800)
        subject, text = self.message(to=LONG_NAMES)
        queue_id = self.accepted("plain", people[:20], subject, text)
        self.assertDelivered(queue_id, subject, people[:20])
        line = self.guard.verdict(queue_id)
        self.assertLine(line, verdict="accept", visible=0)
        self.assertIn("cut", line.defects.split(","))

    def test_800_plain_colleagues(self):
        people = policies.colleagues(800)
        self.check_delivered("plain", people[:20], to=people, internal=800, visible=0, defects="none")

    def test_800_colleagues_with_short_names(self):
        people = policies.colleagues(800)
        self.check_delivered("plain", people[:20], to=["Ann Lee <%s>" % address for address in people], internal=800, visible=0, defects="none")


if __name__ == "__main__":
    mtacase.main(120)
