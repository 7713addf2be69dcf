/* mtas - see mtas.h */

#include "milter/rcptguardq/mtas.h"

#include "milter/postfix/postfix.h"
#include "milter/sendmail/sendmail.h"

static char *postfix_directory, *postfix_setup_directory, *sendmail_cf, *sendmail_mc;

const struct mta_row mtas[] = {
    {"postfix", &postfix_queue_driver, &postfix_checks, &postfix_setup, &postfix_directory, &postfix_setup_directory},
    {"sendmail", &sendmail_queue_driver, &sendmail_checks, &sendmail_setup, &sendmail_cf, &sendmail_mc},
    {NULL, NULL, NULL, NULL, NULL, NULL},
};

const GOptionEntry mtas_doctor_entries[] = {
    {"postfix-config", 0, 0, G_OPTION_ARG_FILENAME, &postfix_directory, "Postfix's configuration", "DIR"},
    {"sendmail-config", 0, 0, G_OPTION_ARG_FILENAME, &sendmail_cf, "Sendmail's configuration", "FILE"},
    G_OPTION_ENTRY_NULL,
};

const GOptionEntry mtas_setup_entries[] = {
    {"postfix-config", 0, 0, G_OPTION_ARG_FILENAME, &postfix_setup_directory, "Postfix's configuration (/etc/postfix)",
     "DIR"},
    {"sendmail-mc", 0, 0, G_OPTION_ARG_FILENAME, &sendmail_mc, "Sendmail's sendmail.mc (/etc/mail/sendmail.mc)",
     "FILE"},
    G_OPTION_ENTRY_NULL,
};

const struct queue_driver *const *mtas_queue_drivers(void)
{
    static const struct queue_driver *drivers[G_N_ELEMENTS(mtas)]; /* the last stays NULL */
    for (unsigned i = 0; mtas[i].word != NULL; i++)
        drivers[i] = mtas[i].queue;
    return drivers;
}

char *mtas_words(const char *between)
{
    GString *words = g_string_new(NULL);
    for (const struct mta_row *row = mtas; row->word != NULL; row++)
        g_string_append_printf(words, "%s%s", words->len > 0 ? between : "", row->word);
    return g_string_free(words, FALSE);
}
