/* SPDX-License-Identifier: Apache-2.0 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem, memrchr */
#endif
#include "bench/url.h"

#include <string.h>

static const struct {
	const char *scheme;
	uint16_t port; /* 0: must be given */
} schemes[] = { { "http", 80 }, { "ws", 80 }, { "tcp", 0 }, { "nats", 4222 } };

static enum err read_scheme(struct url *url)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (slice_equal_nocase(url->scheme, slice_from_str(schemes[i].scheme))) {
			url->port = schemes[i].port;
			return OK;
		}
	return ERR_UNSUPPORTED;
}

/* Neither spaces nor control characters may go into a request. */
static bool is_clean(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return false;
	return true;
}

static enum err read_authority(struct url *url)
{
	const char *colon = url->authority.len == 0 ? NULL
						    : memrchr(url->authority.ptr, ':',
							      url->authority.len);
	struct slice host = url->authority;
	int64_t port;

	if (host.len > 0 && host.ptr[host.len - 1] == ']')
		colon = NULL; /* the last one of an IPv6 address */
	if (colon != NULL) {
		host.len = (size_t)(colon - host.ptr);
		if (slice_to_int64(slice_from(url->authority, host.len + 1), &port) !=
			    OK ||
		    port < 1 || port > UINT16_MAX)
			return ERR_MALFORMED;
		url->port = (uint16_t)port;
	}
	if (host.len >= 2 && host.ptr[0] == '[' && host.ptr[host.len - 1] == ']')
		host = slice_make(host.ptr + 1, host.len - 2);
	url->host = host;
	return host.len > 0 && host.len <= URL_HOST_BYTES_MAX && url->port != 0
		       ? OK
		       : ERR_MALFORMED;
}

enum err url_read(struct slice text, struct url *url)
{
	static const char mark[] = "://";
	const char *found =
		text.len == 0 ? NULL : memmem(text.ptr, text.len, mark, sizeof(mark) - 1);
	size_t len = 0;
	struct slice rest;
	enum err rc;

	if (found == NULL || !is_clean(text))
		return ERR_MALFORMED;
	url->scheme = slice_make(text.ptr, (size_t)(found - text.ptr));
	rest = slice_from(text, url->scheme.len + sizeof(mark) - 1);
	rc = read_scheme(url);
	if (rc != OK)
		return rc;
	while (len < rest.len && rest.ptr[len] != '/')
		len++;
	url->authority = slice_make(rest.ptr, len);
	url->path = len < rest.len ? slice_from(rest, len) : SLICE("/");
	return read_authority(url);
}

bool url_is_local(const struct url *url)
{
	return slice_equal_nocase(url->host, SLICE("localhost")) ||
	       slice_starts_with(url->host, SLICE("127."));
}
