// SPDX-License-Identifier: Apache-2.0
// The one place where the official client is loaded. A page without a bundler serves a module of
// its own under this name, which takes the same names from the global that the client's browser
// bundle defines.

export { HttpTransportType, HubConnectionBuilder, HubConnectionState, LogLevel, Subject } from "@microsoft/signalr";
