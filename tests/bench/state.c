/*
 * state - what the calls of the state's file cost, with many records and sets in it.  Called by `make bench-state`.
 *
 * usage: state FILE [RECORDS [SETS [WORD]]]
 *
 * FILE is made, in a directory that others cannot write, or filled further.  With WORD only the calls that begin so are
 * measured.  Each line is a call: its microseconds of processor time, of time, and the time of the slowest of a
 * hundred.
 */

#include "milter/state/state_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#define NOW     1800000000
#define AUTHORS 1000u
#define ASKED   2000u

/* Sets that are learned in one transaction; and records and sets, where the file is filled. */
#define TOGETHER 16u
#define FILLED   10000u

/* Parties that are in many of the sets, and all of them. */
#define COMMON  20u
#define PARTIES 60000u

static struct state_file *file;
static const struct state_functions *const functions = &state_file_functions;
static GRand *chance;

static gint64 processor_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000;
}

static int compare(const void *one, const void *other)
{
    gint64 a = *(const gint64 *)one, b = *(const gint64 *)other;
    return a < b ? -1 : a > b;
}

/* ---- what is asked */

struct asked {
    const char *name;
    void (*call)(const struct asked *asked, unsigned number);
    unsigned parties;
    unsigned before; /* messages of the author in the window */
};

static void check(enum state_outcome outcome)
{
    if (outcome != STATE_AWAY)
        return;
    fprintf(stderr, "state: %s\n", state_file_error(file)->text);
    exit(1);
}

/* One party in ten is a common one. */
static void fill(state_hash *hashes, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        hashes[i] = 1 + (unsigned)g_rand_int_range(chance, 0, g_rand_int_range(chance, 0, 10) == 0 ? COMMON : PARTIES);
}

static void put_record(state_hash id, state_hash author, gint64 time, unsigned count)
{
    state_hash hashes[STATE_SET_LIMIT];
    fill(hashes, count);
    const struct state_values values = {3, hashes, count};
    const struct state_record record = {id, author, 0, time, &values, 1};
    struct state_window window = {.seconds = 600};
    check(functions->window(file, &record, true, &window, 1));
}

/* As many as fit into one transaction. */
static void put_sets(unsigned from, unsigned sets)
{
    static state_hash hashes[FILLED][STATE_SET_LIMIT];
    static struct state_learned learned[FILLED];
    unsigned count = MIN(sets - from, FILLED);
    for (unsigned i = 0; i < count; i++) {
        unsigned parties = 3 + (from + i) % 20;
        fill(hashes[i], parties);
        learned[i] = (struct state_learned){{0, hashes[i], parties}, NOW - sets + from + i};
    }
    check(state_file_learn(file, learned, count));
}

static void put_records(struct database *database, unsigned from, unsigned records)
{
    struct database_error error;
    int result = database_begin(database, &error);
    for (unsigned i = from; result == 0 && i < MIN(records, from + FILLED); i++) {
        state_hash hashes[12];
        fill(hashes, G_N_ELEMENTS(hashes));
        const struct parameter parameters[] = {sql_number(1 + i % AUTHORS), sql_number(NOW - (records - i) / 12),
                                               sql_number(i + 1), sql_bytes(hashes, sizeof hashes)};
        result = database_change(database,
                                 "INSERT OR REPLACE INTO record (author, signature, at, id, subject, hashes)"
                                 " VALUES (?1, 3, ?2, ?3, 0, ?4)",
                                 parameters, G_N_ELEMENTS(parameters), &error);
    }
    if (database_end(database, result, &error) == 0)
        return;
    fprintf(stderr, "state: %s\n", error.text);
    exit(1);
}

static void ask_window(const struct asked *asked, unsigned number)
{
    static state_hash author = 1ULL << 40, id = 1ULL << 40;
    author += number == 0 || number % (asked->before + 1) == 0;
    put_record(++id, author, NOW, asked->parties);
}

static void ask_withdraw(const struct asked *asked, unsigned number)
{
    (void)asked;
    check(functions->withdraw(file, (1ULL << 40) + number + 1));
}

static void ask_set(const state_hash *hashes, unsigned count)
{
    const struct state_set set = {0, hashes, count};
    gint64 when;
    check(functions->known(file, &set, 0, &when));
}

static void ask_known(const struct asked *asked, unsigned number)
{
    state_hash hashes[STATE_SET_LIMIT];
    (void)number;
    fill(hashes, asked->parties);
    ask_set(hashes, asked->parties);
}

