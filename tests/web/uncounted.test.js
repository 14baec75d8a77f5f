// What does not count: server/web/views/train/uncounted.js, with a client whose book a test writes.

import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { summarize } from "../../server/web/views/train/summary.js";
import { Uncounted } from "../../server/web/views/train/uncounted.js";

let client;
let uncounted;

beforeEach(() => {
  client = { book: { now: {}, before: {}, done: [], earlier: [] } };
  uncounted = new Uncounted(client);
});

/** The server counts a repetition that ends then. */
function count(end_ms, exercise = "squat") {
  const { now, done } = client.book;
  now[exercise] = (now[exercise] ?? 0) + 1;
  done.push(repetition(end_ms, exercise));
}
const repetition = (end_ms, exercise = "squat") => ({ exercise, end_ms, score: 90, faults: [] });
const total = (name = "squat") => (client.book.now[name] ?? 0) + (client.book.before[name] ?? 0);
const ends = ({ repetitions }) => repetitions.map(({ end_ms }) => end_ms);

test("what is done before a set does not count, what comes then does", () => {
  uncounted.begin(0);
  count(1000);
  count(2000);
  uncounted.end(2500);
  count(4000);
  assert.equal(total(), 1);
  assert.deepEqual(ends({ repetitions: client.book.done }), [4000]);
  const final = { repetitions: [1000, 2000, 4000].map((end_ms) => repetition(end_ms)) };
  assert.deepEqual(ends(uncounted.without(final)), [4000]);
});

test("nor does what is done in a rest", () => {
  count(1000);
  uncounted.begin(1500);
  count(3000);
  count(3500, "lunge");
  uncounted.end(4000);
  count(5000);
  assert.equal(total(), 2);
  assert.equal(total("lunge"), 0);
  const final = uncounted.without({ repetitions: [1000, 3000, 5000].map((end_ms) => repetition(end_ms)) });
  const { exercises } = summarize(final, client.book);
  assert.deepEqual(
    exercises.map(({ exercise, reps }) => [exercise, reps]),
    [["squat", 2]],
  );
});

test("another worker counts from nothing", () => {
  count(1000);
  uncounted.begin(1500);
  count(2000);
  // What kinecast.js does when the server's worker is replaced.
  const { book } = client;
  Object.assign(book, { before: { squat: 2 }, now: {} });
  book.earlier.push(...book.done.splice(0));
  count(3000);
  uncounted.end(4000);
  count(5000);
  assert.equal(total(), 2);
  assert.deepEqual(ends({ repetitions: [...book.earlier, ...book.done] }), [1000, 5000]);
});

test("times are the session's own", () => {
  uncounted.begin(0);
  uncounted.end(3000);
  // Another session, or another server's.
  uncounted.anew();
  const final = { repetitions: [repetition(1000)] };
  assert.deepEqual(ends(uncounted.without(final)), [1000]);
});

test("a rest that ends in another session begins with it", () => {
  count(190_000);
  uncounted.begin(200_000);
  // What kinecast.js does when the session could not be resumed, or its server was replaced.
  uncounted.anew();
  const { book } = client;
  Object.assign(book, { before: { squat: 1 }, now: {} });
  book.earlier.push(...book.done.splice(0));
  count(2000);
  uncounted.end(5000);
  count(8000);
  assert.equal(total(), 2);
  const final = { repetitions: [...book.earlier, repetition(2000), repetition(8000)] };
  assert.deepEqual(ends(uncounted.without(final)), [190_000, 8000]);
});

test("it goes on after a reload", () => {
  uncounted.begin(0);
  count(1000);
  const after = new Uncounted(client, JSON.parse(JSON.stringify(uncounted)));
  assert.equal(after.is, true);
  // A page that is back begins once more.
  after.begin(0);
  count(2000);
  after.end(2500);
  assert.equal(after.is, false);
  assert.equal(total(), 0);
});
