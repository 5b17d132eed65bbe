/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the table of routes calls, by file.
 */
#ifndef PRESENCE_ADMIN_HANDLERS_H
#define PRESENCE_ADMIN_HANDLERS_H

#include "presence/admin_route.h"

/* admin_cluster.c */
admin_handler admin_on_openapi;
admin_handler admin_on_stats;
admin_handler admin_on_stats_history;
admin_handler admin_on_cluster;
admin_handler admin_on_processes;
admin_handler admin_on_drain;

/* admin_routers.c */
admin_handler admin_on_routers;
admin_handler admin_on_set_routers;

/* admin_events.c */
admin_handler admin_on_events;

/* admin_users.c */
admin_handler admin_on_users;
admin_handler admin_on_user;
admin_handler admin_on_connection;

/* admin_disconnect.c */
admin_handler admin_on_disconnect;
admin_handler admin_on_disconnect_user;

/* admin_groups.c */
admin_handler admin_on_groups;
admin_handler admin_on_group;
admin_handler admin_on_join;
admin_handler admin_on_leave;
admin_handler admin_on_join_user;
admin_handler admin_on_leave_user;

/* admin_send.c */
admin_handler admin_on_send_all;
admin_handler admin_on_send_group;
admin_handler admin_on_send_user;
admin_handler admin_on_send_connection;

#endif
