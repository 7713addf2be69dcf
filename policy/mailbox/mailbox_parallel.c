/* mailbox_parallel - see mailbox_parallel.h */

#include "policy/mailbox/mailbox_parallel.h"

#include "policy/mailbox/mailbox_split.h"
#include "policy/mailbox/mailbox_walk.h"

#include <pthread.h>
#include <string.h>

/* Small files are read many at a time: that many, or until they have that many bytes. */
#define BUNDLE_FILES 32u
#define BUNDLE_SIZE  (1024u * 1024)

/* Bytes of headers that may wait to be worked on; batches that may, for each thread. */
#define WAITING_SIZE    (16u * 1024 * 1024)
#define WAITING_BATCHES 2u

/* Bundles that are open or wait to be delivered. */
#define BUNDLES_AHEAD 1024u

/*
 * Each thread takes one turn after the other: it reads on in a bundle, works on
 * a batch, or opens the next bundle.  The bundles are in the order of
 * delivery, and so do the batches of each.
 */

/* Of some messages of a batch, the file that they are from: up to, and without, number `end`. */
struct part {
    char *path;
    unsigned end;
};

struct batch {
    struct mailbatch *mail; /* NULL when it has been worked on */
    GArray *parts;          /* struct part */
    void **results;
    unsigned count;
    GPtrArray *passed;   /* char *: files after these messages that are no mail */
    struct diags *diags; /* what is wrong after these messages */
    bool done;
};

/* A file, or some small ones. */
struct bundle {
    GQueue files; /* struct mailwalk_file *, the present one first */
    struct mailcut *cut;
    bool busy;      /* a thread reads it */
    bool ended;     /* there is no more to read */
    GQueue batches; /* struct batch * */
};

struct crew {
    const struct mailrun *run;
    unsigned threads;      /* besides the caller's; 0: it does everything */
    struct mailwalk *walk; /* used by the thread that set `walking` */
    struct diags *diags;   /* used by the caller's thread */

    pthread_mutex_t lock; /* of all that follows */
    pthread_cond_t work;  /* there may be a turn to take */
    pthread_cond_t ready; /* there may be something to deliver, or to tell of */
    bool walking;
    bool walked;            /* there are no more bundles */
    GQueue bundles;         /* struct bundle * */
    GQueue waiting;         /* struct batch *, to be worked on */
    size_t waiting_size;    /* bytes of headers in them, and in those that are being worked on */
    unsigned held;          /* messages that are not delivered yet, with those that a turn may still add */
    guint64 delivered;      /* messages */
    guint64 bytes_read;     /* of files */
    guint64 bytes_measured; /* of all files, before */
};

static bool is_stopped(const struct crew *crew)
{
    return crew->run->stop != NULL && atomic_load(crew->run->stop);
}

/* ---- batches and bundles */

static void part_clear(void *data)
{
    g_free(((struct part *)data)->path);
}

static struct batch *batch_new(void)
{
    struct batch *batch = g_new0(struct batch, 1);

    batch->mail = mailbatch_new();
    batch->parts = g_array_new(FALSE, FALSE, sizeof(struct part));
    g_array_set_clear_func(batch->parts, part_clear);
    batch->passed = g_ptr_array_new_with_free_func(g_free);
    batch->diags = diags_new();
    return batch;
}

static void batch_free(struct batch *batch)
{
    mailbatch_free(batch->mail);
    g_array_unref(batch->parts);
    g_free(batch->results);
    g_ptr_array_unref(batch->passed);
    diags_free(batch->diags);
    g_free(batch);
}

static void file_free(void *data)
{
    struct mailwalk_file *file = data;

    g_free(file->path);
    g_free(file->problem);
    g_free(file);
}

static void bundle_free(struct bundle *bundle)
{
    g_queue_clear_full(&bundle->files, file_free);
    mailcut_free(bundle->cut);
    g_free(bundle);
}

/* ---- a turn of reading */

/* Reads on in the first file of a bundle.  Gives how many bytes of it that were; `go_on` says whether the turn does. */
static guint64 read_file(struct crew *crew, struct bundle *bundle, struct batch *batch, bool *go_on)
{
    const struct mailwalk_file *file = g_queue_peek_head(&bundle->files);
    guint64 before = 0, after = 0;
    bool more = false;

    if (file->problem != NULL)
        diags_file_error(batch->diags, file->path, "%s", file->problem);
    else if (file->passed)
        g_ptr_array_add(batch->passed, g_strdup(file->path));
    else if (bundle->cut == NULL)
        bundle->cut = mailcut_open(file->path, file->found, crew->run->stop, batch->diags);
    if (bundle->cut != NULL) {
        if (crew->run->bodies)
            mailcut_keep_bodies(bundle->cut);
        before = mailcut_position(bundle->cut);
        more = mailcut_next(bundle->cut, batch->mail, batch->diags);
        after = mailcut_position(bundle->cut);
    }
    if (batch->mail->heads->len > batch->count) {
        struct part part = {g_strdup(file->path), batch->mail->heads->len};
        g_array_append_val(batch->parts, part);
        batch->count = batch->mail->heads->len;
    }
    if (!more) {
        if (bundle->cut != NULL && mailcut_passed(bundle->cut))
            g_ptr_array_add(batch->passed, g_strdup(file->path));
        mailcut_free(bundle->cut);
        bundle->cut = NULL;
        file_free(g_queue_pop_head(&bundle->files));
    }
    *go_on = !more && !mailbatch_is_full(batch->mail);
    return after - before;
}

