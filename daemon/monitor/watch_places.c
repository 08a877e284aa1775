/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A path is gone through name by name, as the kernel does it.
 */
#include "daemon/monitor/watch_places.h"

#include <dirent.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/file_set.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/process/generation.h"

/* As many links in a path as the kernel follows. */
#define LINKS_MAX 40

static void
add(struct watch_places *places, const char *directory, const char *name)
{
	if (places->count == places->capacity) {
		places->capacity = 2 * places->capacity + 16;
		places->places = mem_resize(places->places, places->capacity,
					    sizeof(*places->places));
	}
	places->places[places->count++] = (struct watch_place){
		.directory = mem_strdup(directory[0] ? directory : "/"),
		.name = name ? mem_strdup(name) : NULL,
	};
}

/* Drop the last name of a path without a slash at its end; "" is the root. */
static void
leave(char *path)
{
	char *slash = strrchr(path, '/');

	if (slash)
		*slash = '\0';
}

/* Put what a link says in front of what is left of a path. */
static char *
follow(const char *link, char *rest)
{
	char target[PATH_MAX];
	ssize_t length = readlink(link, target, sizeof(target) - 1);
	char *joined;

	if (length < 0)
		return rest;
	target[length] = '\0';
	joined = mem_format("%s/%s", target, rest);
	mem_free(rest);
	return joined;
}

/* Every link in an absolute path and what it leads to: changing one of them
 * makes the path another file. What is not there ends the walk: it may come.
 * Returns where it led, or NULL. */
static char *
walk(struct watch_places *places, const char *path)
{
	AUTO_FREE char *rest = mem_strdup(path);
	AUTO_FREE char *at = mem_strdup("");
	unsigned int links = 0;

	for (;;) {
		size_t skipped = strspn(rest, "/");
		size_t length = strcspn(rest + skipped, "/");
		AUTO_FREE char *name = mem_strndup(rest + skipped, length);
		AUTO_FREE char *next = mem_format("%s/%s", at, name);
		bool is_last =
			rest[skipped + length +
			     strspn(rest + skipped + length, "/")] == '\0';
		struct stat status;

		if (length == 0)
			return TAKE(at);
		memmove(rest, rest + skipped + length,
			strlen(rest + skipped + length) + 1);
		if (strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0) {
			leave(at);
			continue;
		}
		if (lstat(next, &status) != 0) {
			add(places, at, name);
			return NULL;
		}
		if (S_ISLNK(status.st_mode) && ++links <= LINKS_MAX) {
			char *followed;

			add(places, at, name);
			followed = follow(next, TAKE(rest));
			rest = followed;
			/* An absolute one begins at the root. */
			if (rest[0] == '/')
				at[0] = '\0';
			continue;
		}
		if (is_last)
			add(places, at, name);
		mem_free(TAKE(at));
		at = TAKE(next);
	}
}

/* What is in a directory, and what links in it lead to; levels of directories
 * below it. */
static void
walk_directory(struct watch_places *places, const char *path,
	       unsigned int levels)
{
	AUTO_FREE char *real = walk(places, path);
	DIR *directory = real ? opendir(real[0] ? real : "/") : NULL;
	const struct dirent *found;

	if (!directory)
		return;
	add(places, real, NULL);
	while ((found = readdir(directory))) {
		AUTO_FREE char *child =
			mem_format("%s/%s", real, found->d_name);
		struct stat status;

		if (found->d_name[0] == '.')
			continue;
		if (levels > 0 && stat(child, &status) == 0 &&
		    S_ISDIR(status.st_mode))
			walk_directory(places, child, levels - 1);
		else if (found->d_type == DT_LNK)
			mem_free(walk(places, child));
	}
	closedir(directory);
}

static void
add_tickets(struct watch_places *places, const struct tls_tickets *tickets)
{
	if (tickets->mode == TLS_TICKETS_FILES)
		for (size_t i = 0; i < tickets->file_count; i++)
			mem_free(walk(places, tickets->files[i]));
	if (tickets->mode == TLS_TICKETS_DERIVED &&
	    tickets->secret.kind == SECRET_FILE)
		mem_free(walk(places, tickets->secret.name));
}

