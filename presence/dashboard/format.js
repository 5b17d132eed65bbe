// SPDX-License-Identifier: Apache-2.0
// Numbers as people read them. What is not known is a dash.

export const NONE = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const tenths = new Intl.NumberFormat("en", { maximumFractionDigits: 1 });
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });
const clock = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const day = new Intl.DateTimeFormat("en", { year: "numeric", month: "short", day: "numeric", hour: "2-digit",
	minute: "2-digit", second: "2-digit", hourCycle: "h23" });

const isNumber = (n) => typeof n === "number" && Number.isFinite(n);
const format = (how) => (n) => isNumber(n) ? how(n) : NONE;

export const count = format((n) => whole.format(n));

// For axes: 1,200 is 1.2K.
export const compact = format((n) => short.format(n));

// A second: below ten its tenths matter.
export const rate = format((n) => n >= 100000 ? short.format(n) : (n < 10 ? tenths : whole).format(n));

export const percent = format((n) => `${tenths.format(n * 100)} %`);

export const milliseconds = format((ms) => {
	if (ms === 0)
		return "0 ms";
	if (ms >= 10000)
		return `${tenths.format(ms / 1000)} s`;
	if (ms >= 1000)
		return `${(ms / 1000).toFixed(2)} s`;
	return `${ms >= 100 ? ms.toFixed(0) : ms >= 10 ? ms.toFixed(1) : ms.toFixed(2)} ms`;
});

export const bytes = format((n) => {
	const units = ["B", "KiB", "MiB", "GiB", "TiB"];
	let i = 0;
	while (n >= 1024 && i < units.length - 1) {
		n /= 1024;
		i++;
	}
	return `${(i > 0 && n < 100 ? tenths : whole).format(n)} ${units[i]}`;
});

// The two largest units: "3 d 4 h", "12 s".
export const duration = format((ms) => {
	const units = [["d", 86400], ["h", 3600], ["min", 60], ["s", 1]];
	let left = Math.max(0, Math.floor(ms / 1000));
	const parts = [];
	for (const [name, seconds] of units) {
		const n = Math.floor(left / seconds);
		left -= n * seconds;
		if (n > 0 || (parts.length > 0 && parts.length < 2))
			parts.push(`${n} ${name}`);
	}
	return parts.slice(0, 2).filter((part, i) => i === 0 || !part.startsWith("0 ")).join(" ") || "0 s";
});

export function timeOfDay(when) {
	const date = new Date(when);
	return Number.isNaN(date.getTime()) ? NONE : clock.format(date);
}

export function dateAndTime(when) {
	const date = new Date(when);
	return Number.isNaN(date.getTime()) ? NONE : day.format(date);
}

export const plural = (n, one, many = `${one}s`) => `${count(n)} ${n === 1 ? one : many}`;
