/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of programs that keep something in Redis: the rows for their tables, the
 * struct the rows fill, what the rows cannot say, and the passwords in the files.
 */
#ifndef PROTO_BASE_REDIS_CONF_H
#define PROTO_BASE_REDIS_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "proto/base/redis_secrets.h"

#define REDIS_PREFIX_BYTES_MAX 64

struct redis_conf {
	char *url; /* empty: there is no Redis */
	char *password_file;
	char *sentinel_password_file;
	char *prefix;
	int64_t timeout_ms;
	int64_t connect_timeout_ms;
};

/* `what`: "presence keeps who is here"; `whose`: "Replicas share one." */
#define REDIS_CONF_OPTIONS(type, field, what, whose)                                     \
	{ "redis",                                                                       \
	  CONF_STRING,                                                                   \
	  offsetof(type, field.url),                                                     \
	  "",                                                                            \
	  0,                                                                             \
	  4096,                                                                          \
	  NULL,                                                                          \
	  "Where " what ": redis://[user@]host[:port][/db], "                            \
	  "unix://[user@]/path[?db=n] or "                                               \
	  "redis-sentinel://[user@]host[:port],host[:port].../master[/db]. " whose       \
	  " Empty: in memory.",                                                          \
	  false },                                                                       \
		{ "redis_password_file",                                                 \
		  CONF_FILE,                                                             \
		  offsetof(type, field.password_file),                                   \
		  "",                                                                    \
		  0,                                                                     \
		  4096,                                                                  \
		  NULL,                                                                  \
		  "The password of the user, or of Redis. Empty: none.",                 \
		  false },                                                               \
		{ "redis_sentinel_password_file",                                        \
		  CONF_FILE,                                                             \
		  offsetof(type, field.sentinel_password_file),                          \
		  "",                                                                    \
		  0,                                                                     \
		  4096,                                                                  \
		  NULL,                                                                  \
		  "The password of the Sentinels. Empty: none.",                         \
		  false },                                                               \
		{ "redis_prefix",                                                        \
		  CONF_STRING,                                                           \
		  offsetof(type, field.prefix),                                          \
		  "heliograph",                                                          \
		  1,                                                                     \
		  REDIS_PREFIX_BYTES_MAX,                                                \
		  NULL,                                                                  \
		  "Each key begins with it: another one for each cluster that shares a " \
		  "Redis. Letters, digits, and .:_-",                                    \
		  false },                                                               \
		{ "redis_timeout",                                                       \
		  CONF_MS,                                                               \
		  offsetof(type, field.timeout_ms),                                      \
		  "5s",                                                                  \
		  100,                                                                   \
		  60000,                                                                 \
		  NULL,                                                                  \
		  "A connection to Redis that has not answered for so long is left.",    \
		  false },                                                               \
	{                                                                                \
		"redis_connect_timeout", CONF_MS,                                        \
			offsetof(type, field.connect_timeout_ms), "5s", 100, 60000,      \
			NULL, "How long connecting to Redis and logging in may take.",   \
			false                                                            \
	}

/* For a table's `problem`: "" when all is well, else a sentence that begins with the
 * option. */
const char *redis_conf_problem(const struct redis_conf *conf);

/* Is it fit to be one? */
bool redis_prefix_is_good(const char *prefix);

/* They may be short: how good they are is for those who set them. Ends the program when a
 * file cannot be read, is open to others or empty. At start-up only. */
void redis_secrets_read(const struct redis_conf *conf, struct redis_secrets *secrets);

/* Again. Of a file that will not do what there is stays, which is logged; then this
 * returns the error. */
MUST_CHECK enum err redis_secrets_reload(const struct redis_conf *conf,
					 struct redis_secrets *secrets);
void redis_secrets_fini(struct redis_secrets *secrets);

#endif
