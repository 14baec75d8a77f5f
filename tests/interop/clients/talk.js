// What the Node clients have in common: what they tell goes out, a JSON line each; words come in.
"use strict";

const readline = require("node:readline");
const { exchange } = require("./exchange.js");

const TELL_EVERY_MS = 100;

// The client: {peer, version, begin, count, stop}.
async function talk(make) {
  const task = JSON.parse(process.argv[2]);
  const told = { state: "new", frames: 0 };
  const tell = () => console.log(JSON.stringify(told));
  try {
    const client = await make(task, told);
    client.peer.onconnectionstatechange = () => (told.state = client.peer.connectionState);
    const resource = await connect(client, task);
    told.session = resource.session;
    const telling = setInterval(async () => {
      await client.count?.();
      tell();
    }, TELL_EVERY_MS);
    for await (const word of readline.createInterface({ input: process.stdin })) {
      if (word === "stop") {
        await client.stop();
        await client.count?.();
        told.stopped = true;
      }
      if (word === "leave") break;
    }
    clearInterval(telling);
    await client.count?.();
    await resource.delete();
    told.done = true;
  } catch (error) {
    told.error = String(error.message ?? error);
  }
  tell();
  // Neither stack ends its threads and timers in time by itself.
  process.exit(told.error ? 1 : 0);
}

async function connect({ peer }, { url, token }) {
  await peer.setLocalDescription(await peer.createOffer());
  while (peer.iceGatheringState !== "complete") await new Promise((done) => setTimeout(done, 20));
  const { answer, resource } = await exchange(url, token, peer.localDescription.sdp);
  await peer.setRemoteDescription({ type: "answer", sdp: answer });
  return resource;
}

module.exports = { talk };
