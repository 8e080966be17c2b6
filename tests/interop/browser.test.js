// People in headless Chromium: they chat, alone and in rooms, watch the protocol, and come back after the server was restarted.
"use strict";

const assert = require("node:assert");
const { spawn } = require("node:child_process");
const { once } = require("node:events");
const net = require("node:net");
const { after, before, test } = require("node:test");
const { chromium } = require("playwright-core");

const { MARTLET, CHROMIUM, SCREENSHOT } = process.env;
const patience = 20_000;

/** A port that nobody listens on, as in tests/lib/server.sh. */
async function freePort() {
  const port = Number(process.env.MARTLET_PORTS ?? 20_000) + Math.floor(Math.random() * 6000);
  return (await answers(port)) ? freePort() : port;
}

function answers(port) {
  return new Promise((done) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => done(true)).once("error", () => done(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function start(port, ...more) {
  const server = spawn(MARTLET, ["serve", "--listen", `127.0.0.1:${port}`, "--worker-num", "2", ...more], { stdio: ["ignore", "inherit", "inherit"] });
  const deadline = Date.now() + patience;
  while (!(await answers(port))) {
    assert.ok(server.exitCode === null && Date.now() < deadline, "the server does not listen");
    await new Promise((done) => setTimeout(done, 20));
  }
  return server;
}

async function stop(server) {
  const ended = once(server, "exit");
  server.kill("SIGTERM");
  const [code] = await ended;
  assert.strictEqual(code, 0);
}

const text = (page, id) => page.locator(id).textContent();

/** Waits until the text of an element matches. */
async function shows(page, id, pattern) {
  await page.waitForFunction(
    ([selector, source]) => new RegExp(source, "u").test(document.querySelector(selector).textContent),
    [id, pattern.source],
    { timeout: patience },
  );
}

/** Waits until this message stands in the log, confirmed by the server, and gives what is written beside it. */
async function message(page, who, said) {
  const found = page.locator(".message:not(.pending)", { has: page.getByText(said, { exact: true }) }).last();
  await found.waitFor({ timeout: patience });
  assert.strictEqual(await found.locator(".text").textContent(), said);
  assert.strictEqual(await found.locator(".who").textContent(), who);
  assert.match(await found.locator(".when").textContent(), /\d{1,2}:\d{2}/);
}

async function say(page, said) {
  await page.fill("#message", said);
  await page.click("#send");
}

let port;
let server;
let browser;
const faults = [];
const people = {};

/** A person: a browser of their own, as far as cookies and storage go. */
async function arrive(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, locale: "en-GB", ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => faults.push(`${name}: ${error}`));
  await page.goto(`http://127.0.0.1:${port}/`);
  await page.fill("#name", name);
  await page.click("#join");
  people[name] = page;
}

before(async () => {
  port = await freePort();
  server = await start(port);
  browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
});

after(async () => {
  await browser?.close();
  server?.kill("SIGKILL");
});

test("two people set their names and see each other", { timeout: 60_000 }, async () => {
  await arrive("Ada", { deviceScaleFactor: 2 });
  await arrive("Grace");
  for (const page of Object.values(people)) {
    await shows(page, "#people", /Ada/);
    await shows(page, "#people", /Grace/);
    assert.strictEqual(await text(page, "#state"), "OPEN");
  }
});

test("what one says both read, with the name and the time", { timeout: 60_000 }, async () => {
  const talk = [
    ["Ada", "Hello Grace. Is this the new server?"],
    ["Grace", "It is. Watch the panel: every one of these is a single frame."],
    ["Ada", "And the pings?"],
    ["Grace", "Real Ping frames: the server takes the time until the browser’s Pong."],
    ["Ada", "Does <b>markup</b> do anything & how about Grüße ✓?"],
    ["Grace", "Text stays text. Now let me restart the server under us."],
  ];
  for (const [who, said] of talk) {
    await say(people[who], said);
    for (const page of Object.values(people)) await message(page, who, said);
  }
});

test("what one says to another alone nobody else reads", { timeout: 60_000 }, async () => {
  await arrive("Hedy");
  const { Ada, Grace, Hedy } = people;
  await Ada.locator(".person", { hasText: "Grace" }).click();
  await shows(Ada, "#to", /To Grace alone/);
  await say(Ada, "Between us: good luck.");
  await message(Grace, "Ada", "Between us: good luck.");
  await message(Ada, "Ada", "Between us: good luck.");
  for (const page of [Ada, Grace]) assert.strictEqual(await page.locator(".message.private").count(), 1);
  await Ada.click("#to");
  assert.strictEqual(await Ada.locator("#to").isVisible(), false);
  await say(Ada, "And for everyone: hello Hedy.");
  for (const page of [Ada, Grace, Hedy]) await message(page, "Ada", "And for everyone: hello Hedy.");
  assert.strictEqual(await Hedy.getByText("Between us").count(), 0);
});

test("the panel shows the state, the frames and the ping time", { timeout: 60_000 }, async () => {
  const page = people.Ada;
  await shows(page, "#ping", /^\d+(\.\d+)? ms$/);
  await shows(page, "#frames-in", /^[1-9]\d*$/);
  await shows(page, "#frames-out", /^[1-9]\d*$/);
  const [received, sent] = [Number(await text(page, "#frames-in")), Number(await text(page, "#frames-out"))];
  await page.waitForFunction(
    ([i, o]) => Number(document.querySelector("#frames-in").textContent) > i && Number(document.querySelector("#frames-out").textContent) > o,
    [received, sent],
    { timeout: patience },
  );
  assert.strictEqual(await text(page, "#state"), "OPEN");
});

test("a picture is taken", { timeout: 60_000 }, async () => {
  // A few more ping times make the curve.
  await people.Ada.waitForFunction(() => Number(document.querySelector("#frames-in").textContent) > 20, null, { timeout: 40_000 });
  await people.Ada.screenshot({ path: SCREENSHOT });
});

test("a room has its own people and messages, and its name is in the address", { timeout: 60_000 }, async () => {
  const { Ada, Grace, Hedy } = people;
  await Hedy.fill("#room", " Tea  Room ");
  await Hedy.click("#enter");
  await shows(Hedy, "#status-text", /^Connected as Hedy, in the room tea room\./);
  assert.ok(Hedy.url().endsWith("/#tea%20room"), Hedy.url());
  assert.strictEqual(await text(Hedy, "#people-count"), "1");
  assert.strictEqual(await Hedy.locator(".message").count(), 0);
  await shows(Ada, "#people", /^(?!.*Hedy)/);

  await say(Hedy, "Is anybody here?");
  await message(Hedy, "Hedy", "Is anybody here?");
  await say(Grace, "Where did Hedy go?");
  await message(Ada, "Grace", "Where did Hedy go?");
  assert.strictEqual(await Hedy.getByText("Where did Hedy go?").count(), 0);

  // The address is the way in: by a link, and back.
  await Grace.evaluate(() => { location.hash = "tea%20room"; });
  await message(Grace, "Hedy", "Is anybody here?");
  await say(Grace, "I am.");
  await message(Hedy, "Grace", "I am.");
  assert.strictEqual(await Ada.getByText("I am.").count(), 0);
  await Grace.goBack();
  await shows(Grace, "#status-text", /^Connected as Grace\.$/);
  await message(Grace, "Grace", "Where did Hedy go?");
  await Hedy.close();
  delete people.Hedy;
});

test("after a restart of the server everybody is back, and nothing is lost", { timeout: 90_000 }, async () => {
  await stop(server);
  for (const page of Object.values(people)) await page.waitForFunction(() => document.querySelector("#state").textContent !== "OPEN", null, { timeout: patience });
  await say(people.Ada, "Said while the server was away.");
  await people.Ada.locator(".message.pending", { hasText: "while the server was away" }).waitFor({ timeout: patience });
  server = await start(port);
  for (const page of Object.values(people)) {
    await page.waitForFunction(() => document.querySelector("#state").textContent === "OPEN", null, { timeout: 40_000 });
    await shows(page, "#people", /Ada/);
    await shows(page, "#people", /Grace/);
    await message(page, "Ada", "Said while the server was away.");
    assert.strictEqual(await page.locator(".message", { hasText: "while the server was away" }).count(), 1);
  }
});

test("who leaves is gone from the list", { timeout: 60_000 }, async () => {
  await people.Grace.close();
  await shows(people.Ada, "#people", /^(?!.*Grace)/);
});

test("the browser compresses with the server, and everything comes back", { timeout: 120_000 }, async () => {
  const page = people.Ada;
  const takeover = ["--server-no-context-takeover", "false", "--client-no-context-takeover", "false"];
  const windows = [15, 14, 13, 12, 11, 10, 9, 8].flatMap((bits) => [[bits], [bits, ...takeover]]);
  for (const [bits, ...kept] of windows) {
    const more = [...kept, "--server-max-window-bits", `${bits}`, "--client-max-window-bits", `${bits}`];
    const zipPort = await freePort();
    const zipping = await start(zipPort, "--websocket-compression", "true", "--compression-threshold", "1", "--allowed-origins", `http://127.0.0.1:${port}`, ...more);
    const [extensions, wrong] = await page.evaluate(async (url) => {
      const ws = new WebSocket(url);
      ws.binaryType = "arraybuffer";
      const waiting = [];
      ws.onmessage = ({ data }) => waiting.shift()(data);
      await new Promise((open, failed) => Object.assign(ws, { onopen: open, onerror: failed }));
      const said = ["", "中文字符，压缩。".repeat(9), "Съешь же ещё этих мягких булок. ".repeat(5), "x".repeat(200_000), "Grüße \u{1f600}".repeat(500)];
      for (let size = 1; size <= 64; size++) said.push(crypto.getRandomValues(new Uint8Array(size)));
      for (let id = 0; id < 50; id++) said.push(JSON.stringify({ id, name: `user${id * 7919}`, tags: ["a", `b${id}`] }).repeat(4));
      for (let bits = 8; bits <= 15; bits++) {
        // Forty octets that come again just within a window or beyond it.
        const letters = crypto.getRandomValues(new Uint8Array(2 ** bits + 41)).map((octet) => octet & 7);
        for (const distance of [2 ** bits - 1, 2 ** bits, 2 ** bits + 1]) said.push(Uint8Array.of(...letters.slice(0, distance), ...letters.slice(0, 40)));
      }
      let wrong = 0;
      for (const message of said) {
        const back = new Promise((done) => waiting.push(done));
        ws.send(message);
        const got = await back;
        const same = typeof message === "string" ? got === message : String(new Uint8Array(got)) === String(message);
        wrong += same ? 0 : 1;
      }
      ws.close();
      return [ws.extensions, wrong];
    }, `ws://127.0.0.1:${zipPort}/echo`);
    assert.match(extensions, /^permessage-deflate/);
    assert.strictEqual(extensions.includes("no_context_takeover"), kept.length === 0);
    for (const side of ["server", "client"]) assert.strictEqual(extensions.includes(`${side}_max_window_bits=${bits}`), bits < 15);
    assert.strictEqual(wrong, 0);
    await stop(zipping);
  }
});

test("no script of the page failed, and the server stops well", { timeout: 60_000 }, async () => {
  assert.deepStrictEqual(faults, []);
  await stop(server);
});
