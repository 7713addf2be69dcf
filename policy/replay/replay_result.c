/* replay_result - see replay_result.h */

#include "policy/replay/replay_result.h"

#include "policy/address/address.h"
#include "policy/message/header_text.h"
#include "policy/message/message_id.h"
#include "policy/parts/body_parts.h"
#include "policy/replay/replay_state.h"
#include "policy/state/state_memory.h"

#include <stdio.h>
#include <string.h>

static void note_hanging(void *data, unsigned threshold, unsigned count)
{
    struct hanging hanging = {.threshold = threshold, .count = count};

    if (threshold < REPLAYED_THRESHOLDS)
        g_array_append_val((GArray *)data, hanging);
}

/* A message alone: of a state nothing is asked that came before it. */
static struct verdict *evaluate_alone(struct policy *policy, const struct message *message,
                                      const struct evaluate_options *options)
{
    struct evaluate_options own = *options;
    struct policy_state needs = policy_state(policy);
    struct state_scratch scratch;

    if (needs.windows == 0 && needs.remember == 0)
        return policy_evaluate(policy, message, options);
    state_scratch_open(&scratch);
    own.state = &scratch.state;
    struct verdict *verdict = policy_evaluate(policy, message, &own);
    state_scratch_close(&scratch);
    return verdict;
}

/* What is known of a message beside itself. */
struct given_mail {
    const struct replayed_options *options;
    const struct watch *watch;      /* of the policy; or NULL */
    const struct body_parts *parts; /* or NULL */
    gint64 time;                    /* at which it is played; 0 of a message alone */
};

/*
 * Gives the verdict too, since the exposure is in it; NULL of mail that is not outbound.  `play` is NULL of a message
 * alone.
 */
static struct verdict *rule_on(struct ruling *ruling, struct policy *policy, const struct message *message,
                               const struct given_mail *given, struct play *play)
{
    const struct replayed_options *options = given->options;
    struct evaluate_options asking = {
        .now = options->now, .on_fault = DISPOSITION_QUARANTINE, .watch = given->watch, .parts = given->parts};

    asking.outbound = options->always_outbound ? OUTBOUND_YES : policy_outbound(policy, message);
    *ruling = (struct ruling){.disposition = DISPOSITION_ACCEPT};
    if (asking.outbound == OUTBOUND_NO)
        return NULL;
    struct verdict *verdict =
        play != NULL ? play_evaluate(play, message, &asking, given->time) : evaluate_alone(policy, message, &asking);
    ruling->disposition = verdict->disposition;
    ruling->rule = g_strdup(verdict->rule);
    ruling->line = verdict->line;
    ruling->would = g_new0(char *, verdict->would->len + 1);
    for (unsigned i = 0; i < verdict->would->len; i++)
        ruling->would[i] = g_strdup(g_ptr_array_index(verdict->would, i));
    return verdict;
}

static void ruling_clear(struct ruling *ruling)
{
    g_free(ruling->rule);
    g_strfreev(ruling->would);
}

