/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the other side says of itself in its Hello, checked, and the version of the
 * protocol that two sides speak with each other. Pure.
 */
#ifndef PROTO_LINK_LINK_HELLO_H
#define PROTO_LINK_LINK_HELLO_H

#include <stdint.h>

#include "proto/base/err.h"
#include "proto/link/link.pb-c.h"
#include "proto/link/link_name.h"

/* All versions from `min` on to `max`. */
struct link_versions {
	uint32_t min;
	uint32_t max;
};

struct stream_hello {
	Link__Role role;
	char name[LINK_NAME_MAX + 1];
	uint64_t incarnation;
	uint64_t session_number;
	uint64_t handled_seq;
	struct link_versions versions;
};

/* ERR_MALFORMED for what no version says. */
MUST_CHECK enum err link_hello_read(const Link__Hello *hello, struct stream_hello *said);

/* The newest that both speak; 0: none. */
uint32_t link_versions_agree(struct link_versions ours, struct link_versions theirs);

/* For the log, when they agree on none. */
#define LINK_VERSIONS_TEXT_BYTES 80u
void link_versions_print(char text[LINK_VERSIONS_TEXT_BYTES], struct link_versions ours,
			 struct link_versions theirs);

#endif
