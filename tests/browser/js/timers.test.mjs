/** When the SDK comes back, and how it notices that it has to: with a fake socket and fake time. */
import assert from 'node:assert/strict';
import { beforeEach, mock, test } from 'node:test';

const { WebSocketService } = await import(process.env.SDK);

class FakeSocket {
  static all = [];

  constructor(url) {
    this.url = url;
    this.sent = [];
    this.closed = false;
    this.readyState = 0;
    FakeSocket.all.push(this);
  }

  send(text) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.closed = true;
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  say(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }

  lose(code = 1006, reason = '') {
    this.onclose({ code, reason });
  }
}

let logged;

function service(options = {}) {
  const logger = { error: (...data) => logged.push(data.join(' ')) };
  return new WebSocketService('ws://host', { WebSocket: FakeSocket, logger, ...options });
}

const last = () => FakeSocket.all.at(-1);
const pass = (ms) => mock.timers.tick(ms);

/** ms until the next socket, after the latest was lost. */
function waited(code, reason) {
  const count = FakeSocket.all.length;
  last().lose(code, reason);
  for (let ms = 0; ms < 100_000; ms += 100) {
    if (FakeSocket.all.length > count) return ms;
    pass(100);
  }
  return Infinity;
}

beforeEach(() => {
  FakeSocket.all = [];
  logged = [];
  mock.timers.reset();
  mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: 1e12 });
});

test('delays double from 1 s to 30 s', () => {
  service({ random: () => 1 });
  const delays = Array.from({ length: 7 }, () => waited());
  assert.deepEqual(delays, [2000, 4000, 8000, 16000, 30000, 30000, 30000]);
});

test('jitter goes down to the first delay', () => {
  service({ random: () => 0 });
  assert.deepEqual(Array.from({ length: 6 }, () => waited()), Array(6).fill(1000));
});

test('they lie between by default', () => {
  service();
  const delays = Array.from({ length: 9 }, () => waited());
  assert.ok(delays.every((delay) => delay >= 1000 && delay <= 30000), String(delays));
  assert.ok(new Set(delays).size > 2, String(delays));
});

test('a connection that held begins anew', () => {
  service({ random: () => 1 });
  assert.deepEqual([waited(), waited(), waited()], [2000, 4000, 8000]);
  last().open();
  pass(8001);
  assert.equal(waited(), 2000);
});

test('one that is cut at once does not', () => {
  service({ random: () => 1 });
  last().open();
  assert.deepEqual([waited(4401), (last().open(), waited(4401))], [2000, 4000]);
});

test('a draining server says when to come back', () => {
  service({ random: () => 1 });
  assert.equal(waited(1001, 'retry_after=3.7'), 3700);
  assert.equal(waited(1001, 'server drains, retry_after=0.5'), 500);
  assert.equal(waited(1001, 'retry_after=86400'), 30000);
  assert.equal(waited(1006, 'retry_after=3.7'), 16000);
  assert.equal(waited(1001, ''), 30000);
});

test('but not at once', () => {
  service({ random: () => 0 });
  assert.equal(waited(1001, 'draining; retry_after=0'), 1000);
});

test('it gives up only when told to, and tells', () => {
  const told = [];
  const one = service({ maxReconnectAttempts: 2, random: () => 0 });
  one.getStrategyUpdates().subscribe({ error: (error) => told.push(error.message) });
  assert.deepEqual([waited(), waited(), waited()], [1000, 1000, Infinity]);
  assert.deepEqual(told, ['not connected after 2 attempts']);
  assert.throws(() => one.getActiveStrategies(), /closed/);
});

test('botcore: Ping every 30 s, and no Pong in 10 s means anew', () => {
  service({ random: () => 0 });
  last().open();
  last().say({ type: 'Connected', data: { client_id: 'c' }, timestamp: 1 });
  pass(30_000);
  assert.deepEqual(last().sent, [{ type: 'Ping', timestamp: 1e12 + 30_000 }]);
  last().say({ type: 'Pong', data: { timestamp: 1 }, timestamp: 1 });
  pass(30_000);
  assert.equal(last().sent.length, 2);
  pass(9_999);
  assert.equal(last().closed, false);
  pass(1);
  assert.equal(last().closed, true);
  assert.match(logged[0], /no Pong in 10000 ms/);
  pass(1000);
  assert.equal(FakeSocket.all.length, 2);
  last().open();
  pass(120_000);
  assert.deepEqual(last().sent, []); // the new server has not said that it is a botcore
});

