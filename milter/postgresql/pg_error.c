/* pg_error - see pg_error.h */

#include "milter/postgresql/pg_error.h"

#include <stdarg.h>
#include <string.h>

#define SQLSTATE_LENGTH 5

/* What is not printable becomes a space, and several spaces become one. */
void pg_error_of_text(struct pg_error *error, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    size_t length = 0;
    for (const char *here = valid; *here != '\0'; here = g_utf8_next_char(here)) {
        gunichar character = g_utf8_get_char(here);
        size_t size = (size_t)(g_utf8_next_char(here) - here);
        bool space = character == ' ' || !g_unichar_isprint(character);
        if (length + size >= sizeof error->text)
            break;
        if (!space) {
            memcpy(error->text + length, here, size);
            length += size;
        } else if (length > 0 && error->text[length - 1] != ' ') {
            error->text[length++] = ' ';
        }
    }
    while (length > 0 && strchr(" .;", error->text[length - 1]) != NULL)
        length--;
    error->text[length] = '\0';
}

int pg_error_set(struct pg_error *error, enum pg_failure kind, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    *error = (struct pg_error){.kind = kind};
    pg_error_of_text(error, text);
    return -1;
}

enum pg_failure pg_failure_of(const char *sqlstate)
{
    /* Beginnings; the longer ones come first. */
    static const struct {
        const char *start;
        enum pg_failure kind;
    } states[] = {
        {"25006", PG_AWAY},    /* read-only: it is a standby now */
        {"26000", PG_AWAY},    /* no such prepared statement: something between has changed the server */
        {"42501", PG_REFUSED}, /* insufficient privilege */
        {"55P03", PG_AWAY},    /* lock not available */
        {"57P04", PG_WRONG},   /* the database was dropped */
        {"08", PG_AWAY},       /* connection */
        {"25P03", PG_AWAY},    /* a transaction was idle for too long, and the session ended */
        {"28", PG_REFUSED},    /* authorization */
        {"40", PG_AWAY},       /* serialization, deadlock */
        {"53", PG_AWAY},       /* no room, too many connections */
        {"57", PG_AWAY},       /* operator intervention, statement_timeout, starting up */
        {"58", PG_AWAY},       /* the system's errors */
    };
    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        if (g_str_has_prefix(sqlstate, states[i].start))
            return states[i].kind;
    }
    return PG_WRONG;
}

int pg_error_of_statement(struct pg_error *error, const char *sqlstate, const char *message)
{
    *error = (struct pg_error){.kind = sqlstate == NULL ? PG_AWAY : pg_failure_of(sqlstate)};
    g_strlcpy(error->sqlstate, sqlstate == NULL ? "" : sqlstate, sizeof error->sqlstate);
    pg_error_of_text(error, message);
    return -1;
}

/* "FATAL:  28P01: password ..." has one: where, or NULL. */
static const char *find_sqlstate(const char *line)
{
    for (const char *here = strstr(line, ":  "); here != NULL; here = strstr(here + 1, ":  ")) {
        const char *state = here + strlen(":  ");
        if (strspn(state, G_CSET_DIGITS G_CSET_A_2_Z) == SQLSTATE_LENGTH && state[SQLSTATE_LENGTH] == ':')
            return state;
    }
    return NULL;
}

/* What libpq says itself, without a server's SQLSTATE. */
static enum pg_failure failure_of_words(const char *line)
{
    static const struct {
        const char *words;
        enum pg_failure kind;
    } said[] = {
        {"SSL SYSCALL error", PG_AWAY},
        {"could not translate host name", PG_AWAY},
        {"no password supplied", PG_REFUSED},
        {"could not initiate GSSAPI", PG_REFUSED},
        {"GSSAPI continuation error", PG_REFUSED},
        {"invalid ", PG_WRONG},
        {"certificate", PG_WRONG},
        {"SSL", PG_WRONG},
        {"private key file", PG_WRONG},
        {"definition of service", PG_WRONG},
        {"service file", PG_WRONG},
        {"could not match", PG_WRONG},
        {"requirepeer", PG_WRONG},
        {"channel binding", PG_WRONG},
        {"does not support", PG_WRONG},
        {"not supported", PG_WRONG},
        {"is too long", PG_WRONG},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(said); i++) {
        if (strstr(line, said[i].words) != NULL)
            return said[i].kind;
    }
    return PG_AWAY;
}

/* What is left out: where in the server's source it was, and advice that is the same for everybody. */
static bool line_is_noise(const char *line)
{
    static const char *const noise[] = {"LOCATION:",
                                        "DETAIL:",
                                        "HINT:",
                                        "Is the server running",
                                        "This probably means the server terminated",
                                        "before or while processing",
                                        "password retrieved from file"};
    for (size_t i = 0; i < G_N_ELEMENTS(noise); i++) {
        if (g_str_has_prefix(line, noise[i]))
            return true;
    }
    return line[0] == '\0';
}

int pg_error_of_connection(struct pg_error *error, const char *message, bool no_password)
{
    g_auto(GStrv) lines = g_strsplit(message, "\n", -1);
    g_autoptr(GString) text = g_string_new(NULL);
    enum pg_failure kind = PG_AWAY;
    char sqlstate[SQLSTATE_LENGTH + 1] = "";
    for (char **each = lines; *each != NULL; each++) {
        char *line = g_strstrip(*each);
        if (line_is_noise(line))
            continue;
        const char *state = find_sqlstate(line);
        if (state != NULL)
            g_strlcpy(sqlstate, state, sizeof sqlstate);
        kind = state != NULL ? pg_failure_of(sqlstate) : sqlstate[0] != '\0' ? kind : failure_of_words(line);
        g_string_append(text, text->len > 0 ? "; " : "");
        g_string_append_len(text, line, state != NULL ? state - line : (gssize)strlen(line));
        g_string_append(text, state != NULL ? state + SQLSTATE_LENGTH + 1 : "");
    }
    *error = (struct pg_error){.kind = no_password ? PG_REFUSED : kind};
    g_strlcpy(error->sqlstate, sqlstate, sizeof error->sqlstate);
    pg_error_of_text(error, text->len > 0 ? text->str : "the connection is broken");
    return -1;
}
