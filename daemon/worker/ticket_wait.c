/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The rings of a configuration, each once: few, whatever the number of gates.
 */
#include "daemon/worker/ticket_wait.h"

#include <assert.h>
#include <string.h>
#include <event2/event.h>

#include "common/base/mem.h"
#include "common/route/certificate_places.h"
#include "common/tls/ticket_keys.h"
#include "common/tls/ticket_ring.h"
#include "common/tls/tls_settings.h"

struct ring_id {
	unsigned char bytes[TICKET_RING_ID_SIZE];
};

struct ticket_wait {
	struct timeval limit;
	void (*over)(bool is_complete, void *argument);
	void *argument;
	struct event *timer;    /* pending while something is waited for */
	struct ring_id *wanted; /* not there yet */
	size_t count;
};

static void
want(struct ticket_wait *wait, const struct ring_id *id)
{
	for (size_t i = 0; i < wait->count; i++)
		if (memcmp(&wait->wanted[i], id, sizeof(*id)) == 0)
			return;
	wait->wanted = mem_resize(wait->wanted, wait->count + 1, sizeof(*id));
	wait->wanted[wait->count++] = *id;
}

static void
remove_found(struct ticket_wait *wait)
{
	for (size_t i = wait->count; i-- > 0;)
		if (ticket_keys_have(wait->wanted[i].bytes))
			wait->wanted[i] = wait->wanted[--wait->count];
}

static void
end(struct ticket_wait *wait, bool is_complete)
{
	ticket_wait_cancel(wait);
	wait->over(is_complete, wait->argument);
}

static void
on_timer(int descriptor, short what, void *argument)
{
	(void)descriptor;
	(void)what;
	end(argument, false);
}

struct ticket_wait *
ticket_wait_new(struct event_base *base, int64_t limit_ms,
		void (*over)(bool is_complete, void *argument), void *argument)
{
	struct ticket_wait *wait = mem_alloc(sizeof(*wait));

	wait->limit.tv_sec = (time_t)(limit_ms / 1000);
	wait->limit.tv_usec = (suseconds_t)(limit_ms % 1000 * 1000);
	wait->over = over;
	wait->argument = argument;
	wait->timer = evtimer_new(base, on_timer, wait);
	assert(wait->timer);
	return wait;
}

void
ticket_wait_free(struct ticket_wait *wait)
{
	if (!wait)
		return;
	event_free(wait->timer);
	mem_free(wait->wanted);
	mem_free(wait);
}

bool
ticket_wait_begin(struct ticket_wait *wait, const struct conf *conf)
{
	struct certificate_places places;
	struct ring_id id;

	assert(wait->count == 0);
	certificate_places_list(conf, &places);
	for (size_t i = 0; i < places.count; i++) {
		const struct certificate_place *place = &places.places[i];

		if (place->is_server &&
		    ticket_ring_id(&place->settings->session, id.bytes) &&
		    !ticket_keys_have(id.bytes))
			want(wait, &id);
	}
	certificate_places_clear(&places);
	if (wait->count == 0)
		return true;
	evtimer_add(wait->timer, &wait->limit);
	return false;
}

void
ticket_wait_cancel(struct ticket_wait *wait)
{
	evtimer_del(wait->timer);
	mem_free(TAKE(wait->wanted));
	wait->count = 0;
}

void
ticket_wait_look(struct ticket_wait *wait)
{
	if (wait->count == 0)
		return;
	remove_found(wait);
	if (wait->count == 0)
		end(wait, true);
}
