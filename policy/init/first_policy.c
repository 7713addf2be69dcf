/* first_policy - see first_policy.h */

#include "policy/init/first_policy.h"

#include <gio/gio.h>
#include <string.h>

/* At most this many domains get an assertion each; more say nothing new. */
#define SHOWN_DOMAINS 20u

/* Where the marks of the head begin. */
#define HEAD_COLUMNS 82

/* What `sed` is told, to make the rules decide: it knows the lines by these ends and beginnings. */
#define FOR_NOW " # for now\n"
#define LATER   "# later: "
#define DECIDE  "sed '/^ *monitor$/d; /# for now$/d; s/^# later: //' policy > policy.new"

static const struct site_domain *domain_at(const struct site *site, unsigned index)
{
    return g_ptr_array_index(site->domains, index);
}

/* ---- head */

/* On trial.  The lines are marked, so that they go when the rules decide. */
static const char *const trial_head[] = {
    "# On trial: this policy evaluates all outgoing mail, logs what it would have",
    "# done, and lets everything pass.",
    "#",
    "#  1. Look through what is internal below, and check it: rcptguard check policy",
    "#  2. What it would have done with last month's mail:",
    "#         rcptguard replay -p policy MAILBOX",
    "#     and after some weeks, with the mail that rcptguardd has seen:",
    "#         journalctl -t rcptguardd | grep -o ' would=[a-z][^ ]*' | sort | uniq -c",
    "#     Where there is no journal, the same lines are in /var/log/mail.log.",
    "#  3. Make it decide. This takes out the lines `monitor` and these lines, and",
    "#     makes the expectations those of a policy that decides:",
    ("#         " DECIDE),
    "#",
};

static void write_head(GString *text, const struct site *site)
{
    g_string_append_printf(text, "# A first policy, written by `rcptguard init` %s%s%s.\n#\n",
                           site->mta != NULL ? "from what " : "for the domains that it was given",
                           site->mta != NULL ? site->mta : "", site->mta != NULL ? " says" : "");
    for (unsigned i = 0; i < G_N_ELEMENTS(trial_head); i++)
        g_string_append_printf(text, "%-*s%s", HEAD_COLUMNS, trial_head[i], FOR_NOW);
    g_string_append(text, LATER "# It decides: what its rules match is held or refused. Try a change on old mail\n");
    g_string_append(text, LATER "# before it is used: rcptguard replay -p policy.new --against policy MAILBOX\n");
    g_string_append(text, "#\n"
                          "# The language is in rcptguard-policy(5). \"At least\" is written as >=.\n"
                          "\n"
                          "version 1\n");
    g_string_append_printf(text, "contact \"postmaster@%s\"\n\n", site_main_domain(site));
}

/* ---- classes */

static void write_left_out(GString *text, const struct site *site)
{
    if (site->local->len > 0) {
        g_string_append(text, "# Left out, since they mean this machine alone:");
        for (unsigned i = 0; i < site->local->len; i++)
            g_string_append_printf(text, "%s %s", i > 0 ? "," : "", (const char *)g_ptr_array_index(site->local, i));
        g_string_append(text, "\n\n");
    }
    if (site->notes->len > 0) {
        g_string_append(text, "# To be looked at by hand:\n");
        for (unsigned i = 0; i < site->notes->len; i++)
            g_string_append_printf(text, "# - %s\n", (const char *)g_ptr_array_index(site->notes, i));
        g_string_append_c(text, '\n');
    }
}

static void write_internal(GString *text, const struct site *site)
{
    g_string_append(text, "# Your own organisation.  Behind each domain stands where it was named.  A leading dot\n"
                          "# means all below as well; put one where that is true.  If the domains belong to many,\n"
                          "# who are not each other's colleagues, see the example hosting.policy.\n");
    if (site->domains->len > DRAFT_DOMAINS) {
        g_string_append(text, "class internal { domains from \"" DRAFT_INTERNAL "\" }\n\n");
        return;
    }
    g_string_append(text, "class internal {\n");
    for (unsigned i = 0; i < site->domains->len; i++) {
        const struct site_domain *domain = domain_at(site, i);
        g_autofree char *item = g_strdup_printf("\"%s%s\"", domain->below ? "." : "", domain->name);
        g_string_append_printf(text, "    domain %-32s # %s\n", item, domain->origins->str);
    }
    g_string_append(text, "}\n\n");
}

