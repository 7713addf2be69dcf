/* postfix_answers - see postfix_answers.h */

#include "milter/postfix/postfix_answers.h"

#include "milter/answers/answer_address.h"
#include "milter/postfix/postfix_services.h"
#include "policy/cli/run_program.h"
#include "policy/init/postconf.h"

#include <string.h>

static const char why[] =
    "Postfix rejects what people send to that address, so that their answers are lost, and nobody "
    "can override a refusal.";

/* What Postfix asks of an address of each class of domains (ADDRESS_CLASS_README). */
static const struct domain_class {
    const char *domains;    /* the list of them */
    const char *recipients; /* the tables of their addresses */
    bool local;             /* these are asked for local parts */
    bool open;              /* without a table each address is taken */
} classes[] = {
    {"mydestination", "local_recipient_maps", true, true},
    {"virtual_alias_domains", "virtual_alias_maps", false, false},
    {"virtual_mailbox_domains", "virtual_mailbox_maps", false, false},
    {"relay_domains", "relay_recipient_maps", false, true},
};

/* Of an address, in the forms in which tables are asked for it. */
struct answer_forms {
    char *whole;  /* with the delimiter and a code */
    char *bare;   /* `answers` */
    char *local;  /* its local part */
    char *domain; /* "@corp.example" */
};

/* ---- tables */

/* 1 if it has that key, 0 if not; -1 if it cannot be asked. */
static int table_has(const struct doctor *doctor, const char *table, const char *key)
{
    static const char proxy[] = "proxy:";
    const char *direct = g_str_has_prefix(table, proxy) ? table + strlen(proxy) : table;
    const char *const words[] = {"-q", key, direct, NULL};
    g_autoptr(GPtrArray) arguments = program_words("postmap", "-c", doctor->directory, words);
    const struct program program = {.arguments = (const char *const *)arguments->pdata,
                                    .seconds = DOCTOR_COMMAND_SECONDS};
    g_autofree char *error = NULL;
    if (program_run(&program, &error) == 0)
        return 1;
    return g_str_has_suffix(error, "ended with exit code 1") ? 0 : -1;
}

/* The same for each of the keys. */
static int table_has_any(const struct doctor *doctor, const char *table, const char *const *keys)
{
    int has = 0;
    for (unsigned i = 0; keys[i] != NULL && has == 0; i++)
        has = table_has(doctor, table, keys[i]);
    return has;
}

/* The same of a list of tables.  Of a list of domains, names are passed over, and files are not read. */
static int tables_have(const struct doctor *doctor, const char *tables, const char *const *keys)
{
    g_autoptr(GPtrArray) words = postconf_words(tables);
    int found = 0;
    for (guint i = 0; i < words->len && found != 1; i++) {
        const char *word = g_ptr_array_index(words, i);
        int has = word[0] == '/' ? -1 : strchr(word, ':') == NULL ? 0 : table_has_any(doctor, word, keys);
        found = has == 0 ? found : has;
    }
    return found;
}

static int is_of_class(const struct doctor *doctor, const struct domain_class *class, const char *domain)
{
    const char *list = postfix_config_value(postfix_services_config(doctor), class->domains);
    const char *const keys[] = {domain, NULL};
    return postfix_list_has(list, domain) ? 1 : tables_have(doctor, list, keys);
}

/* ---- is it taken? */

static void tell_delimiter(struct doctor *doctor, const struct review *review, const char *value)
{
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_ERROR, why, "answers-delimiter is %s, and recipient_delimiter is %s",
                     review->answers_delimiter, value[0] != '\0' ? value : "empty");
    finding_mend(finding, MAIN_CF, "recipient_delimiter = %s%s", value, review->answers_delimiter);
}

static int has_address(const struct doctor *doctor, const struct domain_class *class, const struct answer_forms *forms)
{
    const struct postfix_config *config = postfix_services_config(doctor);
    const char *tables = postfix_config_value(config, class->recipients);
    const char *const whole[] = {forms->whole, forms->bare, forms->domain, NULL};
    const char *const local[] = {forms->local, NULL};
    if (class->open && tables[strspn(tables, POSTCONF_BLANKS)] == '\0')
        return 1;
    /* Of addresses of any class. */
    int found = tables_have(doctor, postfix_config_value(config, "virtual_alias_maps"), whole);
    int own = found == 1 ? 1 : tables_have(doctor, tables, class->local ? local : whole);
    return own == 0 ? found : own;
}

static void examine_address(struct doctor *doctor, const struct domain_class *class, const struct answer_forms *forms)
{
    int has = has_address(doctor, class, forms);
    if (has == 1)
        return;
    struct finding *finding = findings_add(doctor->findings, has == 0 ? SEVERITY_ERROR : SEVERITY_WARNING, why,
                                           has == 0 ? "[review] answers is %s, and %s has no such address"
                                                    : "[review] answers is %s, and %s cannot be asked for it",
                                           forms->bare, class->recipients);
    if (class->local && has == 0)
        finding_mend(finding, MEND_SHELL, "echo '%s: /dev/null' >> /etc/aliases && newaliases", forms->local);
}

static void examine_domain(struct doctor *doctor, const struct answer_forms *forms)
{
    static const char elsewhere[] =
        "Postfix sends on what rcptguardd does not take, with its code, and rejects it where nobody logs in.";
    bool unclear = false;
    for (unsigned i = 0; i < G_N_ELEMENTS(classes); i++) {
        int is = is_of_class(doctor, &classes[i], forms->domain + 1);
        unclear = unclear || is == -1;
        if (is == 1) {
            examine_address(doctor, &classes[i], forms);
            return;
        }
    }
    findings_add(doctor->findings, SEVERITY_WARNING, elsewhere, "[review] answers is %s, and its domain is %s",
                 forms->bare, unclear ? "in a table that cannot be asked" : "none of this Postfix");
}

void postfix_examine_answers(struct doctor *doctor)
{
    const struct review *review = &doctor->tool->config->review;
    if (review->answers == NULL)
        return;
    const struct answer_address answer = {.kind = ANSWER_OVERRIDE, .code = 1};
    const char *delimiter = postfix_config_value(postfix_services_config(doctor), "recipient_delimiter");
    g_autofree char *made = answer_address_make(review, &answer);
    g_autofree char *whole = g_ascii_strdown(made, -1);
    g_autofree char *bare = g_ascii_strdown(review->answers, -1);
    const char *domain = strrchr(bare, '@');
    g_autofree char *local = g_strndup(bare, (gsize)(domain - bare));
    const struct answer_forms forms = {whole, bare, local, (char *)domain};
    if (strstr(delimiter, review->answers_delimiter) == NULL)
        tell_delimiter(doctor, review, delimiter);
    examine_domain(doctor, &forms);
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "%s: Postfix takes it with what is added", review->answers);
}
