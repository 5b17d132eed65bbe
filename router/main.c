/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heliograph-router: owns groups, users and connections by their keys and runs hubs.
 */
#include "router/router.h"

int main(int argc, char **argv)
{
	return proc_main(&router_proc_ops, argc, argv);
}
