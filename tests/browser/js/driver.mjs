/**
 * The SDK under remote control: calls come as JSON lines [method, …arguments] on the standard
 * input, what it observes goes as JSON lines [what, value] to the standard output.
 *
 *     node driver.mjs MODULE URL OPTIONS
 */
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';

import { observe } from './observe.mjs';

const [module, url, text] = process.argv.slice(2);
const { token, ...options } = JSON.parse(text);
const { createWebSocketService } = await import(module);

const tell = (what, value) => console.log(JSON.stringify([what, value]));
const logger = { error: (...data) => tell('logged', data.map(String).join(' ')) };
let asked = 0;

const service = createWebSocketService(url, {
  ...(!globalThis.WebSocket && { WebSocket: createRequire(import.meta.url)('ws') }),
  logger,
  ...options,
  ...(token && { token: async () => `${token} ${++asked}` }),
});
tell('born', service.isConnected());
observe(service, tell);
for await (const line of createInterface(process.stdin)) {
  const [method, ...values] = JSON.parse(line);
  service[method](...values);
}
service.close();
