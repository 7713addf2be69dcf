/* fuzz-config - rcptguard.conf; the input is the file. */

#include "fuzz.h"

#include "milter/common/conf_load.h"

#include <string.h>

const char fuzz_target[] = "config";

/* What becomes an argument of a command, or the name of a group, is no option and no second word. */
static void check_words(char *const *words)
{
    for (unsigned i = 0; words != NULL && words[i] != NULL; i++)
        fuzz_check(words[i][0] != '\0' && words[i][0] != '-' && strpbrk(words[i], " \t,<>:") == NULL, "the word `%s`",
                   words[i]);
}

static void check_review(const struct review *review)
{
    fuzz_check(review->approvals == 1 || review->approvals == 2, "approvals is %u", review->approvals);
    for (unsigned i = 0; i < REVIEW_ACTIONS; i++) {
        fuzz_check(review->groups[i] != NULL, "no groups");
        check_words(review->groups[i]);
    }
    check_words(review->digest_to);
}

static void check_config(const struct config *config)
{
    const struct endpoint *socket = config->socket;

    fuzz_check(g_path_is_absolute(config->path), "the path is relative: `%s`", config->path);
    fuzz_check(g_path_is_absolute(config->policy), "the policy's path is relative: `%s`", config->policy);
    fuzz_check(config->user[0] != '\0' && strpbrk(config->user, " \t\r\n:/") == NULL, "the user is `%s`", config->user);
    fuzz_check(config->on_error == DISPOSITION_TEMPFAIL || config->on_error == DISPOSITION_ACCEPT, "on-error is %d",
               (int)config->on_error);
    fuzz_check(config->on_fault == DISPOSITION_QUARANTINE || config->on_fault == DISPOSITION_TEMPFAIL ||
                   config->on_fault == DISPOSITION_REJECT,
               "on-fault is %d", (int)config->on_fault);
    fuzz_check(config->timeout > 0 && config->timeout <= 7 * 86400, "timeout is %u", config->timeout);
    fuzz_check(config->summary > 0 && config->summary <= 7 * 86400, "summary is %u", config->summary);
    fuzz_check(config->keep >= 86400 && config->keep <= 3650u * 86400, "keep is %u", config->keep);
    check_review(&config->review);
    fuzz_check(g_path_is_absolute(config->ledger), "the ledger is `%s`", config->ledger);
    fuzz_check(socket != NULL, "there is no socket");
    switch (socket->kind) {
    case ENDPOINT_UNIX:
        fuzz_check(socket->name != NULL && g_path_is_absolute(socket->path) &&
                       strlen(socket->path) <= endpoint_path_limit(),
                   "the socket is `%s`", socket->path);
        break;
    case ENDPOINT_INET:
    case ENDPOINT_INET6:
        fuzz_check(socket->name != NULL && socket->host[0] != '\0' && socket->port > 0 && socket->port < 65536,
                   "the socket is `%s` with port %u", socket->name, socket->port);
        break;
    case ENDPOINT_FD:
        fuzz_check(socket->fd >= 0, "the socket is descriptor %d", socket->fd);
        break;
    }
}

static bool same(const struct config *a, const struct config *b)
{
    return strcmp(a->user, b->user) == 0 && strcmp(a->policy, b->policy) == 0 &&
           strcmp(a->socket->name, b->socket->name) == 0 && a->on_error == b->on_error && a->on_fault == b->on_fault &&
           a->timeout == b->timeout && a->summary == b->summary && a->facility == b->facility &&
           a->accepted == b->accepted && strcmp(a->ledger, b->ledger) == 0 && a->keep == b->keep &&
           a->subject == b->subject && a->review.approvals == b->review.approvals && a->review.mta == b->review.mta &&
           g_strcmp0(a->review.notice, b->review.notice) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    auto_free(diags) diags = diags_new();
    auto_free(diags) diags_again = diags_new();
    auto_free(config) config = config_parse("/etc/rcptguard/rcptguard.conf", (const char *)data, size, diags);
    auto_free(config) again = NULL;
    g_autofree char *text = NULL;

    fuzz_check_diags(diags);
    fuzz_check((config == NULL) == (diags_errors(diags) > 0), "%s configuration with %u errors",
               config == NULL ? "no" : "a", diags_errors(diags));
    if (config == NULL)
        return 0;
    check_config(config);
    /* A comment more changes nothing. */
    text = g_malloc(size + 16);
    memcpy(text, data, size);
    memcpy(text + size, "\n # [milter]\n", 13);
    again = config_parse("/etc/rcptguard/rcptguard.conf", text, size + 12, diags_again);
    fuzz_check(again != NULL && same(config, again), "a comment at the end changes the configuration");
    return 0;
}
