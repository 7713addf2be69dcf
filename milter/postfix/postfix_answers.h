/* postfix_answers - whether Postfix takes the address that people answer to; see `answers` in rcptguard.conf(5) */
#ifndef RCPTGUARD_POSTFIX_ANSWERS_H
#define RCPTGUARD_POSTFIX_ANSWERS_H

#include "milter/setup/checks.h"

void postfix_examine_answers(struct doctor *doctor);

#endif
