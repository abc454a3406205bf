import { ExpressAuth, getSession } from "@auth/express";
import express from "express";
import { config, endSession } from "./auth_js.mjs";

export const app = express();
// The proxy in front passes `Host` on, and says in a header that people come over https.
app.set("trust proxy", true);
app.use("/auth", ExpressAuth(config));

app.get("/", async (request, response) => {
  const session = await getSession(request, config);
  if (!session) return response.redirect("/auth/signin");
  const out = `/auth/signout?${new URLSearchParams({ callbackUrl: endSession })}`;
  response.json({ person: session.user, out });
});
