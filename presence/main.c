/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heliograph-presence: knows who is here, through which gateways, and which processes
 * live.
 */
#include "presence/presence.h"

int main(int argc, char **argv)
{
	return proc_main(&presence_proc_ops, argc, argv);
}
