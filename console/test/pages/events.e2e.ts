import { expect, it } from "vitest";
import { narrow } from "../browser";
import { checkPage, fails, newVisits, problem } from "./page";

const visits = newVisits();

const rows = "article[data-type]";

it("finds events by facets and text, and compares them with an earlier time", async () => {
  const here = await visits.open("owner", "/events");
  const { page } = here;
  await page.locator(rows).first().waitFor();
  await page.locator(".uplot canvas").first().waitFor();
  await page.getByRole("complementary", { name: "Facets" }).getByTitle("Only Warning").click();
  await page.waitForURL(/type=Warning/);
  await page.waitForFunction(() => !document.querySelector('article[data-type="Normal"]'));
  await page.getByLabel("Compare with").selectOption("preceding");
  await page.getByRole("table", { name: "Trend" }).getByRole("row").nth(1).waitFor();
  await checkPage(here);
  await page.getByRole("table", { name: "Trend" }).getByRole("row").nth(1).click();
  await page.waitForURL(/reason=/);
  await page.getByLabel("Search in message, object and reason").fill("no such words anywhere");
  await page.getByText("No events here").waitFor();
  await page.getByRole("button", { name: "Clear the filters" }).click();
  await page.locator(rows).first().waitFor();
});

it("tells the story of one object", async () => {
  const here = await visits.open("owner", "/events?kind=Pod&reason=Killing");
  const { page } = here;
  const first = page.locator(rows).first();
  const name = await first.getByTitle("All events of this object and its owners").textContent();
  await first.getByTitle("All events of this object and its owners").click();
  await page.waitForURL(/\/events\/object/);
  await page.getByRole("region", { name: "Timeline" }).locator(rows).first().waitFor();
  expect(await page.getByRole("heading", { level: 1 }).textContent()).toContain(name);
  await page.getByRole("navigation", { name: "Owners" }).getByRole("link").first().waitFor();
  await checkPage(here);
});

it("says what to do when there are none, and why when it failed", async () => {
  const empty = await visits.open("owner", "/events", {
    viewport: narrow,
    stub: (page) =>
      page.route(/\/api\/v1\/events\?/, (route) => route.fulfill({ json: { items: [], truncated: false } })),
  });
  await empty.page.getByRole("button", { name: "Look at the last 24 h" }).waitFor();
  await checkPage(empty);
  const failed = await visits.open("owner", "/events", {
    stub: (page) =>
      page.route(/\/api\/v1\/events\?/, (route) =>
        route.fulfill({ status: 422, json: problem(422, "This is refused by a test.") }),
      ),
  });
  failed.allow(/422/);
  await failed.page.getByText("This is refused by a test.").waitFor();
});

it("says what to do when an object has no events, and why when it failed", async () => {
  const object = "/events/object?cluster=demo&namespace=shop&kind=Pod&object=nobody";
  const empty = await visits.open("owner", object, { viewport: narrow });
  await empty.page.getByRole("heading", { name: "No events of it in this time range" }).waitFor();
  await checkPage(empty);
  await empty.page.getByRole("button", { name: "Look at the last 24 h" }).click();
  await empty.page.waitForURL(/last=24h/);
  await empty.page.goto("/events/object");
  await empty.page.getByRole("heading", { name: "Which object?" }).waitFor();
  const failed = await visits.open("owner", object, {
    stub: fails(/\/api\/v1\/events\/timeline/, "This is refused by a test."),
  });
  failed.allow(/422/);
  await failed.page.getByText("This is refused by a test.").waitFor();
});

it("shows a viewer the same events, and says what is not allowed", async () => {
  const here = await visits.open("viewer", "/events");
  await here.page.locator(rows).first().waitFor();
  const refused = await visits.open("viewer", "/events", {
    stub: (page) =>
      page.route(/\/api\/v1\/events/, (route) =>
        route.fulfill({ status: 403, json: problem(403, "Your role includes no events.") }),
      ),
  });
  refused.allow(/403/);
  await refused.page.getByText("Not allowed").first().waitFor();
  expect(await here.call("POST", "/api/v1/push/events", {})).toBeGreaterThanOrEqual(401);
});
