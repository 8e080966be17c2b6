// The npm package `ws` as the server of `martlet connect`, and of a client over the library. Runs under node:test.
"use strict";

const assert = require("node:assert");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const path = require("node:path");
const { test } = require("node:test");
const { WebSocketServer } = require("ws");
const { varied, windows } = require("./varied");

const patience = { timeout: 60_000 };
/** Longer than a test may take: who has this does not end by itself. */
const waits = ["--linger", "10m"];

/** A server of `ws`; `talk` has each connection, and its request. */
async function serve(talk, settings = {}) {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, ...settings });
  server.on("connection", talk);
  await once(server, "listening");
  server.url = `ws://127.0.0.1:${server.address().port}/`;
  return server;
}

/** Starts a program; `ended` tells its exit code and what it wrote. Its input ends with `input`, or stays open without one. */
function begin(program, options, input) {
  const client = spawn(program, options);
  const [out, err] = [[], []];
  client.stdout.on("data", (data) => out.push(data));
  client.stderr.on("data", (data) => err.push(data));
  client.stdin.on("error", () => {}); // It may end before it has read all.
  if (input !== undefined) client.stdin.end(input);
  const whole = (pieces) => Buffer.concat(pieces).toString();
  client.ended = once(client, "close").then(([code]) => ({ code, out: whole(out), err: whole(err) }));
  return client;
}

/** A connection from its beginning to its end: what the client told, and with which code and reason the server saw it end. */
async function talked(talk, { program = process.env.MARTLET, options = [], input, settings } = {}) {
  let seen;
  const server = await serve((ws, request) => {
    ws.on("error", () => {}); // What comes of it is looked at.
    seen = once(ws, "close").then(([code, reason]) => [code, reason.toString()]);
    return talk(ws, request);
  }, settings);
  const connect = program === process.env.MARTLET ? ["connect"] : [];
  try {
    const told = await begin(program, [...connect, ...options, server.url], input).ended;
    return { ...told, seen: await seen };
  } finally {
    server.close();
  }
}

/** Sends everything back, and closes behind the message that says so. */
function echo(ws) {
  ws.on("message", (data, binary) => {
    ws.send(data, { binary });
    if (data.toString() === "last") ws.close(1000);
  });
}

test("the client closes when its input has ended, and tells so", patience, async () => {
  const told = await talked(echo, { input: "hello\n" });
  assert.deepStrictEqual(told, { code: 0, out: "hello\n", err: "martlet: closed: 1000\n", seen: [1000, ""] });
});

test("text comes back", patience, async () => {
  const lines = `hello\n\nκόσμε 中文 \u{1f426}\n${"x".repeat(125)}\n${"y".repeat(126)}\n${"z".repeat(65536)}\nlast\n`;
  const told = await talked(echo, { options: waits, input: lines });
  assert.deepStrictEqual([told.code, told.out === lines, told.seen], [0, true, [1000, ""]]);
});

test("octets come back", patience, async () => {
  const lines = `00ff\n\n${"fe".repeat(70_000)}\n${Buffer.from("last").toString("hex")}\n`;
  const { code, out } = await talked(echo, { options: [...waits, "--send", "hex"], input: lines });
  assert.deepStrictEqual([code, out === lines], [0, true]);
});

test("a message of 16 MiB goes both ways", patience, async () => {
  const lines = `${"0123456789abcdef".repeat(1 << 20)}\nlast\n`;
  const { code, out } = await talked(echo, { options: [...waits, "--max-message-bytes", "16777216"], input: lines });
  assert.deepStrictEqual([code, out === lines], [0, true]);
});

test("fragments are one message, and a ping between them is answered", patience, async () => {
  let pong;
  const talk = async (ws) => {
    ws.send("one κό", { fin: false });
    ws.ping("between");
    ws.send("", { fin: false });
    [pong] = await once(ws, "pong");
    ws.send("σμε two", { fin: true });
    ws.close(1000);
  };
  const { code, out } = await talked(talk, { options: waits, input: "" });
  assert.deepStrictEqual([code, out, pong.toString()], [0, "one κόσμε two\n", "between"]);
});

test("the client's pings are answered, and a pong that nobody asked for is let pass", patience, async () => {
  const talk = (ws) => {
    ws.pong("unasked");
    let pings = 0;
    ws.on("ping", () => {
      // `ws` has answered before it tells: the Pong is before the Close.
      if (++pings === 2) ws.close(1000);
    });
  };
  const { code, err } = await talked(talk, { options: [...waits, "--ping", "50ms"], input: "" });
  assert.strictEqual(code, 0);
  assert.match(err, /^martlet: pong after \d/m);
});

test("a subprotocol is agreed on, and one that was not offered is refused", patience, async () => {
  let agreed;
  const talk = (ws) => {
    agreed = ws.protocol;
    ws.close(1000);
  };
  const options = [...waits, "--subprotocol", "chat.v2,chat.v1"];
  const { code } = await talked(talk, { options, input: "", settings: { handleProtocols: (offered) => [...offered][1] } });
  assert.deepStrictEqual([code, agreed], [0, "chat.v1"]);
  const refused = await talked(talk, { options, input: "", settings: { handleProtocols: () => "other" } });
  assert.strictEqual(refused.code, 3);
  assert.match(refused.err, /subprotocol/);
});

