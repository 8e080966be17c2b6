// The device's page in headless Chromium: telemetry moves by itself, the echo answers, and nothing goes wrong.
"use strict";

const assert = require("node:assert");
const { chromium } = require("playwright-core");

const { CHROMIUM, SCREENSHOT, URL: url } = process.env;
const patience = 30_000;

async function main() {
  const browser = await chromium.launch({
    executablePath: CHROMIUM,
    args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
  });
  const page = await browser.newPage({ viewport: { width: 1000, height: 646 }, deviceScaleFactor: 2, locale: "en-GB" });
  const faults = [];
  page.on("pageerror", (error) => faults.push(String(error)));
  await page.goto(url);
  const text = (id) => page.locator(id).textContent();
  const shows = (id, pattern) =>
    page.waitForFunction(([selector, source]) => new RegExp(source, "u").test(document.querySelector(selector).textContent), [id, pattern.source], { timeout: patience });

  await shows("#state", /^OPEN$/);
  await shows("#uptime", /^\d+:\d\d:\d\d$/);
  const before = await text("#uptime");
  await page.waitForFunction((old) => document.querySelector("#uptime").textContent !== old, before, { timeout: patience });
  assert.match(await text("#ram"), /^\d\d,\d{3} of 65,536 octets$/);
  assert.match(await text("#connections"), /^[1-4] of 4$/);
  assert.match(await text("#total"), /^[\d,]+ in all, with [\d,]+ octets$/);

  await page.fill("#text", "Grüße, chip!");
  await page.click("button");
  await shows("#reply", /^“Grüße, chip!” after \d+\.\d ms$/);

  // A dozen seconds of the chart.
  await page.waitForFunction(() => rates.filter((rate) => rate > 0).length >= 12, null, { timeout: patience });
  await page.screenshot({ path: SCREENSHOT });
  assert.deepStrictEqual(faults, []);
  await browser.close();
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
