/*
 * cleanup - `auto_free(NAME)` declares a `struct NAME *` that is freed when it goes
 * out of scope, for the structs whose header says AUTO_FREE_DEFINE.  (GLib's
 * g_autoptr wants a typedef; this project uses plain structs.)
 */
#ifndef RCPTGUARD_CLEANUP_H
#define RCPTGUARD_CLEANUP_H

#define AUTO_FREE_DEFINE(name, function)                                                                               \
    static inline void name##_auto_free(struct name **pointer)                                                         \
    {                                                                                                                  \
        if (*pointer != NULL)                                                                                          \
            function(*pointer);                                                                                        \
    }

#define auto_free(name) __attribute__((cleanup(name##_auto_free))) struct name *

#endif
