/*
 * lint_freemail - the largest providers at which anyone can have a mailbox: a
 * class `internal` that names one calls the world internal.  It is meant for
 * that mistake alone; what a policy counts as freemail, it says itself.
 */

#include "policy/lint/lint.h"

#include <string.h>

static const char *const providers[] = {
    "126.com",     "163.com",       "aol.com",        "att.net",      "bigpond.com",    "bol.com.br",  "btinternet.com",
    "comcast.net", "daum.net",      "docomo.ne.jp",   "fastmail.com", "foxmail.com",    "free.fr",     "freenet.de",
    "gmail.com",   "gmx.at",        "gmx.ch",         "gmx.com",      "gmx.de",         "gmx.net",     "googlemail.com",
    "hanmail.net", "hotmail.co.uk", "hotmail.com",    "hotmail.de",   "hotmail.fr",     "hotmail.it",  "icloud.com",
    "laposte.net", "libero.it",     "live.com",       "mac.com",      "mail.com",       "mail.ru",     "me.com",
    "msn.com",     "naver.com",     "o2.pl",          "onet.pl",      "orange.fr",      "outlook.com", "outlook.de",
    "outlook.fr",  "proton.me",     "protonmail.com", "qq.com",       "rediffmail.com", "sapo.pt",     "sbcglobal.net",
    "seznam.cz",   "sina.com",      "sohu.com",       "t-online.de",  "tiscali.it",     "uol.com.br",  "verizon.net",
    "virgilio.it", "wanadoo.fr",    "web.de",         "wp.pl",        "yahoo.co.in",    "yahoo.co.jp", "yahoo.co.uk",
    "yahoo.com",   "yahoo.com.br",  "yahoo.de",       "yahoo.fr",     "ya.ru",          "yandex.ru",   "yeah.net",
    "ymail.com",   "zoho.com",
};

/* Whether `domain` is `suffix`, or below it. */
static bool is_within(const char *domain, const char *suffix)
{
    size_t length = strlen(domain), least = strlen(suffix);

    return length >= least && strcmp(domain + length - least, suffix) == 0 &&
           (length == least || domain[length - least - 1] == '.');
}

const char *lint_freemail(const char *domain, bool below)
{
    for (unsigned i = 0; i < G_N_ELEMENTS(providers); i++)
        if (strcmp(domain, providers[i]) == 0 || (below && is_within(providers[i], domain)))
            return providers[i];
    return NULL;
}

const char *lint_freemail_matched(const struct pattern *pattern)
{
    auto_free(pattern_budget) budget = pattern_budget_new();
    const char *found = NULL;

    for (unsigned i = 0; found == NULL && i < G_N_ELEMENTS(providers); i++)
        if (pattern_match(pattern, providers[i], budget) == PATTERN_YES)
            found = providers[i];
    return found;
}
