// As much of a browser as a sign-in takes: cookies, redirects and forms, over plain HTTP. Nothing of it knows Anteroom.

import "./node.mjs";
import { once } from "node:events";
import { request } from "node:http";
import { text } from "node:stream/consumers";
import { parse } from "node-html-parser";
import { CookieJar } from "tough-cookie";

const MOST_REDIRECTS = 20;

// What browsers say of a page that somebody goes to. Some servers answer nobody else with a sign-in.
const NAVIGATION = { accept: "text/html", "sec-fetch-dest": "document", "sec-fetch-mode": "navigate" };

export class Browser {
  #cookies = new CookieJar();

  /**
   * Goes to `address` and follows redirects until there is a page. With `until`, to the first address that begins with it and
   * no further: where an application would be asked, which is then up to the test. `posted` are the fields of a form, `origin`
   * is the page's that had it.
   */
  async open(address, { until, posted, origin } = {}) {
    let url = new URL(address);
    for (let hop = 0; hop < MOST_REDIRECTS; hop += 1) {
      if (until && url.href.startsWith(until)) return { url, form: posted };
      const answer = await this.#ask(url, posted, origin);
      for (const one of answer.headers["set-cookie"] ?? []) await this.#cookies.setCookie(one, url.href);
      const { location } = answer.headers;
      const body = await text(answer);
      if (!location) return page(url, answer.statusCode, body);
      url = new URL(location, url);
      posted = undefined;
    }
    throw new Error(`${address} leads on and on`);
  }

  async #ask(url, posted, origin) {
    const headers = { ...NAVIGATION, cookie: await this.#cookies.getCookieString(url.href) };
    if (posted) Object.assign(headers, { origin, "content-type": "application/x-www-form-urlencoded" });
    const asked = request(url, { method: posted ? "POST" : "GET", headers, agent: false });
    asked.end(posted?.toString());
    const [answer] = await once(asked, "response");
    return answer;
  }

  /** Sends the form of `page` that has this `action`, with `values` in place of what its fields hold. */
  submit(page, action, values = {}, { until } = {}) {
    const form = page.html.querySelector(`form[action="${action}"]`);
    if (!form) throw new Error(`no form for ${action} at ${page.url}: ${page.gist}`);
    const posted = entered(form, values);
    return this.open(new URL(action, page.url), { until, posted, origin: page.url.origin });
  }
}

function page(url, status, body) {
  const html = parse(body);
  const gist = `${status} ${html.querySelector("h1")?.textContent ?? body.slice(0, 200)}`;
  return { url, status, text: body, html, gist };
}

function entered(form, values) {
  const fields = new URLSearchParams();
  for (const input of form.querySelectorAll("input")) {
    const { name, type, value = "" } = input.attributes;
    const isChosen = !["radio", "checkbox"].includes(type) || input.hasAttribute("checked");
    if (name && isChosen) fields.set(name, value);
  }
  for (const [name, value] of Object.entries(values)) fields.set(name, value);
  return fields;
}
