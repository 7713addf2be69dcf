/* decompress - see decompress.h */

#include "policy/mailbox/decompress.h"

#include <errno.h>
#include <lzma.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Packed bytes that are read at once. */
#define INPUT_SIZE (128u * 1024)

/* The longest of the beginnings below. */
#define BEGINNING 6

/* How often a reader that waits for a pipe looks whether it shall stop, in milliseconds. */
#define STOP_INTERVAL 200

struct format {
    const char *name;
    bool (*open)(struct unpack *unpack);
    void (*close)(struct unpack *unpack);
    /* Moves on from the input to `buffer`; gives the bytes that came, and sets `problem` if that is the end of it. */
    size_t (*step)(struct unpack *unpack, char *buffer, size_t size);
};

struct unpack {
    int fd;
    guint64 limit; /* bytes that may still be read */
    guint64 position;
    const atomic_bool *stop;
    bool regular;
    bool started; /* the first bytes have been seen */
    bool ended;   /* there are no more */
    char *problem;
    const struct format *format; /* NULL: plain */
    bool opened;
    char *input; /* packed bytes, from `at` to `filled` */
    size_t at, filled;
    bool whole; /* what is packed may end here */
    union {
        z_stream gzip;
        lzma_stream xz;
        ZSTD_DStream *zstd;
    } state;
};

static void G_GNUC_PRINTF(2, 3) fail(struct unpack *unpack, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    g_free(unpack->problem);
    unpack->problem = g_strdup_vprintf(format, arguments);
    va_end(arguments);
}

static void fail_damaged(struct unpack *unpack)
{
    fail(unpack, "is damaged: what %s packed cannot be read from byte %" G_GUINT64_FORMAT " on", unpack->format->name,
         unpack->position - (unpack->filled - unpack->at));
}

static void fail_memory(struct unpack *unpack)
{
    fail(unpack, "cannot be unpacked: %s would need more than %u MB of memory", unpack->format->name,
         UNPACK_MEMORY_LIMIT / 1024 / 1024);
}

/* ---- gzip: RFC 1952; several may be one after the other, and zeros after the last (from tapes) */

static bool gzip_open(struct unpack *unpack)
{
    return inflateInit2(&unpack->state.gzip, 16 + MAX_WBITS) == Z_OK;
}

static void gzip_close(struct unpack *unpack)
{
    inflateEnd(&unpack->state.gzip);
}

static size_t gzip_step(struct unpack *unpack, char *buffer, size_t size)
{
    z_stream *stream = &unpack->state.gzip;

    if (unpack->whole) {
        while (unpack->at < unpack->filled && unpack->input[unpack->at] == '\0')
            unpack->at++;
        if (unpack->at == unpack->filled)
            return 0;
        unpack->whole = false;
        inflateReset(stream);
    }
    stream->next_in = (Bytef *)unpack->input + unpack->at;
    stream->avail_in = (uInt)(unpack->filled - unpack->at);
    stream->next_out = (Bytef *)buffer;
    stream->avail_out = (uInt)size;
    int status = inflate(stream, Z_NO_FLUSH);
    unpack->at = unpack->filled - stream->avail_in;
    unpack->whole = status == Z_STREAM_END;
    if (status != Z_OK && status != Z_STREAM_END && status != Z_BUF_ERROR)
        fail_damaged(unpack);
    return size - stream->avail_out;
}

/* ---- xz; the same */

static bool xz_open(struct unpack *unpack)
{
    unpack->state.xz = (lzma_stream)LZMA_STREAM_INIT;
    return lzma_stream_decoder(&unpack->state.xz, UNPACK_MEMORY_LIMIT, LZMA_CONCATENATED) == LZMA_OK;
}

static void xz_close(struct unpack *unpack)
{
    lzma_end(&unpack->state.xz);
}

static size_t xz_step(struct unpack *unpack, char *buffer, size_t size)
{
    lzma_stream *stream = &unpack->state.xz;

    stream->next_in = (uint8_t *)unpack->input + unpack->at;
    stream->avail_in = unpack->filled - unpack->at;
    stream->next_out = (uint8_t *)buffer;
    stream->avail_out = size;
    lzma_ret status = lzma_code(stream, unpack->ended ? LZMA_FINISH : LZMA_RUN);
    unpack->at = unpack->filled - stream->avail_in;
    unpack->whole = status == LZMA_STREAM_END;
    if (status == LZMA_MEMLIMIT_ERROR)
        fail_memory(unpack);
    else if (status != LZMA_OK && status != LZMA_STREAM_END && status != LZMA_BUF_ERROR)
        fail_damaged(unpack);
    return size - stream->avail_out;
}

