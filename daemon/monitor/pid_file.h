/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The pid file: locked as long as its daemon lives, so that one left behind by
 * a crash is no obstacle and one in use is.
 */
#ifndef SEALOCK_MONITOR_PID_FILE_H
#define SEALOCK_MONITOR_PID_FILE_H

struct error;
struct pid_file;

/* Write our pid into it. NULL with a sentence when it cannot be written or
 * another living process holds it. */
struct pid_file *
pid_file_new(const char *path, struct error *error);

/* A further reference: several generations name the same file. */
struct pid_file *
pid_file_ref(struct pid_file *pid_file);
const char *
pid_file_path(const struct pid_file *pid_file);

/* With the last reference the file is removed. NULL is legal. */
void
pid_file_unref(struct pid_file *pid_file);

#endif
