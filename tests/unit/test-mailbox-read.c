/* test-mailbox-read - messages from files: where they begin, where their headers end */

#include "pack.h"
#include "policy/mailbox/mailbox_read.h"
#include "unit.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

struct taken {
    GString *text; /* `file[index] Name=value Name=value` a message, one a line */
    size_t root;   /* length of the folder's path, which is left out */
    unsigned stop; /* after so many; 0: never */
    unsigned count;
};

static bool take(void *data, struct message *message, const char *file, unsigned index)
{
    struct taken *taken = data;

    g_string_append_printf(taken->text, "%s%s[%u]", taken->text->len > 0 ? "\n" : "", file + taken->root, index);
    for (unsigned i = 0; i < message->headers->len; i++) {
        const struct header *header = g_ptr_array_index(message->headers, i);
        if (strlen(header->value) < 200)
            g_string_append_printf(taken->text, " %s=%s", header->name, header->value);
        else
            g_string_append_printf(taken->text, " %s=(%zu)", header->name, strlen(header->value));
    }
    if (message->overflow)
        g_string_append(taken->text, " overflow");
    message_free(message);
    taken->count++;
    return taken->stop == 0 || taken->count < taken->stop;
}

static void pass(void *data, const char *file)
{
    struct taken *taken = data;

    g_string_append_printf(taken->text, "%s-%s", taken->text->len > 0 ? "\n" : "", file + taken->root);
}

/* What is read from FOLDER/name, and passed over there, then what is said of it. */
static char *read_in(const char *folder, const char *name, unsigned stop)
{
    auto_free(diags) diags = diags_new();
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct taken taken = {.text = g_string_new(NULL), .root = strlen(folder) + 1, .stop = stop};
    bool go_on = mailfile_read_noting(path, take, pass, &taken, diags);

    g_assert_true(go_on == (stop == 0 || taken.count < stop));
    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        g_string_append_printf(taken.text, "%s!%s", taken.text->len > 0 ? "\n" : "", diag->file + taken.root);
        if (diag->line > 0)
            g_string_append_printf(taken.text, ":%u", diag->line);
        g_string_append_printf(taken.text, ": %s", diag->message);
    }
    return g_string_free(taken.text, FALSE);
}

static void check(const char *content, gssize length, const char *want)
{
    char *folder = folder_new();
    g_free(folder_write(folder, "m", content, length));
    g_autofree char *got = read_in(folder, "m", 0);

    if (strcmp(got, want) != 0)
        UNIT_FAIL("%s\ngave `%s`, want `%s`", content, got, want);
    folder_free(folder);
}

/* What is said. */
#define INTERNAL  "DON'T DELETE THIS MESSAGE -- FOLDER INTERNAL DATA"
#define NO_MAIL   "is no header field; expected a message or a mailbox"
#define NO_HEADER "is where a header was to begin; expected a field such as From, To or Date"
#define NO_NAME   "has header fields, and none that mail has; expected From, To, Date or the like"
#define HIDES     "is no header field, and text before a header hides it; expected what begins in line "
#define BROKEN    "is no header field and no empty line; an MTA ends the header here, and what follows is body"
#define DIALOGUE  "is an SMTP dialogue; expected the message alone, as it follows DATA"
#define RETURNS   "has lines that end with a carriage return alone; expected line feeds, for example by `tr '\\r' '\\n'`"
#define NOT_READ  ", which is not read; expected the messages themselves, or a mailbox"
#define WIDE      "is UTF-16, which no mail is; expected bytes, for example from `iconv -f UTF-16 -t UTF-8`"
#define LIKE                                                                                                           \
    "looks like the beginning of a message and is not counted; expected From, Date, Received, Message-ID or "          \
    "Return-Path in the 20 lines that follow"

static void test_messages(void)
{
    static const char *const cases[][2] = {
        {"To: a@x.example\nCc: b@y.example\n\nTo: body@x.example\n", "m[0] To=a@x.example Cc=b@y.example"},
        {"To: a@x.example\r\nCc: b@y.example\r\n\r\nTo: body\r\n", "m[0] To=a@x.example Cc=b@y.example"},
        {"To: a@x.example", "m[0] To=a@x.example"},
        {"To: a@x.example,\n b@y.example,\n\tc@z.example\nX: y\n\n",
         "m[0] To=a@x.example,\n b@y.example,\n\tc@z.example X=y"},
        {"To:a\nTo :b\nTo\t: c\nTO:  d \n\n", "m[0] To=a To=b To=c TO= d "},
        {"To:\nCc:\n a@x.example\n\n", "m[0] To= Cc=\n a@x.example"},
        {"To: a\n  \n b\n\nbody", "m[0] To=a\n  \n b"}, /* a line of blanks goes on */
        {"TO: a\r\r\nCc: b\r\r\n\r\r\nbody: x\n", "m[0] TO=a Cc=b"},
        /* A line that is no field ends the headers, as it does for an MTA. */
        {"To: a\nno field\nCc: b\n\n", "m[0] To=a\n!m:2: " BROKEN},
        {"To: a\n: x\nCc: b\n", "m[0] To=a\n!m:2: " BROKEN},
        {"\n\nX: y\nTo: a\nno field", "m[0] X=y To=a\n!m:5: " BROKEN},
        /* What a mailbox or a program left at the top. */
        {"From care@me.example at home\nTo: a\n\n", "m[0] To=a"},
        {">From care@me.example Mon Nov 23 18:34:00 2026\nTo: a\n\n", "m[0] To=a"},
        {"\xef\xbb\xbfTo: a\n\n", "m[0] To=a"},
        {"\nTo: a\n", "m[0] To=a"},
        {" \t\r\n\r\n\n\nTo: a\n", "m[0] To=a"},
        {"\xef\xbb\xbf\r\nTo: a\n", "m[0] To=a"},
        {"1764\nTo: a\n\nbody\n<?xml version=\"1.0\"?>\n<plist/>\n", "m[0] To=a"},
        {"1764      \r\nTo: a\n\n", "m[0] To=a"},
        {"Microsoft Mail Internet Headers Version 2.0\r\nTo: a\r\n\r\n", "m[0] To=a"},
        {"", "!m: is empty; expected a message or a mailbox"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i][0], -1, cases[i][1]);
    /* A NUL hides nothing. */
    check("To: a@x.example\0, b@y.example\nCc: c\n\n", 37, "m[0] To=a@x.example , b@y.example Cc=c");
}

