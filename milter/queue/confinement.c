/* confinement - see confinement.h */

#include <config.h>

#include "milter/queue/confinement.h"

#include "policy/cli/exit_codes.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>
#ifdef HAVE_SYS_PRCTL_H
#include <sys/prctl.h>
#endif
#if defined(HAVE_LINUX_LANDLOCK_H) && defined(HAVE_SYS_PRCTL_H)
#include <linux/landlock.h>
#include <sys/syscall.h>
#endif
#ifdef HAVE_LIBSECCOMP
#include <limits.h>
#include <seccomp.h>
#include <sys/syscall.h>
#endif

/* Its input, output and errors, and the few that the C library has open at once. */
#define DESCRIPTORS 16u

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif

/*
 * What a handler of signals needs to run where the stack is used up; and a little more than malloc asks for at once
 * (mallopt(3): M_TOP_PAD of 128 KiB, and a page or two): where it got nothing, there is less than that.
 */
#define SPARE_STACK  65536u
#define SPARE_MEMORY (160u * 1024)

/* ---- what is said when there is no memory, without needing any */

static void end_without_memory(void)
{
    static const char said[] = CONFINEMENT_NO_MEMORY "\n";
    if (write(STDERR_FILENO, said, sizeof said - 1) > 0)
        _exit(EXITS_PASSING);
}

/* GLib ends the process if it gets no memory. */
static void on_fatal(const char *domain, GLogLevelFlags level, const char *message, gpointer data)
{
    if (strstr(message, "failed to allocate") != NULL)
        end_without_memory();
    g_log_default_handler(domain, level, message, data);
}

#ifndef SANITIZED
/* If it gets none for the message either, it comes to its end by way of a signal. */
static void on_signal(int number)
{
    if (mmap(NULL, SPARE_MEMORY, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
        end_without_memory();
    raise(number); /* which ends it now */
}
#endif

static void prepare_end(void)
{
    g_log_set_handler("GLib", G_LOG_LEVEL_ERROR | G_LOG_FLAG_FATAL | G_LOG_FLAG_RECURSION, on_fatal, NULL);
#ifndef SANITIZED
    static char stack[SPARE_STACK];
    static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGTRAP};
    const stack_t spare = {.ss_sp = stack, .ss_size = sizeof stack};
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND | SA_NODEFER)};
    sigaltstack(&spare, NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(signals); i++)
        sigaction(signals[i], &action, NULL);
#endif
}

/* ---- limits */

static int limit_resource(int resource, rlim_t soft, rlim_t hard)
{
    struct rlimit limit;
    if (getrlimit(resource, &limit) == -1)
        return -1;
    limit.rlim_max = MIN(limit.rlim_max, hard);
    limit.rlim_cur = MIN(limit.rlim_max, soft);
    return setrlimit(resource, &limit);
}

static int limit_resources(size_t memory, unsigned seconds)
{
    /* SIGXCPU says what happened, so it comes before SIGKILL.  valgrind keeps some descriptors above the limit. */
    if (limit_resource(RLIMIT_CPU, seconds, seconds + 1) == -1 || limit_resource(RLIMIT_CORE, 0, 0) == -1 ||
        limit_resource(RLIMIT_FSIZE, 0, 0) == -1 || limit_resource(RLIMIT_NOFILE, DESCRIPTORS, RLIM_INFINITY) == -1)
        return -1;
#ifdef RLIMIT_NPROC
    if (limit_resource(RLIMIT_NPROC, 0, 0) == -1)
        return -1;
#endif
#ifdef SANITIZED
    (void)memory;
    return 0;
#else
    return limit_resource(RLIMIT_AS, memory, memory);
#endif
}

/* ---- files */

#if defined(HAVE_LINUX_LANDLOCK_H) && defined(HAVE_SYS_PRCTL_H)
#define RIGHTS_READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* The kernel that runs may be newer than the headers that this is built with: see landlock(7). */
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

/* Where the C library and those above it keep charsets, locales and time zones; no file of ours, as in /usr/local/var.
 */
