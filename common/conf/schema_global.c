/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Rows of the table: `global` and what is in it.
 */
#include "common/conf/schema_rows.h"

static const struct schema_word auto_words[] = {
	{"auto", 0, NULL},
	{NULL, 0, NULL},
};

static const struct schema_word level_words[] = {
	{"error", LOG_LEVEL_ERROR, "what sealock could not do"},
	{"warn", LOG_LEVEL_WARN, "what should be looked at"},
	{"info", LOG_LEVEL_INFO, "starts, reloads, peers at fault"},
	{"debug", LOG_LEVEL_DEBUG, "each step of a connection"},
	{"trace", LOG_LEVEL_TRACE, "each event"},
	{NULL, 0, NULL},
};

static const struct schema_word what_words[] = {
	{"both", SCHEMA_LOG_EVENTS | SCHEMA_LOG_ACCESS, NULL},
	{"events", SCHEMA_LOG_EVENTS, "what happens to sealock"},
	{"access", SCHEMA_LOG_ACCESS, "one record a connection"},
	{NULL, 0, NULL},
};

static const struct schema_word form_words[] = {
	{"text", LOG_FORM_TEXT, "for people"},
	{"json", LOG_FORM_JSON, "one object a line"},
	{NULL, 0, NULL},
};

static const struct schema_key log_keys[] = {
	{
		.name = "to",
		.type = SCHEMA_LOG_TARGET,
		.flags = SCHEMA_REQUIRED,
		AT(struct schema_log, to),
		.help = "where the lines go: stderr, file:PATH, or "
			"syslog[:FACILITY]",
	},
	{
		.name = "level",
		.type = SCHEMA_WORD,
		AT(struct schema_log, level),
		.words = level_words,
		.standard = "info",
		.help = "events up to this level",
	},
	{
		.name = "what",
		.type = SCHEMA_WORD,
		AT(struct schema_log, what),
		.words = what_words,
		.standard = "both",
		.help = "events, access records, or both",
	},
	{
		.name = "format",
		.type = SCHEMA_WORD,
		AT(struct schema_log, form),
		.words = form_words,
		.standard = "text",
		.help = "the form of a line",
	},
};

const struct schema_map schema_log =
	MAP("log", log_keys, struct schema_log, "to",
	    "One output of the log; a scalar stands for `to`.");

static const struct schema_key resolver_keys[] = {
	{
		.name = "servers",
		.type = SCHEMA_SERVERS,
		AT(struct conf_resolver, servers),
		COUNT(struct conf_resolver, server_count),
		.otherwise = "those of resolv.conf",
		.help = "name servers to ask, each an IP address with or "
			"without a port",
	},
	{
		.name = "refresh",
		.type = SCHEMA_DURATION,
		AT(struct conf_resolver, refresh_ms),
		.least = SECOND,
		.most = DAY,
		.standard = "30s",
		.help = "how often the backends' names are looked up again",
	},
	{
		.name = "timeout",
		.type = SCHEMA_DURATION,
		AT(struct conf_resolver, timeout_ms),
		.least = 100,
		.most = 60 * SECOND,
		.standard = "2s",
		.help = "how long one question may take",
	},
};

const struct schema_map schema_resolver =
	MAP("resolver", resolver_keys, struct conf_resolver, NULL,
	    "How names of backends are resolved.");

static const struct schema_key user_keys[] = {
	{
		.name = "worker",
		.type = SCHEMA_STRING,
		AT(struct conf_user, worker),
		.default_offset = offsetof(struct conf_user, is_default),
		.standard = "sealock",
		.help = "the user of the workers; where there is no user of "
			"the default's name, it is nobody",
	},
	{
		.name = "keeper",
		.type = SCHEMA_STRING,
		AT(struct conf_user, keeper),
		.otherwise = "the workers'",
		.help = "the user of the keeper",
	},
	{
		.name = "helper",
		.type = SCHEMA_STRING,
		AT(struct conf_user, helper),
		.otherwise = "the workers'",
		.help = "the user of the helper",
	},
	{
		.name = "broker",
		.type = SCHEMA_STRING,
		AT(struct conf_user, broker),
		.otherwise = "the workers'",
		.help = "the user of the broker",
	},
};

const struct schema_map schema_user =
	MAP("user", user_keys, struct conf_user, "worker",
	    "Who the processes are; a scalar is the user of all of them.");

static const struct schema_word chroot_words[] = {
	{"off", 0, "the root directory stays"},
	{NULL, 0, NULL},
};

static const struct schema_word sandbox_words[] = {
	{"auto", CONF_SANDBOX_AUTO,
	 "as far as the kernel goes; the log tells what is missing"},
	{"required", CONF_SANDBOX_REQUIRED, "all of it, or no start"},
	{"off", CONF_SANDBOX_OFF, "no filters: user and chroot alone"},
	{NULL, 0, NULL},
};

