/* test-state-file - the state in a file passes the cases of every implementation; what a file can do to it; its key */

#include "milter/ledger/schema.h"
#include "milter/state/state_file.h"
#include "milter/state/state_key_file.h"
#include "state_cases.h"

#include <sys/stat.h>
#include <unistd.h>

static struct database_error error;

/* A folder that nobody else may write, and the path of a file in it. */
struct place {
    char *folder;
    char *path;
    struct state_file *file;
};

static struct state_file *open_sound(const char *path)
{
    struct state_file *file = state_file_open(path, geteuid(), DATABASE_CREATE, 200, &error);
    if (file == NULL)
        g_error("%s", error.text);
    return file;
}

static struct place place_new(void)
{
    struct place place = {.folder = folder_new()};
    g_assert_cmpint(chmod(place.folder, 0700), ==, 0);
    place.path = g_build_filename(place.folder, "state.db", NULL);
    place.file = open_sound(place.path);
    return place;
}

static void place_clear(struct place *place)
{
    state_file_close(place->file);
    folder_free(place->folder);
    g_free(place->path);
}

/* ---- the cases of all */

/* One at a time. */
static struct place cases_place;

static void *open_case(void)
{
    cases_place = place_new();
    return cases_place.file;
}

static void close_case(void *data)
{
    g_assert_true(data == cases_place.file);
    place_clear(&cases_place);
}

/* ---- the file */

static const struct case_message first = {1, 7, 5, NOW, 3, 100, 9}, second = {2, 7, 5, NOW + 1, 3, 200, 9};

static guint32 window_of(struct state_file *file, const struct case_message *message)
{
    return case_window(&state_file_functions, file, message, true, 600, false);
}

static void test_opened_anew(void)
{
    struct place place = place_new();
    g_assert_cmpuint(window_of(place.file, &first), ==, 9);
    case_learn(&state_file_functions, place.file, PARTIES(1, 2, 3), NOW);
    state_file_close(place.file);
    place.file = open_sound(place.path);
    g_assert_cmpuint(window_of(place.file, &second), ==, 18);
    g_assert_cmpint(case_known(&state_file_functions, place.file, PARTIES(3, 1), 0), ==, NOW);
    place_clear(&place);
}

/* Two daemons on one file. */
static void test_two_open(void)
{
    struct place place = place_new();
    auto_free(state_file) other = open_sound(place.path);
    g_assert_cmpuint(window_of(place.file, &first), ==, 9);
    g_assert_cmpuint(window_of(other, &second), ==, 18);
    g_assert_cmpuint(window_of(place.file, &first), ==, 18);
    place_clear(&place);
}

