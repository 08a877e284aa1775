/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the words of a configuration to ids and a descriptor.
 */
#include "daemon/monitor/confinement.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "common/ipc/message.h"
#include "daemon/process/account.h"
#include "daemon/process/sandbox.h"

/* In place of the default user, where there is none of that name. */
#define NOBODY "nobody"

/* The workers first: others may be like them. */
static const enum ipc_role roles[] = {
	IPC_WORKER,
	IPC_KEEPER,
	IPC_HELPER,
	IPC_BROKER,
};

struct confinement {
	struct sandbox_options options[IPC_ROLE_COUNT]; /* without a root */
	int root;                                       /* -1: none */

	/* What was asked for, to be compared. */
	char *users[IPC_ROLE_COUNT];
	char *group;
	char *chroot;
	enum conf_sandbox sandbox;
};

/* The user that is named for that role and no other, or NULL. */
static const char *
own_user(const struct conf_user *user, enum ipc_role role)
{
	if (role == IPC_KEEPER)
		return user->keeper;
	if (role == IPC_HELPER)
		return user->helper;
	return role == IPC_BROKER ? user->broker : NULL;
}

static const char *
user_of(const struct conf_user *user, enum ipc_role role)
{
	const char *own = own_user(user, role);

	return own ? own : user->worker;
}

static enum sandbox_mode
mode_of(enum conf_sandbox sandbox)
{
	switch (sandbox) {
	case CONF_SANDBOX_AUTO:
		return SANDBOX_AUTO;
	case CONF_SANDBOX_REQUIRED:
		return SANDBOX_REQUIRED;
	case CONF_SANDBOX_OFF:
		return SANDBOX_OFF;
	}
	abort();
}

/* Where the configuration says who that role is. */
static const struct position *
user_position(const struct conf_global *global)
{
	return global->user.at.line == 0 && global->group ? &global->group_at
							  : &global->user.at;
}

/* What the configuration has of a kind, in any service. */

static bool
uses_store(const struct tls_settings *tls)
{
	if (!tls)
		return false;
	for (size_t i = 0; i < tls->certificate_count; i++)
		if (tls->certificates[i].source == CERTIFICATE_STORE)
			return true;
	for (size_t i = 0; i < tls->host_count; i++)
		if (uses_store(tls->hosts[i].settings))
			return true;
	return false;
}

static bool
has_store(const struct conf *conf)
{
	for (size_t i = 0; i < conf->service_count; i++)
		if (uses_store(conf->services[i].accept.tls) ||
		    uses_store(conf->services[i].connect.tls))
			return true;
	return false;
}

/* Who reads private keys: the keeper always, to make the certificate index. */
static bool
reads_keys(const struct conf *conf, enum ipc_role role)
{
	return role == IPC_KEEPER ||
	       (role == IPC_WORKER && !conf->global.are_keys_isolated);
}

/* Ids. */

static int
find_workers(const struct conf_global *global, struct privileges *ids,
	     struct error *error)
{
	const struct conf_user *user = &global->user;
	struct error missing = {0};

	if (!user->is_default)
		return account_find(user->worker, global->group, &ids->uid,
				    &ids->gid, error);
	if (account_find(user->worker, global->group, &ids->uid, &ids->gid,
			 &missing) == 0)
		return 0;
	if (account_find(NOBODY, global->group, &ids->uid, &ids->gid, error) !=
	    0)
		return -1;
	log_warn("the default user is not there, it is " NOBODY " instead",
		 "user=%s reason=\"%s\"", user->worker, missing.text);
	return 0;
}

static int
find_ids(struct confinement *confinement, const struct conf_global *global,
	 enum ipc_role role, struct error_list *problems)
{
	const char *name = own_user(&global->user, role);
	struct privileges *ids = &confinement->options[role].privileges;
	struct error error = {.at = *user_position(global)};
	int result = 0;

	if (role == IPC_WORKER)
		result = find_workers(global, ids, &error);
	else if (name)
		result = account_find(name, global->group, &ids->uid, &ids->gid,
				      &error);
	else
		*ids = confinement->options[IPC_WORKER].privileges;
	if (result == 0)
		return 0;
	if (name)
		error_prefix(&error, "%s: ", ipc_role_name(role));
	error_list_add(problems, &error);
	return -1;
}

static void
stay(struct confinement *confinement)
{
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		struct privileges *ids =
			&confinement->options[roles[i]].privileges;

		ids->uid = PRIVILEGES_SAME_USER;
		ids->gid = PRIVILEGES_SAME_GROUP;
	}
}

/* The one who started us need not be root: then all are who that is. */
static int
find_users(struct confinement *confinement, const struct conf_global *global,
	   struct error_list *problems)
{
	int result = 0;

