/**
 * fastrouter for browsers, and for Node from 20 on: one ES module, no dependency, no build step.
 *
 *     import { WebSocketService } from 'http://localhost:8080/fastrouter.js';
 *
 *     const service = new WebSocketService('ws://localhost:8082');
 *     service.getStrategySignals('strategy-123').subscribe(signal => console.log(signal.action));
 *     service.on('quote', message => console.log(message.data.symbol, message.data.bid));
 *
 * A service connects at once and stays connected until `close()`. After a lost connection it goes
 * on where it was: with its subscriptions, and after the last event that it has seen.
 */

/**
 * @typedef {{type: string, [field: string]: any}} Message
 * @typedef {{unsubscribe(): void}} Subscription
 */
/**
 * A function, or an observer as RxJS has it: `complete` is called by `close()`, `error` when the
 * service has given up.
 * @template T
 * @typedef {((value: T) => void) | {next?(value: T): void, error?(error: Error): void,
 *   complete?(): void}} Observer
 */
/** @template T @typedef {{subscribe(observer: Observer<T>): Subscription}} Subscribable */
/**
 * @typedef {object} Options
 * @property {string | null} [dialect] the shape of messages, as `?dialect=` names it. Default:
 *   `orchestrator`, {type, timestamp, data}; null: the endpoint's own, as `botcore` on 8080
 * @property {string | string[]} [subscriptions] what to begin with, `S:AAPL:quote,C:*:candle@5m`;
 *   default: what the server gives
 * @property {string} [since] an event's id: begin with those after it that are never dropped
 * @property {string | (() => string | Promise<string>)} [token] sent as the first message; a
 *   function is asked for each connection
 * @property {number} [reconnectDelay] ms before coming back, doubled each time. Default: 1000
 * @property {number} [maxReconnectDelay] ms. Default: 30000
 * @property {number} [maxReconnectAttempts] in a row, then it gives up. Default: never
 * @property {number} [heartbeatInterval] ms between two `Ping`, where clients send them: 30000
 * @property {number} [pongTimeout] ms to wait for the `Pong`. Default: 10000
 * @property {any} [WebSocket] the class to connect with; Node before 22 has none of its own
 * @property {{error(...data: any[]): void}} [logger] is told what went wrong. Default: `console`
 * @property {() => number} [random] 0 to 1, for jitter
 */

const DEFAULTS = {
  dialect: 'orchestrator',
  reconnectDelay: 1000,
  maxReconnectDelay: 30000,
  maxReconnectAttempts: Infinity,
  heartbeatInterval: 30000,
  pongTimeout: 10000,
  logger: console,
  random: Math.random,
};
const OPEN = 1; // as WebSocket.OPEN
const URL_ROOM = 4000; // characters of subscriptions in a URL; the others go in a message
const MOST_LOOSE = 1000;
const PINGS_MISSED = 3; // by the server, then the connection is dead
const UPDATES = ['strategy_status_list', 'strategy_started', 'strategy_stopped', 'strategy_paused',
  'execution_service_status'];
const REFUSALS = ['INVALID_SUBSCRIPTION', 'FORBIDDEN', 'LIMIT_EXCEEDED']; // of a subscribe

const items = (text) => (Array.isArray(text) ? [...text] : text.split(','));
const body = (message) => message.data ?? message.payload ?? message; // by dialect
const numberOf = (id) => Number(/^evt_(\d+)$/.exec(id)?.[1] ?? -1);

function defaultUrl() {
  const { protocol, hostname } = new URL(import.meta.url);
  const scheme = protocol === 'https:' ? 'wss' : 'ws';
  return `${scheme}://${protocol.startsWith('http') ? hostname : 'localhost'}:8082/`;
}

/** Values for any number of observers; who comes later gets later ones. */
class Stream {
  #observers = new Set();
  #logger;

  constructor(logger) {
    this.#logger = logger;
  }

