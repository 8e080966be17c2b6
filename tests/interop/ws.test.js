// The npm package `ws` as the client: messages, fragments, pings, closing, many at once. Runs under node:test.
"use strict";

const assert = require("node:assert");
const { once } = require("node:events");
const { test } = require("node:test");
const WebSocket = require("ws");
const { varied, windows } = require("./varied");

const url = process.env.MARTLET_URL;
const patience = { timeout: 30_000 };

/** A client that is open, and waits for its messages in order. */
async function open(path = "/echo", protocols = [], options = {}, base = url) {
  const ws = new WebSocket(base + path, protocols, { perMessageDeflate: false, ...options });
  const messages = [];
  const waiting = [];
  ws.on("message", (data, binary) => {
    const message = binary ? data : data.toString();
    const next = waiting.shift();
    if (next) next(message);
    else messages.push(message);
  });
  ws.next = () => (messages.length ? Promise.resolve(messages.shift()) : new Promise((done) => waiting.push(done)));
  await once(ws, "open");
  return ws;
}

async function closed(ws) {
  const [code, reason] = await once(ws, "close");
  return [code, reason.toString()];
}

const texts = ["Hello", "", "κόσμε 中文 \u{1d11e} \u{1f426}", "x".repeat(126), "x".repeat(65536), "0123456789abcde\n".repeat(65536)];
for (const text of texts) {
  test(`text of ${text.length} characters comes back`, patience, async () => {
    const ws = await open();
    ws.send(text);
    assert.strictEqual(await ws.next(), text);
    ws.close();
    await closed(ws);
  });
}

for (const length of [0, 1, 125, 126, 65535, 65536, 1 << 20]) {
  test(`binary of ${length} octets comes back`, patience, async () => {
    const ws = await open();
    const sent = Buffer.alloc(length, "\x00\x01\xfe\xff", "latin1");
    ws.send(sent);
    const got = await ws.next();
    assert.ok(Buffer.isBuffer(got) && got.equals(sent));
    ws.close();
    await closed(ws);
  });
}

test("fragments come back as one message, with a ping between them", patience, async () => {
  const ws = await open();
  ws.send("one ", { fin: false });
  ws.send("", { fin: false });
  ws.ping("between");
  const [body] = await once(ws, "pong");
  assert.strictEqual(body.toString(), "between");
  ws.send("two", { fin: true });
  assert.strictEqual(await ws.next(), "one two");
  ws.close();
  await closed(ws);
});

test("a pong that nobody asked for is ignored", patience, async () => {
  const ws = await open();
  ws.pong("unasked");
  ws.send("still there");
  assert.strictEqual(await ws.next(), "still there");
  ws.close();
  await closed(ws);
});

test("an offer of compression does no harm", patience, async () => {
  const ws = await open("/echo", [], { perMessageDeflate: true });
  assert.strictEqual(ws.extensions, "");
  ws.send("Hello".repeat(1000));
  assert.strictEqual(await ws.next(), "Hello".repeat(1000));
  ws.close();
  await closed(ws);
});

const offers = [
  {},
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverMaxWindowBits: 12, clientMaxWindowBits: 10, serverNoContextTakeover: true },
  ...windows,
];
for (const [name, zipUrl] of [["each message alone", process.env.MARTLET_ZIP_ALONE], ["context takeover", process.env.MARTLET_ZIP_TAKEOVER]]) {
  for (const offer of offers) {
    test(`compressed messages come back: ${name}, ${JSON.stringify(offer)}`, patience, async () => {
      const ws = await open("/echo", [], { perMessageDeflate: { threshold: 0, ...offer } }, zipUrl);
      assert.match(ws.extensions, /permessage-deflate/);
      for (const message of varied()) {
        ws.send(message);
        const got = await ws.next();
        assert.ok(typeof message === "string" ? got === message : got.equals(message));
      }
      ws.send("frag", { fin: false, compress: true });
      ws.send("ments ".repeat(300), { fin: true });
      assert.strictEqual(await ws.next(), "frag" + "ments ".repeat(300));
      const text = Buffer.from("中文字符, Съешь же ещё. ".repeat(2));
      for (let cut = 1; cut < text.length; cut++) {
        ws.send(text.subarray(0, cut), { fin: false, compress: true });
        ws.send(text.subarray(cut), { fin: true });
        assert.ok((await ws.next()).equals(text), `cut at ${cut}`);
      }
      ws.close();
      await closed(ws);
    });
  }
}

for (const [code, reason] of [[1000, ""], [1001, "bye"], [1007, ""], [1011, "é"], [3000, ""], [4999, "x".repeat(123)]]) {
  test(`close ${code} is answered`, patience, async () => {
    const ws = await open();
    ws.close(code, reason);
    assert.strictEqual((await closed(ws))[0], code);
  });
}

test("a close without a code is answered without one", patience, async () => {
  const ws = await open();
  ws.close();
  // 1005 stands for a Close frame without a code.
  assert.deepStrictEqual(await closed(ws), [1005, ""]);
});

test("a message over the limit closes with 1009", patience, async () => {
  const ws = await open();
  ws.on("error", () => {}); // The rest of the message meets a connection that is closed.
  ws.send(Buffer.alloc((2 << 20) + 1));
  assert.strictEqual((await closed(ws))[0], 1009);
});

test("no subprotocol is chosen, which this client takes as a refusal if it offered some", patience, async () => {
  const ws = await open();
  assert.strictEqual(ws.protocol, "");
  ws.close();
  await closed(ws);
  await assert.rejects(open("/echo", ["chat.example"]), /no subprotocol/);
});

test("a place that is not there is refused", patience, async () => {
  const ws = new WebSocket(`${url}/nope`);
  ws.on("error", () => {});
  const [request, response] = await once(ws, "unexpected-response");
  assert.ok([400, 404].includes(response.statusCode));
  request.destroy();
});

test("two hundred clients at once", patience, async () => {
  const clients = await Promise.all(Array.from({ length: 200 }, () => open()));
  await Promise.all(
    clients.map(async (ws, number) => {
      for (let turn = 0; turn < 20; turn++) {
        const message = `client ${number} turn ${turn} ${"x".repeat(number)}`;
        ws.send(message);
        assert.strictEqual(await ws.next(), message);
      }
      ws.close(1000);
      assert.strictEqual((await closed(ws))[0], 1000);
    }),
  );
});
