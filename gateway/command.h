/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What presence wants done for whoever administers the cluster: a connection looked at,
 * or ended, and this gateway drained. Every Command is answered at once by a CommandDone.
 */
#ifndef GATEWAY_COMMAND_H
#define GATEWAY_COMMAND_H

#include "gateway/gateway.h"

void commands_init(struct commands *commands);
void commands_fini(struct gateway *gateway);

void command_on_command(struct gateway *gateway, struct link_peer *presence,
			const Link__Command *command);

#endif