/* ---- zstd: RFC 8878; the same, and frames that are skipped */

static bool zstd_open(struct unpack *unpack)
{
    unpack->state.zstd = ZSTD_createDStream();
    return unpack->state.zstd != NULL &&
           !ZSTD_isError(ZSTD_DCtx_setParameter(unpack->state.zstd, ZSTD_d_windowLogMax,
                                                (int)g_bit_storage(UNPACK_MEMORY_LIMIT) - 1));
}

static void zstd_close(struct unpack *unpack)
{
    ZSTD_freeDStream(unpack->state.zstd);
}

static size_t zstd_step(struct unpack *unpack, char *buffer, size_t size)
{
    ZSTD_inBuffer input = {unpack->input, unpack->filled, unpack->at};
    ZSTD_outBuffer output = {buffer, size, 0};

    /* At a frame's end it waits for the next, and would take a call without input for the beginning of one. */
    if (unpack->whole && unpack->at == unpack->filled)
        return 0;
    size_t status = ZSTD_decompressStream(unpack->state.zstd, &output, &input);
    unpack->at = input.pos;
    unpack->whole = status == 0;
    if (ZSTD_getErrorCode(status) == ZSTD_error_frameParameter_windowTooLarge)
        fail_memory(unpack);
    else if (ZSTD_isError(status))
        fail_damaged(unpack);
    return output.pos;
}

/* ---- which it is */

static const struct format gzip = {"gzip", gzip_open, gzip_close, gzip_step};
static const struct format xz = {"xz", xz_open, xz_close, xz_step};
static const struct format zstd = {"zstd", zstd_open, zstd_close, zstd_step};

/* How files begin; without a format those that are told from mail and not read. */
static const struct {
    const struct format *format;
    const char *name;
    unsigned length;
    const unsigned char bytes[BEGINNING];
} beginnings[] = {
    {&gzip, "gzip", 3, {0x1f, 0x8b, 0x08}},       {&xz, "xz", 6, {0xfd, '7', 'z', 'X', 'Z', 0x00}},
    {&zstd, "zstd", 4, {0x28, 0xb5, 0x2f, 0xfd}}, {NULL, "bzip2", 3, {'B', 'Z', 'h'}},
    {NULL, "lz4", 4, {0x04, 0x22, 0x4d, 0x18}},   {NULL, "7z", 6, {'7', 'z', 0xbc, 0xaf, 0x27, 0x1c}},
    {NULL, "zip", 4, {'P', 'K', 0x03, 0x04}},     {NULL, "rar", 4, {'R', 'a', 'r', '!'}},
    {NULL, "lzip", 4, {'L', 'Z', 'I', 'P'}},      {NULL, "compress", 2, {0x1f, 0x9d}},
};

/* Looks at the first bytes; false if they are none that can be read. */
static bool recognise(struct unpack *unpack, const char *bytes, size_t length)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(beginnings); i++) {
        if (length < beginnings[i].length || memcmp(bytes, beginnings[i].bytes, beginnings[i].length) != 0)
            continue;
        unpack->format = beginnings[i].format;
        if (unpack->format == NULL)
            fail(unpack, "is packed by %s, which is not read; expected gzip, xz, zstd, or mail as it is",
                 beginnings[i].name);
        break;
    }
    /* zstd's programs for many processors begin with a frame to be skipped: RFC 8878 section 3.1.2. */
    if (unpack->format == NULL && length >= 4 && (bytes[0] & 0xf0) == 0x50 && memcmp(bytes + 1, "\x2a\x4d\x18", 3) == 0)
        unpack->format = &zstd;
    return unpack->problem == NULL;
}

/* ---- reading */

static bool stopped(const struct unpack *unpack)
{
    return unpack->stop != NULL && atomic_load(unpack->stop);
}

/* A pipe or a terminal may give nothing for long. */
static bool wait_for_input(const struct unpack *unpack)
{
    struct pollfd wanted = {.fd = unpack->fd, .events = POLLIN};

    while (!stopped(unpack))
        if (poll(&wanted, 1, unpack->stop != NULL ? STOP_INTERVAL : -1) != 0)
            return true;
    return false;
}

