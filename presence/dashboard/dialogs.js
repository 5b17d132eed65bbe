// SPDX-License-Identifier: Apache-2.0
// Questions to the operator, in modal dialogs of the browser's own: it keeps the focus inside
// and gives it back to where it was.

import { byId, setText } from "./dom.js";

// Resolves with {reason} once it is done, with null when it was called off. `act(reason)` does it;
// when that fails the dialog stays, with the reason why.
export function confirm({ title, text, action, hasReason = false, act }) {
	const dialog = byId("confirm");
	const form = byId("confirm-form");
	const button = byId("confirm-act");
	const reason = byId("confirm-reason");
	setText(byId("confirm-title"), title);
	setText(byId("confirm-text"), text);
	setText(button, action);
	setText(byId("confirm-error"), "");
	byId("confirm-reason-field").hidden = !hasReason;
	reason.value = "";
	button.disabled = false;
	return new Promise((resolve) => {
		let outcome = null;
		form.onsubmit = async (event) => {
			event.preventDefault();
			if (button.disabled)
				return;
			button.disabled = true;
			setText(byId("confirm-error"), "");
			try {
				const given = hasReason ? reason.value.trim() : "";
				outcome = { reason: given, answer: await act(given) };
				dialog.close();
			} catch (error) {
				setText(byId("confirm-error"), error.message);
				button.disabled = false;
			}
		};
		dialog.onclose = () => resolve(outcome);
		dialog.showModal();
		(hasReason ? reason : byId("confirm-cancel")).focus();
	});
}

// Asks for the token until `check(token)` is content. Cannot be called off: without a token there
// is nothing to see.
export function login({ wasWrong, check }) {
	const dialog = byId("login");
	const form = byId("login-form");
	const field = byId("login-token");
	const button = byId("login-act");
	const tell = (text) => {
		setText(byId("login-error"), text);
		field.toggleAttribute("aria-invalid", text !== "");
	};
	tell(wasWrong ? "The API does not take this token any more." : "");
	field.value = "";
	dialog.oncancel = (event) => event.preventDefault();
	// A second Escape would close it all the same.
	dialog.onkeydown = (event) => {
		if (event.key === "Escape")
			event.preventDefault();
	};
	return new Promise((resolve) => {
		form.onsubmit = async (event) => {
			event.preventDefault();
			const token = field.value.trim();
			if (button.disabled || token === "")
				return;
			button.disabled = true;
			try {
				await check(token);
				field.value = "";
				dialog.close();
				resolve();
			} catch (error) {
				tell(error.status === 401 ? "The API does not take this token." : error.message);
				field.select();
			} finally {
				button.disabled = false;
			}
		};
		if (!dialog.open)
			dialog.showModal();
		field.focus();
	});
}
