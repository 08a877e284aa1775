/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/system/oracle_end.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

void
end_init(struct end *end, int descriptor, SSL_CTX *context, bool is_client)
{
	memset(end, 0, sizeof(*end));
	end->descriptor = descriptor;
	end->read_events = EPOLLIN;
	end->write_events = EPOLLOUT;
	if (!context)
		return;
	end->ssl = SSL_new(context);
	if (!end->ssl || SSL_set_fd(end->ssl, descriptor) != 1) {
		ERR_print_errors_fp(stderr);
		_exit(2);
	}
	if (is_client) {
		SSL_set_connect_state(end->ssl);
		end->read_events = EPOLLOUT; /* it is the first to speak */
	} else {
		SSL_set_accept_state(end->ssl);
	}
}

static enum end_result
of_errno(struct end *end, int error, uint32_t *events, uint32_t wanted)
{
	*events = wanted;
	if (error == EAGAIN || error == EINTR)
		return END_AGAIN;
	if (error == ECONNRESET || error == EPIPE)
		return END_RESET;
	snprintf(end->problem, sizeof(end->problem), "%s", strerror(error));
	return END_FAILED;
}

/* What a call of OpenSSL's that did not succeed means. */
static enum end_result
of_ssl(struct end *end, int result, int error, uint32_t *events)
{
	unsigned long code;

	switch (SSL_get_error(end->ssl, result)) {
	case SSL_ERROR_WANT_READ:
		*events = EPOLLIN;
		return END_AGAIN;
	case SSL_ERROR_WANT_WRITE:
		*events = EPOLLOUT;
		return END_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return END_CLEAN;
	case SSL_ERROR_SYSCALL:
		/* A ticket after our close_notify is thrown away by OpenSSL,
		 * which looks like this: there is more to read. */
		if (error == 0 && SSL_get_shutdown(end->ssl)) {
			*events = EPOLLIN;
			return END_AGAIN;
		}
		return of_errno(end, error, events, EPOLLIN);
	default:
		code = ERR_peek_error();
		if (ERR_GET_REASON(code) == SSL_R_UNEXPECTED_EOF_WHILE_READING)
			return END_TRUNCATED;
		ERR_error_string_n(code, end->problem, sizeof(end->problem));
		return END_FAILED;
	}
}

enum end_result
end_handshake(struct end *end)
{
	int done;

	if (!end->ssl) {
		end->is_ready = true;
		return END_DONE;
	}
	ERR_clear_error();
	errno = 0;
	done = SSL_do_handshake(end->ssl);
	if (done != 1)
		return of_ssl(end, done, errno, &end->read_events);
	end->is_ready = true;
	end->read_events = EPOLLIN;
	return END_DONE;
}

enum end_result
end_read(struct end *end, unsigned char *bytes, size_t size, size_t *got)
{
	int done;

	errno = 0;
	if (!end->ssl) {
		ssize_t length = recv(end->descriptor, bytes, size, 0);

		if (length < 0)
			return of_errno(end, errno, &end->read_events, EPOLLIN);
		*got = (size_t)length;
		return length ? END_DONE : END_CLEAN;
	}
	ERR_clear_error();
	done = SSL_read_ex(end->ssl, bytes, size, got);
	if (done == 1) {
		end->read_events = EPOLLIN;
		return END_DONE;
	}
	return of_ssl(end, done, errno, &end->read_events);
}

enum end_result
end_write(struct end *end, const unsigned char *bytes, size_t length,
	  size_t *put)
{
	int done;

	errno = 0;
	if (!end->ssl) {
		ssize_t sent =
			send(end->descriptor, bytes, length, MSG_NOSIGNAL);

		if (sent < 0)
			return of_errno(end, errno, &end->write_events,
					EPOLLOUT);
		*put = (size_t)sent;
		return END_DONE;
	}
	ERR_clear_error();
	done = SSL_write_ex(end->ssl, bytes, length, put);
	if (done == 1) {
		end->write_events = EPOLLOUT;
		return END_DONE;
	}
	return of_ssl(end, done, errno, &end->write_events);
}

bool
end_has_pending(const struct end *end)
{
	return end->ssl && SSL_has_pending(end->ssl);
}

enum end_result
end_finish(struct end *end)
{
	int done;

	if (!end->ssl) {
		if (shutdown(end->descriptor, SHUT_WR) != 0)
			return END_RESET;
		return END_DONE;
	}
	ERR_clear_error();
	errno = 0;
	done = SSL_shutdown(end->ssl);
	if (done >= 0)
		return END_DONE;
	return of_ssl(end, done, errno, &end->write_events);
}

void
end_truncate(struct end *end)
{
	shutdown(end->descriptor, SHUT_WR);
}

void
end_update_key(struct end *end, bool is_requested)
{
	if (end->ssl && SSL_version(end->ssl) >= TLS1_3_VERSION)
		SSL_key_update(end->ssl,
			       is_requested ? SSL_KEY_UPDATE_REQUESTED
					    : SSL_KEY_UPDATE_NOT_REQUESTED);
}

void
end_close(struct end *end, bool is_reset)
{
	struct linger now = {.l_onoff = 1, .l_linger = 0};

	SSL_free(end->ssl);
	end->ssl = NULL;
	if (end->descriptor < 0)
		return;
	if (is_reset)
		setsockopt(end->descriptor, SOL_SOCKET, SO_LINGER, &now,
			   sizeof(now));
	close(end->descriptor);
	end->descriptor = -1;
}
