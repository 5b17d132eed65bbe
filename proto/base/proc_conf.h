/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options that all programs have, and the struct that they fill; proc.h includes it.
 */
#ifndef PROTO_BASE_PROC_CONF_H
#define PROTO_BASE_PROC_CONF_H

#include <stdint.h>

#include "proto/base/conf.h"

/* What every program's configuration struct starts with (PROC_CONF_OPTIONS rows). */
struct proc_conf {
	char *name;	    /* this process's name in the cluster */
	int64_t log_level;  /* enum log_level */
	int64_t log_format; /* enum log_format */
	int64_t drain_ms;   /* SIGTERM to exit at the latest */
	int64_t reload_ms;  /* between two looks at the files; 0: none */
};

/*
 * Rows for a conf table whose struct has `struct proc_conf proc` as its first member.
 * Laid out by hand: clang-format would give each field of a row a line.
 */
/* clang-format off */
#define PROC_CONF_OPTIONS(initial_name)                                                     \
	{ "name", CONF_STRING, offsetof(struct proc_conf, name), initial_name, 1, 64, NULL, \
	  "This process's name in the cluster; unique, and the same after a restart.",      \
	  false },                                                                          \
	{ "log_level", CONF_ENUM, offsetof(struct proc_conf, log_level), "info", 0, 0,      \
	  proc_log_levels, "Lines below this level are not written.", true },               \
	{ "log_format", CONF_ENUM, offsetof(struct proc_conf, log_format), "logfmt", 0, 0,  \
	  proc_log_formats, "How a log line is written.", false },                          \
	{ "drain_timeout", CONF_MS, offsetof(struct proc_conf, drain_ms), "10s", 0, 600000, \
	  NULL, "From SIGTERM to exit at the latest.", true },                              \
	{ "reload_interval", CONF_MS, offsetof(struct proc_conf, reload_ms), "0", 0,        \
	  3600000, NULL, "How often the configuration file and the files that options name" \
	  " are looked at; one that changed has the effect of SIGHUP. 0: never.", true }
/* clang-format on */

/* For conf_table.flags of a program with metrics. */
#define PROC_FLAGS                                                                       \
	"  --print-metrics\n      Print what /metrics has at the start and exit.\n"      \
	"  --check=URL\n      Ask http://host:port/path and exit, with 0 if it says "    \
	"200.\n"

extern const char *const proc_log_levels[];
extern const char *const proc_log_formats[];

#endif