static bool month_number(const char *name, unsigned *number)
{
    static const char names[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

    for (*number = 1; *number <= 12; ++*number)
        if (g_ascii_strncasecmp(name, names + (*number - 1) * 3, 3) == 0)
            return true;
    return false;
}

/* RFC 5322 section 3.3, "Mon, 23 Nov 2026 18:34:00 +0100": the day of the week may be missing, the zone is not read. */
static void read_date(const struct message *message, char date[static 17])
{
    const struct header *header = message_find_header(message, "Date");
    const char *text = header != NULL ? header->value : "";
    const char *comma = strchr(text, ','), *day_on = comma != NULL ? comma + 1 : text;
    unsigned day, month, year, hour, minute;
    char name[4];

    if (sscanf(day_on, "%2u %3[A-Za-z] %4u %2u:%2u", &day, name, &year, &hour, &minute) != 5 ||
        !month_number(name, &month) || day < 1 || day > 31 || year < 1900 || hour > 23 || minute > 59)
        return;
    g_snprintf(date, 17, "%04u-%02u-%02u %02u:%02u", year, month, day, hour, minute);
}

/* Cut between characters, so that it stays UTF-8 if it was. */
static char *short_sender(const char *sender)
{
    char *normal = address_normalise_envelope(sender);
    size_t end = REPLAYED_SENDER;

    if (strlen(normal) <= REPLAYED_SENDER)
        return normal;
    while (end > 0 && ((unsigned char)normal[end] & 0xC0) == 0x80)
        end--;
    char *cut = g_strdup_printf("%.*s...", (int)end, normal);
    g_free(normal);
    return cut;
}

static char *read_id(const struct message *message)
{
    const struct header *header = message_find_header(message, "Message-ID");
    char *id = message_id_copy(header != NULL ? header->value : NULL);

    if (strlen(id) > REPLAYED_ID)
        *id = '\0';
    return id;
}

static void read_exposure(struct replayed *replayed, const struct exposure *exposure, bool recipients)
{
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        replayed->counts[kind] = exposure_count(exposure, (enum count)kind, CLASS_EXTERNAL);
    replayed->defects = exposure_defects(exposure);
    replayed->visible = exposure_visible(exposure);
    replayed->parties = parties_sum(exposure, CLASS_EXTERNAL);
    parties_cut(replayed->parties, REPLAYED_PARTIES, &replayed->more_parties, &replayed->more_people);
    if (!recipients)
        return;
    replayed->recipients = g_new0(char *, REPLAYED_RECIPIENTS + 1);
    for (unsigned i = 0; i < MIN(replayed->visible, REPLAYED_RECIPIENTS); i++)
        replayed->recipients[i] = g_strdup(exposure_get(exposure, i)->address);
}

/* Whether what came before a message may matter to a policy: it needs a state, and the message shows two parties. */
static bool waits_for(struct policy *policy, const struct verdict *verdict)
{
    struct policy_state needs = policy_state(policy);

    return (needs.windows > 0 || needs.remember > 0) && verdict != NULL &&
           exposure_count(verdict->exposure, COUNT_PARTIES, CLASS_ALL) >= 2;
}

bool replayed_ask_body(const struct replayed_options *options)
{
    return policy_asks_body(options->policy) || (options->against != NULL && policy_asks_body(options->against));
}

/* Once for both policies, and for a message that waits. */
static struct body_parts *read_parts(const struct message *message)
{
    size_t length;
    const char *text = message->body != NULL ? message_body_text(message->body, &length) : NULL;

    if (text == NULL)
        return NULL;
    return body_parts_read(&(struct body_source){message, text, length, message_body_is_cut(message->body)});
}

struct replayed *replayed_new(const struct message *message, const char *file, unsigned index,
                              const struct replayed_options *options)
{
    struct replayed *replayed = g_new0(struct replayed, 1);
    struct watch watch = {.hangs = note_hanging};
    auto_free(body_parts) parts = replayed_ask_body(options) ? read_parts(message) : NULL;
    struct given_mail given = {.options = options, .watch = &watch, .parts = parts};
    struct verdict *verdict, *old = NULL;

    replayed->references = 1;
    replayed->file = g_strdup(file);
    replayed->index = index;
    replayed->sender = short_sender(message->sender);
    replayed->id = read_id(message);
    replayed->hanging = watch.data = g_array_new(FALSE, FALSE, sizeof(struct hanging));
    read_date(message, replayed->date);
    verdict = rule_on(&replayed->ruling, options->policy, message, &given, NULL);
    given.watch = NULL;
    if (options->against != NULL)
        old = rule_on(&replayed->old, options->against, message, &given, NULL);
    if (verdict != NULL || old != NULL)
        read_exposure(replayed, (verdict != NULL ? verdict : old)->exposure, options->recipients);
    else
        replayed->parties = g_array_new(FALSE, FALSE, sizeof(struct party_sum));
    if (waits_for(options->policy, verdict) || (options->against != NULL && waits_for(options->against, old))) {
        const struct header *header = message_find_header(message, "Date");
        replayed->waiting = (struct waiting_mail){.message = message_copy(message),
                                                  .time = decode_date(header != NULL ? header->value : NULL)};
    }
    verdict_free(verdict);
    verdict_free(old);
    if (replayed->waiting.message != NULL)
        replayed->waiting.parts = g_steal_pointer(&parts);
    return replayed;
}

void replayed_play(struct replayed *replayed, const struct replayed_options *options, struct play *play,
                   struct play *against, gint64 time)
{
    const struct watch watch = {.hangs = note_hanging, .data = replayed->hanging};
    const struct message *message = replayed->waiting.message;
    struct given_mail given = {options, &watch, replayed->waiting.parts, time};

    g_array_set_size(replayed->hanging, 0);
    ruling_clear(&replayed->ruling);
    verdict_free(rule_on(&replayed->ruling, options->policy, message, &given, play));
    if (options->against != NULL) {
        ruling_clear(&replayed->old);
        given.watch = NULL;
        verdict_free(rule_on(&replayed->old, options->against, message, &given, against));
    }
    g_clear_pointer(&replayed->waiting.message, message_free);
    g_clear_pointer(&replayed->waiting.parts, body_parts_free);
}

struct replayed *replayed_ref(struct replayed *replayed)
{
    replayed->references++;
    return replayed;
}

void replayed_unref(struct replayed *replayed)
{
    if (--replayed->references > 0)
        return;
    g_free(replayed->file);
    g_free(replayed->sender);
    g_free(replayed->id);
    ruling_clear(&replayed->ruling);
    ruling_clear(&replayed->old);
    g_array_unref(replayed->hanging);
    g_array_unref(replayed->parties);
    g_strfreev(replayed->recipients);
    message_free(replayed->waiting.message);
    body_parts_free(replayed->waiting.parts);
    g_free(replayed);
}

bool replayed_changed(const struct replayed *replayed)
{
    return replayed->ruling.disposition != replayed->old.disposition ||
           g_strcmp0(replayed->ruling.rule, replayed->old.rule) != 0;
}
