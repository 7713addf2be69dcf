/*
 * fuzz - what the fuzz targets share.
 *
 * Each target is one file with a fuzz_target and a LLVMFuzzerTestOneInput.  With
 * libFuzzer it is a fuzzer (`make fuzz`); with run_seeds.c it runs the seeds of
 * tests/fuzz/seeds/TARGET as a test.
 */
#ifndef RCPTGUARD_FUZZ_H
#define RCPTGUARD_FUZZ_H

#include "policy/base/diagnostics.h"

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The name of the target, which is that of its folder of seeds. */
extern const char fuzz_target[];

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A broken invariant: says what was seen and ends the process by abort. */
G_NORETURN void fuzz_fail(const char *format, ...) G_GNUC_PRINTF(1, 2);
#define fuzz_check(condition, ...)                                                                                     \
    do {                                                                                                               \
        if (!(condition))                                                                                              \
            fuzz_fail(__VA_ARGS__);                                                                                    \
    } while (0)

/* A folder of this process, in memory where there is such a place; removed at exit. */
const char *fuzz_folder(void);

/* Writes FOLDER/NAME anew; the path, to be freed with g_free. */
char *fuzz_file(const char *name, const void *data, size_t size);

/* Each diagnostic points at something and can be shown: valid UTF-8, one line. */
void fuzz_check_diags(const struct diags *diags);

/* A small hash of the input, for choices that must be the same at each run. */
unsigned fuzz_hash(const uint8_t *data, size_t size);

#endif
