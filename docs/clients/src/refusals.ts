// SPDX-License-Identifier: Apache-2.0
// What the errors of the hub `collaboration` mean for who is to try again. Only what is listed here is the
// hub's own last word; after any other error nobody knows what was done, or it may be done later.

/** Of the gateway and the router, before the hub's method ran. */
const NEVER_RUN = [
	/^Failed to invoke '\w+' because (?:user is unauthorized|the connection was refused)/,
	/^Failed to invoke '\w+' due to an error on the server\. (?:InvalidDataException|HubException: Method does not exist\.)/,
];
const FORBIDDEN = /HubException: (?:Not allowed|documentId): /;
const NOT_AN_OPERATION = /HubException: operation(?:[:.[])/;
const FORGOTTEN = /HubException: Join again: /;
const OUTSIDE = /HubException: Join the document first\./;

function textOf(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

/** The document is not for this user, now or later. */
export function isForbidden(error: unknown): boolean {
	const text = textOf(error);
	return FORBIDDEN.test(text) || NEVER_RUN.some((pattern) => pattern.test(text));
}

/** The hub cannot tell any more what the client's version of the document was. */
export function isForgotten(error: unknown): boolean {
	return FORGOTTEN.test(textOf(error));
}

/** However often it is sent, the operation will not be done. */
export function isRefusal(error: unknown): boolean {
	return isForbidden(error) || isForgotten(error) || NOT_AN_OPERATION.test(textOf(error));
}

/** To the hub this connection is not in the document: nothing was done, and joining helps. */
export function isOutside(error: unknown): boolean {
	return OUTSIDE.test(textOf(error));
}
