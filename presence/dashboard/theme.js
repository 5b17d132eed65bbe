// SPDX-License-Identifier: Apache-2.0
// Runs before the first paint, so that a chosen theme never flashes in after the other one.
(() => {
	let chosen = null;
	try {
		chosen = localStorage.getItem("heliograph.theme");
	} catch {
		// Storage may be refused; the system's preference then decides.
	}
	if (chosen === "light" || chosen === "dark")
		document.documentElement.dataset.theme = chosen;
})();
