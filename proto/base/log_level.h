/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much a line of the log matters; apart from the logger, for hubs name it, too.
 */
#ifndef PROTO_BASE_LOG_LEVEL_H
#define PROTO_BASE_LOG_LEVEL_H

enum log_level { LOG_DEBUG, LOG_INFO, LOG_WARN, LOG_ERROR };

#endif
