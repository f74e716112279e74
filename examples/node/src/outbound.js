// wasi:http/client with a list of origins. What is not on the list is refused before a name is looked up.
import { client } from "@bytecodealliance/preview3-shim/http";

/** The variables whose values are origins that the component may call. */
const ORIGINS = ["getfly_url", "kiotviet_api_url", "kiotviet_auth_url", "alert_origin"];
const DEFAULTS = {
  kiotviet_api_url: "https://public.kiotapi.com",
  kiotviet_auth_url: "https://id.kiotviet.vn",
};

class Denied extends Error {
  payload = { tag: "HTTP-request-denied" };
}

/** Calls to the configured origins only. Redirects are not followed: the component gets them as answers. */
export function outbound(variables) {
  const allowed = new Set();
  for (const name of ORIGINS) {
    const origin = variables[name] ?? DEFAULTS[name];
    if (origin && URL.canParse(origin)) allowed.add(new URL(origin).origin);
  }
  return {
    async send(request) {
      const scheme = request.getScheme()?.tag === "HTTP" ? "http" : "https";
      const url = `${scheme}://${request.getAuthority()}`;
      if (!URL.canParse(url) || !allowed.has(new URL(url).origin)) {
        console.error(`an outbound call to ${url} is denied`);
        throw new Denied(`${url} is not an allowed origin`);
      }
      return client.send(request);
    },
  };
}
