/* test-mailbox-parallel - whole mailboxes with many threads: the same results in the same order (run it under TSan) */

#include "pack.h"
#include "policy/mailbox/mailbox_parallel.h"
#include "policy/mailbox/mailbox_read.h"
#include "unit.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define FROM "From care@me.example Mon Nov 23 18:34:00 2026\n"

/* Seconds after which something that should have happened has not. */
#define LIMIT 60

static const unsigned jobs_tried[] = {1, 2, 7, 0};

/* ---- mailboxes */

/* Messages `To: NAME-NUMBER@x.example`, with a body each now and then longer than what is read at once. */
static GString *mbox_of(const char *name, unsigned count, unsigned long_body)
{
    GString *mbox = g_string_new(NULL);

    for (unsigned i = 0; i < count; i++) {
        g_string_append_printf(mbox, "%s" FROM "To: %s-%u@x.example\n\nbody\n", i > 0 ? "\n" : "", name, i);
        for (unsigned line = 0; long_body > 0 && i % long_body == 0 && line < 20000; line++)
            g_string_append(mbox, "a line of a body that goes on\n");
    }
    return mbox;
}

static void put_mbox(const char *folder, const char *file, const char *name, unsigned count, unsigned long_body)
{
    GString *mbox = mbox_of(name, count, long_body);

    g_free(folder_write(folder, file, mbox->str, (gssize)mbox->len));
    g_string_free(mbox, TRUE);
}

/* Everything that is read, and some of what cannot be. */
static char *mixed_folder(void)
{
    char *folder = folder_new();
    g_autofree char *link = g_build_filename(folder, "e-link", NULL);

    put_mbox(folder, "a-box", "a", 1000, 100);
    for (unsigned i = 0; i < G_N_ELEMENTS(pack_formats); i++) {
        g_autofree char *file = g_strdup_printf("b-packed/%s", pack_formats[i].name);
        g_autofree char *cut = g_strdup_printf("b-packed/%s-cut", pack_formats[i].name);
        GString *mbox = mbox_of(pack_formats[i].name, 600, 200);
        g_autoptr(GByteArray) packed = pack_formats[i].pack(mbox->str, mbox->len);
        g_free(folder_write(folder, file, (const char *)packed->data, (gssize)packed->len));
        g_free(folder_write(folder, cut, (const char *)packed->data, (gssize)packed->len - 5));
        g_string_free(mbox, TRUE);
    }
    for (unsigned i = 0; i < 500; i++) {
        g_autofree char *file = g_strdup_printf("c-maildir/%s/%03u", i % 5 == 0 ? "new" : "cur", i);
        g_autofree char *text = g_strdup_printf("To: c-%u@x.example\n\nbody\n", i);
        folder_put(folder, file, text);
    }
    folder_put(folder, "d-maildir/cur/empty", "");
    g_assert_cmpint(symlink("missing", link), ==, 0);
    put_mbox(folder, "f-box", "f", 300, 0);
    return folder;
}

/* What mailfile says: a line a message, and a line a diagnostic. */
static bool take_line(void *data, struct message *message, const char *file, unsigned index)
{
    const struct header *to = message_find_header(message, "To");

    g_string_append_printf(data, "%s[%u] %s\n", file, index, to != NULL ? to->value : "-");
    message_free(message);
    return true;
}

static void append_diags(GString *text, const struct diags *diags)
{
    for (unsigned i = 0; i < diags_count(diags); i++)
        g_string_append_printf(text, "!%s: %s\n", diags_get(diags, i)->file, diags_get(diags, i)->message);
}

static char *read_alone(const char *path)
{
    GString *text = g_string_new(NULL);
    auto_free(diags) diags = diags_new();

    g_assert_true(mailfile_read(path, take_line, text, diags));
    append_diags(text, diags);
    return g_string_free(text, FALSE);
}

/* ---- runs */

struct trial {
    GString *text;
    pthread_t thread; /* the one that called mailrun_run */
    unsigned delivered;
    gint worked; /* atomic */
    guint64 messages, bytes_read, bytes_total;
    unsigned null_every;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned inside; /* threads in `work` */
    unsigned most_inside;
    unsigned most_ahead;
    unsigned wait_for; /* the first message waits until so many have been worked on */
    unsigned stop_at;
    atomic_bool stop;
};