static const struct {
    const char *path;
    guint64 rights;
} readable[] = {
    {"/usr/lib", RIGHTS_READ},
    {"/usr/lib32", RIGHTS_READ},
    {"/usr/lib64", RIGHTS_READ},
    {"/usr/share", RIGHTS_READ},
    {"/lib", RIGHTS_READ},
    {"/lib32", RIGHTS_READ},
    {"/lib64", RIGHTS_READ},
    {"/etc/ld.so.cache", LANDLOCK_ACCESS_FS_READ_FILE},
    {"/etc/localtime", LANDLOCK_ACCESS_FS_READ_FILE},
#ifdef SANITIZED
    {"/proc", RIGHTS_READ}, /* for the report of what was found */
#endif
};

/* The rights that are taken away; those of a newer kernel than this one's it would not know. */
static guint64 rights_known(long version)
{
    guint64 rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM | RIGHTS_READ;
    if (version >= 3)
        rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return version >= 1 ? rights : 0;
}

/* What is not there, or belongs to another architecture, is left out. */
static void allow_reading(int rules)
{
    for (size_t i = 0; i < G_N_ELEMENTS(readable); i++) {
        struct landlock_path_beneath_attr beneath = {.allowed_access = readable[i].rights};
        beneath.parent_fd = open(readable[i].path, O_PATH | O_CLOEXEC);
        if (beneath.parent_fd == -1)
            continue;
        (void)syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0);
        close(beneath.parent_fd);
    }
}

/* Whether files are guarded now. */
static bool guard_files(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    const struct landlock_ruleset_attr attributes = {.handled_access_fs = rights_known(version)};
    int rules = version < 1 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules == -1)
        return false;
    allow_reading(rules);
    bool done = syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    close(rules);
    return done;
}
#else
static bool guard_files(void)
{
    return false;
}
#endif

/* ---- system calls */

#ifdef HAVE_LIBSECCOMP
/* Memory, the clock, what is open already, and the end; by name, since not every architecture has each of them. */
static const char *const needed[] = {
    "read",
    "readv",
    "pread64",
    "write",
    "writev",
    "close",
    "lseek",
    "_llseek",
    "fstat",
    "fstat64",
    "newfstatat",
    "fstatat64",
    "stat",
    "stat64",
    "lstat",
    "lstat64",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
    "getcwd",
    "getdents64",
    "mmap",
    "mmap2",
    "munmap",
    "mremap",
    "mprotect",
    "madvise",
    "brk",
    "rt_sigaction",
    "rt_sigprocmask",
    "rt_sigreturn",
    "sigreturn",
    "sigaltstack",
    "clock_gettime",
    "clock_gettime64",
    "clock_getres",
    "gettimeofday",
    "time",
    "nanosleep",
    "clock_nanosleep",
    "clock_nanosleep_time64",
    "futex",
    "futex_time64",
    "set_robust_list",
    "rseq",
    "sched_yield",
    "sched_getaffinity",
    "getpid",
    "gettid",
    "getuid",
    "getuid32",
    "geteuid",
    "geteuid32",
    "getgid",
    "getgid32",
    "getegid",
    "getegid32",
    "getrlimit",
    "ugetrlimit",
    "getrandom",
    "uname",
    "restart_syscall",
    "exit",
    "exit_group",
};

/* No library makes one of these by itself: the process was taken over. */
static const char *const deadly[] = {
    "execve",
    "execveat",
    "fork",
    "vfork",
    "clone",
    "kill",
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "pidfd_open",
    "pidfd_getfd",
    "bpf",
    "perf_event_open",
    "io_uring_setup",
    "userfaultfd",
    "mount",
    "umount2",
    "pivot_root",
    "chroot",
    "unshare",
    "setns",
    "keyctl",
    "setuid",
    "setuid32",
    "setgid",
    "setgid32",
    "setresuid",
    "setresuid32",
    "open_by_handle_at",
    "memfd_create",
};

