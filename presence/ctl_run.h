/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the commands do; each returns its exit status.
 */
#ifndef PRESENCE_CTL_RUN_H
#define PRESENCE_CTL_RUN_H

struct ctl;

/* ---- ctl_read.c */

int ctl_run_stats(struct ctl *ctl);
int ctl_run_users(struct ctl *ctl);
int ctl_run_user(struct ctl *ctl);
int ctl_run_connection(struct ctl *ctl);
int ctl_run_groups(struct ctl *ctl);
int ctl_run_group(struct ctl *ctl);
int ctl_run_cluster(struct ctl *ctl);

/* ---- ctl_act.c */

int ctl_run_disconnect(struct ctl *ctl);
int ctl_run_group_add(struct ctl *ctl);
int ctl_run_group_remove(struct ctl *ctl);
int ctl_run_send(struct ctl *ctl);
int ctl_run_drain(struct ctl *ctl);

/* ---- ctl_routers.c */

int ctl_run_routers(struct ctl *ctl);

/* ---- ctl_events.c, ctl_help.c, ctl_complete.c */

int ctl_run_events(struct ctl *ctl);
int ctl_run_help(struct ctl *ctl);
int ctl_run_completion(struct ctl *ctl);

#endif
