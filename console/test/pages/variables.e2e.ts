import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { narrow } from "../browser";
import { write } from "../steps";
import { answers, checkPage, fails, newVisits, problem } from "./page";

const visits = newVisits();
const path = "/api/v1/dashboards";

const dialogOf = (page: Page) => page.getByRole("dialog", { name: "Variables" });
const namesOf = (page: Page) =>
  dialogOf(page).getByRole("list", { name: "Variables in their order" }).locator("code");

async function opened(page: Page) {
  await page.getByRole("button", { name: "Variables" }).click();
  return dialogOf(page);
}

/** sent waits for the document that a press on Save sends. */
async function sent(page: Page): Promise<{ variables: unknown }> {
  const request = page.waitForRequest(
    (one) => one.method() === "POST" && new URL(one.url()).pathname === path,
  );
  await page.getByRole("button", { name: "Save", exact: true }).click();
  return (await request).postDataJSON() as { variables: unknown };
}

it("makes variables that build on each other, and shows their values before", async () => {
  const here = await visits.open("owner", "/dashboards/new");
  const { page } = here;
  await page.getByLabel("Title", { exact: true }).fill(`Variables ${Date.now()}`);
  const dialog = await opened(page);
  const add = dialog.getByRole("button", { name: "Add a variable" });
  const now = dialog.getByRole("region", { name: "Values now" });
  await add.click();
  await dialog.getByLabel("Name *", { exact: true }).fill("cluster");
  await dialog.getByLabel("Name of the label *").fill("cluster");
  await now.getByText("demo", { exact: true }).waitFor();

  await add.click();
  await dialog.getByLabel("Name *", { exact: true }).fill("ns");
  await dialog.getByLabel("Label", { exact: true }).fill("Namespace");
  await dialog.getByLabel("Name of the label *").fill("namespace");
  await write(page, "Selector", 'kube_pod_info{cluster="$cluster"}');
  await now.getByText("payments", { exact: true }).waitFor();
  await dialog.getByLabel("Pattern").fill("^pay(.*)");
  await now.getByText("ments", { exact: true }).waitFor();
  await dialog.getByLabel("Pattern").fill("");
  await dialog.getByLabel("Several at once").check();
  await dialog.getByLabel("Offers All").check();
  await dialog.getByRole("button", { name: /^Default/ }).click();
  await page
    .getByRole("menuitemcheckbox", { name: "shop" })
    .or(page.getByRole("menuitem", { name: "shop" }))
    .click();

  await add.click();
  await dialog.getByLabel("Name *", { exact: true }).fill("width");
  await dialog.getByLabel("Kind").selectOption("interval");
  await dialog.getByLabel("Values *").fill("5m\n1h");
  await dialog.getByLabel("Default", { exact: true }).click();
  await page.getByRole("option", { name: "1h" }).click();
  await checkPage(here);
  await dialog.getByRole("button", { name: "Move width up" }).click();
  expect(await namesOf(page).allTextContents()).toEqual(["cluster", "width", "ns"]);
  await dialog.getByRole("button", { name: "Apply" }).click();

  // The second has its values as soon as the first has one, though nobody chose anything.
  await page.getByRole("button", { name: "Namespace: shop" }).waitFor();
  expect((await sent(page)).variables).toEqual([
    { name: "cluster", type: "query", query: "label_values(cluster)" },
    { name: "width", type: "interval", values: ["5m", "1h"], default: ["1h"] },
    {
      name: "ns",
      type: "query",
      query: 'label_values(kube_pod_info{cluster="$cluster"}, namespace)',
      label: "Namespace",
      default: ["shop"],
      multi: true,
      include_all: true,
    },
  ]);
  await page.waitForURL(/\/dashboards\/(?!new)/);
  const id = new URL(page.url()).pathname.split("/").at(-1);
  expect(await here.call("DELETE", `${path}/${id}`)).toBe(204);
});