static struct trial *trial_new(void)
{
    struct trial *trial = g_new0(struct trial, 1);

    trial->text = g_string_new(NULL);
    trial->thread = pthread_self();
    pthread_mutex_init(&trial->lock, NULL);
    pthread_cond_init(&trial->changed, NULL);
    return trial;
}

static void trial_free(struct trial *trial)
{
    g_string_free(trial->text, TRUE);
    pthread_mutex_destroy(&trial->lock);
    pthread_cond_destroy(&trial->changed);
    g_free(trial);
}

/* The same message takes now long, now short. */
static void dawdle(unsigned index)
{
    for (unsigned i = g_str_hash("x") + index * 2654435761u; i % 17 > 3; i /= 3)
        sched_yield();
}

static void *work(void *data, struct message *message, const char *file, unsigned index, guint64 size)
{
    struct trial *trial = data;
    const struct header *to = message_find_header(message, "To");
    unsigned worked = (unsigned)g_atomic_int_add(&trial->worked, 1) + 1;

    (void)size;
    dawdle(index);
    if (trial->stop_at > 0 && worked >= trial->stop_at)
        atomic_store(&trial->stop, true);
    if (trial->null_every > 0 && index % trial->null_every == 0)
        return NULL;
    return g_strdup_printf("%s[%u] %s\n", file, index, to != NULL ? to->value : "-");
}

static void deliver(void *data, void *result)
{
    struct trial *trial = data;

    g_assert_true(pthread_equal(trial->thread, pthread_self()));
    g_string_append(trial->text, result != NULL ? result : "(null)\n");
    trial->delivered++;
    g_free(result);
}

static void progress(void *data, guint64 messages, guint64 bytes_read, guint64 bytes_total)
{
    struct trial *trial = data;

    g_assert_true(pthread_equal(trial->thread, pthread_self()));
    g_assert_cmpuint(messages, ==, trial->delivered);
    g_assert_cmpuint(bytes_read, >=, trial->bytes_read);
    g_assert_true(trial->bytes_total == 0 || bytes_total == trial->bytes_total);
    trial->messages = messages;
    trial->bytes_read = bytes_read;
    trial->bytes_total = bytes_total;
}

static bool run(struct trial *trial, unsigned jobs, const char *path, struct diags *diags)
{
    const char *const paths[] = {path, NULL};
    struct mailrun mailrun = {jobs, &trial->stop, work, deliver, NULL, progress, trial, false};

    return mailrun_run(&mailrun, paths, diags);
}

static void test_order(void)
{
    char *folder = mixed_folder();
    g_autofree char *want = read_alone(folder);

    g_assert_nonnull(strstr(want, "b-packed/xz-cut[0] xz-0@x.example\n"));
    g_assert_nonnull(strstr(want, "e-link: does not exist"));
    for (unsigned i = 0; i < G_N_ELEMENTS(jobs_tried); i++) {
        struct trial *trial = trial_new();
        auto_free(diags) diags = diags_new();
        g_assert_false(run(trial, jobs_tried[i], folder, diags));
        append_diags(trial->text, diags);
        g_assert_cmpstr(trial->text->str, ==, want);
        g_assert_cmpuint(trial->messages, ==, trial->delivered);
        /* They are warnings here: the rest went on. */
        g_assert_cmpuint(diags_errors(diags), ==, 0);
        g_assert_cmpuint(diags_count(diags), ==, 5);
        g_assert_cmpuint(trial->bytes_total, >, 1000000);
        g_assert_cmpuint(trial->bytes_read, ==, trial->bytes_total);
        trial_free(trial);
    }
    folder_free(folder);
}

