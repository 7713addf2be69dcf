/*
 * null-milter - a milter that does nothing, with every flag that saves work.
 *
 * usage: null-milter [-o] SOCKET
 *
 * The yardstick of the benchmark: it asks for the same steps and macros as rcptguardd
 * and forgets what it is told, so that what rcptguardd costs beyond it is our own
 * code.  With -o it is the cheapest one that still hears of the sender, the recipients
 * and the header fields: it leaves out every other step, asks for no macros and answers
 * once, at the end of the message.  libmilter is the system's, unmodified.
 */
#include <libmilter/mfapi.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As rcptguardd: a To header of 1 MB is one packet. */
#define PACKET_LIMIT (16u * 1024 * 1024)

#define ACTIONS (SMFIF_QUARANTINE | SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_SETSYMLIST)
#define STEPS                                                                                                          \
    (SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOBODY | SMFIP_NOUNKNOWN | SMFIP_NR_CONN | SMFIP_NR_RCPT | SMFIP_NR_HDR |     \
     SMFIP_NR_EOH)

#define STEPS_ONCE                                                                                                     \
    (SMFIP_NOCONNECT | SMFIP_NOHELO | SMFIP_NODATA | SMFIP_NOEOH | SMFIP_NOBODY | SMFIP_NOUNKNOWN | SMFIP_NR_CONN |    \
     SMFIP_NR_MAIL | SMFIP_NR_RCPT | SMFIP_NR_HDR)

static bool once;

/* The macros that rcptguardd asks for; libmilter wants them writable. */
static char connect_macros[] = "{daemon_name} v";
static char mail_macros[] = "{auth_type} {auth_authen} i v";
static char end_macros[] = "i";

static sfsistat null_negotiate(SMFICTX *context, unsigned long actions, unsigned long steps, unsigned long offered2,
                               unsigned long offered3, unsigned long *wanted_actions, unsigned long *wanted_steps,
                               unsigned long *wanted2, unsigned long *wanted3)
{
    (void)offered2, (void)offered3;
    *wanted2 = 0;
    *wanted3 = 0;
    *wanted_actions = once ? 0 : actions & ACTIONS;
    *wanted_steps = steps & (once ? STEPS_ONCE : STEPS);
    if (once)
        return SMFIS_CONTINUE;
    smfi_setsymlist(context, SMFIM_CONNECT, connect_macros);
    smfi_setsymlist(context, SMFIM_ENVFROM, mail_macros);
    smfi_setsymlist(context, SMFIM_EOM, end_macros);
    return SMFIS_CONTINUE;
}

static sfsistat null_connect(SMFICTX *context, char *host, _SOCK_ADDR *address)
{
    (void)context, (void)host, (void)address;
    return SMFIS_NOREPLY;
}

static sfsistat null_end_of_header(SMFICTX *context)
{
    (void)context;
    return SMFIS_NOREPLY;
}

static sfsistat null_sender(SMFICTX *context, char **arguments)
{
    (void)context, (void)arguments;
    return once ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}

static sfsistat null_recipient(SMFICTX *context, char **arguments)
{
    (void)context, (void)arguments;
    return SMFIS_NOREPLY;
}

static sfsistat null_header(SMFICTX *context, char *name, char *value)
{
    (void)context, (void)name, (void)value;
    return SMFIS_NOREPLY;
}

static sfsistat null_end(SMFICTX *context)
{
    (void)context;
    return SMFIS_CONTINUE;
}

int main(int argc, char **argv)
{
    char name[] = "null"; /* the field wants it writable */
    struct smfiDesc filter = {
        .xxfi_name = name,
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = ACTIONS,
        .xxfi_connect = null_connect,
        .xxfi_envfrom = null_sender,
        .xxfi_envrcpt = null_recipient,
        .xxfi_header = null_header,
        .xxfi_eoh = null_end_of_header,
        .xxfi_eom = null_end,
        .xxfi_abort = null_end,
        .xxfi_close = null_end,
        .xxfi_negotiate = null_negotiate,
    };

    once = argc == 3 && strcmp(argv[1], "-o") == 0;
    if (argc != 2 + once) {
        fprintf(stderr, "usage: null-milter [-o] SOCKET\n");
        return 2;
    }
    if (once)
        filter.xxfi_flags = 0;
    smfi_setmaxdatasize(PACKET_LIMIT);
    if (smfi_setconn(argv[1 + once]) != MI_SUCCESS || smfi_register(filter) != MI_SUCCESS ||
        smfi_opensocket(1) != MI_SUCCESS) {
        fprintf(stderr, "null-milter: cannot listen on %s\n", argv[1]);
        return 1;
    }
    return smfi_main() == MI_SUCCESS ? EXIT_SUCCESS : EXIT_FAILURE;
}
