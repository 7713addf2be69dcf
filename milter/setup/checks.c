/* checks - see checks.h: the ledger, the queue, and who reviews */

#include "milter/setup/checks.h"

#include "milter/ledger/ledger_time.h"
#include "milter/ledger/schema.h"

#include <grp.h>

#define DAY_MICROSECONDS (G_GINT64_CONSTANT(86400) * G_USEC_PER_SEC)

/* ---- what review rests on */

static void examine_ledger(struct doctor *doctor)
{
    struct tool *tool = doctor->tool;
    struct database_error error;
    unsigned version;
    tool->ledger = tool_open_ledger(tool, &error);
    if (tool->ledger == NULL || database_check_files(ledger_database(tool->ledger), &error) == -1 ||
        schema_version(ledger_database(tool->ledger), &version, &error) == -1) {
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "Each held message needs its row: without the ledger, messages are deferred instead of held.",
                     "%s", error.text);
        return;
    }
    findings_ok(doctor->findings, "%s, version %u", tool->config->ledger, version);
}

static void examine_integrity(struct doctor *doctor)
{
    struct database_error error;
    if (doctor->tool->ledger == NULL)
        return;
    if (database_check_integrity(ledger_database(doctor->tool->ledger), &error) == -1)
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "A damaged ledger forgets why messages are held, and who decided.", "%s", error.text);
    else
        findings_ok(doctor->findings, "every page and index is sound");
}

static void examine_queue(struct doctor *doctor)
{
    struct tool *tool = doctor->tool;
    g_autofree char *error = NULL;
    g_autoptr(GPtrArray) held = NULL;
    tool->queue = tool_queue(tool, doctor->mta == NULL ? MTA_NONE : doctor->mta->mta, doctor->option, &error);
    if (tool->queue != NULL)
        held = queue_held(tool->queue, &error);
    if (held == NULL)
        findings_add(doctor->findings, SEVERITY_ERROR, "Held mail that cannot be listed cannot be released.", "%s",
                     error);
    else if (tool->queue->unread->len > 0) {
        g_autofree char *trouble = queue_trouble(tool->queue);
        findings_add(doctor->findings, SEVERITY_ERROR, "Held mail that cannot be listed cannot be released.", "%s",
                     trouble);
    } else {
        findings_ok(doctor->findings, "%s, %u on hold", queue_name(tool->queue), held->len);
    }
}

static struct view *reconcile_now(struct doctor *doctor, char **error)
{
    struct tool *tool = doctor->tool;
    const struct reconciling reconciling = {
        .ledger = tool->ledger, .queue = tool->queue, .reader = &tool->reader, .now = tool_now()};
    return reconcile(&reconciling, error);
}

static void examine_agreement(struct doctor *doctor)
{
    if (doctor->tool->ledger == NULL || doctor->tool->queue == NULL)
        return;
    g_autofree char *error = NULL;
    auto_free(view) view = reconcile_now(doctor, &error);
    if (view == NULL) {
        findings_add(doctor->findings, SEVERITY_ERROR,
                     "A decision is recorded only where ledger and queue are both read.", "%s", error);
        return;
    }
    unsigned untracked = 0;
    for (guint i = 0; i < view->items->len; i++)
        untracked += ((const struct view_item *)g_ptr_array_index(view->items, i))->row == NULL;
    if (untracked == 0)
        findings_ok(doctor->findings, "the ledger knows all that is on hold");
    else
        findings_add(doctor->findings, SEVERITY_NOTE,
                     "No command of rcptguardq touches them: the MTA's own commands do.",
                     "%u on hold were not held by rcptguard", untracked);
}

/* Without `expire` only people move it. */
static void examine_oldest(struct doctor *doctor)
{
    if (doctor->tool->ledger == NULL || doctor->tool->queue == NULL)
        return;
    g_autofree char *error = NULL;
    auto_free(view) view = reconcile_now(doctor, &error);
    const struct view_item *oldest = NULL;
    for (guint i = 0; view != NULL && i < view->items->len; i++) {
        const struct view_item *item = g_ptr_array_index(view->items, i);
        if (item->row != NULL && item->entry != NULL && (oldest == NULL || view_arrival(item) < view_arrival(oldest)))
            oldest = item;
    }
    gint64 age = oldest == NULL ? 0 : tool_now() - view_arrival(oldest);
    if (age <= DAY_MICROSECONDS) {
        findings_ok(doctor->findings, "nothing has waited for more than a day");
        return;
    }
    struct finding *finding =
        findings_add(doctor->findings, SEVERITY_WARNING,
                     "Its sender believes that it was sent; without `expire` in [review] it stays on hold for ever.",
                     "%s has waited for %" G_GINT64_FORMAT " days", oldest->entry->id, age / DAY_MICROSECONDS);
    g_autofree char *instance = config_instance_option(doctor->tool->config);
    finding_mend(finding, MEND_SHELL, "rcptguardq show%s %s", instance, oldest->entry->id);
}

