/*
 * state_schema - the tables and functions of a state in PostgreSQL, in the schema rcptguard, which several servers
 * share: see state_database.h.  milter/fleet makes them, as version 2 of that schema, as its owner.
 *
 * Nodes, members of the role rcptguard_node, read and write the tables, each call by one function, which is one
 * transaction; nobody else has a right on them.
 */
#ifndef RCPTGUARD_STATE_SCHEMA_H
#define RCPTGUARD_STATE_SCHEMA_H

/*
 * Statements, one each, ended by NULL: they make what is not there and leave what is.  The schema and the role
 * rcptguard_node are there before.  Functions of one name and signature mean the same for ever, since nodes of several
 * versions call them: what changes gets another name.
 * How they do it may become better, so they replace those that are there.
 */
extern const char *const state_schema[];

/* Those of them that make functions, and say who may call them. */
extern const char *const state_schema_functions[];

#endif
