/* SPDX-License-Identifier: Apache-2.0 */
/*
 * heliograph-presence ctl: the admin API from a terminal. A program of its own inside
 * this one: it asks a presence over HTTP, prints what it says as a table, or as it came
 * with --json, and ends. The commands are a table in ctl_command.c, from which help and
 * completion follow.
 */
#ifndef PRESENCE_CTL_H
#define PRESENCE_CTL_H

/* argv[0] is "ctl". Returns the exit status: enum ctl_exit in ctl_private.h. */
int ctl_main(int argc, char **argv);

#endif
