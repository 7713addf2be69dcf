/*
 * sendmail_queue - Sendmail's part of queue.h: sendmail(8), and the control files of its queue.
 */
#ifndef RCPTGUARD_SENDMAIL_QUEUE_H
#define RCPTGUARD_SENDMAIL_QUEUE_H

#include "milter/queue/queue.h"

extern const struct queue_driver sendmail_queue_driver;

#endif
