/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From documents to everything opened. Each step adds to the plan, and a step
 * that fails leaves the rest to plan_free().
 */
#include "daemon/monitor/plan.h"

#include <errno.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/file_set.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/monitor/listeners.h"
#include "daemon/monitor/pid_file.h"
#include "daemon/monitor/plan_sessions.h"
#include "daemon/process/generation.h"
#include "daemon/process/generation_transfer.h"
#include "daemon/process/log_message.h"

#define ADMIN_MODE 0660

/* Like a TCP port on the loopback address: whoever reaches it is a client.
 * The directory's mode says who does. */
#define SERVICE_MODE 0666

/* Descriptors that a worker has beside connections, files and listeners. */
#define WORKER_RESERVE 64

/* Sockets. */

static bool
is_tcp(const struct address *address)
{
	return address->kind == ADDRESS_INET || address->kind == ADDRESS_ANY;
}

/* A client of TLS speaks first, so the kernel may wait for it; a server that
 * speaks first may stand behind a plain gate. */
static unsigned int
defer_accept(const struct conf_service *service)
{
	int64_t seconds = service->timeouts.handshake_ms / 1000;

	if (!service->accept.tls)
		return 0;
	return seconds < 1 ? 1 : (unsigned int)seconds;
}

static struct listener_options
socket_options(const struct plan *plan, const struct plan_socket *socket)
{
	const struct conf_service *service =
		&plan->generation->conf->services[socket->service];

	return (struct listener_options){
		.address = &service->accept.addresses[socket->address].address,
		.backlog = service->accept.backlog,
		.defer_accept = defer_accept(service),
		.is_port_reused = !socket->is_shared,
		.slot = socket->slot,
		.mode = SERVICE_MODE,
	};
}

static struct listener_options
admin_options(const struct conf_global *global)
{
	return (struct listener_options){
		.address = &global->admin,
		.backlog = 16,
		.mode = ADMIN_MODE,
	};
}

static void
add_socket(struct plan *plan, size_t *capacity, struct plan_socket socket)
{
	if (plan->socket_count == *capacity) {
		*capacity = 2 * *capacity + 16;
		plan->sockets = mem_resize(plan->sockets, *capacity,
					   sizeof(*plan->sockets));
	}
	plan->sockets[plan->socket_count++] = socket;
}

static void
list_sockets(struct plan *plan)
{
	const struct conf *conf = plan->generation->conf;
	size_t capacity = 0;

	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_accept *accept = &conf->services[i].accept;

		for (size_t j = 0; j < accept->address_count; j++) {
			bool is_shared = !accept->is_port_reused ||
					 !is_tcp(&accept->addresses[j].address);
			unsigned int slots = is_shared ? 1 : plan->workers;

			for (unsigned int slot = 0; slot < slots; slot++)
				add_socket(plan, &capacity,
					   (struct plan_socket){
						   .service = i,
						   .address = j,
						   .slot = slot,
						   .is_shared = is_shared,
					   });
		}
	}
}

static int
open_sockets(struct plan *plan, struct listeners *listeners,
	     struct error_list *problems)
{
	int status = 0;

	listeners_begin(listeners);
	for (size_t i = 0; i < plan->socket_count; i++) {
		struct listener_options options =
			socket_options(plan, &plan->sockets[i]);

		listener_name(listeners, &options);
	}
	for (size_t i = 0; i < plan->socket_count; i++) {
		struct plan_socket *socket = &plan->sockets[i];
		const struct conf_service *service =
			&plan->generation->conf->services[socket->service];
		struct listener_options options = socket_options(plan, socket);
		struct error error = {
			.at = service->accept.addresses[socket->address].at};

		socket->listener = listener_open(listeners, &options, &error);
		if (socket->listener)
			continue;
		error_list_add(problems, &error);
		status = -1;
	}
	return status;
}

/* The monitor's own. */

static int
open_pid_file(struct plan *plan, const struct plan_sources *sources,
	      struct error_list *problems)
{
	const struct conf_global *global = &plan->generation->conf->global;
	const struct plan *previous = sources->previous;
	struct error error = {0};

