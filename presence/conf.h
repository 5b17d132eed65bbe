/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Presence's options: one table in conf.c, and the struct it fills.
 */
#ifndef PRESENCE_CONF_H
#define PRESENCE_CONF_H

#include <stdint.h>

#include "proto/base/conf.h"
#include "proto/base/proc.h"
#include "proto/link/link_conf.h"

struct presence_conf {
	struct proc_conf proc;
	struct link_conf link;
	char *link_listen;
	char *admin_listen;
	char *admin_token_file;
	int64_t sessions_max;
	int64_t page_max;
};

extern const struct conf_table presence_conf_table;

#endif
