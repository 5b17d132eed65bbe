/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heliograph-presence: knows who is here, through which gateways, and which processes
 * live.
 */
#include <string.h>

#include "presence/ctl.h"
#include "presence/presence.h"

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "ctl") == 0)
		return ctl_main(argc - 1, argv + 1);
	return proc_main(&presence_proc_ops, argc, argv);
}
