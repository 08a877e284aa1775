/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The admin socket is the one that the configuration names, or --admin.
 */
#include "daemon/cli/admin_command.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/error.h"
#include "common/base/mem.h"
#include "common/conf/conf.h"
#include "daemon/cli/admin_client.h"
#include "daemon/process/admin_protocol.h"

static char *
find_admin(const char *config)
{
	struct conf_documents documents = {0};
	struct error_list problems = {0};
	struct conf *conf = NULL;
	char *path = NULL;

	if (conf_documents_read(config, &documents, &problems) == 0)
		conf = conf_load(&documents, &problems, NULL);
	if (!conf)
		error_list_show(&problems, "");
	else if (conf->global.admin.kind == ADDRESS_UNIX)
		path = mem_strdup(conf->global.admin.host);
	conf_free(conf);
	conf_documents_clear(&documents);
	error_list_clear(&problems);
	return path;
}

/* It may be written as in the configuration. */
static char *
given_admin(const char *text)
{
	static const char prefix[] = "unix:";
	size_t length = sizeof(prefix) - 1;

	return mem_strdup(strncmp(text, prefix, length) == 0 ? text + length
							     : text);
}

char *
admin_command_path(const char *config, const char *admin)
{
	return admin ? given_admin(admin) : find_admin(config);
}

char *
admin_command_require_path(const char *name, const char *config,
			   const char *admin)
{
	char *path = admin_command_path(config, admin);

	if (!path)
		fprintf(stderr,
			"%s: %s does not tell the admin socket (--admin does); "
			"the daemon was not asked\n",
			name, config);
	return path;
}

static void
print_text(FILE *to, const char *prefix, const char *text)
{
	while (*text) {
		size_t length = strcspn(text, "\n");

		fprintf(to, "%s%.*s\n", prefix, (int)length, text);
		text += length;
		text += *text == '\n';
	}
}

static int
show_answer(const char *name, const struct admin_answer *answer)
{
	print_text(stderr, "warning: ", answer->warnings);
	if (!answer->is_ok) {
		print_text(stderr, "", answer->error);
		fprintf(stderr, "%s: the daemon refused; nothing has changed\n",
			name);
		return answer->exit ? (int)answer->exit : 1;
	}
	if (answer->generation > 0)
		printf("generation %ju is in force\n",
		       (uintmax_t)answer->generation);
	print_text(stdout, "", answer->text);
	return 0;
}

int
admin_command_ask(const char *name, const char *path,
		  const struct admin_request *request)
{
	struct admin_answer answer;
	struct error error = {0};
	int descriptor = admin_client_open(path, &error);
	int status;

	if (descriptor < 0 ||
	    admin_client_ask(descriptor, request, &answer, &error) != 0) {
		fprintf(stderr, "%s: %s\n", name, error.text);
		if (descriptor >= 0)
			close(descriptor);
		return 1;
	}
	status = show_answer(name, &answer);
	if (status == 0 && request->command == ADMIN_STOP)
		admin_client_wait_gone(descriptor);
	admin_answer_clear(&answer);
	close(descriptor);
	return status;
}
