"""No way to print a replay shows a recipient, unless --recipients is given."""

import re

import mailbox
import replaycase
import tap

WAYS = ([], ["--messages"], ["--json"], ["--json", "--messages"], ["--against", "other"], ["--against", "other", "--json"],
        ["--bcc-visible", "--messages"])


class Recipients(replaycase.ReplayCase):
    def everything(self, *arguments):
        """What is printed and what stands on the page."""
        return self.replay(*arguments, "sent") + self.page(*arguments, "sent")

    def addresses(self):
        return {address for message in self.made for address in message.to + message.bcc}

    def shown(self, text):
        """The recipients in a text; who is a sender as well is no secret."""
        senders = {message.sender for message in self.made}
        return set(re.findall(r"[\w.+-]+@[\w.-]+", text)) & (self.addresses() - senders)

    def test_not_shown(self):
        for arguments in WAYS:
            with self.subTest(arguments):
                text = self.everything(*arguments)
                self.assertEqual(self.shown(text), set())
                # Nor a piece of one: the names before the @ are of these forms.
                self.assertNotRegex(text, r"\b(person|q|p|hidden|colleague)\d+\b")
                self.assertNotIn("Subject", text)
                self.assertNotIn("message 1", text.replace("messages", ""))

    def test_shown_if_asked_for(self):
        """of the messages that are listed, and no others"""
        for arguments in WAYS:
            with self.subTest(arguments):
                self.assertGreater(len(self.shown(self.everything("--recipients", *arguments))), 20)

    def test_at_most_twenty(self):
        found, _last = self.objects("--messages", "--recipients", "sent")
        for each, message in zip(found, self.made):
            self.assertEqual(each["recipients"], list(dict.fromkeys(message.to))[:20])

    def test_individuals(self):
        """a party that is one mailbox is told as a number of its domain"""
        found, _last = self.objects("--messages", "sent")
        for each, message in zip(found, self.made):
            for party in each["parties"]:
                people = {address for address in message.external if address.endswith("@" + party["party"])}
                self.assertEqual((party["people"], party["individuals"]), (len(people), party["party"] in mailbox.FREE))
            self.assertEqual(each["more_parties"], max(0, len({address.split("@")[1] for address in message.external}) - 8))
        self.assertTrue(any(party["individuals"] for each in found for party in each["parties"]))

    def test_policy_texts(self):
        """a rule's text is not printed: it may name what it likes"""
        self.folder.write("talk", mailbox.POLICY.replace('quarantine "x"', 'quarantine "{visible} of {sender}, a secret"'))
        self.assertNotIn("secret", self.replay("--messages", "sent", policy="talk").replace("secret.example", ""))


if __name__ == "__main__":
    tap.main()
