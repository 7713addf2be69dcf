/* mta_macros - see mta_macros.h */

#include "milter/daemon/mta_macros.h"

#include "milter/log/log.h"

#include <stdatomic.h>

static const struct {
    const char *name;
    const char *loss;     /* what does not work without it */
    const char *postfix;  /* the line of main.cf */
    const char *sendmail; /* the line of sendmail.mc */
} macros[MACROS] = {
    [MACRO_LISTENER] = {"{daemon_name}", "`listener` in the policy matches nothing",
                        "milter_connect_macros = j {daemon_name} {daemon_addr} v _",
                        "define(`confMILTER_MACROS_CONNECT', `j, _, {daemon_name}, v')"},
    [MACRO_VERSION] = {"v", "the MTA is taken for Sendmail, so recipients in Bcc are not counted as visible",
                       "milter_connect_macros = j {daemon_name} {daemon_addr} v _",
                       "define(`confMILTER_MACROS_CONNECT', `j, _, {daemon_name}, v')"},
    [MACRO_LOGIN] = {"{auth_authen}", "`user` in the policy matches nothing",
                     "milter_mail_macros = i {auth_type} {auth_authen}",
                     "define(`confMILTER_MACROS_ENVFROM', `i, {auth_type}, {auth_authen}')"},
    [MACRO_QUEUE_ID] = {"i", "log lines and held messages have no queue id", "milter_end_of_data_macros = i",
                        "define(`confMILTER_MACROS_EOM', `i')"},
};

static atomic_bool said[MACROS];

const char *macro_name(enum macro macro)
{
    return macros[macro].name;
}

void macro_missing(enum macro macro)
{
    if (atomic_exchange(&said[macro], true))
        return;
    log_line(LOG_WARNING, "macros: the MTA does not send %s: %s; Postfix: `%s`; Sendmail: \"%s\"", macros[macro].name,
             macros[macro].loss, macros[macro].postfix, macros[macro].sendmail);
}