static void write_classes(GString *text, const struct site *site)
{
    write_internal(text, site);
    write_left_out(text, site);
    g_string_append(text, "# Elsewhere an organisation is one party, however many of its people stand in Cc.\n"
                          "# Here each mailbox is a party of its own: they are strangers to each other.\n"
                          "class freemail { domains from \"" DRAFT_FREEMAIL "\" individuals }\n\n");
}

char *draft_domains(const struct site *site)
{
    if (site->domains->len <= DRAFT_DOMAINS)
        return NULL;
    GString *text = g_string_new("# Your own organisation: one domain a line; a leading dot means all below as well.\n"
                                 "# Behind each stands where it was named.\n\n");
    for (unsigned i = 0; i < site->domains->len; i++) {
        const struct site_domain *domain = domain_at(site, i);
        g_string_append_printf(text, "%s%s    # %s\n", domain->below ? "." : "", domain->name, domain->origins->str);
    }
    return g_string_free(text, FALSE);
}

/* ---- which mail is evaluated */

static void write_outbound(GString *text, const struct site *site)
{
    if (site->networks->len == 0 && site->reinjected->len == 0) {
        g_string_append(text, "# Without an `outbound` statement, mail is judged if its sender logged in, or if it\n"
                              "# comes from this machine with an internal sender.  All other mail is not touched.\n\n");
        return;
    }
    g_string_append(text, "# Judged is who logged in, and what comes from this machine or from a network that may\n"
                          "# relay, with an internal sender.  What these only pass on for others, inbound mail for\n"
                          "# example, has a sender from outside and is not judged.\n");
    if (site->reinjected->len > 0)
        g_string_append(text, "# Nor is what a content filter hands back: it was judged before.\n");
    g_string_append(text, "outbound when (authenticated\n"
                          "               or ((local or client in \"127.0.0.0/8\", \"::1\"");
    for (unsigned i = 0; i < site->networks->len; i++)
        g_string_append_printf(text, ",\n                       \"%s\"",
                               (const char *)g_ptr_array_index(site->networks, i));
    g_string_append(text, ")\n                   and sender in internal))");
    for (unsigned i = 0; i < site->reinjected->len; i++)
        g_string_append_printf(text, "\n    and not listener = \"%s\"",
                               (const char *)g_ptr_array_index(site->reinjected, i));
    g_string_append(text, "\n\n");
}

/* ---- assertions */

static void expect_class(GString *text, const char *domain, const char *class)
{
    g_autofree char *quoted = g_strdup_printf("\"%s\"", domain);

    g_string_append_printf(text, "expect %-34s is %s\n", quoted, class);
}

/* A name that ends as an internal one, and one that begins so. */
static void expect_look_alikes(GString *text, const struct site *site, const char *domain)
{
    g_autofree char *longer = g_strdup_printf("not%s", domain);
    g_autofree char *below = g_strdup_printf("%s.evil.test", domain);

    if (!site_has(site, longer))
        expect_class(text, longer, "other");
    if (!site_has(site, below))
        expect_class(text, below, "other");
}

/* A provider that the table has and the site is not; NULL if there is none. */
static char *freemail_provider(const struct site *site, const char *freemail)
{
    static const char *const known[] = {"gmail.com", "outlook.com", "gmx.net", "qq.com", NULL};
    g_auto(GStrv) lines = g_strsplit(freemail, "\n", -1);
    const char *first = NULL;

    for (unsigned i = 0; lines[i] != NULL; i++) {
        char *line = g_strstrip(lines[i]);
        line[strcspn(line, " \t#")] = '\0';
        if (line[0] == '\0' || line[0] == '.' || site_has(site, line))
            continue;
        if (g_strv_contains(known, line))
            return g_strdup(line);
        if (first == NULL)
            first = line;
    }
    return g_strdup(first);
}

