/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heliograph-gateway: proc.h runs it, gateway.c says how.
 */
#include "gateway/gateway.h"

int main(int argc, char **argv)
{
	return proc_main(&gateway_proc_ops, argc, argv);
}
