/**
 * Drives the dashboard in a browser: node dashboard.mjs PLAYWRIGHT CHROMIUM URL PICTURES
 *
 * Sessions are on it already: one stuck with HOSTILE words in its banner, one delivered. A line "more" on standard input
 * says that another one was made meanwhile. Prints what it has found as JSON.
 */
import { createRequire } from "node:module";
import { once } from "node:events";
import { join } from "node:path";

const [, , place, executablePath, url, pictures] = process.argv;
const { chromium } = createRequire(join(place, "x.js"))("playwright-core");
const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"] });
const troubles = [];
const found = { troubles };
const context = await browser.newContext({ viewport: { width: 1280, height: 1000 }, colorScheme: "light" });
const page = await context.newPage();
const origin = new URL(url).origin;
page.on("request", (request) => { if (!request.url().startsWith(origin)) troubles.push("request: " + request.url()); });
page.on("console", (message) => { if (["error", "warning"].includes(message.type())) troubles.push(message.text()); });
page.on("pageerror", (error) => troubles.push(String(error)));
page.on("dialog", (dialog) => { troubles.push("dialog: " + dialog.message()); void dialog.dismiss(); });
const count = () => page.locator("#rows tr").count();
await page.goto(url);
await page.waitForFunction(() => document.querySelectorAll("#rows tr").length >= 2 && document.querySelector("#state").textContent === "live");
found.before = await count();
await page.waitForFunction(() => document.querySelectorAll("#tiles li").length === 5);
await page.screenshot({ path: join(pictures, "light.png"), fullPage: true });
// keyboard only: search, then the first row, its ladder, and back
await page.keyboard.press("/");
await page.keyboard.type("unknown-user");
await page.waitForFunction(() => document.querySelectorAll("#rows tr").length === 1);
await page.locator("#rows tr").first().focus();
await page.keyboard.press("Enter");
await page.waitForSelector("dialog[open] .ladder li");
found.detail = await page.locator("dialog").innerText();
found.evidence = await page.locator("dialog .ladder li.evidence").allInnerTexts();
found.markup = await page.locator("img, dialog script, dialog b").count();
await page.screenshot({ path: join(pictures, "detail.png") });
await page.keyboard.press("Escape");
found.closed = !(await page.locator("dialog[open]").count());
await page.locator("#words").fill("");
await page.locator("#outcome").selectOption("delivered");
found.delivered = await count();
await page.locator("#outcome").selectOption("");
found.newest = await page.locator("#newest button").allInnerTexts();
await page.locator("#cause").selectOption("rcpt-unknown-user");
found.cause = await count();
found.title = await page.locator("#chart-title").innerText();
await page.locator("#cause").selectOption("");
await page.locator("#servers .link").first().click();
found.server = await page.locator("#words").inputValue();
await page.locator("#words").fill("");
console.log("ready");
await once(process.stdin, "data");
await page.waitForFunction((n) => document.querySelectorAll("#rows tr").length > n, found.before);
found.after = await count();
await page.setViewportSize({ width: 390, height: 844 });
found.wide = await page.evaluate(() => document.documentElement.scrollWidth > document.documentElement.clientWidth);
await page.screenshot({ path: join(pictures, "phone.png"), fullPage: true });
await page.locator("#newest button").first().click();
await page.waitForSelector("dialog[open] .ladder li");
await page.screenshot({ path: join(pictures, "phone-detail.png") });
await page.keyboard.press("Escape");
await page.setViewportSize({ width: 1280, height: 1000 });
await page.emulateMedia({ colorScheme: "dark" });
await page.screenshot({ path: join(pictures, "dark.png"), fullPage: true });
await browser.close();
console.log(JSON.stringify(found));
process.exit(0);