	if (!global->pid_file ||
	    (global->is_pid_file_default && !sources->has_defaults))
		return 0;
	if (previous && previous->pid_file &&
	    strcmp(pid_file_path(previous->pid_file), global->pid_file) == 0) {
		plan->pid_file = pid_file_ref(previous->pid_file);
		return 0;
	}
	plan->pid_file = pid_file_new(global->pid_file, &error);
	if (plan->pid_file)
		return 0;
	if (!global->is_pid_file_default) {
		error_list_add(problems, &error);
		return -1;
	}
	if (!previous)
		log_info("no pid file", "reason=\"%s\"", error.text);
	return 0;
}

/* The directory of the default, which a package or the service manager would
 * have made. */
static void
make_directory_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	AUTO_FREE char *directory = NULL;

	if (!slash || slash == path)
		return;
	directory = mem_strndup(path, (size_t)(slash - path));
	mkdir(directory, 0755);
}

static int
open_admin(struct plan *plan, const struct plan_sources *sources,
	   struct error_list *problems)
{
	const struct conf_global *global = &plan->generation->conf->global;
	struct listener_options options = admin_options(global);
	struct error error = {.at = global->admin_at};

	if (global->is_admin_default && !sources->has_defaults)
		return 0;
	if (global->admin.kind != ADDRESS_UNIX) {
		/* Only a path has owner and mode. */
		error_set(&error, "the admin socket must be unix:/PATH");
		error_list_add(problems, &error);
		return -1;
	}
	if (global->is_admin_default)
		make_directory_of(global->admin.host);
	plan->admin = listener_open(sources->listeners, &options, &error);
	if (plan->admin)
		return 0;
	if (!global->is_admin_default) {
		error_list_add(problems, &error);
		return -1;
	}
	if (!sources->previous)
		log_info("no admin socket", "reason=\"%s\"", error.text);
	return 0;
}

static int
open_logs(struct plan *plan, struct error_list *problems)
{
	const struct conf_global *global = &plan->generation->conf->global;
	struct error error = {0};

	if (global->log_count > LOG_MESSAGE_SINKS_MAX) {
		error_set_at(&error, &global->logs[LOG_MESSAGE_SINKS_MAX].at,
			     "more than %d log outputs", LOG_MESSAGE_SINKS_MAX);
		error_list_add(problems, &error);
		return -1;
	}
	return log_outputs_open(global, NULL, &plan->logs, problems) == 0 ? 0
									  : -1;
}

/* Files that a worker has open. */
static size_t
count_workers_files(const struct plan *plan)
{
	const struct file_set *files = plan->generation->files;
	size_t count = 0;

	if (!plan_isolates_keys(plan))
		return file_set_count(files);
	for (size_t i = 0; i < file_set_count(files); i++)
		count += file_set_at(files, i)->uses == FILE_PUBLIC;
	return count;
}

/* Each connection of a worker may take two descriptors. */
static void
check_limit(const struct plan *plan, const struct plan *previous)
{
	const struct conf_global *global = &plan->generation->conf->global;
	unsigned int max = global->max_connections;
	unsigned int wanted = max / plan->workers;
	rlim_t other =
		WORKER_RESERVE + plan->socket_count + count_workers_files(plan);
	struct rlimit limit;
	rlim_t fitting;

	if (previous &&
	    previous->generation->conf->global.max_connections == max)
		return;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return;
	fitting = limit.rlim_cur > other ? (limit.rlim_cur - other) / 2 : 0;
	if (fitting < wanted)
		/* Nobody asked for the default. */
		log_event(global->is_max_connections_default ? LOG_LEVEL_DEBUG
							     : LOG_LEVEL_WARN,
			  "max_connections does not fit the limit of open "
			  "files",
			  "limit=%ju connections=%ju max_connections=%u",
			  (uintmax_t)limit.rlim_cur,
			  (uintmax_t)(fitting * plan->workers), max);
}

/* From here on the first plan's events go where the operator wants them; those
 * of later ones do when it is in force. */
static void
use_first_logs(const struct plan *plan)
{
	if (log_outputs_apply(&plan->logs) != 0)
		log_error("cannot use the logs", "error=\"%s\"",
			  strerror(errno));
}

static int
fill(struct plan *plan, const struct plan_sources *sources,
     struct error_list *problems, struct error_list *warnings, int *status)
{
	struct generation *generation = plan->generation;
	struct error error = {0};
	int failed = 0;