	if (geteuid() != 0) {
		if (!global->user.is_default || global->group)
			log_info("not started as root: user and group stay",
				 "uid=%u gid=%u", geteuid(), getegid());
		stay(confinement);
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		result |= find_ids(confinement, global, roles[i], problems);
	return result;
}

/* The directory. */

static int
open_root(struct confinement *confinement, const struct conf_global *global,
	  struct error_list *problems)
{
	struct error error = {.at = global->chroot_at};

	if (global->chroot[0] != '/')
		return 0;
	if (geteuid() != 0)
		error_set(&error, "chroot: only root can shut processes in");
	else
		confinement->root =
			privileges_open_root(global->chroot, &error);
	if (confinement->root >= 0)
		return 0;
	if (global->is_chroot_default) {
		log_info("no chroot", "reason=\"%s\"", error.text);
		return 0;
	}
	error_list_add(problems, &error);
	return -1;
}

static void
remember(struct confinement *confinement, const struct conf *conf)
{
	const struct conf_global *global = &conf->global;

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++) {
		struct sandbox_options *options =
			&confinement->options[roles[i]];

		confinement->users[roles[i]] =
			mem_strdup(user_of(&global->user, roles[i]));
		options->mode = mode_of(global->sandbox);
		options->privileges.root = -1;
		options->has_store =
			has_store(conf) && reads_keys(conf, roles[i]);
	}
	confinement->group = global->group ? mem_strdup(global->group) : NULL;
	confinement->chroot = mem_strdup(global->chroot);
	confinement->sandbox = global->sandbox;
}

struct confinement *
confinement_new(const struct conf *conf, struct error_list *problems)
{
	struct confinement *confinement = mem_alloc(sizeof(*confinement));
	int result;

	confinement->root = -1;
	remember(confinement, conf);
	result = find_users(confinement, &conf->global, problems);
	result |= open_root(confinement, &conf->global, problems);
	if (result != 0) {
		confinement_free(confinement);
		return NULL;
	}
	confinement->options[IPC_WORKER].needs_broker =
		confinement_hides_sockets(confinement);
	return confinement;
}

void
confinement_free(struct confinement *confinement)
{
	if (!confinement)
		return;
	for (size_t i = 0; i < IPC_ROLE_COUNT; i++)
		mem_free(confinement->users[i]);
	mem_free(confinement->group);
	mem_free(confinement->chroot);
	if (confinement->root >= 0)
		close(confinement->root);
	mem_free(confinement);
}

/* A later configuration. */

static bool
lacks_store(const struct confinement *confinement, const struct conf *conf)
{
	if (confinement->sandbox == CONF_SANDBOX_OFF || !has_store(conf))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (reads_keys(conf, roles[i]) &&
		    !confinement->options[roles[i]].has_store)
			return true;
	return false;
}

static void
warn(struct error_list *warnings, const struct position *at, const char *key)
{
	error_list_addf(warnings, at,
			"`%s` was another when sealock was started, and a "
			"reload does not change that: it needs a restart",
			key);
}

static bool
is_same(const char *one, const char *other)
{
	return !one == !other && (!one || strcmp(one, other) == 0);
}

void
confinement_compare(const struct confinement *confinement,
		    const struct conf *conf, struct error_list *warnings)
{
	const struct conf_global *global = &conf->global;
	bool is_same_user = true;

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		if (!is_same(confinement->users[roles[i]],
			     user_of(&global->user, roles[i])))
			is_same_user = false;
	if (!is_same_user)
		warn(warnings, &global->user.at, "user");
	if (!is_same(confinement->group, global->group))
		warn(warnings, &global->group_at, "group");
	if (!is_same(confinement->chroot, global->chroot))
		warn(warnings, &global->chroot_at, "chroot");
	if (confinement->sandbox != global->sandbox)
		warn(warnings, &global->sandbox_at, "sandbox");
	if (lacks_store(confinement, conf))
		error_list_addf(warnings, &(const struct position){0},
				"there is a `store` now, and when sealock was "
				"started there was none: its library is out of "
				"reach until a restart");
}

bool
confinement_hides_sockets(const struct confinement *confinement)
{
	const struct privileges *worker =
		&confinement->options[IPC_WORKER].privileges;
	const struct privileges *broker =
		&confinement->options[IPC_BROKER].privileges;

	return confinement->sandbox != CONF_SANDBOX_OFF ||
	       confinement->root >= 0 || worker->uid != broker->uid ||
	       worker->gid != broker->gid;
}

struct message *
confinement_message(const struct confinement *confinement, enum ipc_role role,
		    struct error *error)
{
	struct message *message = message_new(MESSAGE_SANDBOX);
	int copy;

	sandbox_options_write(&message->body, &confinement->options[role]);
	if (confinement->root < 0)
		return message;
	copy = fcntl(confinement->root, F_DUPFD_CLOEXEC, 3);
	if (copy >= 0 && message_add_fd(message, copy))
		return message;
	error_set(error, "cannot pass on the directory of the chroot: %s",
		  strerror(errno));
	message_free(message);
	return NULL;
}
