/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What `sealock check` says of staples: files are read, and responders asked
 * for what there must be.
 */
#ifndef SEALOCK_CLI_CHECK_STAPLES_H
#define SEALOCK_CLI_CHECK_STAPLES_H

struct conf;
struct file_set;
struct route_findings;

/* index: the descriptor of the configuration's certificate index. A staple that
 * must be and is not to be had is a problem; a file without a good answer, or
 * an issuer that is not known, otherwise a warning. Takes as long as responders
 * need, ten seconds for each at most, all of them at one time. */
void
check_staples(const struct conf *conf, const struct file_set *files, int index,
	      const struct route_findings *findings);

#endif