static void
add_tls(struct watch_places *places, const struct file_set *files,
	const struct tls_settings *settings)
{
	const struct tls_crl *crl;

	if (!settings)
		return;
	crl = &settings->verify.crl;
	for (size_t i = 0; i < crl->file_count; i++)
		mem_free(walk(places, crl->files[i]));
	if (crl->directory)
		walk_directory(places, crl->directory, 0);
	add_tickets(places, &settings->session.tickets);
	if (settings->staple.file)
		mem_free(walk(places, settings->staple.file));
	for (size_t i = 0; i < settings->certificate_count; i++) {
		const struct certificate_spec *spec =
			&settings->certificates[i];
		const struct file_entry *entry =
			spec->path && spec->path[0] == '/'
				? file_set_find(files, spec->path)
				: NULL;

		if (spec->staple.file)
			mem_free(walk(places, spec->staple.file));
		if (spec->source == CERTIFICATE_DIRECTORY ||
		    (spec->source == CERTIFICATE_FILE && entry &&
		     entry->kind == FILE_KIND_DIRECTORY))
			walk_directory(places, spec->path, 1);
	}
	for (size_t i = 0; i < settings->host_count; i++)
		add_tls(places, files, settings->hosts[i].settings);
}

/* Any name comes before each of them. */
static int
compare(const void *one, const void *other)
{
	const struct watch_place *a = one, *b = other;
	int order = strcmp(a->directory, b->directory);

	if (order != 0)
		return order;
	if (!a->name || !b->name)
		return (a->name != NULL) - (b->name != NULL);
	return strcmp(a->name, b->name);
}

static void
clear_place(struct watch_place *place)
{
	mem_free(place->directory);
	mem_free(place->name);
}

static void
settle(struct watch_places *places)
{
	size_t kept = 0;

	if (places->count > 0)
		qsort(places->places, places->count, sizeof(*places->places),
		      compare);
	for (size_t i = 0; i < places->count; i++) {
		if (kept > 0 &&
		    compare(&places->places[kept - 1], &places->places[i]) == 0)
			clear_place(&places->places[i]);
		else
			places->places[kept++] = places->places[i];
	}
	places->count = kept;
}

void
watch_places_find(const struct generation *generation,
		  struct watch_places *places)
{
	const struct conf *conf = generation->conf;

	for (size_t i = 0; i < conf->service_count; i++) {
		add_tls(places, generation->files,
			conf->services[i].accept.tls);
		add_tls(places, generation->files,
			conf->services[i].connect.tls);
	}
	settle(places);
}

void
watch_places_clear(struct watch_places *places)
{
	for (size_t i = 0; i < places->count; i++)
		clear_place(&places->places[i]);
	mem_free(places->places);
	*places = (struct watch_places){0};
}

static int64_t
nanoseconds(const struct timespec *time)
{
	return time->tv_sec * INT64_C(1000000000) + time->tv_nsec;
}

static uint64_t
state_of(const char *path, int64_t now_ns, int64_t *newest_ns)
{
	struct stat status;
	uint64_t numbers[7] = {0};
	int64_t changed_ns;

	if (lstat(path, &status) != 0)
		return 0;
	numbers[0] = (uint64_t)status.st_dev;
	numbers[1] = (uint64_t)status.st_ino;
	numbers[2] = (uint64_t)status.st_size;
	numbers[3] = (uint64_t)status.st_mtim.tv_sec;
	numbers[4] = (uint64_t)status.st_mtim.tv_nsec;
	numbers[5] = (uint64_t)status.st_ctim.tv_sec;
	numbers[6] = (uint64_t)status.st_ctim.tv_nsec;
	changed_ns = nanoseconds(&status.st_ctim);
	if (changed_ns > *newest_ns && changed_ns <= now_ns)
		*newest_ns = changed_ns;
	return hash_bytes(numbers, sizeof(numbers));
}

/* Sums, as a directory's order is nobody's. */
static uint64_t
directory_state(const char *path, int64_t now_ns, int64_t *newest_ns)
{
	DIR *directory = opendir(path);
	const struct dirent *found;
	uint64_t sum = 0;

	if (!directory)
		return 0;
	while ((found = readdir(directory))) {
		AUTO_FREE char *child =
			mem_format("%s/%s", path, found->d_name);

		if (strcmp(found->d_name, "..") != 0)
			sum += state_of(child, now_ns, newest_ns);
	}
	closedir(directory);
	return sum;
}

uint64_t
watch_places_state(const struct watch_places *places, int64_t *newest_ns)
{
	uint64_t state = 0;
	struct timespec clock;
	int64_t now_ns;

	clock_gettime(CLOCK_REALTIME, &clock);
	now_ns = nanoseconds(&clock);
	*newest_ns = 0;
	for (size_t i = 0; i < places->count; i++) {
		const struct watch_place *place = &places->places[i];
		AUTO_FREE char *path =
			place->name ? mem_format("%s/%s", place->directory,
						 place->name)
				    : NULL;
		uint64_t parts[2] = {state};

		parts[1] = path ? state_of(path, now_ns, newest_ns)
				: directory_state(place->directory, now_ns,
						  newest_ns);
		state = hash_bytes(parts, sizeof(parts));
	}
	return state;
}
