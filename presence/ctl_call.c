/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From options to an endpoint, from a request to its answer, or to what is said about the
 * lack of one.
 */
#include <stdio.h>
#include <string.h>

#include "presence/ctl_private.h"
#include "presence/ctl_text.h"
#include "proto/base/http_answer.h"
#include "proto/base/secret.h"

#define ADDRESS_DEFAULT "127.0.0.1:8090"
#define PORT_DEFAULT "8090"
#define TOKEN_FILE_BYTES_MAX 8192

void ctl_append_encoded(struct buf *target, struct slice text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_.~";

	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (c != '\0' && strchr(plain, c) != NULL)
			buf_append_byte(target, c);
		else
			buf_appendf(target, "%%%02X", (unsigned)(unsigned char)c);
	}
}

/* ---- where */

/* "host", "host:port", "[::1]:port", each with http:// or https:// before and '/' behind
 * it; ctl->host holds host and port then, both with a NUL. False: it is no such thing. */
static bool read_address(struct ctl *ctl, struct slice text)
{
	struct slice port = SLICE(PORT_DEFAULT);
	struct slice host;

	if (slice_starts_with(text, SLICE("https://"))) {
		ctl->endpoint.is_tls = true;
		text = slice_from(text, 8);
	} else if (slice_starts_with(text, SLICE("http://"))) {
		text = slice_from(text, 7);
	}
	if (text.len > 0 && text.ptr[text.len - 1] == '/')
		text.len--;
	if (text.len > 0 && text.ptr[0] == '[') {
		text = slice_from(text, 1);
		host = slice_cut(&text, ']');
		if (text.len > 0 && text.ptr[0] == ':')
			port = slice_from(text, 1);
		else if (text.ptr == NULL || text.len > 0)
			return false;
	} else {
		host = slice_cut(&text, ':');
		if (text.ptr != NULL)
			port = text;
	}
	if (host.len == 0 || port.len == 0 || slice_find(port, ':') >= 0 ||
	    !ctl_text_is_plain(host) || slice_find(host, '/') >= 0)
		return false;
	buf_append_slice(&ctl->host, host);
	buf_append_byte(&ctl->host, '\0');
	buf_append_slice(&ctl->host, port);
	buf_append_byte(&ctl->host, '\0');
	return true;
}

static int read_token(struct ctl *ctl, const char *path)
{
	const char *problem = NULL;
	struct slice rest;

	if (secret_load(path, TOKEN_FILE_BYTES_MAX, &ctl->token, &problem) != OK)
		return ctl_complain(ctl, CTL_EXIT_USAGE, path, slice_from_str(problem));
	rest = buf_slice(&ctl->token);
	ctl->endpoint.token = slice_cut(&rest, '\n');
	for (size_t i = 0; i < ctl->endpoint.token.len; i++) {
		const char c = ctl->endpoint.token.ptr[i];

		if (c <= ' ' || c > '~')
			return ctl_complain(ctl, CTL_EXIT_USAGE, path,
					    SLICE("what it holds is no token"));
	}
	return CTL_EXIT_OK;
}

int ctl_endpoint_init(struct ctl *ctl)
{
	const char *const *values = ctl->line.values;
	const char *address = values[CTL_ADDRESS];
	int status = CTL_EXIT_OK;

	if (ctl->is_ready)
		return CTL_EXIT_OK;
	if (address == NULL)
		address = ADDRESS_DEFAULT;
	if (!read_address(ctl, slice_from_str(address)))
		return ctl_complain(ctl, CTL_EXIT_USAGE, "no address, HOST:PORT",
				    slice_from_str(address));
	ctl->endpoint.host = ctl->host.ptr;
	ctl->endpoint.port = ctl->host.ptr + strlen(ctl->host.ptr) + 1;
	ctl->endpoint.step_timeout_ms = ctl->line.timeout_ms;
	ctl->endpoint.tls_ca = values[CTL_TLS_CA];
	ctl->endpoint.tls_cert = values[CTL_TLS_CERT];
	ctl->endpoint.tls_key = values[CTL_TLS_KEY];
	if (values[CTL_TLS_CA] != NULL || values[CTL_TLS_CERT] != NULL)
		ctl->endpoint.is_tls = true;
	if ((values[CTL_TLS_CERT] == NULL) != (values[CTL_TLS_KEY] == NULL))
		return ctl_complain(ctl, CTL_EXIT_USAGE, NULL,
				    SLICE("--tls-cert and --tls-key go together"));
	if (values[CTL_TOKEN_FILE] != NULL)
		status = read_token(ctl, values[CTL_TOKEN_FILE]);
	ctl->is_ready = status == CTL_EXIT_OK;
	return status;
}

