/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a report looks, in light and in dark; colours of series can be told apart by those
 * who see red and green alike.
 */
#ifndef BENCH_REPORT_STYLE_H
#define BENCH_REPORT_STYLE_H

/* clang-format off */
#define REPORT_STYLE \
	":root{color-scheme:light dark;--back:#fff;--card:#f5f6f8;--text:#1c2024;--soft:#5b6470;" \
	"--line:#dde1e6;--bad:#b3261e;--c0:#0a6ebd;--c1:#c2570c;--c2:#00796b;--c3:#8e44ad;" \
	"--c4:#6d7b00;--c5:#b0215b;--c6:#4455aa;--c7:#7a5230}\n" \
	"@media(prefers-color-scheme:dark){:root{--back:#14171a;--card:#1d2125;--text:#e6e9ec;" \
	"--soft:#9aa4af;--line:#333a42;--bad:#ff8a80;--c0:#5cb3ff;--c1:#ffa45c;--c2:#4dd0b8;" \
	"--c3:#d59bf0;--c4:#cddc39;--c5:#ff7eb3;--c6:#9fb0ff;--c7:#d7b08a}}\n" \
	"body{margin:0;background:var(--back);color:var(--text);font:15px/1.5 system-ui,sans-serif}\n" \
	"main{max-width:1120px;margin:0 auto;padding:24px 16px 64px}\n" \
	"h1{font-size:20px;margin:0}h2{font-size:24px;margin:40px 0 4px;overflow-wrap:anywhere}\n" \
	".about,.command,.legend,.empty{color:var(--soft);margin:4px 0 12px;overflow-wrap:anywhere}\n" \
	"code{font:13px/1.5 ui-monospace,monospace}a{color:var(--c0)}\n" \
	".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:10px;" \
	"margin:12px 0}\n" \
	".tile{background:var(--card);border-radius:8px;padding:10px 14px;overflow-wrap:anywhere}\n" \
	".tile span{display:block;color:var(--soft);font-size:13px}.tile b{font-size:18px}\n" \
	".bad b{color:var(--bad)}\n" \
	".plots{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,460px),1fr));" \
	"gap:10px}\n" \
	"figure{margin:0;background:var(--card);border-radius:8px;padding:12px 14px;min-width:0}\n" \
	"figcaption{font-weight:600}svg{width:100%;height:auto;display:block}\n" \
	".grid{stroke:var(--line);fill:none}.label{fill:var(--soft);font-size:12px}\n" \
	".line{fill:none;stroke-width:2;stroke-linejoin:round}.dots .line{display:none}\n" \
	".legend{margin:4px 0 0}.legend span{margin-right:14px}\n" \
	".legend i{display:inline-block;width:12px;height:12px;border-radius:3px;margin-right:6px;" \
	"vertical-align:-1px}\n" \
	".line.s0{stroke:var(--c0)}.line.s1{stroke:var(--c1)}.line.s2{stroke:var(--c2)}" \
	".line.s3{stroke:var(--c3)}.line.s4{stroke:var(--c4)}.line.s5{stroke:var(--c5)}" \
	".line.s6{stroke:var(--c6)}.line.s7{stroke:var(--c7)}\n" \
	".dot.s0{fill:var(--c0)}.dot.s1{fill:var(--c1)}.dot.s2{fill:var(--c2)}.dot.s3{fill:var(--c3)}" \
	".dot.s4{fill:var(--c4)}.dot.s5{fill:var(--c5)}.dot.s6{fill:var(--c6)}.dot.s7{fill:var(--c7)}\n" \
	"i.s0{background:var(--c0)}i.s1{background:var(--c1)}i.s2{background:var(--c2)}" \
	"i.s3{background:var(--c3)}i.s4{background:var(--c4)}i.s5{background:var(--c5)}" \
	"i.s6{background:var(--c6)}i.s7{background:var(--c7)}\n" \
	"details{margin:10px 0}summary{cursor:pointer;font-weight:600}.wide{overflow-x:auto}\n" \
	"table{border-collapse:collapse;margin:8px 0;font-size:14px}\n" \
	"th,td{text-align:left;padding:4px 14px 4px 0;border-bottom:1px solid var(--line);" \
	"vertical-align:top;overflow-wrap:anywhere}th{font-weight:500;color:var(--soft)}\n" \
	"td{font-variant-numeric:tabular-nums}\n" \
	".overview td,.overview th{white-space:nowrap}\n" \
	".overview td:first-child{white-space:normal;min-width:180px;max-width:420px}\n"
/* clang-format on */

#endif
