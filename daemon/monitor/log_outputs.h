/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The outputs of global.log, opened: files, syslog's socket, standard error.
 * Every process gets duplicates of them.
 */
#ifndef SEALOCK_MONITOR_LOG_OUTPUTS_H
#define SEALOCK_MONITOR_LOG_OUTPUTS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "common/base/log.h"

struct conf_global;
struct error_list;

struct log_outputs {
	struct log_sink *sinks; /* in the order of global.log */
	size_t count;
	bool has_syslog;
	dev_t syslog_device; /* of its path when it was connected to */
	ino_t syslog_inode;
};

/* Open standard error as a log writes to it (log_dup()), now that it can still
 * be done: what hides itself (privileges_hide()) cannot. To be called again
 * when standard error has become something else. */
void
log_outputs_take_stderr(void);

/* Open all of them. What cannot be opened is a problem, and then the output
 * of the same place in instead (may be NULL) is kept in its stead. Returns
 * how many failed; outputs hold what could be had in any case. */
size_t
log_outputs_open(const struct conf_global *global,
		 const struct log_outputs *instead, struct log_outputs *outputs,
		 struct error_list *problems);
void
log_outputs_close(struct log_outputs *outputs);

/* Make duplicates of them this process's own log. -1, and errno, when there
 * was no descriptor left: nothing has changed. */
int
log_outputs_apply(const struct log_outputs *outputs)
	__attribute__((warn_unused_result));

/* Has syslog's socket been replaced since, by a syslog daemon that was started
 * again? What is connected to the old one leads nowhere. */
bool
log_outputs_are_stale(const struct log_outputs *outputs);

#endif
