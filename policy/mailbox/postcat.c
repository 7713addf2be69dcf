/* postcat - see postcat.h */

#include "policy/mailbox/postcat.h"

#include <string.h>

/* The records that matter, as postcat(1) names them. */
static const struct {
    const char *name;
    char kind;
} records[] = {
    {"sender: ", 's'},
    {"recipient: ", 'r'},
    {"done_recipient: ", 'r'},
    {"named_attribute: sasl_username=", 'u'},
};

struct postcat {
    char *name;        /* of the queue file, as the first line has it */
    GString *envelope; /* a letter and a value, each ended by a newline */
};

struct postcat *postcat_new(void)
{
    struct postcat *postcat = g_new0(struct postcat, 1);

    postcat->name = g_strdup("");
    postcat->envelope = g_string_new(NULL);
    return postcat;
}

void postcat_free(struct postcat *postcat)
{
    if (postcat == NULL)
        return;
    g_free(postcat->name);
    g_string_free(postcat->envelope, TRUE);
    g_free(postcat);
}

/* "*** MESSAGE CONTENTS hold/4jcV8X2h7bz1dmMC ***": the name of the file, or NULL if it is another line. */
static char *parting_name(const char *line, size_t length, const char *words)
{
    size_t begin = strlen(words);

    if (length < begin + 4 || memcmp(line, words, begin) != 0 || memcmp(line + length - 4, " ***", 4) != 0)
        return NULL;
    return g_strndup(line + begin, length - 4 - begin);
}

static void take_record(struct postcat *postcat, const char *line, size_t length)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(records); i++) {
        size_t begin = strlen(records[i].name);
        if (length < begin || memcmp(line, records[i].name, begin) != 0)
            continue;
        g_string_append_c(postcat->envelope, records[i].kind);
        g_string_append_len(postcat->envelope, line + begin, (gssize)(length - begin));
        g_string_append_c(postcat->envelope, '\n');
    }
}

enum postcat_line postcat_take(struct postcat *postcat, const char *line, size_t length, bool contents)
{
    static const struct {
        const char *words;
        enum postcat_line line;
    } partings[] = {
        {"*** MESSAGE CONTENTS ", POSTCAT_CONTENTS},
        {"*** HEADER EXTRACTED ", POSTCAT_MORE},
        {"*** MESSAGE FILE END ", POSTCAT_END},
    };
    char *name;

    while (length > 0 && (line[length - 1] == '\n' || line[length - 1] == '\r'))
        length--;
    if (!contents && (name = parting_name(line, length, "*** ENVELOPE RECORDS ")) != NULL) {
        g_free(postcat->name);
        postcat->name = name;
        g_string_truncate(postcat->envelope, 0);
        return POSTCAT_ENVELOPE;
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(partings); i++) {
        g_autofree char *named = parting_name(line, length, partings[i].words);
        if (named != NULL && strcmp(named, postcat->name) == 0)
            return partings[i].line;
    }
    if (!contents)
        take_record(postcat, line, length);
    return POSTCAT_RECORD;
}

void postcat_append(struct postcat *postcat, GByteArray *bytes)
{
    g_byte_array_append(bytes, (const guint8 *)postcat->envelope->str, (guint)postcat->envelope->len);
    g_string_truncate(postcat->envelope, 0);
}

void postcat_apply(const char *envelope, size_t length, struct message *message)
{
    g_autofree char *text = g_strndup(envelope, length);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);

    message->envelope_given = true;
    for (char **line = lines; *line != NULL && **line != '\0'; line++) {
        if (**line == 's')
            message_set_sender(message, *line + 1);
        else if (**line == 'r')
            message_add_recipient(message, *line + 1);
        else
            message_set_user(message, *line + 1);
    }
}
