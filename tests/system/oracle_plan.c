/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/system/oracle_plan.h"

#include <string.h>

#include "tests/system/oracle_bytes.h"

#define LARGEST       (32u << 20)
#define LARGEST_PIECE (1u << 20)

static void
choose_manners(struct plan_manners *manners, struct random *random)
{
	manners->write_size = random_size(random, LARGEST_PIECE);
	manners->read_size = random_size(random, LARGEST_PIECE);
	/* Most ends are fast ones, or nothing would ever be under load. */
	if (random_below(random, 2) == 0) {
		manners->write_size = LARGEST_PIECE;
		manners->read_size = LARGEST_PIECE;
		manners->is_steady = true;
	} else if (random_below(random, 3) == 0) {
		manners->pause_every =
			1 + (unsigned int)random_below(random, 40);
		manners->pause_ms = (unsigned int)random_size(random, 100);
		manners->pauses = 20;
	}
	if (random_below(random, 8) == 0)
		manners->socket_buffer = 4096 + (int)random_size(random, 60000);
	manners->record_size = 16384;
	if (random_below(random, 4) == 0)
		manners->record_size =
			512 + (unsigned int)random_below(random, 15872);
	manners->is_tls12 = random_below(random, 4) == 0;
	manners->key_updates = (unsigned int)random_below(random, 8);
}

/* An end of small steps gets a small task, or it takes all day. */
static uint64_t
choose_amount(const struct plan_manners *from, const struct plan_manners *to,
	      struct random *random)
{
	uint64_t most = LARGEST;

	if (from->write_size * 512 < most)
		most = from->write_size * 512;
	if (to->read_size * 512 < most)
		most = to->read_size * 512;
	if ((from->socket_buffer || to->socket_buffer) && most > 1 << 18)
		most = 1 << 18;
	if ((from->pause_every || to->pause_every) && most > 4 << 20)
		most = 4 << 20;
	return random_below(random, 2) ? random_size(random, most) : most;
}

static enum plan_ending
choose_ending(const struct plan_limits *limits, struct random *random)
{
	static const enum plan_ending clean[] = {PLAN_CLIENT_FIRST,
						 PLAN_SERVER_FIRST,
						 PLAN_TOGETHER, PLAN_QUIET};

	if (limits->is_clean || random_below(random, 4) != 0)
		return clean[random_below(random, 4)];
	switch (random_below(random, 4)) {
	case 0:
		return limits->is_client_tls ? PLAN_CLIENT_TRUNCATES
					     : PLAN_CLIENT_RESETS;
	case 1:
		return limits->is_server_tls ? PLAN_SERVER_TRUNCATES
					     : PLAN_SERVER_RESETS;
	case 2:
		return PLAN_CLIENT_RESETS;
	default:
		return PLAN_SERVER_RESETS;
	}
}

void
plan_make(struct plan *plan, const struct plan_limits *limits, uint64_t seed,
	  uint64_t number)
{
	struct random random;

	memset(plan, 0, sizeof(*plan));
	random_seed(&random, bytes_mix(seed) + number);
	plan->number = number;
	plan->ending = choose_ending(limits, &random);
	choose_manners(&plan->client, &random);
	choose_manners(&plan->server, &random);
	plan->to_server = choose_amount(&plan->client, &plan->server, &random);
	plan->to_client = choose_amount(&plan->server, &plan->client, &random);
	if (plan->ending == PLAN_CLIENT_RESETS ||
	    plan->ending == PLAN_CLIENT_TRUNCATES)
		plan->cut = random_below(&random, plan->to_server + 1);
	else if (!plan_is_clean(plan))
		plan->cut = random_below(&random, plan->to_client + 1);
}

bool
plan_is_clean(const struct plan *plan)
{
	return plan->ending <= PLAN_QUIET;
}

bool
plan_is_culprit(const struct plan *plan, bool is_client)
{
	if (is_client)
		return plan->ending == PLAN_CLIENT_RESETS ||
		       plan->ending == PLAN_CLIENT_TRUNCATES;
	return plan->ending == PLAN_SERVER_RESETS ||
	       plan->ending == PLAN_SERVER_TRUNCATES;
}

const char *
plan_ending_name(enum plan_ending ending)
{
	static const char *const names[] = {
		"client first",     "server first",
		"together",         "quiet",
		"client resets",    "server resets",
		"client truncates", "server truncates"};

	return names[ending];
}