static void write_class_expectations(GString *text, const struct site *site, const char *provider)
{
    unsigned shown = MIN(site->domains->len, SHOWN_DOMAINS);

    g_string_append(text, "# What this policy is meant to do.  `rcptguard check` tries each line, and a reload\n"
                          "# refuses a policy that breaks one.\n\n");
    for (unsigned i = 0; i < shown; i++) {
        const struct site_domain *domain = domain_at(site, i);
        g_autofree char *below = g_strdup_printf("mail.%s", domain->name);
        expect_class(text, domain->name, "internal");
        if (domain->below)
            expect_class(text, below, "internal");
    }
    expect_look_alikes(text, site, site_main_domain(site));
    if (provider != NULL)
        expect_class(text, provider, "freemail");
    g_string_append_c(text, '\n');
}

/* The first host of a network. */
static char *host_of(const char *network)
{
    g_autoptr(GInetAddressMask) mask = g_inet_address_mask_new_from_string(network, NULL);
    GInetAddress *address = g_inet_address_mask_get_address(mask);
    size_t size = g_inet_address_get_native_size(address);
    g_autofree guint8 *bytes = g_memdup2(g_inet_address_to_bytes(address), size);

    if (g_inet_address_mask_get_length(mask) < size * 8)
        bytes[size - 1] |= 1;
    g_autoptr(GInetAddress) host = g_inet_address_new_from_bytes(bytes, g_inet_address_get_family(address));
    return g_inet_address_to_string(host);
}

/* An address for documentation (RFC 5737) that no network of the site holds; NULL if they hold all. */
static const char *stranger(const struct site *site)
{
    static const char *const strangers[] = {"192.0.2.1", "198.51.100.1", "203.0.113.1"};

    for (unsigned i = 0; i < G_N_ELEMENTS(strangers); i++) {
        g_autoptr(GInetAddress) address = g_inet_address_new_from_string(strangers[i]);
        bool held = false;
        for (unsigned j = 0; j < site->networks->len && !held; j++) {
            g_autoptr(GInetAddressMask) mask =
                g_inet_address_mask_new_from_string(g_ptr_array_index(site->networks, j), NULL);
            held = g_inet_address_mask_matches(mask, address);
        }
        if (!held)
            return strangers[i];
    }
    return NULL;
}

static void write_outbound_expectations(GString *text, const struct site *site)
{
    const char *domain = site_main_domain(site);
    const char *outside = stranger(site);

    g_string_append(text, "expect outbound     user \"somebody\"\n");
    g_string_append_printf(text, "expect outbound     local sender \"somebody@%s\"\n", domain);
    if (site->networks->len > 0) {
        g_autofree char *host = host_of(g_ptr_array_index(site->networks, 0));
        g_string_append_printf(text, "expect outbound     client \"%s\" sender \"somebody@%s\"\n", host, domain);
        g_string_append_printf(text, "expect not outbound client \"%s\" sender \"ann@customer.example\"\n", host);
    }
    for (unsigned i = 0; i < site->reinjected->len; i++)
        g_string_append_printf(text,
                               "expect not outbound listener \"%s\" client \"127.0.0.1\" sender \"somebody@%s\"\n",
                               (const char *)g_ptr_array_index(site->reinjected, i), domain);
    if (outside != NULL)
        g_string_append_printf(text, "expect not outbound client \"%s\" sender \"somebody@%s\"\n", outside, domain);
    g_string_append(text, "expect not outbound client \"127.0.0.1\" sender \"ann@customer.example\"\n\n");
}

static void expect_message(GString *text, const struct site *site, const char *to, const char *end)
{
    g_string_append_printf(text, "expect message from \"somebody@%s\" to %s gives %s", site_main_domain(site), to, end);
}

/* So many messages in five minutes. */
static void expect_messages(GString *text, const struct site *site, const char *count, const char *to, const char *end)
{
    g_string_append_printf(text, "expect %s messages from \"somebody@%s\" to %s in 5m gives %s", count,
                           site_main_domain(site), to, end);
}