/* What is no message is not counted as one that has no recipients, and why is said. */
static void test_no_messages(void)
{
    static const char *const cases[][2] = {
        {"no field", "!m:1: " NO_MAIL},
        {"\n \nno field", "!m:3: " NO_MAIL},
        {"From now on all is well\n\nBye\n", "!m:1: " NO_MAIL},
        {" continues nothing\nTo: a\n\n", "!m:1: " HIDES "2, alone"},
        {"\n\nHello,\nwho wrote this:\nTo: a\n\n", "!m:3: " HIDES "5, alone"},
        {"1764\nno field\nTo: a\n\n", "!m:1: " HIDES "3, alone"},
        {"<html><pre>\nReceived: x\nTo: a\n\n", "!m:1: " HIDES "2, alone"},
        {"\n \n\t\n", "!m: holds nothing but blanks; expected a message or a mailbox"},
        {"220 mx ESMTP\r\nEHLO me\r\nMAIL FROM:<a@x.example>\r\nTo: a\r\n", "!m:1: " DIALOGUE},
        {"MAIL FROM:<a@x.example>\nRCPT TO:<b@x.example>\nDATA\nTo: a\n\n", "!m:1: " DIALOGUE},
        {"To: a\rCc: b\r\rbody\r", "!m:1: " RETURNS},
        {"X: y\rTo: a\r\rbody\n", "!m:1: " RETURNS},
        {"BEGIN:VCARD\nFN:Ann\n\n", "!m:1: " NO_NAME},
        {"X: y\n", "!m:1: " NO_NAME},
        {"Content-Type: message/rfc822\n\nTo: a\n", "!m:1: " NO_NAME},
        {"https://x.example/\n", "!m:1: " NO_NAME},
        {"BABYL OPTIONS: -*- rmail -*-\nTo: a\n", "!m: is a Babyl file of Emacs" NOT_READ},
        {"!BDN....", "!m: is an Outlook data file (.pst)" NOT_READ},
        {"2 M1a C5f0e9d3b\n\001\002N", "!m: is a file of Dovecot's dbox" NOT_READ},
        {"C_            1234             567              12               0    ",
         "!m: is a queue file of Postfix; expected what `postcat` prints of it"},
    };
    g_autofree char *tar = g_malloc0(1024);

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i][0], -1, cases[i][1]);
    check("\0\0\0", 3, "!m:1: " NO_MAIL);
    check("\xff\xfeT\0o\0:\0 \0a\0\n\0", 14, "!m: " WIDE);
    check("\xfe\xff\0T\0o\0:\0 \0a\0\n", 14, "!m: " WIDE);
    check("T\0o\0:\0 \0a\0\n\0", 12, "!m: " WIDE);
    memcpy(tar, "mail/1", 6);
    memcpy(tar + 257, "ustar", 5);
    check(tar, 1024, "!m: is a tar archive" NOT_READ);
}

/* What postcat prints of a queue file; the envelope is another test's. */
static void test_postcat(void)
{
#define RECORDS  "*** ENVELOPE RECORDS hold/4j ***\nsender: a@x.example\nrecipient: b@x.example\n"
#define CONTENTS "*** MESSAGE CONTENTS hold/4j ***\n"
#define AFTER    "*** HEADER EXTRACTED hold/4j ***\nrecipient: c@x.example\n*** MESSAGE FILE END hold/4j ***\n"
    static const char *const cases[][2] = {
        {RECORDS CONTENTS "To: a\n\nbody\n" AFTER, "m[0] To=a"},
        {RECORDS CONTENTS "To: a\n" AFTER, "m[0] To=a"},
        {"\n" RECORDS CONTENTS "To: a\n\nbody\n" AFTER "\n" RECORDS CONTENTS "To: b\n\n" AFTER, "m[0] To=a\nm[1] To=b"},
        /* Another name: it is text. */
        {RECORDS CONTENTS "To: a\n\n*** MESSAGE FILE END hold/5 ***\n" CONTENTS "To: b\n" AFTER, "m[0] To=a"},
        {RECORDS CONTENTS "To: a\n\nbody\n",
         "m[0] To=a\n!m: ends early; expected the line `*** MESSAGE FILE END` of postcat"},
        {RECORDS AFTER, "!m: holds an envelope and no message; expected all that postcat prints"},
        {RECORDS CONTENTS "no field\n" AFTER,
         "!m:5: is where a header was to begin; expected a field such as From, To or Date\n"
         "!m: holds an envelope and no message; expected all that postcat prints"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i][0], -1, cases[i][1]);
}

