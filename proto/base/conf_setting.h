/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Settings of options in scopes ("hub.chat.path = /chat"), from the file, the command
 * line and the environment. Texts are borrowed from there.
 */
#ifndef PROTO_BASE_CONF_SETTING_H
#define PROTO_BASE_CONF_SETTING_H

#include "proto/base/buf.h"
#include "proto/base/conf.h"
#include "proto/base/conf_error.h"
#include "proto/base/slice.h"

struct conf_setting {
	struct conf_place place;
	struct slice name; /* "hub.chat.path" */
	struct slice value;
};

struct conf_settings {
	struct conf_setting *items; /* owned */
	size_t n;
};

void conf_settings_add(struct conf_settings *settings, const struct conf_place *place,
		       struct slice name, struct slice value);
void conf_settings_fini(struct conf_settings *settings);

/* "HELIOGRAPH_NAME" for an option's name, NUL-terminated. */
void conf_env_name(struct buf *out, struct slice name);

/* Makes the scopes and fills them from the file, the environment and the command line. */
MUST_CHECK enum err conf_settings_read(const struct conf_table *table, void *values,
				       const struct conf_settings *file,
				       const struct conf_settings *flags,
				       char error[CONF_ERROR_MAX]);

#endif
