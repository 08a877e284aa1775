/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the operator asked for, as structs. Filled from documents through the
 * table of keys (schema); every role reads the same documents with the same
 * code. Times are in milliseconds, 0 where 0 means "no limit".
 */
#ifndef SEALOCK_CONF_CONF_H
#define SEALOCK_CONF_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/net/address.h"
#include "common/tls/tls_settings.h"

struct conf_facts;
struct file_set;

enum conf_log_target {
	CONF_LOG_STDERR,
	CONF_LOG_FILE,
	CONF_LOG_SYSLOG,
};

/* One entry of global.log. */
struct conf_log {
	struct position at;
	enum conf_log_target target;
	char *path;   /* FILE */
	int facility; /* SYSLOG */
	enum log_level level;
	bool is_for_events;
	bool is_for_access;
	enum log_form form;
};

struct conf_resolver {
	char **servers; /* none: the system's (resolv.conf) */
	size_t server_count;
	int64_t refresh_ms;
	int64_t timeout_ms;
};

/* Names or numbers; NULL: that of the workers. */
struct conf_user {
	char *worker;
	struct position at; /* of the key; line 0: it was not written */
	bool is_default;    /* the workers' was not written by the operator */
	char *keeper;
	char *helper;
	char *broker;
};

enum conf_sandbox {
	CONF_SANDBOX_AUTO,     /* as far as the kernel goes */
	CONF_SANDBOX_REQUIRED, /* all of it, or no start */
	CONF_SANDBOX_OFF,      /* privileges alone */
};

struct conf_global {
	struct conf_user user;
	char *group; /* NULL: each user's own */
	struct position group_at;
	char *chroot; /* "off": none */
	bool is_chroot_default;
	struct position chroot_at;
	enum conf_sandbox sandbox;
	struct position sandbox_at;
	unsigned int workers; /* 0: auto */
	unsigned int max_connections;
	bool is_max_connections_default; /* not written by the operator */
	int64_t shutdown_grace_ms;
	int64_t reload_grace_ms;
	char *state_dir;
	bool is_state_dir_default; /* not written by the operator */
	struct position state_dir_at;
	char *pid_file;
	bool is_pid_file_default; /* not written by the operator */
	struct address admin;
	bool is_admin_default;
	struct position admin_at;
	bool are_keys_isolated; /* in the keeper alone */
	struct conf_log *logs;
	size_t log_count;
	struct conf_resolver resolver;
};

struct conf_keepalive {
	int64_t idle_ms; /* 0: off */
	int64_t interval_ms;
	unsigned int count;
};

/* An address and where it was written. */
struct conf_address {
	struct address address;
	struct position at;
};

struct conf_accept {
	struct position at;
	struct conf_address *addresses;
	size_t address_count;
	unsigned int backlog;
	bool is_port_reused;
	struct conf_keepalive keepalive;
	struct tls_settings *tls; /* NULL: plain */
};

struct conf_connect {
	struct position at;
	struct conf_address *addresses;
	size_t address_count;
	enum address_family family;
	struct tls_settings *tls; /* NULL: plain */
};

struct conf_timeouts {
	int64_t handshake_ms;
	int64_t connect_ms;
	int64_t idle_ms;
	int64_t half_close_ms;
	int64_t write_stall_ms;
	int64_t total_ms;
};

struct conf_buffers {
	size_t max; /* bytes */
};

/* Who is asked whether a client may go on. */
struct conf_authorize {
	struct address socket; /* UNIX; no host: nobody is asked */
	struct position at;    /* where the socket was written */
	int64_t timeout_ms;
	bool is_backend_asked; /* ... and whether a backend may be used */
};

struct conf_service {
	char *name;
	struct position at;
	struct conf_accept accept;
	struct conf_connect connect;
	struct conf_timeouts timeouts;
	struct conf_authorize authorize;
	struct conf_buffers buffers;
};

struct conf {
	struct conf_global global;
	struct conf_service *services; /* in the order of the documents */
	size_t service_count;
	struct conf_tree *tree; /* the effective tree, for conf_print() */
};

/* The text of a configuration: the main file first, then what it includes, in
 * the order in which it is merged. */
