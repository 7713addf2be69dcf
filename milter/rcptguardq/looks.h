/*
 * looks - the record of who looked at recipients' addresses or at a whole message, for `show` and `review`: written
 * before anything is shown.
 */
#ifndef RCPTGUARD_LOOKS_H
#define RCPTGUARD_LOOKS_H

#include "milter/review/rcptguardq_tool.h"

/*
 * Records that the one who asks looks at these LEDGER_LOOK_... bits of an item that is on hold: in the ledger's
 * history, or in the log if the ledger does not know it.  0, or -1 with `error`: then they are not to be shown.
 */
int look_record(const struct tool *tool, const struct view_item *item, unsigned looks, struct database_error *error);

#endif
