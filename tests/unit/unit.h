/*
 * unit - what the unit tests share: folders with files, policies and messages from text.
 */
#ifndef RCPTGUARD_UNIT_H
#define RCPTGUARD_UNIT_H

#include "policy/engine/policy.h"
#include "policy/message/message.h"

#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>

/* Sanitizers make everything slower; tests of cost leave them room. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define UNIT_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define UNIT_SANITIZED 1
#endif
#endif
#ifndef UNIT_SANITIZED
#define UNIT_SANITIZED 0
#endif

/* Says what is wrong and goes on, so that a table is tried to its end. */
#define UNIT_FAIL(...)                                                                                                 \
    do {                                                                                                               \
        g_test_message(__VA_ARGS__);                                                                                   \
        g_test_fail();                                                                                                 \
    } while (0)

/* ---- a temporary folder */

static inline char *folder_new(void)
{
    char *folder = g_dir_make_tmp("rcptguard-unit-XXXXXX", NULL);

    g_assert_nonnull(folder);
    return folder;
}

/* The path of a file in a folder; to be freed with g_free. */
static inline char *folder_write(const char *folder, const char *name, const char *text, gssize length)
{
    char *path = g_build_filename(folder, name, NULL);
    g_autofree char *parent = g_path_get_dirname(path);

    g_assert_cmpint(g_mkdir_with_parents(parent, 0755), ==, 0);
    g_assert_true(g_file_set_contents(path, text, length, NULL));
    return path;
}

static inline void folder_put(const char *folder, const char *name, const char *text)
{
    g_free(folder_write(folder, name, text, -1));
}

static inline void folder_remove(const char *path)
{
    GDir *folder = g_file_test(path, G_FILE_TEST_IS_SYMLINK) ? NULL : g_dir_open(path, 0, NULL);
    const char *name;

    if (folder != NULL) {
        while ((name = g_dir_read_name(folder)) != NULL) {
            g_autofree char *below = g_build_filename(path, name, NULL);
            folder_remove(below);
        }
        g_dir_close(folder);
    }
    g_remove(path);
}

static inline void folder_free(char *folder)
{
    folder_remove(folder);
    g_free(folder);
}

/* ---- diagnostics */

/* Each as `line:column: message`, one a line. */
static inline char *diags_lines(const struct diags *diags)
{
    GString *lines = g_string_new(NULL);

    for (unsigned i = 0; i < diags_count(diags); i++) {
        const struct diag *diag = diags_get(diags, i);
        g_string_append_printf(lines, "%s%u:%u: %s", i > 0 ? "\n" : "", diag->line, diag->column, diag->message);
    }
    return g_string_free(lines, FALSE);
}

/* ---- policies */

/* What most policies begin with. */
#define UNIT_HEAD                                                                                                      \
    "version 1\ncontact \"postmaster@me.example\"\n"                                                                   \
    "class internal { domain \"me.example\", \".me.example\" }\n"

/* Loads a text that stands as FOLDER/policy; NULL with its diagnostics in `*wrong`. */
static inline struct policy *policy_in(const char *folder, const char *text, char **wrong)
{
    auto_free(diags) diags = diags_new();
    g_autofree char *path = folder_write(folder, "policy", text, -1);
    struct policy *policy = policy_load(path, diags);

    *wrong = diags_lines(diags);
    g_assert_true((policy == NULL) == (diags_errors(diags) > 0));
    return policy;
}

/* A text that is sound. */
static inline struct policy *policy_of(const char *text)
{
    g_autofree char *wrong = NULL;
    char *folder = folder_new();
    struct policy *policy = policy_in(folder, text, &wrong);

    g_assert_cmpstr(wrong, ==, "");
    g_assert_nonnull(policy);
    folder_free(folder);
    return policy;
}

/* The diagnostics of a text. */
static inline char *policy_errors(const char *text)
{
    char *wrong = NULL;
    char *folder = folder_new();
    struct policy *policy = policy_in(folder, text, &wrong);

    if (policy != NULL)
        policy_unref(policy);
    folder_free(folder);
    return wrong;
}

/* ---- messages */

/* From sender to a To header and an envelope of the same. */
static inline struct message *message_of(const char *sender, const char *to)
{
    struct message *message = message_new();

    message_set_sender(message, sender);
    if (sender[0] != '\0')
        message_add_header(message, "From", sender);
    if (to != NULL)
        message_add_header(message, "To", to);
    return message;
}

/* "c1@cust1.example, c2@cust2.example, ..."; `{n}` in the pattern is the number. */
static inline char *people_of(unsigned count, const char *pattern)
{
    GString *text = g_string_new(NULL);
    g_auto(GStrv) pieces = g_strsplit(pattern, "{n}", -1);

    for (unsigned n = 1; n <= count; n++) {
        g_autofree char *number = g_strdup_printf("%u", n);
        g_autofree char *address = g_strjoinv(number, pieces);
        g_string_append_printf(text, "%s%s", n > 1 ? ", " : "", address);
    }
    return g_string_free(text, FALSE);
}

static inline struct verdict *evaluate_at(struct policy *policy, const struct message *message, gint64 now)
{
    struct evaluate_options options = {.now = now, .on_fault = DISPOSITION_QUARANTINE, .outbound = OUTBOUND_YES};

    return policy_evaluate(policy, message, &options);
}

#endif
