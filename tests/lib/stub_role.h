/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Roles for tests of the monitor: the unit program, started with --role, is
 * one of them. They do what the name of the first service says, and log what
 * they are told.
 *
 *	keeper_bad	the keeper refuses the generation
 *	keeper_dies	it dies while it prepares
 *	keeper_bare	it is ready without an index
 *	keeper_open	its index is not sealed
 *	keeper_mute	it does not say what it has for tickets
 *	worker_bad	workers refuse the generation
 *	worker_holds	workers go on using what was before
 *	accuse		the keeper accuses worker 0 when this is in force
 *	slander		it accuses worker 0 four times
 *	nonsense	it accuses the helper, which is no peer
 *
 * The index is what the file /index holds, and a keeper that finds "die" there
 * dies. A worker warns of what it was given:
 *
 *	index=CONTENT ca=KIND key=KIND
 *
 * and the helper, when there is one:
 *
 *	helper index=CONTENT
 */
#ifndef SEALOCK_TESTS_STUB_ROLE_H
#define SEALOCK_TESTS_STUB_ROLE_H

/* With "--role NAME NUMBER" as arguments; the exit status. */
int
stub_role_main(int argc, char **argv);

#endif
