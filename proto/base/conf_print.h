/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a program says about its own options: --help and --version. The default file of
 * --print-conf is conf_print() in conf.h, and stands in the same source file.
 */
#ifndef PROTO_BASE_CONF_PRINT_H
#define PROTO_BASE_CONF_PRINT_H

#include <stdio.h>

#include "proto/base/conf.h"

void conf_print_help(const struct conf_table *table, FILE *out);

/* Version, compiler and C library, one a line. */
void conf_print_version(const struct conf_table *table, FILE *out);

#endif
