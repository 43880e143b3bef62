/**
 * Drives reports in a browser: node test/browser.mjs CHROMIUM WORK
 *
 * WORK holds mixed.html (the project's captures), hostile.html (HOSTILE in banner, subject and names) and
 * large.html (10,000 sessions) with facts.json beside them; pictures and a PDF are left there.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { chromium } from "playwright-core";

const [, , executablePath, work] = process.argv;
const facts = JSON.parse(readFileSync(join(work, "facts.json"), "utf8"));
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const only = process.env.ONLY; // a part of the names of tests, for work on one
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
let passed = 0;
let failed = 0;

/** A page that says so when anything is asked for over a network, or anything goes wrong in it. */
async function open(name, hash = "", options = {}) {
  // The policy of the page would keep the test's own tools out.
  const context = await browser.newContext({
    viewport: { width: 1280, height: 900 },
    bypassCSP: options.axe,
    ...options,
  });
  context.setDefaultTimeout(120000); // a machine that is busy with other tests is slow, not wrong
  const page = await context.newPage();
  page.troubles = [];
  page.on("request", (request) => {
    if (request.url() !== page.own) page.troubles.push(`request: ${request.url()}`);
  });
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") page.troubles.push(message.text());
  });
  page.on("pageerror", (error) => page.troubles.push(String(error)));
  page.on("dialog", (dialog) => {
    page.troubles.push(`dialog: ${dialog.message()}`);
    void dialog.dismiss();
  });
  page.own = `file://${join(work, name)}`;
  await page.goto(page.own + hash);
  await loaded(page);
  return page;
}

const loaded = (page) =>
  page.waitForFunction(() => document.querySelector("h1") && !document.querySelector(".loading"));

async function close(page) {
  assert.deepEqual(page.troubles, []);
  await page.context().close();
}

async function test(name, body) {
  if (only && !name.includes(only)) return;
  try {
    await body();
    passed++;
    console.log(`ok ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok ${name}\n${error.stack}`);
  }
}

const told = (page) => page.locator(".told > [role=status]").innerText();
const setQuery = async (page, query) => {
  await page.fill("#query", query);
  await page.waitForFunction(
    (q) => new URLSearchParams(location.hash.split("?")[1]).get("q") === (q || null),
    query,
  );
};
const numbers = (text) => text.match(/[\d,]+/g).map((n) => Number(n.replace(/,/g, "")));
const rowTexts = (page, cell) => page.locator(`table.sessions tbody tr:not(.gap) .${cell}`).allInnerTexts();

const VIEWS = [
  "",
  "#/sessions",
  "#/sessions?q=outcome%3Astuck",
  "#/mails",
  "#/findings",
  `#/session/${facts.refused}`,
  `#/session/${facts.tls}`,
  "#/session/0000000000000000",
];

await test("the overview counts what the records say", async () => {
  const page = await open("mixed.html");
  assert.match(
    await page.locator("h1").innerText(),
    new RegExp(`^${facts.stuckMails} of ${facts.triedMails} mails`),
  );
  for (const [outcome, n] of Object.entries(facts.outcomes)) {
    const link = page.locator(`.outcomes a[href*="outcome%3A${outcome}"] b`);
    assert.equal(await link.innerText(), n.toLocaleString("en-US"), outcome);
  }
  await page.locator(".causes a.count").first().click();
  assert.deepEqual(numbers(await told(page)), [facts.topCause, facts.sessions]);
  await close(page);
});

await test("filter: by field, by word, by path, by menu, by time; errors are said", async () => {
  const page = await open("mixed.html", "#/sessions");
  assert.deepEqual(numbers(await told(page)), [facts.sessions]);
  for (const { query, n } of facts.queries) {
    await setQuery(page, query);
    await page.waitForFunction(
      () => !/Looking into/.test(document.querySelector(".told > [role=status]").textContent),
    );
    assert.deepEqual(numbers(await told(page)), [n, facts.sessions], query);
  }
  await setQuery(page, "");
  await page.selectOption("label:has-text('Outcome') select", "delivered");
  await page.waitForFunction(() => location.hash.includes("delivered"));
  assert.equal(await page.inputValue("#query"), "outcome:delivered");
  assert.deepEqual(numbers(await told(page)), [facts.outcomes.delivered, facts.sessions]);
  await setQuery(page, "colour:red");
  assert.match(await told(page), /no field 'colour'/);
  await setQuery(page, '"no such words anywhere"');
  assert.equal(await page.locator(".empty").count(), 1);
  await close(page);
});