static bool take_envelope(void *data, struct message *message, const char *file, unsigned index)
{
    (void)file;
    (void)index;
    mailfile_envelope(message, NULL, NULL);
    g_string_append_printf(data, "%s: %s", message->sender, message->envelope_unknown ? "unknown" : "");
    for (unsigned i = 0; i < message->recipients->len; i++)
        g_string_append_printf(data, " %s", (const char *)g_ptr_array_index(message->recipients, i));
    if (message->user != NULL)
        g_string_append_printf(data, " by %s", message->user);
    g_string_append(data, "\n");
    message_free(message);
    return true;
}

static void test_postcat_envelope(void)
{
    char *folder = folder_new();
    auto_free(diags) diags = diags_new();
    GString *got = g_string_new(NULL);
    g_autofree char *path = folder_write(
        folder, "m",
        RECORDS
        "done_recipient: d@x.example\noriginal_recipient: o@x.example\nnamed_attribute: sasl_username=ann\n" CONTENTS
        "From: f@x.example\nTo: a\n\nrecipient: no@x.example\n" AFTER
        "*** ENVELOPE RECORDS hold/4j ***\nsender: \nrecipient: z@x.example\n" CONTENTS
        "To: a\n\n*** MESSAGE FILE END hold/4j ***\n",
        -1);

    g_assert_true(mailfile_read(path, take_envelope, got, diags));
    g_assert_cmpuint(diags_count(diags), ==, 0);
    g_assert_cmpstr(got->str, ==, "a@x.example:  b@x.example d@x.example c@x.example by ann\n:  z@x.example\n");
    g_string_free(got, TRUE);
    folder_free(folder);
}

#define FROM "From care@me.example Mon Nov 23 18:34:00 2026\n"

static void test_mbox(void)
{
    static const char *const cases[][2] = {
        {FROM "To: a\n\nbody\n\n" FROM "To: b\n\nbody\n", "m[0] To=a\nm[1] To=b"},
        {"\n\n" FROM "To: a\n\nbody\n\n" FROM "To: b\n", "m[0] To=a\nm[1] To=b"},
        {"\xef\xbb\xbf" FROM "To: a\n\nbody\n\n" FROM "To: b\n", "m[0] To=a\nm[1] To=b"},
        /* A line in a body that begins so: escaped, without what a header has, or a sentence. */
        {FROM "To: a\n\nbody\n\n>From x Mon Nov 23 18:34:00 2026\nTo: b\n", "m[0] To=a"},
        {FROM "To: a\n\nbody\nFrom x Mon Nov 23 18:34:00 2026\nTo: b\n", "m[0] To=a\n!m:5: " LIKE},
        {FROM "To: a\n\nbody\n\nFrom now on all is well\nhttp://x.example\n", "m[0] To=a"},
        {FROM "To: a\n\nbody\n\nFrom 9:30 to 11:00 in May\n\nBye\n", "m[0] To=a"},
        {FROM "To: a\n\nbody\n\nFrom May 9 to June 3, 9:30, we\nclose.\n", "m[0] To=a\n!m:6: " LIKE},
        {FROM "To: a\n\n" FROM "To: b\n\n" FROM "To: c\n\n", "m[0] To=a\nm[1] To=b\nm[2] To=c"},
        {FROM FROM, "!m:2: " NO_HEADER},
        {FROM, "!m:2: " NO_HEADER},
        {FROM "\n" FROM "To: a\n", "m[0] To=a\n!m:2: " NO_HEADER},
        {FROM "no field\nTo: a\n\n" FROM "To: b\n", "m[0] To=b\n!m:2: " NO_HEADER},
        {FROM "To: a\n\n" FROM "\nTo: b\n", "m[0] To=a\n!m:4: " LIKE},
        {FROM "X: y\n\n" FROM "To: b\n", "m[0] To=b\n!m:2: " NO_NAME},
        /* Without a blank line between them, without a time, or with nothing; of all kinds in one file. */
        {FROM "To: a\n\nbody\n" FROM "From: b\n", "m[0] To=a\nm[1] From=b"},
        {FROM "To: a\n" FROM "From: b\n", "m[0] To=a\nm[1] From=b"},
        {"From \r\nFrom: a\r\n\r\nx\r\n\r\nFrom \r\nDate: b\r\n", "m[0] From=a\nm[1] Date=b"},
        {"From\nFrom: a\n\nx\nFrom\nDate: b\n", "m[0] From=a\nm[1] Date=b"},
        {"From ann@x.example 2026-11-23\nTo: a\n\nx\n\nFrom MAILER-DAEMON\nX: y\nReceived: b\n\nFrom -\n"
         "Return-path: c\n\n" FROM "MESSAGE-ID : d\n",
         "m[0] To=a\nm[1] X=y Received=b\nm[2] Return-path=c\nm[3] MESSAGE-ID=d"},
        {FROM "To: a\n\nx\n\nFrom \n>From x@x.example Mon Nov 23 18:34:00 2026\nDate: b\n", "m[0] To=a\nm[1] Date=b"},
        {FROM "To: a\n\nx\n\nFrom \nTo: b\n\nDate: c\n", "m[0] To=a\n!m:6: " LIKE},
        {FROM "To: a\n\nFrom \nTo: b\n\nFrom \nTo: c\n\nFrom -\nTo: d\n",
         "m[0] To=a\n!m:4: " LIKE "\n!m: has 2 more lines that look like the beginning of a message"},
        {FROM "To: a\nno\n\n" FROM "To: b\nno\n",
         "m[0] To=a\nm[1] To=b\n!m:3: " BROKEN "\n!m: has 1 more header that ends at a line that is no field"},
        {"From - Mon Nov 23 18:34:00 2026\r\nTo: a\r\n\r\nbody\r\n\r\nFrom - Mon Nov 23 18:34:00 2026\r\nTo: b\r\n",
         "m[0] To=a\nm[1] To=b"},
        /* Where a server of IMAP keeps its numbers. */
        {FROM "From: Mail System Internal Data <MAILER-DAEMON@x.example>\nSubject: " INTERNAL
              "\nX-IMAP: 1 2\n\ntext\n\n" FROM "To: a\n\n" FROM "Subject: " INTERNAL "\n",
         "m[0] To=a\nm[1] Subject=" INTERNAL},
        /* A Content-Length is the sender's word, and may be a lie. */
        {FROM "Content-Length: 999\nTo: a\n\nbody\n\n" FROM "To: b\n", "m[0] Content-Length=999 To=a\nm[1] To=b"},
        /* A message is no mailbox: what its body quotes begins no other. */
        {"To: a\n\nbody\n\n" FROM "To: b\n", "m[0] To=a"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i][0], -1, cases[i][1]);
}