  /** `pick` makes an observer's value of each; undefined is left out. */
  subscribe(observer, pick = (value) => value) {
    const to = typeof observer === 'function' ? { next: observer } : observer;
    const entry = { to, pick };
    this.#observers.add(entry);
    return { unsubscribe: () => void this.#observers.delete(entry) };
  }

  next(value) {
    this.#each(({ to, pick }) => {
      const picked = pick(value);
      if (picked !== undefined) to.next?.(picked);
    });
  }

  end(error) {
    this.#each(({ to }) => (error ? to.error?.(error) : to.complete?.()));
    this.#observers.clear();
  }

  /** What an observer throws is logged; the others and the connection go on. */
  #each(call) {
    for (const entry of [...this.#observers]) {
      try {
        call(entry);
      } catch (error) {
        this.#logger.error('fastrouter: an observer failed:', error);
      }
    }
  }
}

export class WebSocketService {
  #url;
  #options;
  #state;
  #streams = new Map(); // of messages by type; '*' is all
  #socket = null;
  #connected = false;
  #closed = false;
  #queue = []; // messages to send once connected
  #changes = []; // subscribe and unsubscribe messages without an answer yet
  #held; // subscriptions; undefined: what the server gives
  #since; // id of the last event
  #loose = []; // messages without an id that came after it
  #known = new Set(); // those that came before this connection
  #numbered = false; // has a message of this connection an id?
  #newest; // id of the server's newest event when it welcomed us
  #attempts = 0; // since a connection held
  #waited = 0; // ms before the latest
  #openedAt = 0;
  #pingedAt = 0; // by the server
  #pingGap = 0; // ms between two of its pings, at most
  #timers = {};

  /**
   * @param {string} [url] default: port 8082 of the host that this file came from
   * @param {Options} [options]
   */
  constructor(url = defaultUrl(), options = {}) {
    this.#url = new URL(url);
    this.#options = { ...DEFAULTS, WebSocket: globalThis.WebSocket, ...options };
    if (!this.#options.WebSocket) throw new Error('no WebSocket here: options.WebSocket, please');
    this.#held = options.subscriptions == null ? undefined : items(options.subscriptions);
    this.#since = options.since;
    this.#state = new Stream(this.#options.logger);
    /**
     * `isConnected()` is a boolean, `isConnected.subscribe(fn)` tells of changes.
     * @type {(() => boolean) & Subscribable<boolean>}
     */
    this.isConnected = Object.assign(() => this.#connected, {
      subscribe: (observer) => this.#state.subscribe(observer),
    });
    this.#connect();
  }

  // ---- what comes; the three of strategies in the dialect `orchestrator`

  /**
   * Signals of a strategy, or of all: {id, strategyId, symbol, action, price, quantity, …}
   * @param {string} [strategyId]
   * @returns {Subscribable<any>}
   */
  getStrategySignals(strategyId) {
    return this.#ofStrategy('strategy_signal', strategyId);
  }

  /**
   * Trades of a strategy, or of all: {id, strategyId, orderId, symbol, side, quantity, …}
   * @param {string} [strategyId]
   * @returns {Subscribable<any>}
   */
  getStrategyTrades(strategyId) {
    return this.#ofStrategy('strategy_trade', strategyId);
  }

