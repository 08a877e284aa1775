/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * inotify(7), a timer that waits for quiet, and one that looks where there is
 * no inotify.
 */
#include "daemon/monitor/watch.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>
#include <event2/event.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "daemon/monitor/watch_places.h"

/* Of changes alone: what we do with files ourselves, reading, is none. */
#define CHANGES                                                     \
	(IN_CLOSE_WRITE | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | \
	 IN_DELETE | IN_ATTRIB | IN_DELETE_SELF | IN_MOVE_SELF)

#define QUIET_MS    1000
#define PATIENCE_MS 10000
#define POLL_S      30

struct watch {
	struct event_base *base;
	watch_changed *changed;
	void *argument;
	struct watch_places places;
	int *numbers;   /* inotify's, of each place */
	int descriptor; /* -1: none, or it did not work */
	struct event *readable;
	struct event *quiet;
	struct event *poll;
	uint64_t state;   /* as it was seen last, when polling */
	int64_t first_ms; /* of changes that are not told yet; 0: none */
	char *path;       /* one of them */
};

static struct timeval
interval(int64_t milliseconds)
{
	return (struct timeval){
		.tv_sec = milliseconds / 1000,
		.tv_usec = milliseconds % 1000 * 1000,
	};
}

static void
note(struct watch *watch, const char *directory, const char *name)
{
	int64_t now = clock_monotonic_ms(), wait = QUIET_MS;
	struct timeval after;

	if (watch->first_ms == 0) {
		watch->first_ms = now;
		mem_free(watch->path);
		watch->path = name ? mem_format("%s/%s", directory, name)
				   : mem_strdup(directory);
	}
	if (watch->first_ms + PATIENCE_MS - now < wait)
		wait = watch->first_ms + PATIENCE_MS - now;
	after = interval(wait > 0 ? wait : 0);
	event_add(watch->quiet, &after);
}

static void
on_quiet(evutil_socket_t descriptor, short what, void *argument)
{
	struct watch *watch = argument;

	(void)descriptor;
	(void)what;
	watch->first_ms = 0;
	watch->changed(watch->path, watch->argument);
}

/* Is it about one of our names, or about a directory itself? */
static void
take(struct watch *watch, const struct inotify_event *event)
{
	const char *name = event->len > 0 ? event->name : NULL;

	for (size_t i = 0; i < watch->places.count; i++) {
		const struct watch_place *place = &watch->places.places[i];

		if (event->mask & IN_Q_OVERFLOW) {
			note(watch, place->directory, NULL);
			return;
		}
		if (watch->numbers[i] != event->wd)
			continue;
		if (name && place->name && strcmp(name, place->name) != 0)
			continue;
		if (!name && !(event->mask & (IN_DELETE_SELF | IN_MOVE_SELF)))
			continue;
		note(watch, place->directory, name);
		return;
	}
}

static void
on_readable(evutil_socket_t descriptor, short what, void *argument)
{
	struct watch *watch = argument;
	_Alignas(struct inotify_event) char buffer[16384];
	ssize_t got;

	(void)what;
	got = read(descriptor, buffer, sizeof(buffer));
	for (ssize_t at = 0; at < got;) {
		const struct inotify_event *event = (const void *)(buffer + at);

		take(watch, event);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
}

static void
on_poll(evutil_socket_t descriptor, short what, void *argument)
{
	struct watch *watch = argument;
	int64_t newest_ns;
	uint64_t state = watch_places_state(&watch->places, &newest_ns);

	(void)descriptor;
	(void)what;
	if (state != watch->state && watch->places.count > 0)
		note(watch, watch->places.places[0].directory, NULL);
	watch->state = state;
}

static void
close_inotify(struct watch *watch)
{
	if (watch->readable)
		event_free(watch->readable);
	watch->readable = NULL;
	if (watch->descriptor >= 0)
		close(watch->descriptor);
	watch->descriptor = -1;
	mem_free(watch->numbers);
	watch->numbers = NULL;
}

struct watch *
watch_new(struct event_base *base, watch_changed *changed, void *argument)
{
	struct watch *watch = mem_alloc(sizeof(*watch));

	watch->base = base;
	watch->changed = changed;
	watch->argument = argument;
	watch->descriptor = -1;
	watch->quiet = event_new(base, -1, 0, on_quiet, watch);
	watch->poll = event_new(base, -1, EV_PERSIST, on_poll, watch);
	assert(watch->quiet && watch->poll);
	return watch;
}

void
watch_free(struct watch *watch)
{
	if (!watch)
		return;
	close_inotify(watch);
	event_free(watch->quiet);
	event_free(watch->poll);
	watch_places_clear(&watch->places);
	mem_free(watch->path);
	mem_free(watch);
}

/* A new descriptor with a number for each place; -1: errno says what inotify
 * did not do. */
static int
open_inotify(const struct watch_places *places, int *numbers)
{
	int descriptor = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	for (size_t i = 0; descriptor >= 0 && i < places->count; i++) {
		numbers[i] = inotify_add_watch(
			descriptor, places->places[i].directory, CHANGES);
		/* One that has gone meanwhile has its own place above. */
		if (numbers[i] < 0 && errno != ENOENT && errno != ENOTDIR) {
			int problem = errno;

			close(descriptor);
			errno = problem;
			return -1;
		}
	}
	return descriptor;
}

/* From now on these places. The old watch is listened to until the new one is
 * there, so that nothing happens between the two. 0, or an errno. */
static int
replace_inotify(struct watch *watch, struct watch_places *places)
{
	int *numbers = mem_array(places->count, sizeof(*numbers));
	int descriptor = -1, problem = 0;

	if (places->count > 0) {
		descriptor = open_inotify(places, numbers);
		problem = descriptor < 0 ? errno : 0;
	}
	if (watch->descriptor >= 0)
		on_readable(watch->descriptor, EV_READ, watch);
	close_inotify(watch);
	watch_places_clear(&watch->places);
	watch->places = *places;
	*places = (struct watch_places){0};
	if (descriptor < 0) {
		mem_free(numbers);
		return problem;
	}
	watch->numbers = numbers;
	watch->descriptor = descriptor;
	watch->readable = event_new(watch->base, descriptor,
				    EV_READ | EV_PERSIST, on_readable, watch);
	assert(watch->readable);
	event_add(watch->readable, NULL);
	return 0;
}

void
watch_set(struct watch *watch, const struct generation *generation,
	  int64_t since_ns)
{
	static const struct timeval poll = {.tv_sec = POLL_S};
	struct watch_places places = {0};
	int64_t newest_ns;
	int problem;

	event_del(watch->poll);
	watch_places_find(generation, &places);
	problem = replace_inotify(watch, &places);
	if (watch->places.count == 0)
		return;
	watch->state = watch_places_state(&watch->places, &newest_ns);
	if (problem != 0) {
		log_warn("files cannot be watched, they are looked at every "
			 "30 seconds",
			 "error=\"%s\"", strerror(problem));
		event_add(watch->poll, &poll);
	}
	if (newest_ns >= since_ns)
		note(watch, watch->places.places[0].directory, NULL);
}
