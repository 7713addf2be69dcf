/* test-mailfile - messages from files: where they begin, where their headers end */

#include "mailfile.h"
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

struct taken {
    GString *text;   /* `file[index] Name=value Name=value` a message, one a line */
    size_t root;     /* length of the folder's path, which is left out */
    unsigned stop;   /* after so many; 0: never */
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

/* What is read from FOLDER/name, then what is said of it. */
static char *read_in(const char *folder, const char *name, unsigned stop)
{
    auto_free(diags) diags = diags_new();
    g_autofree char *path = g_build_filename(folder, name, NULL);
    struct taken taken = {.text = g_string_new(NULL), .root = strlen(folder) + 1, .stop = stop};
    bool go_on = mailfile_read(path, take, &taken, diags);

    g_assert_true(go_on == (stop == 0 || taken.count < stop));
    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        g_string_append_printf(taken.text, "%s!%s: %s", taken.text->len > 0 ? "\n" : "", diag->file + taken.root, diag->message);
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

static void test_messages(void)
{
    static const char *const cases[][2] = {
        {"To: a@x.example\nCc: b@y.example\n\nTo: body@x.example\n", "m[0] To=a@x.example Cc=b@y.example"},
        {"To: a@x.example\r\nCc: b@y.example\r\n\r\nTo: body\r\n", "m[0] To=a@x.example Cc=b@y.example"},
        {"To: a@x.example", "m[0] To=a@x.example"},
        {"To: a@x.example,\n b@y.example,\n\tc@z.example\nX: y\n\n", "m[0] To=a@x.example,\n b@y.example,\n\tc@z.example X=y"},
        {"To:a\nTo :b\nTo\t: c\nTO:  d \n\n", "m[0] To=a To=b To=c TO= d "},
        {"To:\nCc:\n a@x.example\n\n", "m[0] To= Cc=\n a@x.example"},
        {"To: a\n  \n b\n\nbody", "m[0] To=a\n  \n b"}, /* a line of blanks goes on */
        /* A line that is no field ends the headers, as it does for an MTA. */
        {"To: a\nno field\nCc: b\n\n", "m[0] To=a"},
        {"To: a\n: x\nCc: b\n", "m[0] To=a"},
        {"\nTo: a\n", "m[0]"},
        {"no field", "m[0]"},
        {" continues nothing\nTo: a\n\n", "m[0] To=a"},
        /* What a mailbox or a program left at the top. */
        {"From care@me.example at home\nTo: a\n\n", "m[0] To=a"},
        {">From care@me.example Mon Nov 23 18:34:00 2026\nTo: a\n\n", "m[0] To=a"},
        {"", "!m: is empty; expected a message or a mailbox"},
    };

    for (unsigned i = 0; i < G_N_ELEMENTS(cases); i++)
        check(cases[i][0], -1, cases[i][1]);
    /* A NUL hides nothing. */
    check("To: a@x.example\0, b@y.example\nCc: c\n\n", 37, "m[0] To=a@x.example , b@y.example Cc=c");
    check("\0\0\0", 3, "m[0]");
    check("\xff\xfe: x\n\n", 7, "m[0]");
}

#define FROM "From care@me.example Mon Nov 23 18:34:00 2026\n"

static void test_mbox(void)
{
    static const char *const cases[][2] = {
        {FROM "To: a\n\nbody\n\n" FROM "To: b\n\nbody\n", "m[0] To=a\nm[1] To=b"},
        /* A line in a body that begins so: escaped, without an empty line before it, or a sentence. */
        {FROM "To: a\n\nbody\n\n>From x Mon Nov 23 18:34:00 2026\nTo: b\n", "m[0] To=a"},
        {FROM "To: a\n\nbody\nFrom x Mon Nov 23 18:34:00 2026\nTo: b\n", "m[0] To=a"},
        {FROM "To: a\n\nbody\n\nFrom now on all is well\nTo: b\n", "m[0] To=a"},
        {FROM "To: a\n\n" FROM "To: b\n\n" FROM "To: c\n\n", "m[0] To=a\nm[1] To=b\nm[2] To=c"},
        {FROM FROM, "m[0]"},
        {FROM, "m[0]"},
        {FROM "\n" FROM "\n", "m[0]\nm[1]"},
        {"From - Mon Nov 23 18:34:00 2026\r\nTo: a\r\n\r\nbody\r\n\r\nFrom - Mon Nov 23 18:34:00 2026\r\nTo: b\r\n", "m[0] To=a\nm[1] To=b"},
        /* A message is no mailbox: what its body quotes begins no other. */
        {"To: a\n\nbody\n\n" FROM "To: b\n", "m[0] To=a"},
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
    g_assert_cmpstr(got, ==,
                    "mail/box[0] To=d\nmail/box[1] To=e\nmail/cur/1:2,S[0] To=a\nmail/cur/2:2,S[0] To=b\nmail/new/3[0] To=c\n"
                    "!mail/empty: is empty; expected a message or a mailbox\n"
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

/* A folder that holds itself comes to an end. */
static void test_loop(void)
{
    char *folder = folder_new();
    g_autofree char *link = g_build_filename(folder, "d", "loop", NULL);
    g_autofree char *got = NULL;

    folder_put(folder, "d/a", "To: a\n\n");
    g_assert_cmpint(symlink(".", link), ==, 0);
    got = read_in(folder, "d", 0);
    g_assert_nonnull(strstr(got, "is nested deeper than 32 folders"));
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
    g_assert_cmpuint(message->recipients->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(message->recipients, 1), ==, "h@x.example");
    message_add_header(given, "From", "ann@me.example");
    message_add_header(given, "To", "a@x.example");
    mailfile_envelope(given, "<>", recipients);
    g_assert_cmpstr(given->sender, ==, "");
    g_assert_cmpuint(given->recipients->len, ==, 2);
    g_assert_cmpstr(g_ptr_array_index(given->recipients, 0), ==, "x@y.example");
    mailfile_envelope(empty, NULL, NULL);
    g_assert_cmpstr(empty->sender, ==, "");
    g_assert_cmpuint(empty->recipients->len, ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mailfile/messages", test_messages);
    g_test_add_func("/mailfile/mbox", test_mbox);
    g_test_add_func("/mailfile/long", test_long);
    g_test_add_func("/mailfile/folders", test_folders);
    g_test_add_func("/mailfile/maildir-folders", test_maildir_folders);
    g_test_add_func("/mailfile/stop", test_stop);
    g_test_add_func("/mailfile/unreadable", test_unreadable);
    g_test_add_func("/mailfile/loop", test_loop);
    g_test_add_func("/mailfile/envelope", test_envelope);
    return g_test_run();
}
