/*
 * judge - evaluates messages of files, for measuring:
 *
 *     judge POLICY FILE [TIMES]        nanoseconds of CPU, the least of all times
 *     judge --stack POLICY FILE...     bytes of stack, each in a thread of its own
 *
 * then the peak memory of the process in kB, and what was found.
 */

#include "policy/base/diagnostics.h"
#include "policy/engine/policy.h"
#include "policy/exposure/exposure.h"
#include "policy/mailbox/mailbox_read.h"
#include "policy/state/state_memory.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

/* More than any evaluation may need, so that what it needs can be seen. */
#define STACK_SIZE (4u * 1024 * 1024)

/* What an unused byte of the stack holds. */
#define UNUSED 0x5a

struct job {
    struct policy *policy;
    struct message *message;
    struct verdict *verdict;
    struct state_scratch *scratch;
};

static bool take_first(void *data, struct message *message, const char *file, unsigned index)
{
    (void)file;
    (void)index;
    *(struct message **)data = message;
    return false;
}

static struct message *read_message(const char *path)
{
    struct diags *diags = diags_new();
    struct message *message = NULL;

    mailfile_read(path, take_first, &message, diags);
    if (message == NULL || diags_errors(diags) > 0) {
        fprintf(stderr, "%s: no message\n", path);
        exit(1);
    }
    diags_free(diags);
    message_set_sender(message, "care@corp.example");
    message_add_recipient(message, "ann@x.example");
    return message;
}

static struct policy *read_policy(const char *path)
{
    struct diags *diags = diags_new();
    struct policy *policy = policy_load(path, diags);

    if (policy == NULL) {
        fprintf(stderr, "%s: no policy\n", path);
        exit(1);
    }
    diags_free(diags);
    return policy;
}

static void *judge(void *data)
{
    struct job *job = data;
    struct evaluate_options options = {.on_fault = DISPOSITION_QUARANTINE,
                                       .outbound = OUTBOUND_YES,
                                       .state = &job->scratch->state,
                                       .time = 1800000000};

    job->verdict = policy_evaluate(job->policy, job->message, &options);
    return NULL;
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

static void print_found(double figure, const char *unit, const struct verdict *verdict)
{
    unsigned defects = exposure_defects(verdict->exposure);

    printf("%.0f %s peak=%lu visible=%u%s%s verdict=%s\n", figure, unit, peak_memory(),
           exposure_visible(verdict->exposure), defects & (DEFECT_LIMIT | DEFECT_UNPARSED) ? " malformed" : "",
           defects & DEFECT_CUT ? " truncated" : "", disposition_name(verdict->disposition));
}

static double cpu_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

static void measure_time(struct job *job, int times)
{
    double least = 1e18;

    for (int i = 0; i < times; i++) {
        double start = cpu_now(), used;
        judge(job);
        used = cpu_now() - start;
        least = MIN(least, used);
        if (i == times - 1)
            print_found(least, "ns", job->verdict);
        verdict_free(job->verdict);
    }
}

static void measure_stack(struct job *job)
{
    unsigned char *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    pthread_attr_t attributes;
    pthread_t thread;
    size_t unused = 0;

    if (stack == MAP_FAILED)
        exit(1);
    memset(stack, UNUSED, STACK_SIZE);
    pthread_attr_init(&attributes);
    pthread_attr_setstack(&attributes, stack, STACK_SIZE);
    if (pthread_create(&thread, &attributes, judge, job) != 0)
        exit(1);
    pthread_join(thread, NULL);
    pthread_attr_destroy(&attributes);
    while (unused < STACK_SIZE && stack[unused] == UNUSED)
        unused++;
    print_found((double)(STACK_SIZE - unused), "bytes", job->verdict);
    verdict_free(job->verdict);
    munmap(stack, STACK_SIZE);
}

int main(int argc, char **argv)
{
    bool stack = argc > 1 && strcmp(argv[1], "--stack") == 0;
    struct state_scratch scratch;
    struct job job = {.scratch = &scratch};

    if (argc < 3 + stack) {
        fprintf(stderr, "Usage: judge POLICY FILE [TIMES] | judge --stack POLICY FILE...\n");
        return 2;
    }
    state_scratch_open(&scratch);
    job.policy = read_policy(argv[1 + stack]);
    for (int i = 2 + stack; i < (stack ? argc : 3); i++) {
        job.message = read_message(argv[i]);
        if (stack)
            measure_stack(&job);
        else
            measure_time(&job, argc > 3 ? atoi(argv[3]) : 1);
        message_free(job.message);
    }
    state_scratch_close(&scratch);
    policy_unref(job.policy);
    return 0;
}