test("a refusal is told", patience, async () => {
  const server = await serve(() => assert.fail("it was refused"), { verifyClient: (info, answer) => answer(info.origin === "http://a.example", 401, "no") });
  const { code, err } = await begin(process.env.MARTLET, ["connect", "--origin", "http://b.example", server.url], "").ended;
  server.close();
  assert.strictEqual(code, 3);
  assert.match(err, /the server answered 401/);
});

for (const [code, reason, exit] of [[1000, "", 0], [1001, "é", 0], [1003, "", 1], [1011, "", 1], [3000, "", 1], [4999, "x".repeat(123), 1]]) {
  test(`a close with ${code} is answered, and told`, patience, async () => {
    const told = await talked((ws) => ws.close(code, reason), { options: waits });
    assert.deepStrictEqual([told.code, told.err, told.seen[0]], [exit, `martlet: closed: ${code} ${reason}`.trimEnd() + "\n", code]);
  });
}

test("a close without a code is answered without one", patience, async () => {
  const told = await talked((ws) => ws.close(), { options: waits });
  assert.deepStrictEqual([told.code, told.seen], [0, [1005, ""]]);
});

// What `ws` itself would not send: the client says what was wrong, to both.
for (const [name, octets, code] of [
  ["a reserved bit", [0xc1, 0x00], 1002],
  ["a masked frame", [0x81, 0x80, 0, 0, 0, 0], 1002],
  ["text that is no UTF-8", [0x81, 0x02, 0xc3, 0x28], 1007],
]) {
  test(`${name} is answered with ${code}`, patience, async () => {
    const told = await talked((ws, request) => request.socket.write(Buffer.from(octets)), { options: waits });
    assert.deepStrictEqual([told.code, told.seen[0]], [1, code]);
  });
}

test("a message over the limit is answered with 1009", patience, async () => {
  const told = await talked((ws) => ws.send("x".repeat(1025)), { options: [...waits, "--max-message-bytes", "1024"] });
  assert.deepStrictEqual([told.code, told.seen[0]], [1, 1009]);
});

test("an end without a close is told, by either side", patience, async () => {
  const told = await talked((ws) => ws.terminate(), { options: waits });
  assert.deepStrictEqual([told.code, told.err], [1, "martlet: closed: 1006\n"]);

  const ended = new Promise((done) => {
    serve((ws) => {
      ws.on("close", (code) => done(code));
      client.kill("SIGKILL");
    }).then((server) => {
      client = begin(process.env.MARTLET, ["connect", server.url]);
      client.ended.then(() => server.close());
    });
  });
  let client;
  assert.strictEqual(await ended, 1006);
});

for (const agreement of [
  {},
  { serverNoContextTakeover: true, clientNoContextTakeover: true },
  { serverMaxWindowBits: 12, clientMaxWindowBits: 10, clientNoContextTakeover: true },
  ...windows,
]) {
  test(`compressed messages come back: ${JSON.stringify(agreement)}`, patience, async () => {
    let right = 0;
    const talk = async (ws, request) => {
      assert.match(ws.extensions, /permessage-deflate/);
      for (const message of varied()) {
        ws.send(message);
        const [data, binary] = await once(ws, "message");
        assert.ok(binary === (typeof message !== "string") && data.equals(Buffer.from(message)));
        right += 1;
      }
      ws.send("frag", { fin: false });
      ws.send("ments ".repeat(300), { fin: true });
      const [data] = await once(ws, "message");
      assert.strictEqual(data.toString(), "frag" + "ments ".repeat(300));
      const before = request.socket.bytesRead;
      ws.send("x".repeat(100_000));
      await once(ws, "message");
      assert.ok(request.socket.bytesRead - before < 10_000, "what comes back is compressed too");
      ws.close(1000);
    };
    const settings = { perMessageDeflate: { threshold: 0, ...agreement } };
    const { code } = await talked(talk, { options: ["--echo", "--compress"], settings });
    assert.deepStrictEqual([code, right], [0, [...varied()].length]);
  });
}

test("a client over the library sends fragments, a ping and a close with a reason", patience, async () => {
  const [messages, pings] = [[], []];
  const talk = (ws) => {
    ws.on("ping", (body) => pings.push(body.toString()));
    ws.on("message", (data, binary) => {
      messages.push([data.toString(), binary]);
      ws.send(data, { binary });
    });
  };
  const program = path.join(process.env.MARTLET_EXAMPLES, "client_fragments");
  const told = await talked(talk, { program });
  assert.deepStrictEqual(told, { code: 0, out: "pong: between\ntext: one two\nclosed: 4001\n", err: "", seen: [4001, "done"] });
  assert.deepStrictEqual([messages, pings], [[["one two", false]], ["between"]]);
});
