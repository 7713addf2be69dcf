/*
 * class_mask - a set of the classes of a policy.
 */
#ifndef RCPTGUARD_CLASS_MASK_H
#define RCPTGUARD_CLASS_MASK_H

#include <glib.h>

/* A set of classes, one bit each.  Class 0 is `internal`, class 1 is `other`. */
typedef guint64 class_mask;
#define CLASS_INTERNAL 0
#define CLASS_OTHER    1
#define CLASS_LIMIT    62
#define CLASS_ALL      (~(class_mask)0)
#define CLASS_EXTERNAL (CLASS_ALL & ~((class_mask)1 << CLASS_INTERNAL))

#endif
