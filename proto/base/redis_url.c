/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Takes an address apart, from the left; nothing is decoded, and a byte that has no
 * place in its part is refused.
 */
#include "proto/base/redis_url.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#define PORT_MAX 65535

static const char PROBLEM_FORM[] =
	"it begins with none of redis://, unix://, redis-sentinel://";
static const char PROBLEM_TLS[] = "TLS to Redis is not supported";
static const char PROBLEM_PASSWORD[] =
	"the password does not belong into the address, but into a file";
static const char PROBLEM_USER[] = "the user's name is empty, too long, or no name";
static const char PROBLEM_HOST[] = "a host is missing, too long, or none";
static const char PROBLEM_PORT[] = "a port is not between 1 and 65535";
static const char PROBLEM_PATH[] = "the path is relative, or too long for a socket";
static const char PROBLEM_DB[] = "the database is not a number between 0 and 65535";
static const char PROBLEM_SENTINELS[] = "more Sentinels than 9";
static const char PROBLEM_MASTER[] = "the master's name is missing, or too long";

static bool is_graphic(struct slice text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.ptr[i] <= ' ' || text.ptr[i] == 0x7f)
			return false;
	return true;
}

static bool is_host(struct slice text)
{
	for (size_t i = 0; i < text.len; i++) {
		const char c = text.ptr[i];

		if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		      (c >= '0' && c <= '9') || strchr("-._:%", c) != NULL) ||
		    c == '\0')
			return false;
	}
	return text.len > 0;
}

static void copy(char *to, struct slice from)
{
	if (from.len > 0)
		memcpy(to, from.ptr, from.len);
	to[from.len] = '\0';
}

/* ---- addresses */

enum err redis_address_set(struct redis_address *address, struct slice host, int64_t port)
{
	if (host.len > REDIS_HOST_BYTES_MAX || !is_host(host))
		return ERR_ARGUMENT;
	if (port < 1 || port > PORT_MAX)
		return ERR_ARGUMENT;
	copy(address->host, host);
	address->port = (uint16_t)port;
	return OK;
}

bool redis_address_is_path(const struct redis_address *address)
{
	return address->host[0] == '/';
}

const char *redis_address_text(const struct redis_address *address,
			       char text[REDIS_ADDRESS_TEXT_BYTES])
{
	const char *host = address->host;

	if (redis_address_is_path(address))
		snprintf(text, REDIS_ADDRESS_TEXT_BYTES, "%s", host);
	else if (strchr(host, ':') != NULL)
		snprintf(text, REDIS_ADDRESS_TEXT_BYTES, "[%s]:%u", host, address->port);
	else
		snprintf(text, REDIS_ADDRESS_TEXT_BYTES, "%s:%u", host, address->port);
	return text;
}

/* ---- the parts; each returns what is wrong, or NULL */

static const char *parse_user(struct slice *rest, struct redis_url *url)
{
	struct slice user;

	/* A path may hold an '@' itself. */
	if (slice_starts_with(*rest, SLICE("/")) || slice_find(*rest, '@') < 0)
		return NULL;
	user = slice_cut(rest, '@');
	if (slice_find(user, ':') >= 0)
		return PROBLEM_PASSWORD;
	if (user.len == 0 || user.len > REDIS_USER_BYTES_MAX || !is_graphic(user) ||
	    slice_find(user, '/') >= 0)
		return PROBLEM_USER;
	copy(url->user, user);
	return NULL;
}

static const char *parse_db(struct slice text, struct redis_url *url)
{
	int64_t db = 0;

	if (text.len == 0 || text.ptr[0] == '-' || slice_to_int64(text, &db) != OK ||
	    db > REDIS_DB_MAX)
		return PROBLEM_DB;
	url->db = (unsigned)db;
	return NULL;
}

/* host, host:port, [v6] or [v6]:port. */
static const char *parse_address(struct slice text, int64_t port,
				 struct redis_address *address)
{
	struct slice host;
	struct slice rest;

