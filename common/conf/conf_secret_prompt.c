/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A pass-phrase from the terminal.
 */
#include "common/conf/conf_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "common/base/error.h"

#define CONTROL_C 3

/* One line as it was typed, its newline included; -1 when it was ended by
 * control-C, by the end of the input or by an error. */
static int
read_line(int terminal, char *buffer, size_t size, size_t *length)
{
	*length = 0;
	while (*length < size) {
		ssize_t got = read(terminal, buffer + *length, size - *length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		*length += (size_t)got;
		if (buffer[*length - 1] == CONTROL_C)
			return -1;
		if (buffer[*length - 1] == '\n')
			return 0;
	}
	return -1;
}

static void
show(int terminal, const char *text)
{
	(void)!write(terminal, text, strlen(text));
}

/* Signals wait until echo is on again; control-C is read as a character that
 * ends the line. */
static int
ask(int terminal, const char *question, char *buffer, size_t size,
    size_t *length)
{
	struct termios before, silent;
	sigset_t all, old;
	int result = -1;

	if (tcgetattr(terminal, &before) != 0)
		return -1;
	silent = before;
	silent.c_lflag &= ~(tcflag_t)(ECHO | ECHOE | ECHOK | ECHONL | ISIG);
	silent.c_lflag |= ICANON;
	silent.c_cc[VEOL] = CONTROL_C;
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &old);
	if (tcsetattr(terminal, TCSAFLUSH, &silent) == 0) {
		show(terminal, question);
		result = read_line(terminal, buffer, size, length);
		show(terminal, "\n");
		(void)tcsetattr(terminal, TCSAFLUSH, &before);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return result;
}

int
conf_secret_prompt(const char *subject, char *buffer, size_t size,
		   size_t *length, struct error *error)
{
	int terminal = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	char question[512];
	int result;

	if (terminal < 0) {
		error_set(error,
			  "the pass-phrase for %s is to be asked on the "
			  "terminal, and there is none",
			  subject);
		return -1;
	}
	snprintf(question, sizeof(question), "Pass-phrase for %s: ", subject);
	result = ask(terminal, question, buffer, size, length);
	close(terminal);
	if (result != 0)
		error_set(error, "no pass-phrase for %s was given", subject);
	return result;
}