/* How far what makes a separator may be from it: 20 lines; with a date, as far as the header goes and there is room. */
static void test_far(void)
{
    for (unsigned lines = 17; lines <= 21; lines++) {
        GString *mbox = g_string_new(FROM "To: a\n\nx\n\nFrom \n");
        GString *dated = g_string_new(FROM "To: a\n\nx\n\n" FROM);
        g_autofree char *got = NULL, *got_dated = NULL;
        char *folder = folder_new();
        for (unsigned i = 0; i < lines; i++) {
            g_string_append(mbox, i == 0 ? "X: 1\n" : " 2\n");
            g_string_append(dated, i == 0 ? "X: 1\n" : " 2\n");
        }
        g_string_append(mbox, "Date: x\n\n");
        g_string_append(dated, "To: b\n\n");
        folder_put(folder, "m", mbox->str);
        folder_put(folder, "d", dated->str);
        got = read_in(folder, "m", 0);
        got_dated = read_in(folder, "d", 0);
        if ((strstr(got, "Date=x") != NULL) != (lines < 20) || (strstr(got, LIKE) != NULL) != (lines >= 20) ||
            strstr(got_dated, "To=b") == NULL)
            UNIT_FAIL("%u lines: %s %s", lines, got, got_dated);
        g_string_free(mbox, TRUE);
        g_string_free(dated, TRUE);
        folder_free(folder);
    }
}

static void test_mmdf(void)
{
#define BAR "\1\1\1\1\n"
    static const char *const cases[][2] = {
        {BAR "To: a\n\nbody\n" BAR BAR "To: b\n\n" FROM "To: c\n" BAR, "m[0] To=a\nm[1] To=b"},
        {BAR "To: a\n\nbody\n" BAR "To: b\n", "m[0] To=a\nm[1] To=b"},
        {BAR FROM "To: a\n" BAR "\n" BAR "To: b\n", "m[0] To=a\nm[1] To=b"},
        {"\1\1\1\1\r\nTo: a\r\n\r\nbody\r\n\1\1\1\1\r\n", "m[0] To=a"},
        {BAR BAR, "!m: holds no message; expected one between its separators"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i][0], -1, cases[i][1]);
}