/*
 * read(2) within the limit: 0 at the end, or if there is a problem.  An error after some bytes is met again.  A file
 * fills the buffer; a pipe gives what it has, but at the beginning as much as it takes to recognise it.
 */
static size_t read_input(struct unpack *unpack, char *buffer, size_t size)
{
    size_t length = 0;
    size_t least = unpack->regular ? size : unpack->started ? 1 : BEGINNING;
    gssize count = 1;

    size = (size_t)MIN((guint64)size, unpack->limit);
    while (length < MIN(least, size) && count > 0) {
        count = unpack->regular || wait_for_input(unpack) ? read(unpack->fd, buffer + length, size - length) : 0;
        if (count > 0)
            length += (size_t)count;
        else if (count < 0 && errno == EINTR)
            count = 1;
    }
    if (count < 0 && length == 0)
        fail(unpack, "cannot be read to its end: %s", g_strerror(errno));
    unpack->ended = count == 0 || size == 0;
    unpack->position += length;
    unpack->limit -= length;
    return length;
}

/* The first bytes: they go on to the caller, or begin the input that is unpacked. */
static gssize begin(struct unpack *unpack, char *buffer, size_t size)
{
    size_t length = read_input(unpack, buffer, MIN(size, INPUT_SIZE));

    unpack->started = true;
    if (unpack->problem != NULL || !recognise(unpack, buffer, length))
        return -1;
    if (unpack->format == NULL)
        return (gssize)length;
    unpack->input = g_malloc(INPUT_SIZE);
    memcpy(unpack->input, buffer, length);
    unpack->filled = length;
    unpack->opened = unpack->format->open(unpack);
    if (!unpack->opened)
        fail(unpack, "cannot be unpacked: %s finds no memory", unpack->format->name);
    return unpack_read(unpack, buffer, size);
}

gssize unpack_read(struct unpack *unpack, char *buffer, size_t size)
{
    size_t length = 0;

    if (unpack->problem != NULL)
        return -1;
    if (!unpack->started)
        return begin(unpack, buffer, size);
    if (unpack->format == NULL) {
        length = unpack->ended ? 0 : read_input(unpack, buffer, size);
        return unpack->problem != NULL ? -1 : (gssize)length;
    }
    while (length == 0 && unpack->problem == NULL) {
        if (unpack->at == unpack->filled && !unpack->ended) {
            unpack->at = 0;
            unpack->filled = read_input(unpack, unpack->input, INPUT_SIZE);
        }
        if (stopped(unpack) || (unpack->at == unpack->filled && unpack->ended && unpack->whole))
            return 0;
        if (unpack->problem != NULL)
            break;
        size_t before = unpack->at;
        length = unpack->format->step(unpack, buffer, size);
        if (length > 0 || unpack->at != before || unpack->problem != NULL)
            continue;
        if (unpack->at < unpack->filled)
            fail_damaged(unpack);
        else if (unpack->ended && !unpack->whole)
            fail(unpack, "ends early: what %s packed is cut", unpack->format->name);
    }
    return length > 0 ? (gssize)length : -1;
}

const char *unpack_problem(const struct unpack *unpack)
{
    return unpack->problem;
}

bool unpack_is_packed(const struct unpack *unpack)
{
    return unpack->format != NULL;
}

guint64 unpack_position(const struct unpack *unpack)
{
    return unpack->position;
}

struct unpack *unpack_new(int fd, guint64 limit, const atomic_bool *stop)
{
    struct unpack *unpack = g_new0(struct unpack, 1);
    struct stat status;

    unpack->fd = fd;
    unpack->limit = limit;
    unpack->stop = stop;
    unpack->regular = fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
    return unpack;
}

void unpack_free(struct unpack *unpack)
{
    if (unpack == NULL)
        return;
    if (unpack->opened)
        unpack->format->close(unpack);
    g_free(unpack->input);
    g_free(unpack->problem);
    g_free(unpack);
}

const char *unpack_zlib_version(void)
{
    return zlibVersion();
}

const char *unpack_lzma_version(void)
{
    return lzma_version_string();
}

const char *unpack_zstd_version(void)
{
    return ZSTD_versionString();
}
