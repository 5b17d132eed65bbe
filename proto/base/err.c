/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and sentences of the operating errors, made from the one list in err.h.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* strerrordesc_np */
#endif
#include "proto/base/err.h"

#include <errno.h>
#include <string.h>

const char *err_name(enum err rc)
{
#define ERR_NAME_CASE(name, value, text)                                                 \
	case name:                                                                       \
		return #name;
	switch (rc) {
		ERR_LIST(ERR_NAME_CASE)
	}
#undef ERR_NAME_CASE
	return "ERR_UNKNOWN";
}

const char *err_text(enum err rc)
{
#define ERR_TEXT_CASE(name, value, text)                                                 \
	case name:                                                                       \
		return text;
	switch (rc) {
		ERR_LIST(ERR_TEXT_CASE)
	}
#undef ERR_TEXT_CASE
	return "unknown error";
}

const char *err_errno_text(void)
{
	const char *text = strerrordesc_np(errno);

	return text != NULL ? text : "unknown error";
}