/* Lines of any length, in headers and bodies, and headers beyond what is kept. */
static void test_long(void)
{
    static const size_t lengths[] = {16382, 16383, 16384, 16385, 32768, 1000000};

    for (unsigned i = 0; i < G_N_ELEMENTS(lengths); i++) {
        g_autofree char *line = g_strnfill(lengths[i], 'a');
        g_autofree char *content = g_strdup_printf("To: %s\nCc: b\n\n%s\nTo: c\n", line, line);
        g_autofree char *mbox = g_strdup_printf(FROM "To: a\n\n%s\n\n" FROM "To: %s\n", line, line);
        g_autofree char *want = g_strdup_printf("m[0] To=(%zu) Cc=b", lengths[i]);
        g_autofree char *want_mbox = g_strdup_printf("m[0] To=a\nm[1] To=(%zu)", lengths[i]);
        check(content, -1, want);
        check(mbox, -1, want_mbox);
    }
    {
        char *folder = folder_new();
        g_autofree char *line = g_strnfill(17u * 1024 * 1024, 'a');
        g_autofree char *content = g_strdup_printf("X: y\nTo: %s\nCc: b\n\n", line);
        g_free(folder_write(folder, "m", content, -1));
        g_autofree char *got = read_in(folder, "m", 0);
        g_assert_nonnull(strstr(got, " overflow"));
        g_assert_nonnull(strstr(got, "X=y"));
        folder_free(folder);
    }
}

/* A Maildir, folders of messages in the order of their names, and what is not read. */
static void test_folders(void)
{
    char *folder = folder_new();
    g_autofree char *link = g_build_filename(folder, "mail", "zlink", NULL);
    g_autofree char *fifo = g_build_filename(folder, "mail", "fifo", NULL);
    g_autofree char *got = NULL;

    folder_put(folder, "mail/cur/2:2,S", "To: b\n\n");
    folder_put(folder, "mail/cur/1:2,S", "To: a\n\n");
    folder_put(folder, "mail/new/3", "To: c\n\n");
    folder_put(folder, "mail/tmp/4", "To: no\n\n");
    folder_put(folder, "mail/.hidden", "To: no\n\n");
    folder_put(folder, "mail/box", FROM "To: d\n\n" FROM "To: e\n\n");
    folder_put(folder, "mail/empty", "");
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    g_assert_cmpint(symlink("missing", link), ==, 0);
    got = read_in(folder, "mail", 0);
    g_assert_cmpstr(
        got, ==,
        "mail/box[0] To=d\nmail/box[1] To=e\nmail/cur/1:2,S[0] To=a\nmail/cur/2:2,S[0] To=b\nmail/new/3[0] To=c\n"
        "!mail/fifo: is not a regular file; use `-` for standard input\n"
        "!mail/zlink: does not exist; expected a message or a mailbox");
    folder_free(folder);
}

/* Folders of a Maildir++ are mail too. */
static void test_maildir_folders(void)
{
    char *folder = folder_new();
    g_autofree char *got = NULL;

    folder_put(folder, "mail/cur/1", "To: a\n\n");
    folder_put(folder, "mail/.Sent/cur/2", "To: b\n\n");
    got = read_in(folder, "mail", 0);
    if (strstr(got, "To=b") == NULL)
        UNIT_FAIL("a folder of the Maildir is left out in silence: %s", got);
    folder_free(folder);
}

/* What a server keeps beside the mail of a Maildir is no mail; elsewhere the name says nothing. */
static void test_maildir_servers(void)
{
    char *folder = folder_new();
    g_autofree char *got = NULL;

    folder_put(folder, "mail/cur/1", "To: a\n\n");
    folder_put(folder, "mail/new/2", "To: b\n\n");
    folder_put(folder, "mail/dovecot-uidlist", "3 V1 N5\n");
    folder_put(folder, "mail/courierimapuiddb", "1 2 3\n");
    folder_put(folder, "mail/maildirsize", "1S\n");
    folder_put(folder, "mail/subscriptions", "Sent\n");
    folder_put(folder, "mail/dovecot/3", "To: c\n\n");
    folder_put(folder, "mail/dovecot/dovecot", "To: d\n\n");
    got = read_in(folder, "mail", 0);
    g_assert_cmpstr(got, ==,
                    "mail/cur/1[0] To=a\nmail/dovecot/3[0] To=c\nmail/dovecot/dovecot[0] To=d\nmail/new/2[0] To=b");
    folder_free(folder);
}

