/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The command's end of the admin socket.
 */
#ifndef SEALOCK_CLI_ADMIN_CLIENT_H
#define SEALOCK_CLI_ADMIN_CLIENT_H

struct admin_answer;
struct admin_request;
struct error;

/* Connect to the socket of that path. The descriptor, or -1 with a sentence. */
int
admin_client_open(const char *path, struct error *error);

/* Ask, and wait for the answer: as long as a reload may take. What is in the
 * answer is the caller's, see admin_answer_clear(). -1 with a sentence. */
int
admin_client_ask(int descriptor, const struct admin_request *request,
		 struct admin_answer *answer, struct error *error)
	__attribute__((warn_unused_result));

/* Wait until the process that listens on the other end is gone. */
void
admin_client_wait_gone(int descriptor);

#endif