/* ---- what is said when it fails */

int ctl_unreachable(struct ctl *ctl, const char *error)
{
	struct buf where = BUF_INIT;

	buf_appendf(&where, "%s port %s: %s", ctl->endpoint.host, ctl->endpoint.port,
		    error);
	(void)ctl_complain(ctl, CTL_EXIT_UNREACHABLE, NULL, buf_slice(&where));
	buf_fini(&where);
	return CTL_EXIT_UNREACHABLE;
}

static struct slice text_of(const struct value *object, struct slice key)
{
	const struct value *found = value_find(object, key);

	return found != NULL && found->type == VALUE_STRING ? found->bytes : SLICE_NONE;
}

/* RFC 9457, or what else has that status. */
int ctl_refused(struct ctl *ctl, int status)
{
	struct value *problem = NULL;
	struct slice title = SLICE_NONE;
	struct slice detail = SLICE_NONE;
	struct buf text = BUF_INIT;

	if (value_decode_json(buf_slice(&ctl->body), &ctl->arena, &problem) == OK) {
		title = text_of(problem, SLICE("title"));
		detail = text_of(problem, SLICE("detail"));
	}
	buf_appendf(&text, "%d ", status);
	buf_append_slice(&text, title.len > 0 ? title : SLICE("(not said why)"));
	if (detail.len > 0) {
		buf_append_str(&text, ": ");
		buf_append_slice(&text, detail);
	}
	if (ctl_is_given(ctl, CTL_JSON))
		ctl_put_json(ctl);
	(void)ctl_complain(ctl, CTL_EXIT_REFUSED, NULL, buf_slice(&text));
	buf_fini(&text);
	return CTL_EXIT_REFUSED;
}

/* ---- asking */

static enum err read_body(struct ctl *ctl, struct ctl_http *http)
{
	bool is_done = false;
	struct buf part = BUF_INIT;
	enum err rc = OK;

	buf_clear(&ctl->body);
	while (rc == OK && !is_done) {
		buf_clear(&part);
		rc = ctl_http_read(http, &part, &is_done);
		if (ctl->body.len + part.len > HTTP_ANSWER_BODY_BYTES_MAX)
			rc = ERR_LIMIT;
		else
			buf_append_slice(&ctl->body, buf_slice(&part));
	}
	buf_fini(&part);
	return rc;
}

int ctl_ask(struct ctl *ctl, const struct ctl_request *request,
	    const struct value **answer)
{
	char error[CTL_HTTP_ERROR_BYTES];
	struct ctl_http *http = NULL;
	struct value *value = NULL;
	int status = ctl_endpoint_init(ctl);
	enum err rc;

	if (status != CTL_EXIT_OK)
		return status;
	arena_reset(&ctl->arena);
	if (ctl_http_open(&ctl->endpoint, request, &http, error) != OK)
		return ctl_unreachable(ctl, error);
	rc = read_body(ctl, http);
	status = ctl_http_status(http);
	ctl_http_close(http);
	if (rc != OK)
		return ctl_unreachable(ctl, rc == ERR_LIMIT ? CTL_HTTP_TOO_LONG
							    : err_text(rc));
	if (status / 100 != 2)
		return status == ctl->tolerated ? CTL_EXIT_TOLERATED
						: ctl_refused(ctl, status);
	if (answer == NULL)
		return CTL_EXIT_OK;
	rc = value_decode_json(buf_slice(&ctl->body), &ctl->arena, &value);
	*answer = value;
	if (rc != OK || value->type != VALUE_MAP)
		return ctl_unreachable(ctl, "what it answers is not presence's JSON");
	return CTL_EXIT_OK;
}

int ctl_get(struct ctl *ctl, struct slice target, const struct value **answer)
{
	const struct ctl_request request = { .method = "GET", .target = target };

	return ctl_ask(ctl, &request, answer);
}

void ctl_put_json(struct ctl *ctl)
{
	ctl_text_escape_json(&ctl->out, buf_slice(&ctl->body));
	buf_append_byte(&ctl->out, '\n');
}
