// SPDX-License-Identifier: Apache-2.0
// Handlers of one kind of event. One that throws keeps no other from hearing of it, and does not
// throw into whoever tells: its error is reported as any uncaught one in a page is.

export type Unsubscribe = () => void;

declare const reportError: ((error: unknown) => void) | undefined;

export class Listeners<T> {
	readonly #handlers = new Set<(event: T) => void>();

	add(handler: (event: T) => void): Unsubscribe {
		const own = (event: T) => handler(event); // the same function may be added twice
		this.#handlers.add(own);
		return () => void this.#handlers.delete(own);
	}

	emit(event: T): void {
		for (const handler of [...this.#handlers])
			try {
				handler(event);
			} catch (error) {
				if (typeof reportError === "function")
					reportError(error);
				else
					console.error(error);
			}
	}
}