static void ask_common(const struct asked *asked, unsigned number)
{
    state_hash hashes[STATE_SET_LIMIT];
    for (unsigned i = 0; i < asked->parties; i++)
        hashes[i] = 1 + (number + i) % COMMON;
    ask_set(hashes, asked->parties);
}

/* A set that a call before has learned, or one that it learns. */
static void of_team(state_hash *hashes, unsigned count, unsigned team)
{
    for (unsigned i = 0; i < count; i++)
        hashes[i] = 1 + (i < 2 ? team % COMMON : (team * 7919u + i * 104729u) % PARTIES);
    hashes[0] = 1 + (team + 1) % COMMON;
}

static void ask_learn(const struct asked *asked, unsigned number)
{
    state_hash hashes[STATE_SET_LIMIT];
    of_team(hashes, asked->parties, number);
    const struct state_set set = {0, hashes, asked->parties};
    check(functions->learn(file, &set, NOW + asked->before));
}

/* As the daemon does it: several at once. */
static void ask_learn_together(const struct asked *asked, unsigned number)
{
    static state_hash hashes[TOGETHER][STATE_SET_LIMIT];
    static struct state_learned sets[TOGETHER];
    unsigned i = number % TOGETHER;
    of_team(hashes[i], asked->parties, number + ASKED);
    sets[i] = (struct state_learned){{0, hashes[i], asked->parties}, NOW};
    if (i == TOGETHER - 1)
        check(state_file_learn(file, sets, TOGETHER));
}

static void ask_team(const struct asked *asked, unsigned number)
{
    state_hash hashes[STATE_SET_LIMIT];
    of_team(hashes, asked->parties, number);
    ask_set(hashes, asked->parties);
}

/* ---- figures */

static void measure(const struct asked *asked)
{
    static gint64 each[ASKED];
    gint64 processor = processor_time(), began = g_get_monotonic_time(), last = began;
    for (unsigned i = 0; i < ASKED; i++) {
        asked->call(asked, i);
        gint64 now = g_get_monotonic_time();
        each[i] = now - last;
        last = now;
    }
    processor = processor_time() - processor;
    qsort(each, ASKED, sizeof each[0], compare);
    printf("%-60s %8.1f %8.1f %8d us\n", asked->name, (double)processor / ASKED, (double)(last - began) / ASKED,
           (int)each[ASKED * 99 / 100]);
}

static void put_all(const char *path, unsigned records, unsigned sets)
{
    struct database_error error;
    auto_free(database) database = database_open(path, geteuid(), DATABASE_EXISTING, 1000, &error);
    if (database == NULL || database_run(database, "PRAGMA synchronous = NORMAL", &error) == -1) {
        fprintf(stderr, "state: %s\n", error.text);
        exit(1);
    }
    for (unsigned i = 0; i < records; i += FILLED)
        put_records(database, i, records);
    for (unsigned i = 0; i < sets; i += FILLED)
        put_sets(i, sets);
}

int main(int argc, char **argv)
{
    static const struct asked all[] = {
        {"window: a message of 12 parties, the author's only one", ask_window, 12, 0},
        {"withdraw: the same", ask_withdraw, 0, 0},
        {"window: 12, after up to 20 of the author", ask_window, 12, 20},
        {"window: 40, after up to 200", ask_window, 40, 200},
        {"learn: 12, a new set", ask_learn, 12, 0},
        {"learn: 12, 16 new sets at once: each", ask_learn_together, 12, 0},
        {"learn: 12, the same sets later", ask_learn, 12, STATE_SET_FRESH},
        {"known: 12 that are", ask_team, 12, 0},
        {"known: 12 that are not", ask_known, 12, 0},
        {"known: 40 that are not", ask_known, 40, 0},
        {"known: 12 that are in very many sets", ask_common, 12, 0},
    };
    struct database_error error;
    if (argc > 1)
        file = state_file_open(argv[1], geteuid(), DATABASE_CREATE, 1000, &error);
    if (file == NULL) {
        fprintf(stderr, "usage: state FILE [RECORDS [SETS [WORD]]]\n%s\n", argc > 1 ? error.text : "");
        return 2;
    }
    chance = g_rand_new_with_seed(1);
    put_all(argv[1], argc > 2 ? (unsigned)atoi(argv[2]) : 1000000, argc > 3 ? (unsigned)atoi(argv[3]) : 300000);
    printf("%-60s %8s %8s %8s\n", "", "CPU", "time", "p99");
    for (unsigned i = 0; i < G_N_ELEMENTS(all); i++)
        if (argc <= 4 || g_str_has_prefix(all[i].name, argv[4]))
            measure(&all[i]);
    state_file_close(file);
    g_rand_free(chance);
    return 0;
}
