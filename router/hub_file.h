/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One shared object with hubs, from dlopen() to dlclose(). What does not fit this program
 * is told in words and not used; only what the file's own constructors do cannot be
 * helped.
 */
#ifndef ROUTER_HUB_FILE_H
#define ROUTER_HUB_FILE_H

#include <stdbool.h>

#include "proto/base/buf.h"
#include "router/hub.h"

#define HUB_FILE_MODULES_MAX 64

struct hub_file {
	void *handle;				 /* owned */
	const struct hub_module *const *modules; /* in the file */
	size_t modules_n;
};

/* False: `why` has the reason appended, and nothing is open. */
MUST_CHECK bool hub_file_open(struct hub_file *file, const char *path, struct buf *why);

/* Nothing of it may be in use any more. */
void hub_file_close(struct hub_file *file);

#endif