/* A result that is none is delivered in its place. */
static void test_null(void)
{
    char *folder = folder_new();
    g_autofree char *path = g_build_filename(folder, "box", NULL);

    put_mbox(folder, "box", "a", 1000, 0);
    for (unsigned i = 0; i < G_N_ELEMENTS(jobs_tried); i++) {
        struct trial *trial = trial_new();
        auto_free(diags) diags = diags_new();
        g_auto(GStrv) lines = NULL;
        trial->null_every = 3;
        g_assert_true(run(trial, jobs_tried[i], path, diags));
        g_assert_cmpuint(trial->delivered, ==, 1000);
        lines = g_strsplit(trial->text->str, "\n", -1);
        for (unsigned line = 0; line < 1000; line++)
            g_assert_true((strcmp(lines[line], "(null)") == 0) == (line % 3 == 0));
        trial_free(trial);
    }
    folder_free(folder);
}

/* What has been worked on when it is stopped is delivered, in order and without a gap; the rest is not read. */
static void test_stop(void)
{
    char *folder = folder_new();
    g_autofree char *path = g_build_filename(folder, "box", NULL);
    g_autofree char *want = NULL;

    put_mbox(folder, "box", "a", 30000, 0);
    want = read_alone(path);
    for (unsigned i = 0; i < G_N_ELEMENTS(jobs_tried); i++) {
        struct trial *trial = trial_new();
        auto_free(diags) diags = diags_new();
        trial->stop_at = 200;
        g_assert_true(run(trial, jobs_tried[i], path, diags));
        g_assert_cmpuint(trial->delivered, ==, (unsigned)trial->worked);
        g_assert_cmpuint(trial->delivered, >=, 200);
        g_assert_cmpuint(trial->delivered, <, 30000);
        g_assert_true(strncmp(trial->text->str, want, trial->text->len) == 0);
        g_assert_cmpuint(diags_count(diags), ==, 0);
        trial_free(trial);
    }
    folder_free(folder);
}

static void test_stopped_before(void)
{
    char *folder = mixed_folder();

    for (unsigned i = 0; i < G_N_ELEMENTS(jobs_tried); i++) {
        struct trial *trial = trial_new();
        auto_free(diags) diags = diags_new();
        atomic_store(&trial->stop, true);
        g_assert_true(run(trial, jobs_tried[i], folder, diags));
        g_assert_cmpuint(trial->delivered, ==, 0);
        trial_free(trial);
    }
    folder_free(folder);
}

/* ---- threads that meet */

/* Waits until `done` says so, with a limit; the lock is held. */
static void wait_until(struct trial *trial, bool (*done)(const struct trial *))
{
    struct timespec end;

    clock_gettime(CLOCK_REALTIME, &end);
    end.tv_sec += LIMIT;
    while (!done(trial))
        if (pthread_cond_timedwait(&trial->changed, &trial->lock, &end) != 0)
            g_error("waited %d seconds in vain", LIMIT);
}

static bool two_have_met(const struct trial *trial)
{
    return trial->most_inside >= 2;
}

static void *work_together(void *data, struct message *message, const char *file, unsigned index, guint64 size)
{
    struct trial *trial = data;

    (void)message;
    (void)size;
    (void)file;
    (void)index;
    pthread_mutex_lock(&trial->lock);
    trial->inside++;
    trial->most_inside = MAX(trial->most_inside, trial->inside);
    pthread_cond_broadcast(&trial->changed);
    wait_until(trial, two_have_met);
    trial->inside--;
    pthread_mutex_unlock(&trial->lock);
    return NULL;
}

static void count_delivered(void *data, void *result)
{
    struct trial *trial = data;

    (void)result;
    pthread_mutex_lock(&trial->lock);
    trial->delivered++;
    pthread_mutex_unlock(&trial->lock);
}

/* One mailbox alone keeps several threads busy; no message is done before two are in work. */
static void test_one_file_many_threads(void)
{
    char *folder = folder_new();
    g_autofree char *path = g_build_filename(folder, "box", NULL);
    const char *const paths[] = {path, NULL};
    struct trial *trial = trial_new();
    auto_free(diags) diags = diags_new();
    struct mailrun mailrun = {2, NULL, work_together, count_delivered, NULL, NULL, trial, false};

    put_mbox(folder, "box", "a", 1000, 0);
    g_assert_true(mailrun_run(&mailrun, paths, diags));
    g_assert_cmpuint(trial->delivered, ==, 1000);
    g_assert_cmpuint(trial->most_inside, ==, 2);
    trial_free(trial);
    folder_free(folder);
}

