/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "--check=URL": asks a health path once and is done, for probes where there is no other
 * program to ask with. Blocking, and not for a process that serves.
 */
#ifndef PROTO_BASE_CHECK_H
#define PROTO_BASE_CHECK_H

/* For all of it, once a host that is a name has its addresses: how long that may take is
 * the resolver's to say. */
#define CHECK_TIMEOUT_MS 2000

/* http://host[:port][/path], with an IPv6 host in brackets. The exit status: 0 if it was
 * answered 200; else 1, and stderr says why in one line. */
int check_main(const char *program, const char *url);

#endif