static const struct schema_key global_keys[] = {
	{
		.name = "user",
		.type = SCHEMA_MAP,
		AT(struct conf_global, user),
		WHERE(struct conf_global, user.at),
		.map = &schema_user,
		.help = "who the processes become when sealock is started as "
			"root; a change needs a restart, as do those of "
			"`group`, `chroot` and `sandbox`",
	},
	{
		.name = "group",
		.type = SCHEMA_STRING,
		AT(struct conf_global, group),
		WHERE(struct conf_global, group_at),
		.otherwise = "the user's own",
		.help = "their group, instead of that of each user",
	},
	{
		.name = "chroot",
		.type = SCHEMA_PATH,
		AT(struct conf_global, chroot),
		WHERE(struct conf_global, chroot_at),
		.default_offset =
			offsetof(struct conf_global, is_chroot_default),
		.words = chroot_words,
		.standard = "/var/lib/sealock/empty",
		.help = "an empty directory of root's, which workers and "
			"keeper are shut in when sealock is started as root; "
			"the default is skipped where it is not there",
	},
	{
		.name = "workers",
		.type = SCHEMA_UNSIGNED,
		AT(struct conf_global, workers),
		.least = 1,
		.most = 256,
		.words = auto_words,
		.standard = "auto",
		.help = "processes that relay; auto is one for each CPU "
			"available",
	},
	{
		.name = "sandbox",
		.type = SCHEMA_WORD,
		AT(struct conf_global, sandbox),
		WHERE(struct conf_global, sandbox_at),
		.words = sandbox_words,
		.standard = "auto",
		.help = "whether the kernel refuses the processes what they "
			"have no business with (seccomp, landlock)",
	},
	{
		.name = "max_connections",
		.type = SCHEMA_UNSIGNED,
		AT(struct conf_global, max_connections),
		.default_offset = offsetof(struct conf_global,
					   is_max_connections_default),
		.least = 1,
		.most = 10000000,
		.standard = "100000",
		.help = "over all services; beyond it accepting pauses",
	},
	{
		.name = "shutdown_grace",
		.type = SCHEMA_DURATION,
		AT(struct conf_global, shutdown_grace_ms),
		.most = YEAR,
		.standard = "30s",
		.help = "how long connections may finish when sealock stops",
	},
	{
		.name = "reload_grace",
		.type = SCHEMA_DURATION,
		AT(struct conf_global, reload_grace_ms),
		.most = YEAR,
		.standard = "0",
		.help = "how long connections of an older configuration may "
			"live; 0 is as long as they like",
	},
	{
		.name = "isolate_keys",
		.type = SCHEMA_BOOLEAN,
		AT(struct conf_global, are_keys_isolated),
		.standard = "true",
		.help = "private keys are read by the keeper alone, a process "
			"that signs for the workers",
	},
	{
		.name = "state_dir",
		.type = SCHEMA_PATH,
		AT(struct conf_global, state_dir),
		WHERE(struct conf_global, state_dir_at),
		.default_offset =
			offsetof(struct conf_global, is_state_dir_default),
		.standard = "/var/lib/sealock",
		.help = "where ticket keys and OCSP answers outlive a restart; "
			"the default is skipped where it cannot be used, and a "
			"change needs a restart",
	},
	{
		.name = "pid_file",
		.type = SCHEMA_PATH,
		AT(struct conf_global, pid_file),
		.default_offset =
			offsetof(struct conf_global, is_pid_file_default),
		.standard = "/run/sealock.pid",
		.help = "holds the process number while sealock runs; the "
			"default is skipped where it cannot be written",
	},
	{
		.name = "log",
		.type = SCHEMA_LOGS,
		AT(struct conf_global, logs),
		COUNT(struct conf_global, log_count),
		.map = &schema_log,
		.standard = "stderr",
		.help = "where events and access records go, any number of "
			"outputs",
	},
	{
		.name = "admin",
		.type = SCHEMA_UNIX_PATH,
		AT(struct conf_global, admin),
		WHERE(struct conf_global, admin_at),
		.default_offset =
			offsetof(struct conf_global, is_admin_default),
		.standard = "unix:/run/sealock/admin.sock",
		.help = "the socket that the sealock command talks to; the "
			"default is skipped where it cannot be made",
	},
	{
		.name = "resolver",
		.type = SCHEMA_MAP,
		AT(struct conf_global, resolver),
		.map = &schema_resolver,
		.help = "how names of backends are resolved",
	},
};

const struct schema_map schema_global =
	MAP("global", global_keys, struct conf_global, NULL,
	    "What concerns the whole program.");