static void take_reading_turn(struct crew *crew, struct bundle *bundle)
{
    struct batch *batch = batch_new();
    guint64 bytes = 0;
    bool go_on = true;

    bundle->busy = true;
    crew->held += MAILBATCH_MESSAGES;
    pthread_mutex_unlock(&crew->lock);
    while (go_on && bundle->files.length > 0 && !is_stopped(crew))
        bytes += read_file(crew, bundle, batch, &go_on);
    pthread_mutex_lock(&crew->lock);
    bundle->busy = false;
    bundle->ended = bundle->files.length == 0 || is_stopped(crew);
    crew->held -= MAILBATCH_MESSAGES - batch->count;
    crew->bytes_read += bytes;
    if (batch->count > 0) {
        crew->waiting_size += batch->mail->bytes->len;
        g_queue_push_tail(&crew->waiting, batch);
    }
    batch->done = batch->count == 0;
    if (batch->count > 0 || diags_count(batch->diags) > 0 || batch->passed->len > 0)
        g_queue_push_tail(&bundle->batches, batch);
    else
        batch_free(batch);
}

/* ---- a turn of work */

static void work_on(const struct crew *crew, struct batch *batch)
{
    const struct mailrun *run = crew->run;
    const struct part *part = (const struct part *)(void *)batch->parts->data;

    batch->results = g_new(void *, batch->count);
    for (unsigned i = 0; i < batch->count; i++) {
        const struct mailhead *head = &g_array_index(batch->mail->heads, struct mailhead, i);
        auto_free(message) message = mailbatch_message(batch->mail, i);
        part += i == part->end;
        batch->results[i] = run->work(run->data, message, part->path, head->index, head->size);
    }
}

static void take_working_turn(struct crew *crew)
{
    struct batch *batch = g_queue_pop_head(&crew->waiting);
    size_t size = batch->mail->bytes->len;

    pthread_mutex_unlock(&crew->lock);
    work_on(crew, batch);
    mailbatch_free(batch->mail);
    batch->mail = NULL;
    pthread_mutex_lock(&crew->lock);
    crew->waiting_size -= size;
    batch->done = true;
}

/* ---- a turn of opening */

static void take_opening_turn(struct crew *crew)
{
    struct bundle *bundle = g_new0(struct bundle, 1);
    struct mailwalk_file file;
    guint64 size = 0;
    bool more = true;

    crew->walking = true;
    pthread_mutex_unlock(&crew->lock);
    while (bundle->files.length < BUNDLE_FILES && size < BUNDLE_SIZE && (more = mailwalk_next(crew->walk, &file))) {
        g_queue_push_tail(&bundle->files, g_memdup2(&file, sizeof file));
        size += file.size;
    }
    pthread_mutex_lock(&crew->lock);
    crew->walking = false;
    crew->walked = !more;
    if (bundle->files.length > 0)
        g_queue_push_tail(&crew->bundles, bundle);
    else
        bundle_free(bundle);
}

/* ---- which turn is next */

/*
 * Whether a bundle may be read on.  The first may always be read in the end, for what is held besides it leaves it
 * room, and what it holds itself is delivered.
 */
static bool has_room(const struct crew *crew, bool first)
{
    unsigned limit = first ? MAILRUN_AHEAD : MAILRUN_AHEAD / 4 * 3;

    return crew->held + MAILBATCH_MESSAGES <= limit && crew->waiting_size < WAITING_SIZE &&
           crew->waiting.length < MAX(WAITING_BATCHES * crew->threads, 1);
}

static struct bundle *find_readable(const struct crew *crew)
{
    for (const GList *each = crew->bundles.head; each != NULL; each = each->next) {
        struct bundle *bundle = each->data;
        if (!bundle->busy && !bundle->ended && has_room(crew, each == crew->bundles.head))
            return bundle;
    }
    return NULL;
}

static bool may_open(const struct crew *crew)
{
    unsigned open = 0;

    for (const GList *each = crew->bundles.head; each != NULL; each = each->next)
        open += !((const struct bundle *)each->data)->ended;
    return !crew->walking && !crew->walked && open < MAX(crew->threads, 1) && crew->bundles.length < BUNDLES_AHEAD &&
           has_room(crew, crew->bundles.length == 0);
}

/* Does one thing, without the lock while it lasts.  False if there is nothing to do at present. */
static bool take_turn(struct crew *crew)
{
    struct bundle *bundle = find_readable(crew);

    if (bundle != NULL)
        take_reading_turn(crew, bundle);
    else if (crew->waiting.length > 0)
        take_working_turn(crew);
    else if (may_open(crew))
        take_opening_turn(crew);
    else
        return false;
    pthread_cond_broadcast(&crew->work);
    pthread_cond_signal(&crew->ready);
    return true;
}