struct conf_document {
	char *name; /* as shown in FILE:LINE:COLUMN; the directory of a file's
		     * name is where its relative paths start. A name that is
		     * itself relative starts at the working directory. */
	char *bytes;
	size_t length;
};

struct conf_documents {
	struct conf_document *documents;
	size_t count;
	struct conf_facts *facts; /* owned; NULL: the machine is asked, and
				   * nothing noted */
};

/* Read the main file and those that its `include` names (glob patterns,
 * sorted; a pattern without a match is fine, a plain name without a file an
 * error). -1 when the main file cannot be read; problems of its content are
 * conf_load()'s. */
int
conf_documents_read(const char *path, struct conf_documents *documents,
		    struct error_list *problems)
	__attribute__((warn_unused_result));

/* Append one document; copies. */
void
conf_documents_add(struct conf_documents *documents, const char *name,
		   const void *bytes, size_t length);
void
conf_documents_clear(struct conf_documents *documents);

/* Documents to structs: parse, merge, types, ranges, and the rules across
 * keys. All problems are added to the list, which is then sorted by files and
 * lines; NULL when it holds any, those of conf_documents_read() included.
 * warnings (may be NULL) takes what is legal but worth a word (an `enforce`
 * that overrode a service). The documents may go afterwards; the names in
 * positions stay for the life of the process.
 *
 * Layers: a service's value comes from `enforce`, else from the service, else
 * from `defaults`, else from the table; for a gate, what defaults or enforce
 * have under `accept` or `connect` comes before what they have directly. Maps
 * are merged key by key, everything else is replaced. An empty value (null) is
 * as good as none.
 *
 * With facts all that is asked of the machine beside them is noted in them;
 * with closed ones (conf_facts.h) no file is looked at.
 *
 * Neither defaults nor enforce switch TLS on or off: their `tls` maps count
 * for gates that have a `tls` of their own, and `true` or `false` there is an
 * error. An enforced `verify: required` thus holds wherever TLS is spoken and
 * leaves plain backends alone. An entry of `hosts` lies between its gate and
 * enforce, so what is enforced holds for every name. */
struct conf *
conf_load(const struct conf_documents *documents, struct error_list *problems,
	  struct error_list *warnings);
void
conf_free(struct conf *conf);

/* Open everything that the configuration names, system CA store and secrets
 * included (a command is run, a prompt asked on the terminal, a self-signed
 * certificate made), into a file set. What cannot be opened is in it as
 * missing: whoever reads it says so. What is in the set already is not opened
 * again, so a prompt's answer can be carried over from an earlier set under
 * its name. Of the output of a command and of what was typed one newline at
 * the end is cut here; files and credentials are handed over as they are, and
 * who reads a pass-phrase cuts one there. Only the monitor and commands call
 * this. -1 with a problem when a secret command or prompt failed, or a
 * certificate could not be made. */
int
conf_files_open(const struct conf *conf, struct file_set *files,
		struct error_list *problems)
	__attribute__((warn_unused_result));

/* Open the key logs (`key_log_file`) for writing and add them to the files,
 * under the names that key_log_entry_name() gives them. A file that is not
 * there is made, with access for its owner alone; links are not followed. In a
 * trial none is made or added. Whoever calls this calls conf_files_open()
 * before, since what is read is not written to. -1 with problems. */
int
conf_key_logs_open(const struct conf *conf, bool is_trial,
		   struct file_set *files, struct error_list *problems)
	__attribute__((warn_unused_result));

/* The system's CA store: a file or directory, found as the manual's
 * default_ca() does: SSL_CERT_FILE, SSL_CERT_DIR, then OpenSSL's and the
 * usual places, each looked at for real content, and of these a file rather
 * than a directory. NULL when there is none. What was found once is kept. */
const char *
conf_system_ca_path(void);

/* The effective configuration as YAML, each value followed by its origin as a
 * comment: FILE:LINE, "default", "defaults FILE:LINE", "enforce FILE:LINE" or
 * "profile". Inline secrets are shown as "…". */
void
conf_print(const struct conf *conf, FILE *out);

/* The JSON Schema of a configuration file, and the reference part of
 * sealock.yaml(5) as man(7) source, both made from the table. */
void
conf_print_schema(FILE *out);
void
conf_print_manual(FILE *out);

#endif
