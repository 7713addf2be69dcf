/*
 * discover_sendmail - what Sendmail says of itself, in its test mode; see discover.h.
 *
 * Each question, `$=w` or `$j`, is answered after a prompt, a class by one name a
 * line.  A class that is empty gives the next prompt at once.
 */

#include "policy/address/address.h"
#include "policy/cli/run_program.h"
#include "policy/init/discover.h"

#include <string.h>

#define PROMPT   "> "
#define GREETING "ADDRESS TEST MODE"

/* The answers, in the order of the questions; NULL ends them. */
static GPtrArray *parse_answers(const char *text)
{
    GPtrArray *answers = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    GString *answer = NULL;

    for (unsigned i = 0; lines[i] != NULL; i++) {
        const char *line = lines[i];
        for (; g_str_has_prefix(line, PROMPT); line += strlen(PROMPT)) {
            if (answer != NULL)
                g_ptr_array_add(answers, g_string_free(answer, FALSE));
            answer = g_string_new(NULL);
        }
        if (answer != NULL && line[0] != '\0')
            g_string_append_printf(answer, "%s\n", line);
    }
    if (answer != NULL)
        g_string_free(answer, TRUE);
    return answers;
}

/* `192.168.10` is 192.168.10.0/24; `IPv6:2001:db8` is 2001:db8::/32.  NULL for what is no network. */
static char *network_of(const char *name)
{
    bool six = g_ascii_strncasecmp(name, "IPv6:", 5) == 0;
    const char *text = six ? name + 5 : name;
    g_auto(GStrv) parts = g_strsplit(text, six ? ":" : ".", -1);
    unsigned count = g_strv_length(parts);

    if (text[0] == '\0' || text[strspn(text, six ? "0123456789abcdefABCDEF:" : "0123456789.")] != '\0')
        return NULL;
    if (six)
        return strstr(text, "::") != NULL || count >= 8 ? g_strdup(text) : g_strdup_printf("%s::/%u", text, count * 16);
    if (count >= 4)
        return g_strdup(text);
    return g_strdup_printf("%s%s/%u", text, count == 3 ? ".0" : count == 2 ? ".0.0" : ".0.0.0", count * 8);
}

static void take_names(struct site *site, const char *answer, bool below, const char *origin)
{
    g_auto(GStrv) names = g_strsplit(answer, "\n", -1);

    for (unsigned i = 0; names[i] != NULL; i++) {
        g_autofree char *network = below ? network_of(names[i]) : NULL;
        if (network != NULL)
            site_add_network(site, network, origin);
        else if (names[i][0] != '\0')
            site_add_domain(site, names[i], below, origin);
    }
}

/* A macro that is not set is answered by a word. */
static void take_origin(struct site *site, const char *answer)
{
    g_autofree char *name = g_strstrip(g_strdup(answer));

    if (strcmp(name, "Undefined") != 0 && name[0] != '\0' && site_add_domain(site, name, false, "$M"))
        site->origin = domain_normalise(name, strlen(name));
}

static char *ask(const char *config, const char *questions, char **error)
{
    g_autofree char *file = config == NULL ? NULL : g_strdup_printf("-C%s", config);
    const char *arguments[] = {ASK_SENDMAIL, "-bt", file, NULL};
    const struct program program = {.arguments = arguments,
                                    .input = questions,
                                    .input_length = strlen(questions),
                                    .seconds = ASK_SENDMAIL_SECONDS,
                                    .callers = true};
    char *answers = program_output(&program, error);

    if (answers != NULL && strstr(answers, GREETING) == NULL) {
        g_autofree char *path = program_find(ASK_SENDMAIL, true);
        *error = g_strdup_printf("%s has no test mode: it is another MTA's", path);
        g_clear_pointer(&answers, g_free);
    }
    return answers;
}

bool ask_sendmail(struct site *site, const char *config, char **error)
{
    static const struct {
        const char *question;
        const char *origin;
        bool below; /* a name means all below it as well, and a network may be there */
    } classes[] = {{"$=w", "class w", false},
                   {"$={VirtHost}", "class {VirtHost}", false},
                   {"$=M", "class M", false},
                   {"$=R", "class R", true}};
    g_autoptr(GString) questions = g_string_new(NULL);

    for (unsigned i = 0; i < G_N_ELEMENTS(classes); i++)
        g_string_append_printf(questions, "%s\n", classes[i].question);
    g_string_append(questions, "$M\n");
    g_autofree char *text = ask(config, questions->str, error);
    if (text == NULL)
        return false;
    g_autoptr(GPtrArray) answers = parse_answers(text);
    if (answers->len != G_N_ELEMENTS(classes) + 1) {
        *error = g_strdup("sendmail -bt gave answers that nobody asked for");
        return false;
    }
    site->mta = "Sendmail";
    for (unsigned i = 0; i < G_N_ELEMENTS(classes); i++)
        take_names(site, g_ptr_array_index(answers, i), classes[i].below, classes[i].origin);
    take_origin(site, g_ptr_array_index(answers, G_N_ELEMENTS(classes)));
    site_note(site,
              "access map: the hosts that it lets relay are not looked at; add their networks to `outbound` by hand");
    return true;
}
