// SPDX-License-Identifier: Apache-2.0
// The history checker finds what was planted, and nothing else.
"use strict";

const { describe, test } = require("node:test");
const assert = require("node:assert/strict");
const { Story } = require("./story.js");

// Ann talks, Bob listens: both are members.
const pair = () => new Story().open("ann").open("bob").join("bob");

// Only that rule was broken, so often.
function assertBroken(story, rule, times = 1) {
	const verdict = story.verdict();
	const wanted = Object.fromEntries(Object.keys(verdict.broken).map((name) => [name, name === rule ? times : 0]));
	assert.deepEqual(verdict.broken, wanted, JSON.stringify(verdict.violations));
	assert.equal(verdict.ok, false);
	assert.equal(verdict.violations.length, times);
	return verdict.violations[0];
}

function assertKept(story) {
	const verdict = story.verdict();
	assert.deepEqual(verdict.violations, []);
	assert.equal(verdict.ok, true);
	return verdict;
}

describe("messages that are owed", () => {
	test("all came: nothing is broken, all is counted", () => {
		const { counts, ends, delivery } = assertKept(pair().say("ann", ["bob"]).say("ann", ["bob"]).pass(2000).end("bob"));
		assert.deepEqual(counts, { clients: 2, connections: 2, sent: 2, accepted: 2, unknown: 0, refused: 0, deliveries: 2,
			expected: 2, got: 2 });
		assert.deepEqual(ends, { own: 1, left: 0, lost_stateful: 0, lost_plain: 0, open: 1 });
		assert.equal(delivery.max_ms, 1);
	});

	test("one between two that came is lost, and told with all that is known", () => {
		const story = pair().say("ann", ["bob"]).say("ann", []).say("ann", ["bob"]);
		const violation = assertBroken(story, "lost");
		assert.deepEqual([violation.sender, violation.target, violation.n, violation.before, violation.after],
			["ann", "g", 2, 1, 3]);
		assert.equal(violation.connection.id, "ann-1");
		assert.equal(violation.receiver.id, "bob-1");
		assert.ok(violation.acceptedUs > violation.sentUs);
	});

	test("the last one is lost when there was time for it before the receiver's own end", () => {
		assertBroken(pair().say("ann", ["bob"]).say("ann", []).pass(2000).end("bob"), "lost");
	});

	test("the only one is lost likewise", () => {
		assertBroken(pair().say("ann", []).pass(2000).end("bob"), "lost");
	});

	test("the last one before an end without such time is not", () => {
		assertKept(pair().say("ann", ["bob"]).say("ann", []).end("bob"));
	});

	test("the last one is not when its user left in the middle of things", () => {
		assertKept(pair().say("ann", ["bob"]).say("ann", []).pass(9000).end("bob", "left"));
		assertBroken(pair().say("ann", []).say("ann", ["bob"]).pass(9000).end("bob", "left"), "lost");
	});

	test("what a cut connection did not get at its end is not", () => {
		assertKept(pair().say("ann", ["bob"]).say("ann", []).say("ann", []).pass(9000).end("bob", "lost"));
	});

	test("a hole inside a cut connection is", () => {
		assertBroken(pair().say("ann", ["bob"]).say("ann", []).say("ann", ["bob"]).end("bob", "lost"), "lost");
	});

	test("a hole is one whoever else spoke behind it", () => {
		assertBroken(pair().open("cid").say("ann", []).say("cid", ["bob"]).end("bob", "lost"), "lost");
	});

	test("what another said at the same time proves nothing", () => {
		const story = pair().open("cid").send("cid").say("ann", []).hear("bob", "cid", 1).done("cid").end("bob", "lost");
		assertKept(story);
	});

	test("what was not accepted may come or not", () => {
		assertKept(pair().send("ann").done("ann", "unknown").send("ann").done("ann", "refused").send("ann")
			.say("ann", ["bob"]).pass(2000).end("bob"));
		const story = pair().send("ann").hear("bob", "ann", 1).done("ann", "unknown").say("ann", ["bob"]);
		assert.equal(assertKept(story.pass(2000).end("bob")).counts.unknown, 1);
	});

	test("who has left, or not yet joined, is owed nothing", () => {
		const story = new Story().open("ann").open("bob").say("ann", []).join("bob").say("ann", ["bob"]).leave("bob")
			.say("ann", []).join("bob").say("ann", ["bob"]).pass(2000).end("bob");
		assert.equal(assertKept(story).counts.expected, 2);
	});

	test("what was accepted before the leave is owed, what overlaps with it is not", () => {
		assertBroken(pair().say("ann", []).leave("bob").pass(2000).end("bob"), "lost");
		const between = pair().send("ann");
		assertKept(between.leave("bob").done("ann").pass(2000).end("bob"));
	});

	test("what overlaps with the join is not owed, and may come", () => {
		const joining = () => new Story().open("ann").open("bob").send("ann").join("bob");
		assertKept(joining().done("ann").pass(2000).end("bob"));
		assertKept(joining().hear("bob", "ann", 1).done("ann").pass(2000).end("bob"));
	});

	test("a join or leave of unknown outcome leaves both open", () => {
		const maybe = () => new Story().open("ann").open("bob").join("bob", "g", "unknown");
		assertKept(maybe().say("ann", []).pass(2000).end("bob"));
		assertKept(maybe().say("ann", ["bob"]).pass(2000).end("bob"));
		assertKept(pair().leave("bob", "g", "unknown").say("ann", []).pass(2000).end("bob"));
		assertKept(pair().leave("bob", "g", "unknown").say("ann", ["bob"]).pass(2000).end("bob"));
	});

	test("joining twice is joining once", () => {
		assertKept(pair().join("bob").say("ann", ["bob"]).leave("bob").say("ann", []).pass(2000).end("bob"));
	});

	test("a new connection is owed what comes after it joined", () => {
		const again = () => pair().say("ann", ["bob"]).end("bob", "lost").say("ann", []).open("bob", 2).join("bob", "g", "ok", 2);
		assertKept(again().send("ann").hear("bob", "ann", 3, "g", 2).done("ann").pass(2000).end("bob", "own", 2));
		assertBroken(again().say("ann", []).pass(2000).end("bob", "own", 2), "lost");
	});
});