static bool enough_worked(const struct trial *trial)
{
    return (unsigned)trial->worked >= trial->wait_for;
}

static void *work_ahead(void *data, struct message *message, const char *file, unsigned index, guint64 size)
{
    struct trial *trial = data;

    (void)message;
    (void)size;
    pthread_mutex_lock(&trial->lock);
    if (index == 0 && g_str_has_suffix(file, "1"))
        wait_until(trial, enough_worked);
    trial->worked++;
    trial->most_ahead = MAX(trial->most_ahead, (unsigned)trial->worked - trial->delivered);
    pthread_cond_broadcast(&trial->changed);
    pthread_mutex_unlock(&trial->lock);
    return NULL;
}

/* While the first message lasts others are worked on, in the same file and in others, but not without bounds. */
static void test_ahead(void)
{
    char *folder = folder_new();
    const char *const paths[] = {folder, NULL};

    put_mbox(folder, "1", "a", 1000, 0);
    put_mbox(folder, "2", "b", 30000, 0);
    put_mbox(folder, "3", "c", 100, 0);
    for (unsigned jobs = 2; jobs <= 7; jobs += 5) {
        struct trial *trial = trial_new();
        auto_free(diags) diags = diags_new();
        struct mailrun mailrun = {jobs, NULL, work_ahead, count_delivered, NULL, NULL, trial, false};
        trial->wait_for = 5000;
        g_assert_true(mailrun_run(&mailrun, paths, diags));
        g_assert_cmpuint(trial->delivered, ==, 31100);
        g_assert_cmpuint(trial->most_ahead, >=, 5000);
        g_assert_cmpuint(trial->most_ahead, <=, MAILRUN_AHEAD);
        trial_free(trial);
    }
    folder_free(folder);
}

/* ---- memory */

/* In kB, the most that this process ever had. */
static long peak_memory(void)
{
    struct rusage usage;

    g_assert_cmpint(getrusage(RUSAGE_SELF, &usage), ==, 0);
    return usage.ru_maxrss;
}

/* A line of LONG bytes between two texts; most of it is a hole, so that it takes no room. */
#define LONG (128l * 1024 * 1024)

static void put_long_line(const char *folder, const char *name, const char *before, const char *after)
{
    g_autofree char *path = folder_write(folder, name, before, -1);
    FILE *file = fopen(path, "r+");

    g_assert_nonnull(file);
    g_assert_cmpint(fseek(file, LONG, SEEK_SET), ==, 0);
    fputs(after, file);
    g_assert_cmpint(fclose(file), ==, 0);
}

/* A header, a body and what comes of a small packed file may be as long as they like. */
static void test_memory(void)
{
    char *folder = folder_new();
    g_autofree char *zeros = g_malloc0(1024 * 1024);
    g_autoptr(GByteArray) bomb = pack_gzip(FROM "To: a@x.example\nX: ", sizeof FROM + 18);
    g_autoptr(GByteArray) member = pack_gzip(zeros, 1024 * 1024);

    for (unsigned i = 0; i < 128; i++)
        g_byte_array_append(bomb, member->data, member->len);
    g_free(folder_write(folder, "a-bomb", (const char *)bomb->data, (gssize)bomb->len));
    put_long_line(folder, "b-body", FROM "To: b@x.example\n\n", "\n\n" FROM "To: c@x.example\n\n");
    put_long_line(folder, "c-header", FROM "To: d@x.example\nX: ", "\n\n" FROM "To: e@x.example\n\n");
    for (unsigned jobs = 1; jobs <= 2; jobs++) {
        const char *const messages[] = {"a-bomb[0] a@", "b-body[0] b@", "b-body[1] c@", "c-header[0] d@",
                                        "c-header[1] e@"};
        struct trial *trial = trial_new();
        auto_free(diags) diags = diags_new();
        g_assert_true(run(trial, jobs, folder, diags));
        g_assert_cmpuint(trial->delivered, ==, G_N_ELEMENTS(messages));
        for (unsigned i = 0; i < G_N_ELEMENTS(messages); i++)
            g_assert_nonnull(strstr(trial->text->str, messages[i]));
        trial_free(trial);
    }
    g_test_message("%ld kB", peak_memory());
    if (!UNIT_SANITIZED)
        g_assert_cmpint(peak_memory(), <, 100 * 1024);
    folder_free(folder);
}