static void examine_expiry(struct doctor *doctor)
{
    static const char why[] = "Nothing expires that no digest has announced, and the agent does it.";
    const struct review *review = &doctor->tool->config->review;
    struct database_error error;
    struct ledger_agent agent;
    g_autofree char *timer = config_unit(doctor->tool->config, "rcptguard-agent", ".timer");
    if (review->expire.seconds == 0) {
        findings_ok(doctor->findings, "off: what nobody decides stays on hold");
        return;
    }
    if (doctor->tool->ledger == NULL)
        return;
    if (review->digest_to == NULL)
        findings_add(doctor->findings, SEVERITY_ERROR, why, "[review] has `expire`, and no `digest-to`");
    if (ledger_agent_read(doctor->tool->ledger, &agent, &error) == -1)
        findings_add(doctor->findings, SEVERITY_ERROR, why, "%s", error.text);
    else if (ABS(tool_now() - agent.last) > LEDGER_AGENT_GAP)
        finding_mend(findings_add(doctor->findings, SEVERITY_ERROR, why,
                                  "[review] has `expire`, and `rcptguardq agent` does not run"),
                     MEND_SHELL, "systemctl enable --now %s", timer);
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "held mail is %s after %u days",
                    review->expire.way == EXPIRE_DELETE ? "deleted" : "returned",
                    review->expire.seconds / (unsigned)(24 * 60 * 60));
}

static void examine_identities(struct doctor *doctor)
{
    const struct config *config = doctor->tool->config;
    if (config->review.identities == NULL) {
        if (config->review.approvals > 1)
            findings_add(doctor->findings, SEVERITY_ERROR,
                         "No approval counts while the reviewers' own addresses are unknown.",
                         "[review] asks for two reviewers and names no identities: no approval can count");
        else
            findings_ok(doctor->findings, "none are needed");
        return;
    }
    auto_free(diags) diags = diags_new();
    doctor->tool->identities = identities_load(config->review.identities, diags);
    if (doctor->tool->identities != NULL)
        findings_ok(doctor->findings, "%s", config->review.identities);
    for (unsigned i = 0; doctor->tool->identities == NULL && i < diags_count(diags); i++)
        findings_add(doctor->findings, SEVERITY_ERROR, "No command of review runs without them.", "%s:%u: %s",
                     config->review.identities, diags_get(diags, i)->line, diags_get(diags, i)->message);
}

/* Every group that the configuration names has to exist, or nobody is in it. */
static void examine_groups(struct doctor *doctor)
{
    const struct config *config = doctor->tool->config;
    g_autoptr(GHashTable) missing = g_hash_table_new(g_str_hash, g_str_equal);
    for (unsigned right = 0; right < REVIEW_ACTIONS; right++) {
        for (char **name = config->review.groups[right]; name != NULL && *name != NULL; name++) {
            if (getgrnam(*name) != NULL || !g_hash_table_add(missing, *name))
                continue;
            struct finding *finding =
                findings_add(doctor->findings, SEVERITY_ERROR, "A group that does not exist has no members.",
                             "[review] names the group `%s`, and there is none", *name);
            finding_mend(finding, MEND_SHELL, "groupadd --system %s", *name);
        }
    }
    if (findings_silent(doctor->findings))
        findings_ok(doctor->findings, "all groups of [review] exist");
}

void check_mta(struct doctor *doctor)
{
    static const char why[] = "The milters in the MTA's configuration decide whether mail is evaluated at all.";
    g_autofree char *error = NULL;
    if (doctor->mta == NULL) {
        findings_add(doctor->findings, SEVERITY_ERROR, why, "no MTA is installed that this program knows");
        return;
    }
    doctor->state = doctor->mta->open(doctor->directory, &error);
    if (doctor->state != NULL)
        findings_ok(doctor->findings, "%s%s%s", doctor->mta->name, doctor->directory != NULL ? ", " : "",
                    doctor->directory != NULL ? doctor->directory : "");
    else
        findings_add(doctor->findings, SEVERITY_ERROR, why, "%s: %s", doctor->mta->name, error);
}

const struct examination checks_of_review[] = {
    {"mta", check_mta},
    {"ledger", examine_ledger},
    {"integrity", examine_integrity},
    {"queue", examine_queue},
    {"agreement", examine_agreement},
    {"oldest", examine_oldest},
    {"groups", examine_groups},
    {"identities", examine_identities},
    {"expiry", examine_expiry},
    {NULL, NULL},
};

bool doctor_is_several(const struct doctor *doctor)
{
    return doctor->directories[0] != NULL && doctor->directories[1] != NULL;
}

void doctor_view_free(struct doctor_view *view)
{
    g_free(view->process);
    g_free(view->user);
    g_free(view->root);
    g_free(view->directory);
    g_free(view->path);
    g_free(view);
}