/* Folders of programs: what is no mail is passed over, and what may be is reported. */
static void test_others(void)
{
    char *folder = folder_new();
    g_autofree char *got = NULL;

    folder_put(folder, "mail/1", "To: a\n\n"); /* MH */
    folder_put(folder, "mail/,2", "To: no\n\n");
    folder_put(folder, "mail/#3", "To: no\n\n");
    folder_put(folder, "mail/,x", "To: b\n\n");
    folder_put(folder, "mail/.mh_sequences", "unseen: 1\n");
    folder_put(folder, "mail/Sent.msf", "// <!-- <mdb:mork:z v=\"1.4\"/> -->\n"); /* Thunderbird */
    folder_put(folder, "mail/Sent.sbd/2026", "From \nFrom: c\n\n");
    folder_put(folder, "mail/rules.dat", "version=\"9\"\n");
    folder_put(folder, "mail/Trash", "");
    folder_put(folder, "mail/blank", "\n\n");
    folder_put(folder, "mail/a.pdf", "%PDF-1.7\n");
    folder_put(folder, "mail/card.vcf", "BEGIN:VCARD\nFN:Ann\n");
    folder_put(folder, "mail/text", "From now on all is well.\n");
    g_free(folder_write(folder, "mail/thumbs.db", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\n", 11));
    g_free(folder_write(folder, "mail/desktop.ini", "\xff\xfe[\0x\0]\0", 8));
    folder_put(folder, "mail/offer.docx", "PK\003\004offer");
    /* These may be mail. */
    folder_put(folder, "mail/z.zip", "PK\003\004mail");
    g_free(folder_write(folder, "mail/z.MSG", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\0\0\n", 11));
    folder_put(folder, "mail/z1", "Forwarded:\nhello\nTo: a\n");
    folder_put(folder, "mail/z2", "hello\nTo: a\n");
    folder_put(folder, "mail/z3/cur/1", "hello\n");
    folder_put(folder, "mail/z3/cur/2", "");
    folder_put(folder, "mail/z3/other", "hello\n");
    got = read_in(folder, "mail", 0);
    g_assert_cmpstr(
        got, ==,
        "-mail/#3\n-mail/,2\nmail/,x[0] To=b\nmail/1[0] To=a\n-mail/Sent.msf\nmail/Sent.sbd/2026[0] From=c\n"
        "-mail/a.pdf\n-mail/blank\n-mail/card.vcf\n-mail/desktop.ini\n-mail/offer.docx\n-mail/rules.dat\n-mail/text\n"
        "-mail/thumbs.db\n-mail/z3/other\n"
        "!mail/z.MSG: is an Outlook message (.msg)" NOT_READ
        "\n!mail/z.zip: is packed by zip, which is not read; expected gzip, xz, zstd, or mail as it "
        "is\n!mail/z1:1: " NO_NAME "\n!mail/z2:1: " HIDES "2, alone\n!mail/z3/cur/1:1: " NO_MAIL
        "\n!mail/z3/cur/2: is empty; expected a message or a mailbox");
    folder_free(folder);
}

/* Packed files, alone and in folders, by what is in them and not by their names. */
static void test_packed(void)
{
    static const char mbox[] = FROM "To: a\n\nbody\n\n" FROM "To: b\n\nbody\n";

    for (unsigned i = 0; i < G_N_ELEMENTS(pack_formats); i++) {
        char *folder = folder_new();
        g_autoptr(GByteArray) packed = pack_formats[i].pack(mbox, sizeof mbox - 1);
        g_autoptr(GByteArray) one = pack_formats[i].pack("To: c\n\nbody\n", 12);
        g_autoptr(GByteArray) empty = pack_formats[i].pack("", 0);
        g_autofree char *got = NULL;

        g_free(folder_write(folder, "d/box", (const char *)packed->data, (gssize)packed->len));
        g_free(folder_write(folder, "d/cur/1", (const char *)one->data, (gssize)one->len));
        g_free(folder_write(folder, "d/empty", (const char *)empty->data, (gssize)empty->len));
        g_free(folder_write(folder, "d/short", (const char *)packed->data, (gssize)packed->len - 3));
        folder_put(folder, "d/x.gz", "To: d\n\n");
        g_free(folder_write(folder, "d/new/2", (const char *)empty->data, (gssize)empty->len));
        got = read_in(folder, "d", 0);
        if (strstr(got, "d/box[0] To=a\nd/box[1] To=b\nd/cur/1[0] To=c\n") != got ||
            strstr(got, "\nd/x.gz[0] To=d") == NULL ||
            strstr(got, "\n!d/new/2: is empty; expected a message or a mailbox\n!d/short: ends early: what ") == NULL)
            UNIT_FAIL("%s: %s", pack_formats[i].name, got);
        folder_free(folder);
    }
}

/* ---- what happens to files while they are read */

struct meddling {
    struct taken taken;
    void (*meddle)(const char *path);
    const char *path;
};

/* Meddles once, with the first message. */
static bool take_and_meddle(void *data, struct message *message, const char *file, unsigned index)
{
    struct meddling *meddling = data;

    if (meddling->taken.count == 0)
        meddling->meddle(meddling->path);
    return take(&meddling->taken, message, file, index);
}

static void grow(const char *path)
{
    FILE *file = fopen(path, "a");

    g_assert_nonnull(file);
    fputs("\n" FROM "To: added\n\n", file);
    fclose(file);
}

static void shrink(const char *path)
{
    g_assert_cmpint(truncate(path, 1000), ==, 0);
}

/* As mail programs do it that mark a message as read: the size stays. */
static void touch(const char *path)
{
    const struct timespec times[] = {{.tv_sec = 1}, {.tv_sec = 1}};

    g_assert_cmpint(utimensat(AT_FDCWD, path, times, 0), ==, 0);
}

/* As programs do it that write a new mailbox and then rename it. */
static void replace(const char *path)
{
    g_assert_true(g_file_set_contents(path, "To: new\n\n", -1, NULL));
}

static void remove_file(const char *path)
{
    g_assert_cmpint(g_remove(path), ==, 0);
}

/* A mailbox of three messages; the first is given before the third is read. */
static void check_meddling(const char *other, void (*meddle)(const char *), const char *want)
{
    char *folder = folder_new();
    GString *mbox = g_string_new(FROM "To: a\n\n");
    g_autofree char *folder_path = g_build_filename(folder, "d", NULL);
    g_autofree char *path = g_build_filename(folder_path, other, NULL);
    auto_free(diags) diags = diags_new();
    struct meddling meddling = {{g_string_new(NULL), strlen(folder) + 1, 0, 0}, meddle, path};

    while (mbox->len < 8u * 1024 * 1024)
        g_string_append(mbox, "a line of a body\n");
    g_string_append(mbox, "\n" FROM "To: m\n\n");
    while (mbox->len < 12u * 1024 * 1024)
        g_string_append(mbox, "a line of a body\n");
    g_string_append(mbox, "\n" FROM "To: b\n\n");
    g_free(folder_write(folder, "d/box", mbox->str, (gssize)mbox->len));
    folder_put(folder, "d/other", "To: c\n\n");
    g_assert_true(mailfile_read(folder_path, take_and_meddle, &meddling, diags));
    for (unsigned i = 0; i < diags_count(diags); i++)
        g_string_append_printf(meddling.taken.text, "\n!%s: %s", diags_get(diags, i)->file + strlen(folder) + 1,
                               diags_get(diags, i)->message);
    g_assert_cmpstr(meddling.taken.text->str, ==, want);
    g_string_free(meddling.taken.text, TRUE);
    g_string_free(mbox, TRUE);
    folder_free(folder);
}

static void test_changes(void)
{
    check_meddling("box", grow,
                   "d/box[0] To=a\nd/box[1] To=m\nd/box[2] To=b\nd/other[0] To=c\n"
                   "!d/box: changed while it was read; what was read of it counts");
    check_meddling(
        "box", shrink,
        "d/box[0] To=a\nd/box[1] To=m\nd/other[0] To=c\n!d/box: changed while it was read; what was read of it counts");
    check_meddling("box", touch,
                   "d/box[0] To=a\nd/box[1] To=m\nd/box[2] To=b\nd/other[0] To=c\n"
                   "!d/box: changed while it was read; what was read of it counts");
    check_meddling("box", replace,
                   "d/box[0] To=a\nd/box[1] To=m\nd/box[2] To=b\nd/other[0] To=c\n"
                   "!d/box: was replaced while it was read; the one before counts");
    /* What was read whole is no worse for being gone. */
    check_meddling("box", remove_file, "d/box[0] To=a\nd/box[1] To=m\nd/box[2] To=b\nd/other[0] To=c");
    check_meddling(
        "other", remove_file,
        "d/box[0] To=a\nd/box[1] To=m\nd/box[2] To=b\n!d/other: does not exist; expected a message or a mailbox");
}

static void test_stop(void)
{
    char *folder = folder_new();
    g_autofree char *got = NULL;

    folder_put(folder, "d/a", FROM "To: a\n\n" FROM "To: b\n\n" FROM "To: c\n\n");
    folder_put(folder, "d/b", "To: d\n\n");
    got = read_in(folder, "d", 2);
    g_assert_cmpstr(got, ==, "d/a[0] To=a\nd/a[1] To=b");
    folder_free(folder);
}

static void test_unreadable(void)
{
    char *folder = folder_new();
    g_autofree char *path = folder_write(folder, "m", "To: a\n\n", -1);
    g_autofree char *missing = read_in(folder, "missing", 0);
    g_autofree char *below = read_in(folder, "m/below", 0);

    g_assert_cmpstr(missing, ==, "!missing: does not exist; expected a message or a mailbox");
    g_assert_true(g_str_has_prefix(below, "!m/below: cannot be read: "));
    if (geteuid() != 0) {
        g_autofree char *got = NULL;
        g_assert_cmpint(g_chmod(path, 0), ==, 0);
        got = read_in(folder, "m", 0);
        g_assert_true(g_str_has_prefix(got, "!m: cannot be read: "));
    }
    folder_free(folder);
}

static void test_deep(void)
{
    char *folder = folder_new();
    GString *path = g_string_new("d");
    g_autofree char *got = NULL;

    for (unsigned i = 1; i < 32; i++)
        g_string_append(path, "/d");
    {
        g_autofree char *file = g_strconcat(path->str, "/m", NULL);
        g_autofree char *deeper = g_strconcat(path->str, "/f/m", NULL);
        g_autofree char *want =
            g_strdup_printf("%s[0] To=a\n!%s/f: is nested deeper than 32 directories", file, path->str);
        folder_put(folder, file, "To: a\n\n");
        folder_put(folder, deeper, "To: b\n\n");
        got = read_in(folder, "d", 0);
        g_assert_cmpstr(got, ==, want);
    }
    g_string_free(path, TRUE);
    folder_free(folder);
}

/* A folder that holds itself is read once. */
static void test_loop(void)
{
    char *folder = folder_new();
    g_autofree char *link = g_build_filename(folder, "d", "loop", NULL);
    g_autofree char *got = NULL;

    folder_put(folder, "d/a", "To: a\n\n");
    g_assert_cmpint(symlink(".", link), ==, 0);
    got = read_in(folder, "d", 0);
    g_assert_cmpstr(got, ==, "d/a[0] To=a\n!d/loop: leads back to a directory that contains it");
    folder_free(folder);
}

static void test_envelope(void)
{
    static const char *const recipients[] = {"<x@y.example>", "z", NULL};
    auto_free(message) message = message_new();
    auto_free(message) given = message_new();
    auto_free(message) empty = message_new();

    message_add_header(message, "From", "Ann <ANN@me.example>, b@me.example");
    message_add_header(message, "To", "a@x.example");
    message_add_header(message, "Bcc", "h@x.example");
    mailfile_envelope(message, NULL, NULL);
    g_assert_cmpstr(message->sender, ==, "ann@me.example");
    g_assert_true(message->envelope_unknown);
    g_assert_cmpuint(message->recipients->len, ==, 0);
    message_add_header(given, "From", "ann@me.example");
    message_add_header(given, "To", "a@x.example");
    mailfile_envelope(given, "<>", recipients);
    g_assert_cmpstr(given->sender, ==, "");
    g_assert_false(given->envelope_unknown);
    g_assert_cmpuint(given->recipients->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(given->recipients, 0), ==, "x@y.example");
    mailfile_envelope(empty, NULL, NULL);
    g_assert_cmpstr(empty->sender, ==, "");
    g_assert_true(empty->envelope_unknown);
}

static bool take_body(void *data, struct message *message, const char *file, unsigned index)
{
    size_t length = 0;
    const char *text = message->body != NULL ? message_body_text(message->body, &length) : "(none)";

    (void)file;
    (void)index;
    g_string_append_printf(data, "<%.*s>%s", message->body != NULL ? (int)MIN(length, 99) : 6, text,
                           message->body != NULL && message_body_is_cut(message->body) ? " cut" : "");
    message_free(message);
    return true;
}

static void check_bodies(const char *content, const char *want, enum mailfile_extent extent)
{
    char *folder = folder_new();
    auto_free(diags) diags = diags_new();
    g_autoptr(GString) got = g_string_new(NULL);
    g_autofree char *path = folder_write(folder, "m", content, -1);

    g_assert_true(mailfile_read_extent(path, extent, take_body, NULL, got, diags));
    if (strcmp(got->str, want) != 0)
        UNIT_FAIL("%s\ngave `%s`, want `%s`", content, got->str, want);
    folder_free(folder);
}

/* Bodies, where they are asked for: whole, and of each kind of file. */
static void test_bodies(void)
{
    g_autofree char *far = g_strnfill(300000, 'x'), *filled = g_strnfill(MESSAGE_BODY_LIMIT + 1, 'x');
    g_autofree char *mbox = g_strconcat(FROM "To: a\n\n", far, "\n\n" FROM "To: b\n\ntwo\n", NULL);
    g_autofree char *large = g_strconcat("To: a\n\n", filled, NULL);
    g_autofree char *first = g_strnfill(99, 'x'), *mbox_want = g_strconcat("<", first, "><two\n>", NULL);
    g_autofree char *large_want = g_strconcat("<", first, "> cut", NULL);

    check_bodies("To: a\n\none\n\ntwo\n", "<one\n\ntwo\n>", MAILFILE_BODIES);
    check_bodies("To: a\n\none\n\ntwo\n", "<(none)>", MAILFILE_HEADERS);
    check_bodies("To: a\n", "<>", MAILFILE_BODIES);
    check_bodies("To: a\nno field\nmore\n", "<no field\nmore\n>", MAILFILE_BODIES);
    check_bodies(FROM "To: a\n\none\ntwo\nthree\n\n" FROM "To: b\n\ntwo\n", "<one\ntwo\nthree\n\n><two\n>",
                 MAILFILE_BODIES);
    check_bodies("\1\1\1\1\nTo: a\n\none\n\1\1\1\1\n", "<one\n>", MAILFILE_BODIES);
    check_bodies(RECORDS CONTENTS "To: a\n\none\n" AFTER, "<one\n>", MAILFILE_BODIES);
    check_bodies(mbox, mbox_want, MAILFILE_BODIES);
    check_bodies(large, large_want, MAILFILE_BODIES);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mailfile/messages", test_messages);
    g_test_add_func("/mailfile/no-messages", test_no_messages);
    g_test_add_func("/mailfile/postcat", test_postcat);
    g_test_add_func("/mailfile/postcat-envelope", test_postcat_envelope);
    g_test_add_func("/mailfile/mbox", test_mbox);
    g_test_add_func("/mailfile/far", test_far);
    g_test_add_func("/mailfile/mmdf", test_mmdf);
    g_test_add_func("/mailfile/long", test_long);
    g_test_add_func("/mailfile/folders", test_folders);
    g_test_add_func("/mailfile/maildir-folders", test_maildir_folders);
    g_test_add_func("/mailfile/maildir-servers", test_maildir_servers);
    g_test_add_func("/mailfile/others", test_others);
    g_test_add_func("/mailfile/packed", test_packed);
    g_test_add_func("/mailfile/changes", test_changes);
    g_test_add_func("/mailfile/stop", test_stop);
    g_test_add_func("/mailfile/unreadable", test_unreadable);
    g_test_add_func("/mailfile/deep", test_deep);
    g_test_add_func("/mailfile/loop", test_loop);
    g_test_add_func("/mailfile/envelope", test_envelope);
    g_test_add_func("/mailfile/bodies", test_bodies);
    return g_test_run();
}
