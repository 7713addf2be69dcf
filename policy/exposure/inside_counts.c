/* inside_counts - see inside_counts.h */

#include "policy/exposure/inside_counts.h"

#include "policy/exposure/parts_exposure.h"

#include <stdlib.h>
#include <string.h>

#define NOBODY "none"
#define AWAY   "away"

/* The bits of a place among the kinds of an exposure. */
static unsigned place_kinds(unsigned place)
{
    return place == INSIDE_HEADER ? ~0u << PART_KINDS : 1u << place;
}

struct inside_counts inside_counts(const struct parts_exposure *exposure, bool away)
{
    struct inside_counts counts = {.asked = away ? INSIDE_AWAY : INSIDE_NOT_ASKED};

    if (exposure == NULL)
        return counts;
    counts.asked = INSIDE_READ;
    counts.opaque = parts_exposure_opaque(exposure);
    for (unsigned i = 0; i < INSIDE_PLACES; i++)
        counts.places[i] = (struct inside_place){
            parts_exposure_count(exposure, COUNT_VISIBLE, CLASS_EXTERNAL, place_kinds(i)),
            parts_exposure_count(exposure, COUNT_PARTIES, CLASS_EXTERNAL, place_kinds(i)),
        };
    return counts;
}

const char *inside_place_name(unsigned place)
{
    return place == INSIDE_HEADER ? "header" : part_kind_name((enum part_kind)(1u << place));
}

struct inside_place inside_counts_largest(const struct inside_counts *counts)
{
    struct inside_place largest = {0};
    for (unsigned i = 0; i < INSIDE_PLACES; i++) {
        if (counts->places[i].people > largest.people)
            largest = counts->places[i];
    }
    return largest;
}

bool inside_counts_any(const struct inside_counts *counts)
{
    return inside_counts_largest(counts).people > 0;
}

void inside_item(const struct inside_counts *counts, unsigned place, char *item)
{
    const struct inside_place *found = &counts->places[place];

    g_snprintf(item, INSIDE_ITEM_SIZE, "%s:%u/%u", inside_place_name(place), found->people, found->parties);
}

void inside_counts_text(const struct inside_counts *counts, char *text)
{
    G_STATIC_ASSERT(INSIDE_PLACES * INSIDE_ITEM_SIZE <= INSIDE_TEXT_SIZE);
    text[0] = '\0';
    if (counts->asked == INSIDE_NOT_ASKED)
        return;
    for (unsigned i = 0; i < INSIDE_PLACES; i++) {
        char item[INSIDE_ITEM_SIZE];
        if (counts->places[i].people == 0)
            continue;
        inside_item(counts, i, item);
        if (text[0] != '\0')
            g_strlcat(text, ",", INSIDE_TEXT_SIZE);
        g_strlcat(text, item, INSIDE_TEXT_SIZE);
    }
    if (text[0] == '\0')
        g_strlcpy(text, counts->asked == INSIDE_AWAY ? AWAY : NOBODY, INSIDE_TEXT_SIZE);
}

static void parse_item(struct inside_counts *counts, const char *item)
{
    const char *colon = strchr(item, ':');
    const char *slash = colon == NULL ? NULL : strchr(colon, '/');

    for (unsigned i = 0; slash != NULL && i < INSIDE_PLACES; i++) {
        const char *name = inside_place_name(i);
        if (strlen(name) == (size_t)(colon - item) && strncmp(name, item, (size_t)(colon - item)) == 0)
            counts->places[i] =
                (struct inside_place){(unsigned)strtoul(colon + 1, NULL, 10), (unsigned)strtoul(slash + 1, NULL, 10)};
    }
}

struct inside_counts inside_counts_parse(const char *text, unsigned opaque)
{
    struct inside_counts counts = {.opaque = opaque};

    if (text == NULL || text[0] == '\0')
        return counts;
    counts.asked = strcmp(text, AWAY) == 0 ? INSIDE_AWAY : INSIDE_READ;
    g_auto(GStrv) items = g_strsplit(text, ",", -1);
    for (char **item = items; *item != NULL; item++)
        parse_item(&counts, *item);
    return counts;
}
