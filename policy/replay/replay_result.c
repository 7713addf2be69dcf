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

    if (threshold < JUDGED_THRESHOLDS)
        g_array_append_val((GArray *)data, hanging);
}

/* A message alone: of a state nothing is asked that came before it. */
static struct verdict *judge_alone(struct policy *policy, const struct message *message,
                                   const struct judge_options *options)
{
    struct judge_options own = *options;
    struct policy_state needs = policy_state(policy);
    struct state_scratch scratch;

    if (needs.windows == 0 && needs.remember == 0)
        return policy_judge(policy, message, options);
    state_scratch_open(&scratch);
    own.state = &scratch.state;
    struct verdict *verdict = policy_judge(policy, message, &own);
    state_scratch_close(&scratch);
    return verdict;
}

/* What is known of a message beside itself. */
struct given_mail {
    const struct judged_options *options;
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
    const struct judged_options *options = given->options;
    struct judge_options judge = {
        .now = options->now, .on_fault = DISPOSITION_QUARANTINE, .watch = given->watch, .parts = given->parts};

    judge.outbound = options->always_outbound ? OUTBOUND_YES : policy_outbound(policy, message);
    *ruling = (struct ruling){.disposition = DISPOSITION_ACCEPT};
    if (judge.outbound == OUTBOUND_NO)
        return NULL;
    struct verdict *verdict =
        play != NULL ? play_judge(play, message, &judge, given->time) : judge_alone(policy, message, &judge);
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
    size_t end = JUDGED_SENDER;

    if (strlen(normal) <= JUDGED_SENDER)
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

    if (strlen(id) > JUDGED_ID)
        *id = '\0';
    return id;
}

static void read_exposure(struct judged *judged, const struct exposure *exposure, bool recipients)
{
    for (unsigned kind = 0; kind < COUNT_KINDS; kind++)
        judged->counts[kind] = exposure_count(exposure, (enum count)kind, CLASS_EXTERNAL);
    judged->defects = exposure_defects(exposure);
    judged->visible = exposure_visible(exposure);
    judged->parties = parties_sum(exposure, CLASS_EXTERNAL);
    parties_cut(judged->parties, JUDGED_PARTIES, &judged->more_parties, &judged->more_people);
    if (!recipients)
        return;
    judged->recipients = g_new0(char *, JUDGED_RECIPIENTS + 1);
    for (unsigned i = 0; i < MIN(judged->visible, JUDGED_RECIPIENTS); i++)
        judged->recipients[i] = g_strdup(exposure_get(exposure, i)->address);
}

/* Whether what came before a message may matter to a policy: it needs a state, and the message shows two parties. */
static bool waits_for(struct policy *policy, const struct verdict *verdict)
{
    struct policy_state needs = policy_state(policy);

    return (needs.windows > 0 || needs.remember > 0) && verdict != NULL &&
           exposure_count(verdict->exposure, COUNT_PARTIES, CLASS_ALL) >= 2;
}

bool judged_ask_body(const struct judged_options *options)
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

struct judged *judged_new(const struct message *message, const char *file, unsigned index,
                          const struct judged_options *options)
{
    struct judged *judged = g_new0(struct judged, 1);
    struct watch watch = {.hangs = note_hanging};
    auto_free(body_parts) parts = judged_ask_body(options) ? read_parts(message) : NULL;
    struct given_mail given = {.options = options, .watch = &watch, .parts = parts};
    struct verdict *verdict, *old = NULL;

    judged->references = 1;
    judged->file = g_strdup(file);
    judged->index = index;
    judged->sender = short_sender(message->sender);
    judged->id = read_id(message);
    judged->hanging = watch.data = g_array_new(FALSE, FALSE, sizeof(struct hanging));
    read_date(message, judged->date);
    verdict = rule_on(&judged->ruling, options->policy, message, &given, NULL);
    given.watch = NULL;
    if (options->against != NULL)
        old = rule_on(&judged->old, options->against, message, &given, NULL);
    if (verdict != NULL || old != NULL)
        read_exposure(judged, (verdict != NULL ? verdict : old)->exposure, options->recipients);
    else
        judged->parties = g_array_new(FALSE, FALSE, sizeof(struct party_sum));
    if (waits_for(options->policy, verdict) || (options->against != NULL && waits_for(options->against, old))) {
        const struct header *header = message_find_header(message, "Date");
        judged->waiting = (struct waiting_mail){.message = message_copy(message),
                                                .time = decode_date(header != NULL ? header->value : NULL)};
    }
    verdict_free(verdict);
    verdict_free(old);
    if (judged->waiting.message != NULL)
        judged->waiting.parts = g_steal_pointer(&parts);
    return judged;
}

void judged_play(struct judged *judged, const struct judged_options *options, struct play *play, struct play *against,
                 gint64 time)
{
    const struct watch watch = {.hangs = note_hanging, .data = judged->hanging};
    const struct message *message = judged->waiting.message;
    struct given_mail given = {options, &watch, judged->waiting.parts, time};

    g_array_set_size(judged->hanging, 0);
    ruling_clear(&judged->ruling);
    verdict_free(rule_on(&judged->ruling, options->policy, message, &given, play));
    if (options->against != NULL) {
        ruling_clear(&judged->old);
        given.watch = NULL;
        verdict_free(rule_on(&judged->old, options->against, message, &given, against));
    }
    g_clear_pointer(&judged->waiting.message, message_free);
    g_clear_pointer(&judged->waiting.parts, body_parts_free);
}

struct judged *judged_ref(struct judged *judged)
{
    judged->references++;
    return judged;
}

void judged_unref(struct judged *judged)
{
    if (--judged->references > 0)
        return;
    g_free(judged->file);
    g_free(judged->sender);
    g_free(judged->id);
    ruling_clear(&judged->ruling);
    ruling_clear(&judged->old);
    g_array_unref(judged->hanging);
    g_array_unref(judged->parties);
    g_strfreev(judged->recipients);
    message_free(judged->waiting.message);
    body_parts_free(judged->waiting.parts);
    g_free(judged);
}

bool judged_changed(const struct judged *judged)
{
    return judged->ruling.disposition != judged->old.disposition ||
           g_strcmp0(judged->ruling.rule, judged->old.rule) != 0;
}
