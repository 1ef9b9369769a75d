// Node's undici.
import { Agent, request } from "undici";
import { body, method, run, url } from "./callers.mjs";

const dispatcher = new Agent();
await run(async () => {
  const response = await request(url, { method, body, dispatcher });
  return [response.statusCode, await response.body.text()];
});
