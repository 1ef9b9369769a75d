// Node's http module with an agent that keeps connections.
import http from "node:http";
import { body, method, run, url } from "./callers.mjs";

const agent = new http.Agent({ keepAlive: true });
await run(
  () =>
    new Promise((resolve, reject) => {
      const request = http.request(url, { method, agent }, (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => (text += part));
        response.on("end", () => resolve([response.statusCode, text]));
        response.on("error", reject);
      });
      request.on("error", reject);
      request.end(body);
    }),
);