static void write_message_expectations(GString *text, const struct site *site, const char *provider)
{
    g_autofree char *colleagues = g_strdup_printf("800 of \"colleague{n}@%s\"", site_main_domain(site));
    g_autofree char *hidden =
        g_strdup_printf("\"somebody@%s\" bcc 450 of \"c{n}@mail{n}.example\"", site_main_domain(site));

    g_string_append(text, "# These must pass, always: nine parties, thirty-nine people of one\n"
                          "# customer, everybody here, and any number of people in Bcc or one at a time.\n\n");
    expect_message(text, site, "9 of \"c{n}@mail{n}.example\"", "accept by default\n");
    expect_message(text, site, "39 of \"p{n}@customer.example\"", "accept by default\n");
    expect_message(text, site, colleagues, "accept by default\n");
    expect_message(text, site, hidden, "accept by default\n");
    expect_messages(text, site, "450", "\"c{n}@mail{n}.example\"", "accept by default\n");
    g_string_append(text, "\n# On trial, so do these." FOR_NOW LATER "# These must not.\n\n");
    expect_message(text, site, "450 of \"c{n}@mail{n}.example\"", "accept by default" FOR_NOW);
    expect_message(text, site, "10 of \"c{n}@mail{n}.example\"", "accept by default" FOR_NOW);
    expect_messages(text, site, "20", "9 of \"c{n}@mail{n}.example\"", "accept by default" FOR_NOW);
    g_string_append(text, "\n" LATER);
    expect_message(text, site, "450 of \"c{n}@mail{n}.example\"", "reject by mass-disclosure\n" LATER);
    expect_message(text, site, "50 of \"c{n}@mail{n}.example\"", "reject by mass-disclosure\n" LATER);
    expect_message(text, site, "49 of \"c{n}@mail{n}.example\"", "quarantine by wide-cc\n" LATER);
    expect_message(text, site, "10 of \"c{n}@mail{n}.example\"", "quarantine by wide-cc\n" LATER);
    expect_message(text, site, "40 of \"p{n}@customer.example\"", "quarantine by wide-cc\n" LATER);
    expect_messages(text, site, "20", "9 of \"c{n}@mail{n}.example\"", "quarantine by split from 3\n");
    if (provider != NULL) {
        g_autofree char *private = g_strdup_printf("37 of \"patient{n}@%s\"", provider);
        g_string_append(text, LATER);
        expect_message(text, site, private, "quarantine by wide-cc\n");
    }
    g_string_append_c(text, '\n');
}

/* ---- rules */

static const char rules[] =
    "# The text reaches the sender, so it says what to do.\n"
    "rule mass-disclosure {\n"
    "    monitor\n"
    "    when parties(external) >= 50\n"
    "    reject \"{visible} people outside could read each other's addresses. Nothing was sent. Put them in Bcc, or "
    "ask "
    "{contact}.\"\n"
    "}\n"
    "\n"
    "# The text is the reason that the reviewer of held mail sees.\n"
    "rule wide-cc {\n"
    "    monitor\n"
    "    when parties(external) >= 10 or visible(external) >= 40\n"
    "    quarantine \"wide Cc; addresses: {visible}, parties: {parties}\"\n"
    "}\n"
    "\n"
    "# A mailing in several parts: what an author shows to others in a short time adds up.\n"
    "# Mail that shows two or three parties is none: a help desk sends it all day.\n"
    "rule split {\n"
    "    monitor\n"
    "    when parties(external) >= 4\n"
    "        and (parties(external) within 10m alike >= 20 or parties(external) within 1h >= 60)\n"
    "    quarantine \"{within} outside parties in several messages: parts of one mailing?\"\n"
    "}\n"
    "\n"
    "# Headers too long or too broken to count: whoever is in there must not slip through.\n"
    "rule unreadable {\n"
    "    monitor\n"
    "    when (malformed or truncated) and (visible(external) >= 1 or recipients(external) >= 1)\n"
    "    quarantine \"recipient headers could not be read whole\"\n"
    "}\n"
    "\n"
    "# An invitation lists its guests, an attached list its customers, whoever is in Bcc:\n"
    "# attachments.policy in the examples has rules for them, which need the bodies of mail.\n"
    "\n"
    "default accept\n";

char *draft_policy(const struct site *site, const char *freemail)
{
    g_autofree char *provider = freemail_provider(site, freemail);
    GString *text = g_string_new(NULL);

    write_head(text, site);
    write_classes(text, site);
    write_outbound(text, site);
    write_class_expectations(text, site, provider);
    write_outbound_expectations(text, site);
    write_message_expectations(text, site, provider);
    g_string_append(text, rules);
    return g_string_free(text, FALSE);
}