test('botcore-ai: the same', () => {
  service({ heartbeatInterval: 5 });
  last().open();
  last().say({ type: 'connection', message: 'Connected to AI Trading Service', timestamp: 'now' });
  pass(5);
  assert.equal(last().sent[0].type, 'Ping');
});

test('the others: pong, and anew when their pings stay away', () => {
  service({ random: () => 0 });
  last().open();
  last().say({ type: 'connection', data: { event: 'CONNECTED' } });
  pass(15_000);
  last().say({ type: 'ping' });
  pass(15_000);
  last().say({ type: 'ping' });
  last().say({ type: 'ping' });
  assert.deepEqual(last().sent, Array(3).fill({ type: 'pong' }));
  pass(44_999);
  assert.equal(last().closed, false);
  pass(1);
  assert.equal(last().closed, true);
});

test('a command while the socket closes waits for the next one', () => {
  const one = service({ random: () => 0 });
  last().open();
  last().readyState = 2;
  one.stopStrategy('a');
  waited(1006);
  assert.deepEqual(FakeSocket.all[0].sent, []);
  last().open();
  assert.deepEqual(last().sent, [{ type: 'stop_strategy', id: 'a' }]);
});

test('botcore has no ids: it goes on after the newest of its last welcome, once that is done', () => {
  const asked = () => new URL(last().url).searchParams.get('since');
  service({ random: () => 0 });
  for (const [lasts, newest, goes] of [
    [10_000, 'evt_1', 'evt_1'],
    [10_000, 'evt_2', 'evt_1'],
    [31_000, 'evt_3', 'evt_3'],
  ]) {
    last().open();
    last().say({ type: 'Connected', data: { last_id: newest }, timestamp: 1 });
    last().say({ type: 'TradeExecuted', data: { trade_id: newest }, timestamp: 1 });
    pass(lasts);
    waited(1006);
    assert.equal(asked(), goes);
  }
});

test('an echo of dgbit is no ping', () => {
  service();
  last().open();
  last().say({ type: 'ping', received: { type: 'x' } });
  assert.deepEqual(last().sent, []);
});

test('nothing is left after close', () => {
  const states = [];
  const one = service();
  one.isConnected.subscribe({ next: (on) => states.push(on), complete: () => states.push('done') });
  last().open();
  last().say({ type: 'Connected', data: {} });
  const socket = last();
  one.close();
  one.close();
  pass(1_000_000);
  assert.deepEqual([FakeSocket.all.length, socket.sent.length, socket.closed], [1, 0, true]);
  assert.deepEqual(states, [true, false, 'done']);
  assert.throws(() => one.subscribe('S:A:quote'), /closed/);
});

test('closing while it waits ends the waiting', () => {
  const one = service();
  last().lose();
  one.close();
  pass(1_000_000);
  assert.equal(FakeSocket.all.length, 1);
});

test('an address that is none is told at once', () => {
  assert.throws(() => new WebSocketService('nowhere', { WebSocket: FakeSocket }), /URL/);
});

test('without a WebSocket it says so', () => {
  assert.throws(() => new WebSocketService('ws://host', { WebSocket: undefined }), /WebSocket/);
});

const asked = () => new URL(last().url).searchParams;

test('who holds nothing asks for nothing when it comes back', () => {
  const one = service({ subscriptions: '*:quote' });
  last().open();
  one.unsubscribe('*:quote');
  last().say({ type: 'unsubscribed', data: { subscriptions: [] } });
  waited();
  assert.equal(asked().get('subscriptions'), '');
});

for (const nothing of ['', []]) {
  test(`${JSON.stringify(nothing)} are no subscriptions`, () => {
    service({ subscriptions: nothing });
    assert.equal(asked().get('subscriptions'), '');
  });
}

test('what the server gives is not named', () => {
  service();
  assert.equal(asked().has('subscriptions'), false);
});

test('a change while the socket closes is said once', () => {
  const one = service();
  last().open();
  last().readyState = 2;
  one.subscribe('S:A:quote');
  waited();
  last().open();
  assert.deepEqual(last().sent, [{ type: 'subscribe', subscriptions: ['S:A:quote'] }]);
});

test("the welcome of a job's stream answers nothing", () => {
  const one = service({ dialect: 'dgbit' });
  one.subscribe('j:job');
  last().open();
  last().say({ type: 'subscribed', job_uuid: 'j', message: 'm' });
  waited();
  last().open();
  assert.deepEqual(last().sent, [{ type: 'subscribe', subscriptions: ['j:job'] }]);
});