  /**
   * Messages about strategies, whole: {type: 'strategy_started', timestamp, data} and the like
   * @returns {Subscribable<Message>}
   */
  getStrategyUpdates() {
    const pick = (message) => (UPDATES.includes(message.type) ? message : undefined);
    return { subscribe: (observer) => this.#stream('*').subscribe(observer, pick) };
  }

  /**
   * Every message of a type, in any dialect; `'*'` is all types.
   * @param {string} type
   * @param {Observer<Message>} observer
   * @returns {Subscription}
   */
  on(type, observer) {
    return this.#stream(type).subscribe(observer);
  }

  // ---- what goes, once connected

  getActiveStrategies() {
    this.send({ type: 'get_active_strategies' });
  }

  /** @param {string} id @param {object} config */
  startStrategy(id, config = {}) {
    this.send({ type: 'start_strategy', id, config });
  }

  /** @param {string} id */
  stopStrategy(id) {
    this.send({ type: 'stop_strategy', id });
  }

  /** @param {string} id */
  pauseStrategy(id) {
    this.send({ type: 'pause_strategy', id });
  }

  /** @param {string | string[]} subscriptions */
  subscribe(subscriptions) {
    this.#change({ type: 'subscribe', subscriptions: items(subscriptions) });
  }

  /** @param {string | string[]} subscriptions */
  unsubscribe(subscriptions) {
    this.#change({ type: 'unsubscribe', subscriptions: items(subscriptions) });
  }

  /** @param {Message} message any other */
  send(message) {
    if (!this.#sent(message)) this.#queue.push(message);
  }

  /** Close for good: observers complete, nothing is left running. */
  close() {
    if (!this.#closed) this.#end();
  }

  // ---- inside

  #stream(type) {
    if (!this.#streams.has(type)) this.#streams.set(type, new Stream(this.#options.logger));
    return this.#streams.get(type);
  }

  #ofStrategy(type, id) {
    const pick = ({ data }) => (id === undefined || data.strategyId === id ? data : undefined);
    return { subscribe: (observer) => this.#stream(type).subscribe(observer, pick) };
  }

  /** It stays in `#changes` until the server answers, over connections. */
  #change(message) {
    this.#sent(message);
    this.#changes.push(message);
  }

  /** Whether it could be sent at once. */
  #sent(message) {
    if (this.#closed) throw new Error('the service is closed');
    const open = this.#connected && this.#socket.readyState === OPEN;
    if (open) this.#write(message);
    return open;
  }

  #write(message) {
    this.#socket.send(JSON.stringify(message));
  }

  /** Where to connect, and the subscriptions that it has no room for. */
  #address() {
    const url = new URL(this.#url);
    let room = URL_ROOM;
    const first = this.#held?.filter((item) => (room -= item.length) >= 0);
    const dialect = url.searchParams.get('dialect') ?? this.#options.dialect;
    const parameters = { dialect, subscriptions: first?.join(','), since: this.#since };
    for (const [name, value] of Object.entries(parameters)) {
      if (value != null) url.searchParams.set(name, value); // '' are no subscriptions
    }
    return [url.href, this.#held?.slice(first.length) ?? []];
  }

  async #connect() {
    try {
      let { WebSocket, token } = this.#options;
      if (typeof token === 'function') token = await token();
      if (this.#closed) return;
      const [url, rest] = this.#address();
      const socket = (this.#socket = new WebSocket(url));
      socket.onopen = () => this.#opened(token, rest);
      socket.onmessage = (event) => this.#received(event.data);
      socket.onclose = (event) => this.#lost(event.code, event.reason);
      socket.onerror = () => {}; // onclose follows
    } catch (error) {
      this.#options.logger.error('fastrouter: cannot connect:', error);
      this.#again();
    }
  }

  #opened(token, rest) {
    this.#connected = true;
    this.#openedAt = Date.now();
    this.#known = new Set(this.#loose);
    this.#numbered = false;
    if (token !== undefined) this.#write({ type: 'Authenticate', token });
    if (rest.length) this.#write({ type: 'subscribe', subscriptions: rest });
    for (const message of [...this.#changes, ...this.#queue.splice(0)]) this.#write(message);
    this.#state.next(true);
  }

  #received(text) {
    let message;
    try {
      message = JSON.parse(text);
      if (typeof message.type !== 'string') throw new TypeError('a message without a type');
    } catch (error) {
      this.#options.logger.error('fastrouter: not understood:', text, error);
      return;
    }
    const habit = this.#habits[message.type.toLowerCase()];
    if (!habit && this.#had(message, text)) return;
    habit?.(message);
    this.#streams.get(message.type)?.next(message);
    this.#streams.get('*')?.next(message);
  }

  /** Whether it comes again: what has no id does, when the server goes on after the last id. */
  #had(message, text) {
    const id = message.id ?? body(message).event_id;
    if (id === undefined) {
      if (this.#known.delete(text)) return true;
      if (this.#loose.push(text) > MOST_LOOSE) this.#loose.shift();
      return false;
    }
    this.#numbered = true;
    if (numberOf(id) > numberOf(this.#since)) {
      this.#since = id;
      this.#loose = [];
    }
    return false;
  }

  /** What the service itself does about messages, by type in lower case. */
  #habits = {
    ping: (message) => 'received' in message || this.#pong(), // else it is an echo, of dgbit
    pong: () => clearTimeout(this.#timers.overdue),
    connection: (message) => this.#welcomed(body(message)),
    connected: (message) => this.#welcomed(body(message)),
    subscribed: (message) => this.#answered(body(message).subscriptions),
    unsubscribed: (message) => this.#answered(body(message).subscriptions),
    error: (message) => this.#refused(body(message).code),
  };

  #welcomed({ event, last_id: newest }) {
    if (event === undefined) this.#startHeartbeat(); // of botcore and botcore-ai
    this.#newest = newest ?? this.#newest;
    this.#since ??= newest;
  }

  #answered(subscriptions) {
    if (!subscriptions) return; // a job's stream, of dgbit, welcomes so
    this.#changes.shift();
    this.#held = subscriptions;
  }

  #refused(code) {
    if (REFUSALS.includes(code)) this.#changes.shift();
    if (code === 'RESUME_GAP') this.#since = this.#newest; // ids may have begun anew
  }

  /** Once the server pings, it is gone when its pings stay away. */
  #pong() {
    this.#write({ type: 'pong' });
    const now = Date.now();
    if (this.#pingedAt) {
      this.#pingGap = Math.max(this.#pingGap, now - this.#pingedAt);
      this.#expect('ping', PINGS_MISSED * this.#pingGap);
    }
    this.#pingedAt = now;
  }

  #startHeartbeat() {
    clearInterval(this.#timers.heartbeat);
    this.#timers.heartbeat = setInterval(() => {
      this.#write({ type: 'Ping', timestamp: Date.now() });
      this.#expect('Pong', this.#options.pongTimeout);
    }, this.#options.heartbeatInterval);
  }

  /** Give the connection up, whatever the socket says, when a sign of life does not come. */
  #expect(sign, delay) {
    clearTimeout(this.#timers.overdue);
    this.#timers.overdue = setTimeout(() => {
      this.#options.logger.error(`fastrouter: no ${sign} in ${delay} ms, connecting anew`);
      this.#hangUp();
      this.#lost();
    }, delay);
  }

