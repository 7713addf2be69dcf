/* replay_result - see replay_result.h */

#include "policy/replay/replay_result.h"

#include "policy/address/address.h"
#include "policy/message/message_id.h"

#include <stdio.h>
#include <string.h>

static void note_hanging(void *data, unsigned threshold, unsigned count)
{
    struct hanging hanging = {.threshold = threshold, .count = count};

    if (threshold < JUDGED_THRESHOLDS)
        g_array_append_val((GArray *)data, hanging);
}

/* Gives the verdict too, since the exposure is in it; NULL of mail that is not outbound. */
static struct verdict *rule_on(struct ruling *ruling, struct policy *policy, const struct message *message,
                               const struct judged_options *options, const struct watch *watch)
{
    struct judge_options judge = {.now = options->now, .on_fault = DISPOSITION_QUARANTINE, .watch = watch};

    judge.outbound = options->always_outbound ? OUTBOUND_YES : policy_outbound(policy, message);
    *ruling = (struct ruling){.disposition = DISPOSITION_ACCEPT};
    if (judge.outbound == OUTBOUND_NO)
        return NULL;
    struct verdict *verdict = policy_judge(policy, message, &judge);
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

struct judged *judged_new(const struct message *message, const char *file, unsigned index,
                          const struct judged_options *options)
{
    struct judged *judged = g_new0(struct judged, 1);
    struct watch watch = {.hangs = note_hanging};
    struct verdict *verdict, *old = NULL;

    judged->references = 1;
    judged->file = g_strdup(file);
    judged->index = index;
    judged->sender = short_sender(message->sender);
    judged->id = read_id(message);
    judged->hanging = watch.data = g_array_new(FALSE, FALSE, sizeof(struct hanging));
    read_date(message, judged->date);
    verdict = rule_on(&judged->ruling, options->policy, message, options, &watch);
    if (options->against != NULL)
        old = rule_on(&judged->old, options->against, message, options, NULL);
    if (verdict != NULL || old != NULL)
        read_exposure(judged, (verdict != NULL ? verdict : old)->exposure, options->recipients);
    else
        judged->parties = g_array_new(FALSE, FALSE, sizeof(struct party_sum));
    verdict_free(verdict);
    verdict_free(old);
    return judged;
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
    g_free(judged);
}

bool judged_changed(const struct judged *judged)
{
    return judged->ruling.disposition != judged->old.disposition ||
           g_strcmp0(judged->ruling.rule, judged->old.rule) != 0;
}
