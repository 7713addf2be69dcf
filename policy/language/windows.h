/*
 * windows - what a policy asks of the state: the windows of its rules, and what is counted in them.
 */
#ifndef RCPTGUARD_WINDOWS_H
#define RCPTGUARD_WINDOWS_H

struct policy;

/* Once there are no errors: finds those of the rules, each once, and gives each test the index of its own. */
void policy_find_windows(struct policy *policy);

#endif
