/*
 * pack - packs bytes, for the tests of what unpacks them.
 */
#ifndef RCPTGUARD_PACK_H
#define RCPTGUARD_PACK_H

#include <glib.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

/* Each gives an array, to be freed with g_byte_array_unref. */
typedef GByteArray *(*pack_function)(const void *bytes, size_t size);

static inline GByteArray *pack_gzip(const void *bytes, size_t size)
{
    z_stream stream = {0};
    GByteArray *packed = g_byte_array_new();

    g_assert_cmpint(deflateInit2(&stream, 6, Z_DEFLATED, 16 + MAX_WBITS, 8, Z_DEFAULT_STRATEGY), ==, Z_OK);
    g_byte_array_set_size(packed, (guint)deflateBound(&stream, size));
    stream.next_in = (Bytef *)(gsize)bytes;
    stream.avail_in = (uInt)size;
    stream.next_out = packed->data;
    stream.avail_out = packed->len;
    g_assert_cmpint(deflate(&stream, Z_FINISH), ==, Z_STREAM_END);
    g_byte_array_set_size(packed, (guint)stream.total_out);
    deflateEnd(&stream);
    return packed;
}

static inline GByteArray *pack_xz(const void *bytes, size_t size)
{
    GByteArray *packed = g_byte_array_new();
    size_t length = 0;

    g_byte_array_set_size(packed, (guint)lzma_stream_buffer_bound(size));
    g_assert_cmpint(lzma_easy_buffer_encode(0, LZMA_CHECK_CRC64, NULL, bytes, size, packed->data, &length, packed->len),
                    ==, LZMA_OK);
    g_byte_array_set_size(packed, (guint)length);
    return packed;
}

/* With a sum, as zstd(1) does it; `window` is the binary logarithm of the memory that unpacking takes, 0 by size. */
static inline GByteArray *pack_zstd_window(const void *bytes, size_t size, int window)
{
    ZSTD_CCtx *context = ZSTD_createCCtx();
    ZSTD_inBuffer input = {bytes, size, 0};
    GByteArray *packed = g_byte_array_new();
    ZSTD_outBuffer output;

    g_byte_array_set_size(packed, (guint)ZSTD_compressBound(size) + 64);
    output = (ZSTD_outBuffer){packed->data, packed->len, 0};
    ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
    if (window > 0)
        ZSTD_CCtx_setParameter(context, ZSTD_c_windowLog, window);
    /* In two calls, so that the size is not known when it begins and the window is as said. */
    g_assert_false(ZSTD_isError(ZSTD_compressStream2(context, &output, &input, ZSTD_e_flush)));
    g_assert_cmpuint(ZSTD_compressStream2(context, &output, &input, ZSTD_e_end), ==, 0);
    g_byte_array_set_size(packed, (guint)output.pos);
    ZSTD_freeCCtx(context);
    return packed;
}

static inline GByteArray *pack_zstd(const void *bytes, size_t size)
{
    return pack_zstd_window(bytes, size, 0);
}

static const struct {
    const char *name;
    pack_function pack;
} pack_formats[] = {{"gzip", pack_gzip}, {"xz", pack_xz}, {"zstd", pack_zstd}};

#endif
