// WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep) from the client's side, for pages and for Node: an
// offer for an answer, candidates that come later, and goodbye.
"use strict";

class Resource {
  constructor(response, endpoint, token) {
    // OBS and others take Location as relative to the endpoint, as RFC 9110 has it.
    this.url = new URL(response.headers.get("Location"), endpoint);
    this.etag = response.headers.get("ETag");
    const link = /<(\/sessions\/[^>]+)>; rel="urn:kinecast:session"/.exec(response.headers.get("Link"));
    this.session = link ? link[1] : null;
    this.token = token;
  }

  // Lines are "candidate:…" without "a=".
  async trickle(mid, ufrag, lines) {
    const body = [`a=ice-ufrag:${ufrag}`, `a=mid:${mid}`, ...lines.map((line) => `a=${line}`), ""];
    return checked(
      await fetch(this.url, {
        method: "PATCH",
        headers: {
          ...bearer(this.token),
          "Content-Type": "application/trickle-ice-sdpfrag",
          "If-Match": this.etag,
        },
        body: body.join("\r\n"),
      }),
    );
  }

  async delete() {
    return checked(await fetch(this.url, { method: "DELETE", headers: bearer(this.token) }));
  }
}

// Returns the answer's SDP and its resource.
async function exchange(endpoint, token, sdp) {
  const response = await checked(
    await fetch(endpoint, {
      method: "POST",
      headers: { ...bearer(token), "Content-Type": "application/sdp" },
      body: sdp,
    }),
  );
  return { answer: await response.text(), resource: new Resource(response, endpoint, token) };
}

function bearer(token) {
  return token ? { Authorization: `Bearer ${token}` } : {};
}

async function checked(response) {
  if (response.ok) return response;
  throw new Error(`${response.status}: ${await response.text()}`);
}

if (typeof module !== "undefined") module.exports = { exchange };