it("says at the field what is wrong, and brings back what was deleted", async () => {
  const here = await visits.open("owner", "/dashboards/new", { viewport: narrow });
  const { page } = here;
  const dialog = await opened(page);
  await dialog.getByText(/No variables yet/).waitFor();
  const add = dialog.getByRole("button", { name: "Add a variable" });
  await add.click();
  const name = dialog.getByLabel("Name *", { exact: true });
  await name.fill("9 lives");
  await dialog.getByText("Letters, digits and underscores, and no digit at the beginning.").waitFor();
  expect(await name.getAttribute("aria-invalid")).toBe("true");
  await name.fill("one");
  await add.click();
  await name.fill("one");
  await dialog.getByText("Another variable has this name.").waitFor();
  await name.fill("two");
  await dialog.getByLabel("Kind").selectOption("constant");
  await dialog.getByLabel("Value *").fill("eu");
  await checkPage(here);

  // What was not looked at is told of when it is applied, and comes into view.
  await dialog.getByRole("button", { name: "Apply" }).click();
  await dialog.getByText("Say where the values come from.").waitFor();
  expect(await name.inputValue()).toBe("one");

  await dialog.getByRole("button", { name: "Delete one" }).click();
  expect(await namesOf(page).allTextContents()).toEqual(["two"]);
  await page.getByRole("button", { name: "Undo" }).click();
  expect(await namesOf(page).allTextContents()).toEqual(["one", "two"]);
  await dialog.getByRole("button", { name: "Move two up" }).focus();
  await page.keyboard.press("Enter");
  expect(await namesOf(page).allTextContents()).toEqual(["two", "one"]);
  await dialog.getByRole("button", { name: "Delete one" }).click();
  await dialog.getByRole("button", { name: "Apply" }).click();
  await dialog.waitFor({ state: "detached" });
});

it("says why values cannot be had", async () => {
  const here = await visits.open("owner", "/dashboards/new", {
    stub: fails(/\/prometheus\/api\/v1\/label\/pod\/values/, "They are away."),
  });
  const { page } = here;
  here.allow(/422/);
  const dialog = await opened(page);
  await dialog.getByRole("button", { name: "Add a variable" }).click();
  await dialog.getByLabel("Name of the label *").fill("pod");
  await dialog.getByRole("alert").getByText("They are away.").waitFor();
  await dialog.getByRole("button", { name: "Apply" }).click();
  await page.getByText("no values", { exact: true }).waitFor();
});

it("puts the server's words beside the field", async () => {
  const here = await visits.open("owner", "/dashboards/new", {
    stub: (page) =>
      page.route(`**${path}`, (route) =>
        route.request().method() === "POST"
          ? route.fulfill({
              status: 400,
              json: problem(400, "One fault.", {
                errors: [{ pointer: "/variables/0/pattern", detail: "The pattern is too wide." }],
              }),
            })
          : route.fallback(),
      ),
  });
  const { page } = here;
  here.allow(/400/);
  const dialog = await opened(page);
  await dialog.getByRole("button", { name: "Add a variable" }).click();
  await dialog.getByLabel("Name of the label *").fill("node");
  await dialog.getByRole("button", { name: "Apply" }).click();
  await page.getByRole("button", { name: "Save", exact: true }).click();
  await page.getByText("One fault.").waitFor();
  await opened(page);
  await dialog.getByText("The pattern is too wide.").waitFor();
  await dialog.getByLabel("Pattern").fill("n.*");
  await dialog.getByText("The pattern is too wide.").waitFor({ state: "detached" });
});

it("has the query of a variable as PromQL", async () => {
  const here = await visits.open("owner", "/dashboards/new", {
    stub: answers(/\/prometheus\/api\/v1\/query\?/, {
      status: "success",
      data: { resultType: "vector", result: [{ metric: { pod: "web-1" }, value: [0, "1"] }] },
    }),
  });
  const { page } = here;
  const dialog = await opened(page);
  await dialog.getByRole("button", { name: "Add a variable" }).click();
  await dialog.getByLabel("Comes from").selectOption({ label: "Result of a query" });
  await write(page, "PromQL of the variable", "topk(1, up)");
  await dialog.getByText("web-1").waitFor();
});
