// SPDX-License-Identifier: Apache-2.0

export { RETRY_DEFAULTS, retryDelayMs, type RetryOptions } from "./backoff.js";
export { HubClientBuilder, type TokenProvider, type Transport } from "./builder.js";
export {
	HubClient, STATE_EVENT, StoppedError,
	type Clock, type ConnectionState, type RetryPlan, type StateChange,
} from "./client.js";
export { SharedDocument, type DocumentOptions, type Move, type Section, type Writer } from "./document.js";
export type { AnyHub } from "./hub.js";
export type { Unsubscribe } from "./listeners.js";
export {
	NotificationService,
	type Badge, type BrowserNotifications, type NewNotification, type Notification, type NotificationOptionsOfService,
	type UserChange,
} from "./notifications.js";
export { SharedText, type AppliedOperation, type Operation, type TextState } from "./shared_text.js";
export { Subject } from "./signalr.js";
