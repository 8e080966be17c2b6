// Messages that compression has got wrong elsewhere, for tests with the npm package `ws`.
"use strict";

/** Random octets of 1 to 64, text beyond ASCII, JSON, what is long or empty, and what repeats just within a window or beyond it. */
function* varied() {
  let state = 1;
  const next = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 24;
  const random = (length) => Buffer.from(Array.from({ length }, next));
  for (let size = 1; size <= 64; size++) yield random(size);
  yield* ["", "中文字符，压缩。".repeat(9), "Съешь же ещё этих мягких булок. ".repeat(5), "Grüße \u{1f600}".repeat(500)];
  for (let id = 0; id < 50; id++) yield JSON.stringify({ id, name: `user${id * 7919}`, tags: ["a", `b${id}`] }).repeat(4);
  yield* ["x".repeat(200_000), Buffer.alloc(70_000, "abc"), random(50_000)];
  for (let bits = 8; bits <= 15; bits++) {
    for (const beyond of [-1, 0, 1]) {
      const marked = random(40);
      // Three bits an octet: it gets smaller, and repeats nothing long.
      const between = random(2 ** bits + beyond - marked.length).map((octet) => octet & 7);
      yield Buffer.concat([marked, between, marked]);
    }
  }
}

/** All windows there are, the same both ways. */
const windows = [8, 9, 10, 11, 12, 13, 14, 15].map((bits) => ({ serverMaxWindowBits: bits, clientMaxWindowBits: bits }));

module.exports = { varied, windows };