describe("messages that must not come", () => {
	test("the same twice over one connection", () => {
		assertBroken(pair().say("ann", ["bob", "bob"]), "doubled");
		assertBroken(pair().say("ann", ["bob"]).say("ann", ["bob"]).hear("bob", "ann", 1), "doubled");
	});

	test("the same over the next connection is no doubled one", () => {
		assertKept(pair().send("ann").hear("bob", "ann", 1).end("bob", "lost").open("bob", 2).join("bob", "g", "ok", 2)
			.hear("bob", "ann", 1, "g", 2).done("ann"));
	});

	test("an earlier one behind a later one", () => {
		const late = pair().send("ann").send("ann").hear("bob", "ann", 2).hear("bob", "ann", 1);
		assert.equal(assertBroken(late.done("ann").done("ann", "ok", "g", 1), "reordered").behind, 2);
	});

	test("an unaccepted one behind a later one", () => {
		assertBroken(pair().send("ann").done("ann", "unknown").send("ann").hear("bob", "ann", 2).hear("bob", "ann", 1)
			.done("ann"), "reordered");
	});

	test("one of the sender's last connection behind one of its next is no such thing", () => {
		assertKept(pair().send("ann").end("ann", "lost").done("ann", "unknown").open("ann", 2).send("ann", "g", 2)
			.hear("bob", "ann", 2).hear("bob", "ann", 1).done("ann"));
	});

	test("two of the sender's last connection, behind one of its next, in the wrong order", () => {
		const late = pair().send("ann").send("ann").send("ann").end("ann", "lost").open("ann", 2).send("ann", "g", 2)
			.hear("bob", "ann", 1).hear("bob", "ann", 4).hear("bob", "ann", 3).hear("bob", "ann", 2).done("ann");
		assert.equal(assertBroken(late, "reordered").behind, 3);
	});

	test("to one who never joined", () => {
		assertBroken(new Story().open("ann").open("bob").say("ann", ["bob"]), "stranger");
	});

	test("to one whose join was refused", () => {
		assertBroken(new Story().open("ann").open("bob").join("bob", "g", "refused").say("ann", ["bob"]), "stranger");
	});

	test("sent after the leave returned", () => {
		assertBroken(pair().leave("bob").say("ann", ["bob"]), "stranger");
	});

	test("accepted before the join was called", () => {
		assertBroken(new Story().open("ann").open("bob").say("ann", []).pass(1).join("bob").hear("bob", "ann", 1), "stranger");
	});

	test("to the next connection that has not joined", () => {
		assertBroken(pair().end("bob", "lost").open("bob", 2).send("ann").hear("bob", "ann", 1, "g", 2).done("ann"), "stranger");
	});

	test("what the sender was told is refused", () => {
		assertBroken(pair().send("ann").hear("bob", "ann", 1).done("ann", "refused"), "refused");
	});

	test("what was never sent, or came before it was", () => {
		assertBroken(pair().say("ann", ["bob"]).hear("bob", "ann", 2), "invented");
		assertBroken(pair().hear("bob", "eve", 1), "invented");
		assertBroken(pair().hear("bob", "ann", 1).send("ann").done("ann"), "invented");
	});
});

