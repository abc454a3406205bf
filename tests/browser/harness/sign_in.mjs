/** Fills in the sign-in page that is open and sends it, by the names of its fields. Returns when the answer is there. */
export async function signIn(page, email, password) {
  const form = page.locator("form", { has: page.locator("[name=password]") });
  await form.locator("[name=email]").fill(email);
  await form.locator("[name=password]").fill(password);
  await Promise.all([page.waitForEvent("load"), form.locator("[type=submit]").click()]);
}
