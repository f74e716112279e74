// wasi:http/client with a list of origins. What is not on the list is refused before a name is looked up.
import { client } from "@bytecodealliance/preview3-shim/http";

/** The variables whose values are origins that the component may call, and their defaults. */
const ORIGINS = {
  getfly_url: "",
  kiotviet_api_url: "https://public.kiotapi.com",
  kiotviet_auth_url: "https://id.kiotviet.vn",
  kiotviet_fnb_api_url: "https://publicfnb.kiotapi.com",
  kiotviet_fnb_auth_url: "https://api.fnb.kiotviet.vn",
  alert_origin: "",
};

class Denied extends Error {
  payload = { tag: "HTTP-request-denied" };
}

/** Calls to the configured origins only. Redirects are not followed: the component gets them as answers. */
export function outbound(variables) {
  const allowed = new Set();
  for (const [name, otherwise] of Object.entries(ORIGINS)) {
    const origin = variables[name] || otherwise;
    if (URL.canParse(origin)) allowed.add(new URL(origin).origin);
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