describe("who is online", () => {
	const list = (story, ...users) => story.add("q", story.us, users);
	const watch = (story) => story.add("pw", "w", "on");
	const told = (story, event, user = "ann's") => story.add("p", "w", user, event);

	test("lists and events as it was", () => {
		let story = told(watch(new Story()).open("ann"), "on");
		story = list(story.pass(9000), "ann's").end("ann");
		story = list(told(story.pass(1000), "off").pass(9000));
		const verdict = assertKept(story);
		assert.deepEqual(verdict.presence, { users: 1, lists: 2, events: 2, listed: 1 });
	});

	test("within the settle time either is right", () => {
		assertKept(list(list(new Story().open("ann").pass(100)), "ann's").end("ann").pass(100).add("q", 1e9, ["ann's"]));
	});

	test("a list without one who has been here for long", () => {
		assertBroken(list(new Story().open("ann").pass(6000)), "absent");
	});

	test("a second connection keeps its user here", () => {
		const story = () => new Story().open("ann", 1).open("bob", 1, { user: "ann's" }).pass(9000).end("ann").pass(9000);
		assertKept(list(story(), "ann's"));
		assertBroken(list(story()), "absent");
	});

	test("a list with one who has been gone for long is a ghost", () => {
		assertBroken(list(new Story().open("ann").end("ann").pass(6000), "ann's"), "ghost");
	});

	test("so is one who left in the middle of things", () => {
		assertBroken(list(new Story().open("ann").end("ann", "left").pass(6000), "ann's"), "ghost");
	});

	test("one whose connection was cut may be listed for longer, but not for ever", () => {
		const cut = () => new Story().open("ann").end("ann", "lost");
		assertKept(list(cut().pass(20000), "ann's"));
		assertBroken(list(cut().pass(40000), "ann's"), "ghost");
	});

	test("what a lost connection got proves that it lived when that was sent, however late it came", () => {
		const hung = () => pair().pass(9000).send("ann");
		assertKept(list(hung().pass(9000), "ann's").pass(9000).hear("bob", "ann", 1).done("ann").end("bob", "lost"));
		assertBroken(list(pair().pass(9000), "ann's").send("ann").hear("bob", "ann", 1).done("ann").end("bob", "lost"), "absent");
	});

	test("users that the history does not know are not judged", () => {
		assertKept(list(new Story().open("ann").pass(6000), "ann's", "else"));
	});

	test("an event told twice", () => {
		assertBroken(told(told(watch(new Story()).open("ann"), "on"), "on").pass(9000), "repeated");
	});

	test("a coming that was not told", () => {
		assertBroken(watch(new Story()).open("ann").pass(9000).open("bob", 1, { user: undefined }), "absent");
	});

	test("a going that was not told is a ghost", () => {
		assertBroken(told(watch(new Story()).open("ann"), "on").pass(9000).end("ann").pass(9000).open("bob", 1, { user: undefined }),
			"ghost");
	});

	test("a going of one who is here", () => {
		const story = told(told(watch(new Story()).open("ann"), "on").pass(9000), "off");
		assertBroken(story, "absent");
		assertKept(told(told(watch(new Story()).open("ann"), "on").pass(9000).end("ann"), "off"));
	});

	test("a coming of one who is not", () => {
		const story = told(told(watch(new Story()).open("ann"), "on").end("ann").pass(1000), "off");
		assertBroken(told(story.pass(9000), "on"), "ghost", 1);
	});

	test("who began to listen later need not hear of whoever was here", () => {
		assertKept(watch(new Story().open("ann")).pass(9000).open("bob", 1, { user: undefined }));
	});

	test("nor of one who came back without having gone", () => {
		const story = watch(new Story().open("ann")).pass(9000).end("ann", "lost").pass(100).open("ann", 2);
		assertKept(story.pass(9000).open("bob", 1, { user: undefined }));
	});
});