/* ---- standard input */

struct writer {
    int fd;
    const GString *text;
    atomic_bool *stop; /* set when all is written, and nothing is closed until the run is over */
};

static void *write_all(void *data)
{
    const struct writer *writer = data;
    size_t written = 0;

    while (written < writer->text->len) {
        gssize count = write(writer->fd, writer->text->str + written, writer->text->len - written);
        g_assert_cmpint(count, >, 0);
        written += (size_t)count;
    }
    if (writer->stop != NULL)
        atomic_store(writer->stop, true);
    else
        close(writer->fd);
    return NULL;
}

/* Gives `text` to standard input; the run is stopped when all is written, or the pipe is closed then. */
static struct trial *run_piped(const GString *text, unsigned jobs, bool stop)
{
    struct trial *trial = trial_new();
    auto_free(diags) diags = diags_new();
    int saved = dup(STDIN_FILENO);
    struct writer writer = {.text = text, .stop = stop ? &trial->stop : NULL};
    pthread_t thread;
    int ends[2];

    g_assert_cmpint(pipe(ends), ==, 0);
    g_assert_cmpint(dup2(ends[0], STDIN_FILENO), ==, STDIN_FILENO);
    close(ends[0]);
    writer.fd = ends[1];
    g_assert_cmpint(pthread_create(&thread, NULL, write_all, &writer), ==, 0);
    g_assert_true(run(trial, jobs, "-", diags));
    pthread_join(thread, NULL);
    if (stop)
        close(ends[1]);
    g_assert_cmpint(dup2(saved, STDIN_FILENO), ==, STDIN_FILENO);
    close(saved);
    g_assert_cmpuint(trial->bytes_total, ==, 0);
    return trial;
}

/* Also when whoever writes to it neither goes on nor ends. */
static void test_standard_input(void)
{
    GString *mbox = mbox_of("a", 3000, 1000);

    for (unsigned i = 0; i < G_N_ELEMENTS(jobs_tried); i++) {
        struct trial *whole = run_piped(mbox, jobs_tried[i], false);
        struct trial *stopped = run_piped(mbox, jobs_tried[i], true);
        g_assert_cmpuint(whole->delivered, ==, 3000);
        g_assert_cmpuint(whole->bytes_read, ==, mbox->len);
        g_assert_cmpuint(stopped->delivered, <=, 3000);
        g_assert_true(strncmp(whole->text->str, stopped->text->str, stopped->text->len) == 0);
        trial_free(whole);
        trial_free(stopped);
    }
    g_string_free(mbox, TRUE);
}

/* Of one message only the headers are wanted, and yet whoever writes the rest is not hung up on. */
static void test_standard_input_message(void)
{
    GString *text = g_string_new("To: a@x.example\n\n");
    struct trial *trial;

    while (text->len < 1024 * 1024)
        g_string_append(text, "a line of a body\n");
    trial = run_piped(text, 1, false);
    g_assert_cmpstr(trial->text->str, ==, "-[0] a@x.example\n");
    g_assert_cmpuint(trial->bytes_read, ==, text->len);
    trial_free(trial);
    g_string_free(text, TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/mailrun/memory", test_memory);
    g_test_add_func("/mailrun/order", test_order);
    g_test_add_func("/mailrun/null", test_null);
    g_test_add_func("/mailrun/stop", test_stop);
    g_test_add_func("/mailrun/stopped-before", test_stopped_before);
    g_test_add_func("/mailrun/one-file-many-threads", test_one_file_many_threads);
    g_test_add_func("/mailrun/ahead", test_ahead);
    g_test_add_func("/mailrun/standard-input", test_standard_input);
    g_test_add_func("/mailrun/standard-input-message", test_standard_input_message);
    return g_test_run();
}