	*status = 2;
	generation->conf =
		conf_load(&generation->documents, problems, warnings);
	if (!generation->conf)
		return -1;
	*status = 1;
	plan->workers = generation_worker_count(generation->conf);
	list_sockets(plan);
	failed |= open_logs(plan, problems);
	if (!failed && !sources->previous)
		use_first_logs(plan);
	failed |= open_pid_file(plan, sources, problems);
	failed |= open_sockets(plan, sources->listeners, problems);
	failed |= open_admin(plan, sources, problems);
	failed |= plan_open_sessions(plan, sources->previous, problems);
	if (failed)
		return -1;
	plan->parcel = generation_parcel_new(generation, &error);
	if (!plan->parcel) {
		error_list_add(problems, &error);
		return -1;
	}
	check_limit(plan, sources->previous);
	return 0;
}

struct plan *
plan_new(struct generation *generation, const struct plan_sources *sources,
	 struct error_list *problems, struct error_list *warnings, int *status)
{
	struct plan *plan = mem_alloc(sizeof(*plan));

	plan->generation = generation;
	plan->index = -1;
	plan->sessions = -1;
	if (fill(plan, sources, problems, warnings, status) != 0) {
		plan_free(plan, sources->listeners);
		return NULL;
	}
	return plan;
}

void
plan_close_service(struct plan *plan, struct listeners *listeners,
		   size_t service)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->socket_count; i++) {
		if (plan->sockets[i].service == service)
			listener_release(listeners, plan->sockets[i].listener);
		else
			plan->sockets[kept++] = plan->sockets[i];
	}
	plan->socket_count = kept;
}

void
plan_close_sockets(struct plan *plan, struct listeners *listeners)
{
	for (size_t i = 0; i < plan->socket_count; i++)
		listener_release(listeners, TAKE(plan->sockets[i].listener));
	plan->socket_count = 0;
}

void
plan_free(struct plan *plan, struct listeners *listeners)
{
	if (!plan)
		return;
	plan_close_sockets(plan, listeners);
	listener_release(listeners, plan->admin);
	pid_file_unref(plan->pid_file);
	log_outputs_close(&plan->logs);
	if (plan->index >= 0)
		close(plan->index);
	if (plan->sessions >= 0)
		close(plan->sessions);
	generation_parcel_free(plan->parcel);
	generation_free(plan->generation);
	mem_free(plan->sockets);
	mem_free(plan);
}

bool
plan_isolates_keys(const struct plan *plan)
{
	return plan->generation->conf->global.are_keys_isolated;
}

bool
plan_needs_keeper(const struct plan *plan)
{
	const struct conf *conf = plan->generation->conf;

	if (plan_isolates_keys(plan))
		return true;
	for (size_t i = 0; i < conf->service_count; i++)
		if (conf->services[i].accept.tls)
			return true;
	return false;
}

bool
plan_connects_unix(const struct plan *plan)
{
	const struct conf *conf = plan->generation->conf;

	for (size_t i = 0; i < conf->service_count; i++) {
		const struct conf_connect *to = &conf->services[i].connect;

		if (conf->services[i].authorize.socket.host)
			return true;
		for (size_t j = 0; j < to->address_count; j++)
			if (to->addresses[j].address.kind == ADDRESS_UNIX ||
			    to->addresses[j].address.kind == ADDRESS_ABSTRACT)
				return true;
	}
	return false;
}

struct generation_listener *
plan_listeners(const struct plan *plan, uint32_t worker, size_t *count)
{
	struct generation_listener *lent =
		mem_array(plan->socket_count, sizeof(*lent));

	*count = 0;
	for (size_t i = 0; i < plan->socket_count; i++) {
		const struct plan_socket *socket = &plan->sockets[i];

		if (!socket->is_shared && socket->slot != worker)
			continue;
		lent[(*count)++] = (struct generation_listener){
			.service = socket->service,
			.address = socket->address,
			.id = listener_id(socket->listener),
			.descriptor = listener_descriptor(socket->listener),
		};
	}
	return lent;
}

void
plan_apply(const struct plan *plan)
{
	for (size_t i = 0; i < plan->socket_count; i++) {
		struct listener_options options =
			socket_options(plan, &plan->sockets[i]);

		listener_apply(plan->sockets[i].listener, &options);
	}
	if (plan->admin) {
		struct listener_options options =
			admin_options(&plan->generation->conf->global);

		listener_apply(plan->admin, &options);
	}
}