await test("sort: both ways, and said to those who hear the page", async () => {
  const page = await open("mixed.html", "#/sessions?sort=-duration");
  const seconds = (text) => {
    const [n, unit] = text.trim().split(" ");
    return Number(n) * { ms: 0.001, s: 1, min: 60, h: 3600 }[unit];
  };
  const took = (await rowTexts(page, "took")).map(seconds);
  assert.ok(took.length > 10);
  assert.deepEqual(
    took,
    [...took].sort((a, b) => b - a),
  );
  assert.match(await page.locator("th[aria-sort=descending]").innerText(), /^Took/);
  await page.click("th:has-text('Server') a");
  const servers = (await rowTexts(page, "server")).map((text) =>
    text.split("\n")[0].replace(/(?<=\.\d+):\d+$/, ""),
  );
  assert.deepEqual(servers, [...servers].sort());
  await close(page);
});

await test("a permalink opens the session, also as the first thing; its ladder marks the evidence", async () => {
  const page = await open("mixed.html", `#/session/${facts.refused}`);
  assert.equal(await page.locator("h1").innerText(), facts.refusedSummary);
  const proofs = page.locator(".ladder .proof");
  await proofs.first().waitFor();
  assert.equal(await proofs.count(), facts.refusedEvidence);
  assert.match(await page.locator(".ladder").innerText(), /Evidence 1/);
  assert.ok((await page.locator(".dialogue li").count()) > 5);
  await page.click("nav.way a[rel=next]");
  await page.waitForFunction((id) => !location.hash.includes(id), facts.refused);
  await page.goBack();
  await page.waitForFunction(
    (text) => document.querySelector("h1")?.textContent === text,
    facts.refusedSummary,
  );
  await page.goto(`${page.own}#/session/${facts.tls}`);
  await page.locator(".certificate").first().waitFor();
  assert.match(await page.locator(".tls").innerText(), new RegExp(facts.tlsProblem));
  await page.goto(`${page.own}#/session/0000000000000000`);
  await page.locator("h1:has-text('not in this report')").waitFor();
  await close(page);
});

await test("what others wrote is text, in every view", async () => {
  const page = await open("hostile.html");
  for (const hash of ["", "#/sessions", "#/findings", `#/session/${facts.hostile}`]) {
    await page.goto(page.own + hash);
    await page.waitForTimeout(150);
    assert.equal(await page.locator("main img, main script, main iframe, main b b").count(), 0, hash);
  }
  await page.locator(".dialogue").waitFor();
  for (const piece of facts.hostilePieces) {
    assert.ok((await page.locator("main").innerText()).includes(piece), piece);
  }
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  await close(page);
});

await test("the page's own policy is in force", async () => {
  const page = await open("mixed.html");
  const blocked = await page.evaluate(async () => {
    const said = [];
    document.addEventListener("securitypolicyviolation", (event) => said.push(event.effectiveDirective));
    const script = document.createElement("script");
    try {
      script.textContent = "window.hacked = 1";
      document.body.append(script);
    } catch {
      said.push("trusted types");
    }
    const image = new Image();
    image.src = "http://192.0.2.1/x.png";
    await new Promise((resolve) => setTimeout(resolve, 200));
    return { said, hacked: window.hacked };
  });
  assert.equal(blocked.hacked, undefined);
  assert.ok(blocked.said.includes("img-src"), String(blocked.said));
  await page.context().close();
});

await test("by keyboard alone: from the first key to a ladder and back", async () => {
  const page = await open("mixed.html");
  await page.keyboard.press("Tab");
  assert.equal(await page.evaluate(() => document.activeElement.textContent), "Skip to the content");
  await page.keyboard.press("/");
  await page.waitForFunction(() => document.activeElement?.id === "query");
  await page.keyboard.type("outcome:stuck");
  await page.waitForFunction(() => location.hash.includes("stuck"));
  const inTable = () => page.evaluate(() => document.activeElement.closest("tr[data-index]")?.dataset.index);
  for (let i = 0; i < 40 && (await inTable()) === undefined; i++) await page.keyboard.press("Tab");
  assert.equal(await inTable(), "0");
  const steps = [
    ["ArrowDown", "1"],
    ["End", String(facts.outcomes.stuck - 1)],
    ["ArrowUp", String(facts.outcomes.stuck - 2)],
    ["Home", "0"],
  ];
  for (const [key, index] of steps) {
    await page.keyboard.press(key);
    await page.waitForFunction(
      (i) => document.activeElement.closest("tr[data-index]")?.dataset.index === i,
      index,
    );
  }
  await page.keyboard.press("Enter");
  await page.locator(".session .ladder, .session .part").first().waitFor();
  assert.equal(await page.evaluate(() => document.activeElement.tagName), "H1");
  const first = page.url();
  await page.keyboard.press("j");
  await page.waitForFunction((url) => location.href !== url, first);
  await page.locator(".way:has-text('2 of')").waitFor();
  await page.keyboard.press("k");
  await page.waitForFunction((url) => location.href === url, first);
  await page.locator(".way:has-text('1 of')").waitFor();
  await page.keyboard.press("u");
  await page.locator("#query").waitFor();
  assert.equal(await page.inputValue("#query"), "outcome:stuck");
  await close(page);
});