/* 0 or -errno.  A name that this architecture or this libseccomp does not know cannot be called either. */
static int add(scmp_filter_ctx filter, uint32_t action, const char *name, const struct scmp_arg_cmp *condition)
{
    int number = seccomp_syscall_resolve_name(name);
    return number == __NR_SCMP_ERROR
               ? 0
               : seccomp_rule_add_array(filter, action, number, condition == NULL ? 0 : 1, condition);
}

/* Files are opened for reading; where nothing says which ones, none is there. */
static int add_opening(scmp_filter_ctx filter, bool files_guarded)
{
    const scmp_datum_t writing = O_ACCMODE | O_CREAT | O_TRUNC | O_APPEND;
    const struct scmp_arg_cmp second = SCMP_A1(SCMP_CMP_MASKED_EQ, writing, O_RDONLY);
    const struct scmp_arg_cmp third = SCMP_A2(SCMP_CMP_MASKED_EQ, writing, O_RDONLY);
    uint32_t action = files_guarded ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOENT);
    int result = add(filter, action, "open", &second);
    return result != 0 ? result : add(filter, action, "openat", &third);
}

/* abort() ends the process that calls it; limits are asked for, not set; descriptors are looked at. */
static int add_conditional(scmp_filter_ctx filter)
{
    const scmp_datum_t process = (scmp_datum_t)getpid();
    const struct {
        const char *name;
        unsigned argument;
        scmp_datum_t value;
    } rules[] = {
        {"tgkill", 0, process},  {"tkill", 0, process}, /* the first thread, the only one there is */
        {"prlimit64", 2, 0},     {"fcntl", 1, F_GETFL},   {"fcntl", 1, F_GETFD},
        {"fcntl64", 1, F_GETFL}, {"fcntl64", 1, F_GETFD},
    };
    int result = 0;
    for (size_t i = 0; i < G_N_ELEMENTS(rules) && result == 0; i++) {
        const struct scmp_arg_cmp same = {.arg = rules[i].argument, .op = SCMP_CMP_EQ, .datum_a = rules[i].value};
        result = add(filter, SCMP_ACT_ALLOW, rules[i].name, &same);
    }
    return result;
}

static int add_rules(scmp_filter_ctx filter, bool files_guarded)
{
    int result = add_opening(filter, files_guarded);
    for (size_t i = 0; i < G_N_ELEMENTS(needed) && result == 0; i++)
        result = add(filter, SCMP_ACT_ALLOW, needed[i], NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(deadly) && result == 0; i++)
        result = add(filter, SCMP_ACT_KILL_PROCESS, deadly[i], NULL);
    return result != 0 ? result : add_conditional(filter);
}

static int filter_calls(bool files_guarded, char **error)
{
    /* There is no such operation, which a kernel that has the call says; valgrind has not. */
    if (syscall(SYS_seccomp, UINT_MAX, 0, NULL) == -1 && errno == ENOSYS)
        return 0;
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
    int result = filter == NULL ? -ENOMEM : seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS);
    if (result == 0)
        result = add_rules(filter, files_guarded);
    if (result == 0)
        result = seccomp_load(filter);
    seccomp_release(filter);
    if (result == 0)
        return 0;
    *error =
        g_strdup_printf("no system call can be forbidden to the process that reads messages: %s", g_strerror(-result));
    return -1;
}

char *confinement_library_version(void)
{
    const struct scmp_version *version = seccomp_version();
    return g_strdup_printf("%u.%u.%u", version->major, version->minor, version->micro);
}
#else
static int filter_calls(bool files_guarded, char **error)
{
    (void)files_guarded;
    (void)error;
    return 0;
}

char *confinement_library_version(void)
{
    return NULL;
}
#endif

int confine(size_t memory, unsigned seconds, char **error)
{
    prepare_end();
    if (limit_resources(memory, seconds) == -1) {
        *error = g_strdup_printf("the process that reads messages cannot be limited: %s", g_strerror(errno));
        return -1;
    }
#ifdef PR_SET_NO_NEW_PRIVS
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1) {
        *error = g_strdup_printf("the process that reads messages can get new privileges: %s", g_strerror(errno));
        return -1;
    }
#endif
    return filter_calls(guard_files(), error);
}
