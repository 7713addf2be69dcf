/*
 * show-parts - what is found in the body of a message in a file:
 *
 *     show-parts FILE            each part, the addresses of each kind, what was not read
 *     show-parts --counts FILE   the number of addresses of each kind, and what was not read
 *     show-parts --times N FILE  nanoseconds of CPU, the least of N times, the peak memory in kB, and the counts
 */

#include "policy/parts/body_parts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static char *bits_text(unsigned bits, const char *(*name)(unsigned))
{
    GString *text = g_string_new(NULL);

    for (unsigned bit = 1; bit <= bits; bit <<= 1)
        if ((bits & bit) != 0)
            g_string_append_printf(text, "%s%s", text->len > 0 ? "," : "", name(bit));
    return g_string_free(text->len > 0 ? text : g_string_append_c(text, '-'), FALSE);
}

static const char *kind_name(unsigned bit)
{
    return part_kind_name((enum part_kind)bit);
}

static const char *opaque_name(unsigned bit)
{
    return opaque_kind_name((enum opaque_kind)bit);
}

static void print_accounts(const struct body_parts *parts)
{
    for (unsigned i = 0; i < body_parts_accounts(parts); i++) {
        const struct part_account *account = body_parts_account(parts, i);
        g_autofree char *kinds = bits_text(account->kinds, kind_name);
        g_autofree char *opaque = bits_text(account->opaque, opaque_name);
        printf("part %s %s kinds=%s opaque=%s addresses=%u%s%s\n", account->path, account->type, kinds, opaque,
               account->addresses, account->name != NULL ? " name=" : "", account->name != NULL ? account->name : "");
    }
}

static void print_addresses(const struct body_parts *parts)
{
    for (unsigned kind = 1; kind <= PART_KIND_LAST; kind <<= 1) {
        if (body_parts_count(parts, kind) == 0)
            continue;
        printf("%s:", kind_name(kind));
        for (unsigned i = 0; i < body_parts_addresses(parts); i++)
            if ((body_parts_get(parts, i)->kinds & kind) != 0)
                printf(" %s", body_parts_get(parts, i)->address);
        printf("\n");
    }
    g_autofree char *opaque = bits_text(body_parts_opaque(parts), opaque_name);
    printf("opaque: %s\n", opaque);
}

static void print_counts(const struct body_parts *parts)
{
    g_autofree char *opaque = bits_text(body_parts_opaque(parts), opaque_name);

    for (unsigned kind = 1; kind <= PART_KIND_LAST; kind <<= 1)
        printf("%s=%u ", kind_name(kind), body_parts_count(parts, kind));
    printf("opaque=%s\n", opaque);
}

static double cpu_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

/* The most memory that this process had since it began, in kilobytes; proc(5). */
static unsigned long peak_memory(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    char line[256];
    unsigned long peak = 0;

    while (status != NULL && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %lu", &peak) == 1)
            break;
    if (status != NULL)
        fclose(status);
    return peak;
}

static void measure(const char *raw, size_t length, int times)
{
    double least = 1e18;

    for (int i = 0; i < times; i++) {
        double start = cpu_now();
        body_parts_free(body_parts_read_raw(raw, length));
        double used = cpu_now() - start;
        least = MIN(least, used);
    }
    printf("%.0f ns peak=%lu ", least, peak_memory());
}

int main(int argc, char **argv)
{
    char *raw;
    gsize length;

    if (argc < 2 || !g_file_get_contents(argv[argc - 1], &raw, &length, NULL)) {
        fprintf(stderr, "show-parts: no file\n");
        return EXIT_FAILURE;
    }
    if (argc == 4)
        measure(raw, length, atoi(argv[2]));
    auto_free(body_parts) parts = body_parts_read_raw(raw, length);
    if (argc == 2) {
        print_accounts(parts);
        print_addresses(parts);
    } else {
        print_counts(parts);
    }
    g_free(raw);
    return EXIT_SUCCESS;
}