/* Whether no turn will ever be needed again. */
static bool is_read(const struct crew *crew)
{
    if (!crew->walked || crew->waiting.length > 0)
        return false;
    for (const GList *each = crew->bundles.head; each != NULL; each = each->next)
        if (!((const struct bundle *)each->data)->ended)
            return false;
    return true;
}

static void *run_thread(void *data)
{
    struct crew *crew = data;

    pthread_mutex_lock(&crew->lock);
    while (!is_read(crew))
        if (!take_turn(crew))
            pthread_cond_wait(&crew->work, &crew->lock);
    pthread_mutex_unlock(&crew->lock);
    return NULL;
}

/* ---- delivering */

/* The next batch if it is done; bundles that are at their end are left after. */
static struct batch *next_done(struct crew *crew)
{
    struct bundle *bundle;

    while ((bundle = g_queue_peek_head(&crew->bundles)) != NULL) {
        const struct batch *batch = g_queue_peek_head(&bundle->batches);
        if (batch != NULL)
            return batch->done ? g_queue_pop_head(&bundle->batches) : NULL;
        if (!bundle->ended)
            return NULL;
        bundle_free(g_queue_pop_head(&crew->bundles));
    }
    return NULL;
}

static void deliver(struct crew *crew, struct batch *batch)
{
    for (unsigned i = 0; i < batch->count; i++)
        crew->run->deliver(crew->run->data, batch->results[i]);
    for (unsigned i = 0; i < batch->passed->len && crew->run->pass != NULL; i++)
        crew->run->pass(crew->run->data, g_ptr_array_index(batch->passed, i));
    diags_move(crew->diags, batch->diags);
    pthread_mutex_lock(&crew->lock);
    crew->held -= batch->count;
    crew->delivered += batch->count;
    pthread_cond_broadcast(&crew->work);
    pthread_mutex_unlock(&crew->lock);
    batch_free(batch);
}

static void tell_progress(struct crew *crew)
{
    if (crew->run->progress == NULL)
        return;
    pthread_mutex_lock(&crew->lock);
    guint64 delivered = crew->delivered;
    guint64 bytes_read = crew->bytes_read;
    pthread_mutex_unlock(&crew->lock);
    crew->run->progress(crew->run->data, delivered, bytes_read, crew->bytes_measured);
}

/* Waits for the next batch, or until there is something to tell of.  False at the end; gives NULL for the latter. */
static bool await_batch(struct crew *crew, struct batch **batch)
{
    pthread_mutex_lock(&crew->lock);
    *batch = next_done(crew);
    bool more = *batch != NULL || crew->bundles.length > 0 || !crew->walked;
    if (*batch == NULL && more) {
        if (crew->threads == 0)
            take_turn(crew);
        else
            pthread_cond_wait(&crew->ready, &crew->lock);
    }
    pthread_mutex_unlock(&crew->lock);
    return more;
}

static void deliver_all(struct crew *crew)
{
    struct batch *batch;

    while (await_batch(crew, &batch)) {
        if (batch != NULL)
            deliver(crew, batch);
        tell_progress(crew);
    }
    tell_progress(crew);
}

/* ---- the run */

/* Bytes of all files, or 0 if that cannot be known. */
static guint64 measure(const char *const *paths, const atomic_bool *stop)
{
    auto_free(mailwalk) walk = mailwalk_new(paths, stop);
    struct mailwalk_file file;
    guint64 size = 0;
    bool known = true;

    while (mailwalk_next(walk, &file)) {
        known = known && strcmp(file.path, "-") != 0;
        size += file.size;
        g_free(file.path);
        g_free(file.problem);
    }
    return known ? size : 0;
}

/* As many threads as there can be; none is needed. */
static unsigned start_threads(struct crew *crew, unsigned jobs, pthread_t *threads)
{
    unsigned count = 0;

    pthread_mutex_lock(&crew->lock);
    while (jobs > 1 && count < jobs && pthread_create(&threads[count], NULL, run_thread, crew) == 0)
        count++;
    crew->threads = count;
    pthread_mutex_unlock(&crew->lock);
    return count;
}

bool mailrun_run(const struct mailrun *run, const char *const *paths, struct diags *diags)
{
    auto_free(mailwalk) walk = mailwalk_new(paths, run->stop);
    auto_free(diags) own = diags_new();
    struct crew crew = {.run = run, .walk = walk, .diags = own};
    pthread_t threads[MAILRUN_JOBS_LIMIT];

    pthread_mutex_init(&crew.lock, NULL);
    pthread_cond_init(&crew.work, NULL);
    pthread_cond_init(&crew.ready, NULL);
    if (run->progress != NULL)
        crew.bytes_measured = measure(paths, run->stop);
    unsigned count =
        start_threads(&crew, MIN(run->jobs > 0 ? run->jobs : g_get_num_processors(), MAILRUN_JOBS_LIMIT), threads);
    deliver_all(&crew);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&crew.lock);
    pthread_cond_destroy(&crew.work);
    pthread_cond_destroy(&crew.ready);
    bool whole = diags_count(own) == 0;
    diags_demote(own);
    diags_move(diags, own);
    return whole;
}