/* Who waits for another process is away within its time, and nothing of the call is left. */
static void test_locked(void)
{
    struct place place = place_new();
    auto_free(database) other = database_open(place.path, geteuid(), DATABASE_EXISTING, 200, &error);
    g_assert_nonnull(other);
    g_assert_cmpint(database_begin(other, &error), ==, 0);

    const struct state_values values = {3, (const state_hash[]){1, 2}, 2};
    const struct state_record record = {1, 7, 5, NOW, &values, 1};
    struct state_window window = {.seconds = 600};
    const struct state_set set = {0, PARTIES(1, 2), 2};
    gint64 when, began = g_get_monotonic_time();
    g_assert_cmpint(state_file_functions.window(place.file, &record, true, &window, 1), ==, STATE_AWAY);
    g_assert_cmpstr(database_failure_name(state_file_error(place.file)->failure), ==, "busy");
    g_assert_cmpint(state_file_functions.known(place.file, &set, 0, &when), ==, STATE_AWAY);
    g_assert_cmpint(when, ==, 0);
    g_assert_cmpint(state_file_functions.learn(place.file, &set, NOW), ==, STATE_AWAY);
    g_assert_cmpint(state_file_functions.withdraw(place.file, 1), ==, STATE_AWAY);
    g_assert_cmpint(g_get_monotonic_time() - began, <, 15 * G_USEC_PER_SEC);

    database_rollback(other);
    g_assert_cmpint(state_file_functions.known(place.file, &set, 0, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, 0);
    g_assert_cmpuint(window_of(place.file, &second), ==, 9);
    place_clear(&place);
}

static void test_replaced(void)
{
    struct place place = place_new();
    g_assert_cmpint(unlink(place.path), ==, 0);
    const struct state_set set = {0, PARTIES(1, 2), 2};
    g_assert_cmpint(state_file_functions.learn(place.file, &set, NOW), ==, STATE_AWAY);
    g_assert_cmpstr(database_failure_name(state_file_error(place.file)->failure), ==, "replaced");
    place_clear(&place);
}

/* A ledger is no file of ours, and stays as it is. */
static void test_foreign(void)
{
    struct place place = place_new();
    g_autofree char *path = g_build_filename(place.folder, "ledger.db", NULL);
    auto_free(database) ledger = database_open(path, geteuid(), DATABASE_CREATE, 200, &error);
    g_assert_cmpint(schema_update(ledger, &error), ==, 0);
    g_assert_null(state_file_open(path, geteuid(), DATABASE_CREATE, 200, &error));
    g_assert_cmpstr(database_failure_name(error.failure), ==, "foreign");
    g_assert_cmpint(schema_update(ledger, &error), ==, 0);
    place_clear(&place);
}

/* More than one step: the later ones stay. */
static void test_expire_steps(void)
{
    struct place place = place_new();
    for (unsigned i = 0; i < STATE_FILE_STEP + 10; i++) {
        const struct case_message message = {i + 1, 7, 5, NOW + (i >= STATE_FILE_STEP), 3, 100 + i, 1};
        window_of(place.file, &message);
    }
    g_assert_cmpint(state_file_expire(place.file, NOW + 1, 0), ==, 1);
    g_assert_cmpint(state_file_expire(place.file, NOW + 1, 0), ==, 0);
    const struct case_message asks = {9999, 7, 5, NOW + 2, 3, 1, 1};
    g_assert_cmpuint(window_of(place.file, &asks), ==, 11);
    place_clear(&place);
}

/* A set that is learned again within a day keeps its place among those of a party; later it comes first. */
static void test_learned_again(void)
{
    struct place place = place_new();
    const struct state_set both = {0, PARTIES(1, 2), 2};
    gint64 when;
    case_learn(&state_file_functions, place.file, PARTIES(1, 2), NOW);
    for (unsigned i = 0; i < STATE_SETS_READ_LIMIT + 1; i++) {
        case_learn(&state_file_functions, place.file, PARTIES(1, 1000 + i), NOW);
        case_learn(&state_file_functions, place.file, PARTIES(2, 3000 + i), NOW);
    }
    case_learn(&state_file_functions, place.file, PARTIES(1, 2), NOW + 60);
    g_assert_cmpint(state_file_functions.known(place.file, &both, 0, &when), ==, STATE_BOUND);
    case_learn(&state_file_functions, place.file, PARTIES(1, 2), NOW + 86400);
    g_assert_cmpint(state_file_functions.known(place.file, &both, 0, &when), ==, STATE_OK);
    g_assert_cmpint(when, ==, NOW + 86400);
    place_clear(&place);
}

/* ---- the key */

static void key_refused(const char *path, const char *text, mode_t mode, const char *want)
{
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
    g_assert_cmpint(chmod(path, mode), ==, 0);
    g_assert_null(state_key_file_read(path, geteuid(), DATABASE_CREATE, &error));
    g_test_message("%s", error.text);
    g_assert_nonnull(strstr(error.text, path));
    g_assert_cmpstr(database_failure_name(error.failure), ==, want);
}

static void test_key(void)
{
    struct place place = place_new();
    struct stat status;
    g_autofree char *path = g_build_filename(place.folder, "state.key", NULL);
    g_assert_null(state_key_file_read(path, geteuid(), DATABASE_EXISTING, &error));
    g_assert_cmpstr(database_failure_name(error.failure), ==, "missing");

    auto_free(state_key) made = state_key_file_read(path, geteuid(), DATABASE_CREATE, &error);
    if (made == NULL)
        g_error("%s", error.text);
    g_assert_cmpint(stat(path, &status), ==, 0);
    g_assert_cmpint(status.st_mode & 07777, ==, 0600);
    g_assert_cmpint(status.st_size, ==, 65);
    auto_free(state_key) again = state_key_file_read(path, geteuid(), DATABASE_CREATE, &error);
    g_assert_cmpuint(state_hash_text(made, STATE_PARTY, "x.example"), ==,
                     state_hash_text(again, STATE_PARTY, "x.example"));

    g_assert_cmpint(unlink(path), ==, 0);
    auto_free(state_key) other = state_key_file_read(path, geteuid(), DATABASE_CREATE, &error);
    g_assert_cmpuint(state_hash_text(made, STATE_PARTY, "x.example"), !=,
                     state_hash_text(other, STATE_PARTY, "x.example"));

    g_autofree char *digits = NULL;
    g_assert_true(g_file_get_contents(path, &digits, NULL, NULL));
    key_refused(path, digits, 0640, "insecure");
    key_refused(path, "", 0600, "foreign");
    digits[63] = 'x';
    key_refused(path, digits, 0600, "foreign");
    digits[63] = '\0';
    key_refused(path, digits, 0600, "foreign");
    place_clear(&place);
}

int main(int argc, char **argv)
{
    static const struct state_case_maker maker = {"file", &state_file_functions, open_case, close_case};

    g_test_init(&argc, &argv, NULL);
    state_cases_add(&maker);
    g_test_add_func("/state-file/opened-anew", test_opened_anew);
    g_test_add_func("/state-file/two-open", test_two_open);
    g_test_add_func("/state-file/locked", test_locked);
    g_test_add_func("/state-file/replaced", test_replaced);
    g_test_add_func("/state-file/foreign", test_foreign);
    g_test_add_func("/state-file/expire-steps", test_expire_steps);
    g_test_add_func("/state-file/learned-again", test_learned_again);
    g_test_add_func("/state-file/key", test_key);
    return g_test_run();
}
