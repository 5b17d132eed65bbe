// SPDX-License-Identifier: Apache-2.0
// In the place of docs/clients/src/signalr.ts: the official client's browser bundle defines a
// global. Without it the page says so itself.

export const { HttpTransportType, HubConnectionBuilder, HubConnectionState, LogLevel, Subject } = globalThis.signalR ?? {};
