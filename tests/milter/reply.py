"""The reply's text: one line of printable ASCII that arrives as the policy wrote it."""

import guardcase
import policies
import tap


def rules():
    texts = [("percent", "100% sure, a%b, %s%n, %%"), ("accents", "Gr\u00fc\u00dfe aus K\u00f6ln, \u20ac 5, \u65e5\u672c"), ("long", "y" * 3000),
             ("long-percent", "%" * 900), ("quoted", 'say \\"hello\\" \\\\ back'), ("braces", "{{visible} is {visible}"), ("dots", "."),
             ("facts", "{sender} {user} {queue-id}")]
    return "".join(policies.rule(name, 'header("X-Case") = "%s"' % name, 'reject "%s"' % text) for name, text in texts)


class Reply(guardcase.GuardCase):
    POLICY = policies.policy(rules=rules())

    def reply(self, case, **options):
        answer, _ = self.judge(to=policies.people(2), headers=[("X-Case", case)], **options)
        self.assertRejected(answer)
        text = answer.reply
        self.assertTrue(text.isascii() and text.isprintable(), repr(text))
        return text[len("550 5.7.1 "):]

    def test_percent_signs_are_doubled_for_the_mta(self):
        self.assertEqual(self.reply("percent"), "100%% sure, a%%b, %%s%%n, %%%%")

    def test_other_letters_become_near_ones(self):
        text = self.reply("accents")
        self.assertRegex(text, r"^Gr.{1,3}e aus K.{1,2}ln, .+ 5, .+$")

    def test_a_long_text_is_cut(self):
        """libmilter takes 980 characters, and SMTP 512 bytes with code and end of line."""
        text = self.reply("long")
        self.assertLessEqual(len("550 5.7.1 " + text) + 2, 512)
        self.assertGreater(len(text), 400)

    def test_a_long_text_of_percent_signs(self):
        text = self.reply("long-percent")
        self.assertLessEqual(len(text), 980)
        self.assertEqual(text.replace("%%", ""), "", "a percent sign alone")
        self.assertGreater(len(text), 800)

    def test_quotes_and_backslashes(self):
        self.assertEqual(self.reply("quoted"), 'say "hello" \\ back')

    def test_braces(self):
        self.assertEqual(self.reply("braces"), "{visible} is 2")

    def test_a_text_of_one_dot(self):
        self.assertEqual(self.reply("dots"), ".")

    def test_facts_with_control_characters(self):
        text = self.reply("facts", user="a\r\nb%", sender='"x\ty"@me.example')
        self.assertNotIn("\r", text)
        self.assertIn("ab%", text.replace("%%", "%"))
        self.assertIn("%%", text)

    def test_a_long_fact_is_cut_at_64_bytes(self):
        text = self.reply("facts", user="u" * 500)
        self.assertLessEqual(text.count("u"), 64 + 1)


if __name__ == "__main__":
    tap.main()