  #hangUp() {
    const socket = this.#socket;
    if (!socket) return;
    socket.onopen = socket.onmessage = socket.onclose = null;
    socket.close();
  }

  #lost(code, reason) {
    const lasted = this.#connected ? Date.now() - this.#openedAt : 0;
    if (lasted > this.#waited) this.#attempts = 0;
    // without ids: by then it has had what there was when it came
    if (!this.#numbered && lasted > this.#options.maxReconnectDelay) this.#since = this.#newest;
    this.#rest();
    this.#again(code === 1001 ? /retry_after=([\d.]+)/.exec(reason)?.[1] : undefined);
  }

  /** Nothing is open, and no timer runs. */
  #rest() {
    Object.values(this.#timers).forEach(clearTimeout);
    this.#socket = null;
    this.#pingedAt = this.#pingGap = 0;
    if (!this.#connected) return;
    this.#connected = false;
    this.#state.next(false);
  }

  /** Come back after what the server asked for (s), or up to a ceiling that doubles each time. */
  #again(asked) {
    const { reconnectDelay: first, maxReconnectDelay: last, maxReconnectAttempts } = this.#options;
    if (this.#closed) return;
    if (this.#attempts >= maxReconnectAttempts) {
      this.#end(new Error(`not connected after ${maxReconnectAttempts} attempts`));
      return;
    }
    this.#attempts += 1;
    const ceiling = Math.min(last, first * 2 ** this.#attempts);
    const jittered = first + this.#options.random() * (ceiling - first);
    this.#waited = Number(asked) ? Math.min(asked * 1000, last) : jittered; // 0 is no time
    this.#timers.retry = setTimeout(() => this.#connect(), this.#waited);
  }

  #end(error) {
    this.#closed = true;
    this.#hangUp();
    this.#rest();
    for (const stream of [this.#state, ...this.#streams.values()]) stream.end(error);
  }
}

/** @param {string} [url] @param {Options} [options] */
export const createWebSocketService = (url, options) => new WebSocketService(url, options);

export default createWebSocketService;
