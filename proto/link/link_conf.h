/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The link options that all programs share: the rows for their tables, the struct the
 * rows fill, which is the program's `link` field, and what the rows cannot say.
 */
#ifndef PROTO_LINK_LINK_CONF_H
#define PROTO_LINK_LINK_CONF_H

#include <stddef.h>
#include <stdint.h>

#include "proto/link/link_limits.h"

struct link_conf {
	char *key_file;
	int64_t window_bytes_max;
	int64_t ping_interval_ms;
	int64_t stream_timeout_ms;
	int64_t lease_ms; /* also how long a peer may be away */
	int64_t version_max;
};

#define LINK_CONF_OPTIONS(type, field)                                                   \
	{ "link_key_file",                                                               \
	  CONF_FILE,                                                                     \
	  offsetof(type, field.key_file),                                                \
	  "",                                                                            \
	  0,                                                                             \
	  4096,                                                                          \
	  NULL,                                                                          \
	  "The secret all processes of the cluster share, 32 bytes or more.",            \
	  false },                                                                       \
		{ "link_window",                                                         \
		  CONF_BYTES,                                                            \
		  offsetof(type, field.window_bytes_max),                                \
		  "16MiB",                                                               \
		  65536,                                                                 \
		  1073741824,                                                            \
		  NULL,                                                                  \
		  "What may wait for one peer; more is refused.",                        \
		  false },                                                               \
		{ "link_ping_interval",                                                  \
		  CONF_MS,                                                               \
		  offsetof(type, field.ping_interval_ms),                                \
		  "500ms",                                                               \
		  10,                                                                    \
		  60000,                                                                 \
		  NULL,                                                                  \
		  "An idle link is written to this often.",                              \
		  false },                                                               \
		{ "link_stream_timeout",                                                 \
		  CONF_MS,                                                               \
		  offsetof(type, field.stream_timeout_ms),                               \
		  "2s",                                                                  \
		  50,                                                                    \
		  300000,                                                                \
		  NULL,                                                                  \
		  "Silence that ends a link's connection; it is dialed again.",          \
		  false },                                                               \
		{ "lease",                                                               \
		  CONF_MS,                                                               \
		  offsetof(type, field.lease_ms),                                        \
		  "10s",                                                                 \
		  100,                                                                   \
		  600000,                                                                \
		  NULL,                                                                  \
		  "Absence after which a process counts as gone, and what it "           \
		  "held with it.",                                                       \
		  false },                                                               \
	{                                                                                \
		"link_version_max", CONF_INT, offsetof(type, field.version_max), "2",    \
			LINK_VERSION_MIN, LINK_VERSION, NULL,                            \
			"The newest version of the link protocol that it speaks.", false \
	}

/* A home that stands still is noticed after link_stream_timeout and left 1 s later
 * (home_choice.h); another second is for telling the next one. */
#define LINK_CONF_MOVE_MS 2000

/*
 * For a table's `problem`: the name in the cluster, and options that go together, also
 * with the list of the replicas of `presence` ("": none). "" when all is well, else a
 * sentence that begins with the option.
 */
const char *link_conf_problem(const char *name, const struct link_conf *link,
			      const char *presence);

#endif
