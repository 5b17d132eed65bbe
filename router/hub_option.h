/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of hub modules. The configuration keeps what was set for them as text, for
 * it is read before the modules are there.
 */
#ifndef ROUTER_HUB_OPTION_H
#define ROUTER_HUB_OPTION_H

#include "proto/base/buf.h"
#include "proto/base/conf.h"
#include "proto/base/err.h"
#include "router/hub_served.h"

struct router_conf;

/* Ends the program when something was set that the hub does not have or accept. */
void hub_options_init(struct hub_served *hub, const struct router_conf *conf);
void hub_options_fini(struct hub_served *hub);

/* After the configuration was read again: what is wrong in it stays as it was, and is
 * logged. */
void hub_options_reload(struct hub_served *hub, const struct router_conf *conf);

/* Would the module take it? ERR_NOT_FOUND: it has no such option, and `why` has one that
 * may have been meant appended, or nothing; ERR_MALFORMED: `why` has what is accepted. */
MUST_CHECK enum err hub_option_check(const struct hub_module *module, struct slice option,
				     struct slice value, struct buf *why);

/* The row as the configuration has its own. */
struct conf_option hub_option_row(const struct hub_option *option);

/* False: `why` says what is wrong, behind "it has ...". */
bool hub_options_are_sound(const struct hub_module *module, struct buf *why);

#endif
