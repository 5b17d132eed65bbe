/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is said about a configuration that is refused: where, what was written, and which
 * name may have been meant.
 */
#ifndef PROTO_BASE_CONF_ERROR_H
#define PROTO_BASE_CONF_ERROR_H

#include "proto/base/conf.h"
#include "proto/base/err.h"
#include "proto/base/slice.h"

#define CONF_SHOWN_MAX 64

/* Where a setting stands. */
struct conf_place {
	const char *name; /* the file's path, "environment", "command line" */
	unsigned line;	  /* 0: the place has no lines */
};

struct conf_shown {
	char text[CONF_SHOWN_MAX + 4];
};

/* "place:line: message" into `error`, cut when it is too long. Returns ERR_MALFORMED. */
enum err conf_refuse(char error[CONF_ERROR_MAX], const struct conf_place *place,
		     const char *fmt, ...) PRINTF_LIKE(3, 4);

/* What somebody wrote, short and printable. */
struct conf_shown conf_show(struct slice s);

/*
 * Offers `known` as what was meant by `name`: `*nearest` becomes it when it is nearer
 * than what was found before. `*distance` starts as conf_name_slip(name), which is above
 * what passes for a slip.
 */
void conf_name_offer(struct slice name, const char *known, const char **nearest,
		     size_t *distance);
size_t conf_name_slip(struct slice name);

#endif
