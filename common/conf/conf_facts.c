/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A list of questions and answers. There are as many as a configuration has
 * names of services, which is next to none.
 */
#include "common/conf/conf_facts.h"

#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/conf/conf.h"

struct conf_facts {
	struct conf_fact *facts;
	size_t count;
	bool is_closed;
};

struct conf_facts *
conf_facts_new(void)
{
	return mem_alloc(sizeof(struct conf_facts));
}

void
conf_facts_free(struct conf_facts *facts)
{
	if (!facts)
		return;
	for (size_t i = 0; i < facts->count; i++) {
		mem_free(facts->facts[i].question);
		mem_free(facts->facts[i].answer);
	}
	mem_free(facts->facts);
	mem_free(facts);
}

void
conf_facts_close(struct conf_facts *facts)
{
	facts->is_closed = true;
}

size_t
conf_facts_count(const struct conf_facts *facts)
{
	return facts->count;
}

const struct conf_fact *
conf_facts_at(const struct conf_facts *facts, size_t index)
{
	return &facts->facts[index];
}

static const struct conf_fact *
find(const struct conf_facts *facts, const char *question)
{
	for (size_t i = 0; i < facts->count; i++)
		if (strcmp(facts->facts[i].question, question) == 0)
			return &facts->facts[i];
	return NULL;
}

void
conf_facts_add(struct conf_facts *facts, const char *question,
	       const char *answer)
{
	if (find(facts, question))
		return;
	facts->facts = mem_resize(facts->facts, facts->count + 1,
				  sizeof(*facts->facts));
	facts->facts[facts->count++] = (struct conf_fact){
		.question = mem_strdup(question),
		.answer = mem_strdup(answer),
	};
}

/* The answer, asked for by that function if need be. */
static const char *
look_up(struct conf_facts *facts, const char *question, const char *subject,
	const char *(*ask)(const char *subject))
{
	const struct conf_fact *fact = find(facts, question);
	const char *answer;

	if (!fact && !facts->is_closed) {
		answer = ask(subject);
		conf_facts_add(facts, question, answer ? answer : "");
		fact = find(facts, question);
	}
	return fact && fact->answer[0] != '\0' ? fact->answer : NULL;
}

static const char *
ask_port(const char *service)
{
	static char text[8];
	const struct servent *found = getservbyname(service, "tcp");

	if (!found)
		return NULL;
	snprintf(text, sizeof(text), "%u", ntohs((uint16_t)found->s_port));
	return text;
}

static const char *
ask_system_ca(const char *nothing)
{
	(void)nothing;
	return conf_system_ca_path();
}

int
conf_facts_port(struct conf_facts *facts, const char *service)
{
	AUTO_FREE char *question = mem_format("port:%s", service);
	const char *answer = look_up(facts, question, service, ask_port);
	uint64_t port;

	return answer && text_parse_unsigned(answer, &port) == 0 &&
			       port <= UINT16_MAX
		       ? (int)port
		       : -1;
}

static const char *
ask_directory(const char *nothing)
{
	static char *directory;

	(void)nothing;
	free(directory);
	directory = getcwd(NULL, 0);
	return directory;
}

const char *
conf_facts_directory(struct conf_facts *facts)
{
	return look_up(facts, "directory", NULL, ask_directory);
}

const char *
conf_facts_system_ca(struct conf_facts *facts)
{
	return look_up(facts, "system_ca", NULL, ask_system_ca);
}
