/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names and sentences of the operating errors, made from the one list in err.h.
 */
#include "proto/base/err.h"

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