/**
 * Every view once on a wide screen and once on a phone, in both colours over all. Each look at them opens the report once and
 * goes from view to view, as readers do: to unpack all of it for every view takes longer than to look at it.
 */
const LOOKS = [
  { colorScheme: "light", width: 1280, views: VIEWS },
  { colorScheme: "dark", width: 390, views: VIEWS },
  { colorScheme: "dark", width: 1280, views: [VIEWS[0], VIEWS[5]] },
  { colorScheme: "light", width: 390, views: [VIEWS[1], VIEWS[6]] },
];
for (const { colorScheme, width, views } of LOOKS) {
  await test(`axe finds nothing: ${colorScheme}, ${width} wide`, async () => {
    const page = await open("mixed.html", views[0], {
      axe: true,
      colorScheme,
      viewport: { width, height: 844 },
    });
    await page.evaluate(axeSource);
    for (const hash of views) {
      await page.evaluate((next) => {
        if (next) location.hash = next;
        return new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
      }, hash);
      await loaded(page);
      await page.waitForTimeout(150);
      const picture = `${colorScheme}-${width}-${VIEWS.indexOf(hash)}.png`;
      await page.screenshot({ path: join(work, picture) });
      const { violations } = await page.evaluate(() => window.axe.run(document));
      const said = violations.flatMap((v) => v.nodes.map((node) => `${v.id}: ${node.html.slice(0, 160)}`));
      assert.deepEqual(said, [], hash);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert.ok(wide <= 0, `${hash}: ${wide} pixels too wide`);
      const halved = await page.$$eval("table.sessions .happened", (cells) =>
        cells.filter((cell) => cell.scrollHeight > cell.clientHeight + 1).map((cell) => cell.textContent),
      );
      assert.deepEqual(halved, [], `${hash}: cut in the middle of a line`);
    }
    await close(page);
  });
}

await test("printed: every row, white paper, no menus", async () => {
  const page = await open("mixed.html", "#/sessions?q=outcome%3Astuck", { colorScheme: "dark" });
  const pdf = await page.pdf({ path: join(work, "sessions.pdf"), format: "A4", printBackground: true });
  assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
  const pages = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
  assert.ok(pages >= facts.outcomes.stuck / 40, `${pages} pages`);
  await page.emulateMedia({ media: "print" });
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  assert.equal(await page.locator("table.sessions tbody tr:not(.gap)").count(), facts.outcomes.stuck);
  assert.equal(
    await page.evaluate(() => getComputedStyle(document.body).backgroundColor),
    "rgb(255, 255, 255)",
  );
  assert.equal(await page.locator(".filter").isVisible(), false);
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  assert.ok((await page.locator("table.sessions tbody tr:not(.gap)").count()) < 80);
  await page.goto(`${page.own}#/`);
  await page.locator("ol.causes").waitFor();
  const told = await page.locator("ol.causes > li").count();
  await page.evaluate(() => window.dispatchEvent(new Event("beforeprint")));
  assert.equal(await page.locator("ol.causes > li").count(), facts.causes);
  assert.ok(facts.causes > told, `${facts.causes} causes`);
  await page.evaluate(() => window.dispatchEvent(new Event("afterprint")));
  await page.goto(`${page.own}#/session/${facts.refused}`);
  await page.locator(".ladder").waitFor();
  await page.pdf({ path: join(work, "session.pdf"), format: "A4", printBackground: true });
  await page.context().close();
});

await test("10,000 sessions: all counted, few drawn, the last can be reached", async () => {
  const page = await open("large.html", "#/sessions");
  assert.deepEqual(numbers(await told(page)), [facts.large]);
  assert.ok((await page.locator("table.sessions tr").count()) < 100);
  await page.evaluate(() => window.scrollTo(0, document.documentElement.scrollHeight));
  await page.locator(`tr[data-index="${facts.large - 1}"]`).waitFor();
  await close(page);
  const again = await open("large.html");
  const paint = await again.evaluate(
    () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
  );
  console.log(`# 10,000 sessions: first contentful paint after ${Math.round(paint)} ms`);
  await close(again);
});

await test("without scripts the failures are told in words", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(`file://${join(work, "hostile.html")}`);
  assert.ok(
    (await page.locator("noscript").allTextContents()).join(" ").includes("Sessions in all: 1, stuck 1."),
  );
  assert.equal(await page.locator("noscript img, noscript b").count(), 0);
  await page.screenshot({ path: join(work, "no-script.png") });
  await context.close();
});

await test("a file that was cut off says so", async () => {
  const page = await open("cut.html");
  assert.match(await page.locator(".trouble").innerText(), /end of this file is missing/);
  await close(page);
});

await browser.close();
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed ? 1 : 0);
