/*
 * mechanisms - what a policy may ask of the daemon beside its dispositions, and whether it is there.
 */
#ifndef RCPTGUARD_MECHANISMS_H
#define RCPTGUARD_MECHANISMS_H

#include "milter/common/conf.h"
#include "policy/engine/policy.h"

/*
 * Whether the configuration has what the rules and `default` ask for.  Each rule that asks for more is an error in
 * `diags`: nothing that a policy says is passed over in silence.
 */
bool mechanisms_check(const struct policy *policy, const struct config *config, struct diags *diags);

/*
 * Adds a warning if a rule releases mail by itself and `rcptguardq agent`, which does it, has not run for more than a
 * day, as the ledger of the configuration says: such mail would stay on hold.
 */
void mechanisms_watch(const struct policy *policy, const struct config *config, struct diags *diags);

#endif
