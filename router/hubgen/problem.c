/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The first thing that is wrong with a file.
 */
#include <stdarg.h>
#include <stdio.h>

#include "router/hubgen/model.h"

enum err problem_set(struct problem *problem, unsigned line, const char *fmt, ...)
{
	va_list args;

	if (problem->text[0] != '\0')
		return ERR_MALFORMED;
	problem->line = line;
	va_start(args, fmt);
	(void)vsnprintf(problem->text, sizeof(problem->text), fmt,
			args); /* cut, if long */
	va_end(args);
	return ERR_MALFORMED;
}