	if (text.len > 0 && text.ptr[0] == '[') {
		rest = slice_from(text, 1);
		if (slice_find(rest, ']') < 0)
			return PROBLEM_HOST;
		host = slice_cut(&rest, ']');
		if (slice_find(host, ':') < 0 || (rest.len > 0 && rest.ptr[0] != ':'))
			return PROBLEM_HOST;
		rest = rest.len > 0 ? slice_from(rest, 1) : SLICE_NONE;
	} else {
		rest = text;
		host = slice_cut(&rest, ':');
	}
	if (rest.ptr != NULL && (rest.len == 0 || slice_to_int64(rest, &port) != OK ||
				 port < 1 || port > PORT_MAX))
		return PROBLEM_PORT;
	return redis_address_set(address, host, port) == OK ? NULL : PROBLEM_HOST;
}

/* ---- the forms */

static const char *parse_server(struct slice rest, struct redis_url *url)
{
	struct slice address;
	const char *problem = parse_user(&rest, url);

	if (problem != NULL)
		return problem;
	address = slice_cut(&rest, '/');
	problem = parse_address(address, REDIS_PORT, &url->addresses[0]);
	if (problem != NULL)
		return problem;
	url->addresses_n = 1;
	return rest.len > 0 ? parse_db(rest, url) : NULL;
}

static const char *parse_path(struct slice rest, struct redis_url *url)
{
	const struct slice query = SLICE("db=");
	struct slice path;
	const char *problem = parse_user(&rest, url);

	if (problem != NULL)
		return problem;
	path = slice_cut(&rest, '?');
	if (path.len < 2 || path.ptr[0] != '/' || !is_graphic(path) ||
	    path.len >= sizeof(((struct sockaddr_un *)NULL)->sun_path))
		return PROBLEM_PATH;
	copy(url->addresses[0].host, path);
	url->addresses_n = 1;
	if (rest.ptr == NULL)
		return NULL;
	if (!slice_starts_with(rest, query))
		return PROBLEM_DB;
	return parse_db(slice_from(rest, query.len), url);
}

static const char *parse_sentinels(struct slice rest, struct redis_url *url)
{
	const char *problem = parse_user(&rest, url);
	struct slice hosts = slice_cut(&rest, '/');
	struct slice master = slice_cut(&rest, '/');

	if (problem != NULL)
		return problem;
	do {
		const struct slice address = slice_cut(&hosts, ',');

		if (url->addresses_n == REDIS_SENTINELS_MAX)
			return PROBLEM_SENTINELS;
		problem = parse_address(address, REDIS_SENTINEL_PORT,
					&url->addresses[url->addresses_n++]);
	} while (problem == NULL && hosts.ptr != NULL);
	if (problem != NULL)
		return problem;
	if (master.len == 0 || master.len > REDIS_MASTER_BYTES_MAX || !is_graphic(master))
		return PROBLEM_MASTER;
	copy(url->master, master);
	return rest.len > 0 ? parse_db(rest, url) : NULL;
}

enum err redis_url_parse(struct slice text, struct redis_url *url, const char **problem)
{
	static const struct {
		const char *scheme;
		const char *(*parse)(struct slice rest, struct redis_url *url);
	} forms[] = {
		{ "redis://", parse_server },
		{ "unix://", parse_path },
		{ "redis-sentinel://", parse_sentinels },
	};

	*url = (struct redis_url){ .addresses_n = 0 };
	*problem =
		slice_starts_with(text, SLICE("rediss://")) ? PROBLEM_TLS : PROBLEM_FORM;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct slice scheme = slice_from_str(forms[i].scheme);

		if (slice_starts_with(text, scheme))
			*problem = forms[i].parse(slice_from(text, scheme.len), url);
	}
	assert(*problem != NULL || url->addresses_n > 0);
	return *problem == NULL ? OK : ERR_ARGUMENT;
}
