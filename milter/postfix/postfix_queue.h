/*
 * postfix_queue - Postfix's part of queue.h: postqueue(1), postcat(1), postsuper(1), postkick(1).
 */
#ifndef RCPTGUARD_POSTFIX_QUEUE_H
#define RCPTGUARD_POSTFIX_QUEUE_H

#include "milter/queue/queue.h"

extern const struct queue_driver postfix_queue_driver;

#endif