describe("figures", () => {
	test("sockets that come back are counted and timed", () => {
		const story = new Story().open("ann", 1, { kind: "stateful" }).add("w", "ann", 1, "down").pass(39).add("w", "ann", 1, "up");
		const { reattach } = assertKept(story.add("w", "ann", 1, "down").end("ann", "lost"));
		assert.deepEqual([reattach.cut, reattach.back, reattach.max_ms], [2, 1, 40]);
	});

	test("marks part the deliveries by the time of sending", () => {
		const story = pair().say("ann", ["bob"]).add("m", "kill").send("ann").pass(499).hear("bob", "ann", 2).done("ann");
		const { marks, delivery, silence } = assertKept(story);
		assert.deepEqual(marks.map(({ text, delivery: { n, max_ms } }) => [text, n, max_ms]), [["kill", 1, 500]]);
		assert.equal(delivery.max_ms, 500);
		assert.equal(delivery.latest.n, 2);
		assert.equal(silence.receiver, "bob");
	});

	test("marks of one kind are one phase, with its halves", () => {
		const story = pair().add("m", "calm").send("ann").pass(10).hear("bob", "ann", 1).done("ann")
			.add("m", "fault: one").send("ann").pass(20).hear("bob", "ann", 2).done("ann")
			.add("m", "calm").send("ann").pass(30).hear("bob", "ann", 3).done("ann")
			.add("m", "fault: two").send("ann").pass(40).hear("bob", "ann", 4).done("ann");
		const { phases } = assertKept(story);
		const told = ({ parts, n, max_ms, halves }) => [parts, n, max_ms, ...halves.map((half) => half.max_ms)];
		assert.deepEqual(Object.fromEntries(Object.entries(phases).map(([kind, phase]) => [kind, told(phase)])),
			{ calm: [2, 2, 31, 11, 31], fault: [2, 2, 41, 21, 41] });
	});

	test("reasons of what was not accepted are counted", () => {
		const story = pair().send("ann").add("c", "ann", "g", 1, "unknown", "lost it");
		assert.deepEqual(assertKept(story).reasons, { "unknown: lost it": 1 });
	});

	test("what was not accepted is counted by kind of client", () => {
		const story = new Story().open("ann", 1, { kind: "stateful" }).join("ann").open("bob").join("bob")
			.say("ann", ["ann", "bob"]).send("ann").done("ann", "refused").send("bob").done("bob", "unknown").send("bob")
			.done("bob", "refused");
		assert.deepEqual(assertKept(story).unaccepted, { stateful: 1, plain: 2 });
	});

	test("of many breaches the first are kept and all are counted", () => {
		const story = pair().say("ann", ["bob"]);
		for (let i = 0; i < 20; i++)
			story.say("ann", []);
		const verdict = story.say("ann", ["bob"]).verdict();
		assert.equal(verdict.broken.lost, 20);
		assert.ok(verdict.violations.length < 20);
		assert.equal(verdict.violations[0].n, 2);
	});
});
