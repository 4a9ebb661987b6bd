"""The rules once more, slowly: fractions, no caches, everything reckoned from the list of fills."""

from __future__ import annotations

import math
from fractions import Fraction

DAY = 86_400 * 10**9
MINUTE = 60 * 10**9
LOTS = 10**9
COST = 10**18


def exactly(value):
    """By its shortest digits."""
    return Fraction(repr(value)) if isinstance(value, float) else Fraction(value)


def paid(value):
    return exactly(value) if value > 0 else None


def down(quantity):
    return Fraction(math.floor(quantity * LOTS), LOTS)


class Oracle:
    """An account of several symbols."""

    def __init__(self, start, shorting, participation, commission, collar, max_loss, at_once=False):
        self.at_once = at_once
        #: symbol -> its last quote: bid, ask, what is left of it, how it touches
        self.shown = {}
        self.start = Fraction(start)
        self.shorting = shorting
        self.participation = participation and Fraction(participation)
        self.commission = {name: Fraction(rate) for name, rate in commission.items()}
        self.collar = Fraction(collar)
        self.max_loss = max_loss
        self.limits = {}
        #: every order ever made, rejected ones included
        self.orders = []
        #: (order, signed quantity, price, fee)
        self.fills = []
        self.prices = {}
        self.marks = {}
        self.now = None
        self.day_end = None
        self.day_equity = None
        #: the day's losses that were told, and whether this day's was
        self.losses = []
        self.told = False

    # ---------------------------------------------------------- the books

    def held(self, symbol, strategy=None):
        """Quantity and cost of a position."""
        quantity = cost = Fraction(0)
        for order, amount, price, _ in self.fills:
            if order["symbol"] != symbol or strategy not in (None, order["strategy_id"]):
                continue
            if quantity * amount >= 0:
                cost += amount * price
            elif abs(amount) > abs(quantity):
                cost = (quantity + amount) * price
            elif amount == -quantity:
                cost = Fraction(0)
            else:
                # half to even, as `round` does
                cost += Fraction(round(cost * amount / quantity * COST), COST)
            quantity += amount
        return quantity, cost

    def symbols(self):
        return {order["symbol"] for order, *_ in self.fills}

    @property
    def cash(self):
        return self.start - sum(amount * price + fee for _, amount, price, fee in self.fills)

    @property
    def fees(self):
        return sum((fee for *_, fee in self.fills), Fraction(0))

    @property
    def equity(self):
        return self.cash + sum(
            self.held(symbol)[0] * self.marks.get((symbol, None), 0) for symbol in self.symbols()
        )

    def reserved(self, left_out=None):
        total = Fraction(0)
        for symbol in {order["symbol"] for order in self.orders}:
            quantity, _ = self.held(symbol)
            cover = {"buy": max(0, -quantity), "sell": max(0, quantity)}
            for order in self.open(symbol):
                if order is left_out:
                    continue
                rest = self.remaining(order)
                covered = min(cover[order["side"]], rest)
                cover[order["side"]] -= covered
                if rest == covered:
                    continue
                if order["qty"] is None and not covered:
                    total += order["notional"]
                else:
                    total += (rest - covered) * order["hold"]
                total += self.fee(rest - covered, order["hold"], not order["fills"])
        return total

    @property
    def free(self):
        owed = Fraction(0)
        for symbol in self.symbols():
            quantity, cost = self.held(symbol)
            if quantity < 0:
                owed += 2 * max(-cost, -quantity * self.marks[symbol, None])
        return self.cash - owed - self.reserved()

    def fee(self, quantity, price, first):
        rates = self.commission
        fee = rates.get("per_order", 0) * first + rates.get("per_unit", 0) * quantity
        fee += rates.get("percent", 0) / 100 * quantity * price
        return Fraction(round(fee * LOTS), LOTS)

    # ---------------------------------------------------------- orders

    def open(self, symbol=None, strategy=None):
        return [
            order
            for order in self.orders
            if order["status"] in ("accepted", "new", "partially_filled")
            and symbol in (None, order["symbol"])
            and strategy in (None, order["strategy_id"])
        ]

    def remaining(self, order):
        if order["qty"] is None:
            return Fraction(round(order["notional"] / order["hold"] * LOTS), LOTS)
        return order["qty"] - order["filled"]

    def begin(self, now):
        if self.day_end is None or now >= self.day_end:
            self.day_equity = self.equity
            self.told = False
            self.day_end = (now // DAY + 1) * DAY

    def make(self, fields, now, closing=False):
        get = fields.get
        number = lambda name: exactly(fields[name]) if get(name) is not None else None  # noqa: E731
        order = {
            "symbol": fields["symbol"],
            "side": fields["side"],
            "type": get("type", "market"),
            "time_in_force": get("time_in_force", "day"),
            "strategy_id": get("strategy_id", ""),
            **{name: number(name) for name in ("qty", "notional", "limit_price", "stop_price")},
            "filled": Fraction(0),
            "fills": 0,
            "triggered": False,
            "closing": closing,
            "status": "pending_new",
            "known": self.now,
            "created": now,
            "code": None,
        }
        day = order["time_in_force"] == "day"
        order["expires"] = (now // DAY + 1) * DAY if day else None
        order["hold"] = self.hold(order)
        return order

    def hold(self, order):
        bid, ask = self.prices.get(order["symbol"], (None, None))
        buy = order["side"] == "buy"
        at = (ask or bid or 0) if buy else (bid or ask or 0)
        if order["limit_price"] is not None:
            return order["limit_price"] if buy else max(order["limit_price"], at)
        if order["stop_price"] is not None:
            return order["stop_price"]
        hold = Fraction(round(at * (1 + self.collar) * 10**15), 10**15)
        return hold or (self.marks[order["symbol"], None] if order["closing"] else 0)

    def submit(self, fields, now):
        self.begin(now)
        order = self.make(fields, now)
        self.judge(order, now)
        self.arrive(order, now)
        return order

    def replace(self, old, fields, now):
        self.begin(now)
        asked = {name: old[name] for name in ("symbol", "side", "type", "strategy_id")}
        asked |= {name: old[name] for name in ("limit_price", "stop_price", "time_in_force")}
        order = self.make(asked | {"qty": self.remaining(old)} | fields, now)
        self.judge(order, now, old)
        if order["status"] == "accepted":
            old["status"] = "replaced"
        self.arrive(order, now)
        return order

    def arrive(self, order, now):
        """It has what is left of the last quote, unless a bar came since."""
        symbol = order["symbol"]
        if not self.at_once or order["status"] != "accepted" or symbol not in self.shown:
            return
        bid, ask, left, touch = self.shown[symbol]
        self.match([order], left, touch)
        self.mark(symbol, bid, ask)
        self.tell_loss()
        closing = self.stop_losses(symbol, now)
        if closing:
            self.match(closing, left, touch)
            self.mark(symbol, bid, ask)
            self.tell_loss()

    def tell_loss(self):
        loss = self.day_equity - self.equity
        if self.max_loss is not None and loss >= self.max_loss and not self.told:
            self.told = True
            self.losses.append(loss)

    def judge(self, order, now, old=None):
        order["code"] = self.refusal(order, now, old)
        self.orders.append(order)
        order["status"] = "rejected" if order["code"] else "accepted"

    def refusal(self, order, now, old):
        if not order["hold"]:
            return "NO_PRICE"
        symbol, strategy, buy = order["symbol"], order["strategy_id"], order["side"] == "buy"
        quantity, _ = self.held(symbol, strategy)
        others = sum(
            self.remaining(one)
            for one in self.open(symbol, strategy)
            if one["side"] == order["side"] and one is not old
        )
        exposure = (quantity if buy else -quantity) + others + self.remaining(order)
        limits = self.limits.get(strategy, {})
        if "maxOrdersPerMinute" in limits:
            recent = [
                one
                for one in self.orders
                if one["strategy_id"] == strategy
                and one["created"] > now - MINUTE
                and one["status"] != "rejected"
                and not one["closing"]
            ]
            if len(recent) >= limits["maxOrdersPerMinute"]:
                return "MAX_ORDERS_PER_MINUTE"
        loss = self.day_equity - self.equity
        if self.max_loss is not None and loss >= self.max_loss and exposure > 0:
            return "MAX_DAILY_LOSS"
        if "maxPositionValue" in limits and exposure * order["hold"] > limits["maxPositionValue"]:
            return "MAX_POSITION_VALUE"
        if not buy and not self.shorting and exposure > 0:
            return "INSUFFICIENT_QUANTITY"
        free = self.free + self.reserved() - self.reserved(old)
        without = self.reserved(old)
        self.orders.append(order)
        order["status"] = "accepted"
        needed = self.reserved(old) - without
        self.orders.pop()
        order["status"] = "pending_new"
        return "INSUFFICIENT_BALANCE" if needed and needed > free else None

    def cancel(self, order):
        order["status"] = "canceled"

    def close(self, symbol, strategy, now):
        self.begin(now)
        for one in self.open(symbol, strategy):
            self.cancel(one)
        quantity, _ = self.held(symbol, strategy)
        fields = {
            "symbol": symbol,
            "side": "sell" if quantity > 0 else "buy",
            "qty": abs(quantity),
            "time_in_force": "gtc",
            "strategy_id": strategy,
        }
        order = self.make(fields, now, closing=True)
        self.orders.append(order)
        order["status"] = "accepted"
        return order

    # ---------------------------------------------------------- the market

    def clock(self, now):
        self.begin(now)
        for order in self.open():
            if order["expires"] is not None and order["expires"] <= now:
                order["status"] = "expired"

    def quote(self, symbol, bid, ask, bid_size, ask_size, now):
        self.prices[symbol] = bid, ask = paid(bid), paid(ask)
        sizes = {
            side: down(exactly(size)) if size else None
            for side, size in (("sell", bid_size), ("buy", ask_size))
        }

        def touch(order):
            at = {"buy": ask, "sell": bid}[order["side"]]
            return at if at is None else self.at_quote(order, at)

        self.shown[symbol] = bid, ask, sizes, touch
        return self.event(symbol, bid, ask, sizes, touch, now)

    def bar(self, symbol, bar, opened, now):
        open, high, low, close, volume = map(exactly, bar)
        self.prices[symbol] = close, close
        self.shown.pop(symbol, None)
        part = None
        if self.participation is not None and volume:
            part = down(down(volume) * self.participation)

        def touch(order):
            if opened < order["created"] or (order["expires"] or opened + 1) <= opened:
                return None
            return self.at_bar(order, open, high, low)

        return self.event(symbol, close, close, {"buy": part, "sell": part}, touch, now, ended=True)

    def expire(self, symbol, before):
        for order in self.open(symbol):
            if order["expires"] is not None and order["expires"] < before:
                order["status"] = "expired"

    def event(self, symbol, bid, ask, sizes, touch, now, ended=False):
        self.now = now
        held = [self.held(symbol, strategy)[0] for strategy in ("", "a", "b")]
        if not self.open(symbol) and not any(held):
            return
        self.begin(now)
        self.mark(symbol, bid, ask)
        self.expire(symbol, now if ended else now + 1)
        early = [
            one for one in self.open(symbol) if one["status"] == "accepted" and one["known"] == now
        ]
        self.match([one for one in self.open(symbol) if one not in early], sizes, touch)
        self.expire(symbol, now + 1)
        self.mark(symbol, bid, ask)
        self.tell_loss()
        closing = self.stop_losses(symbol, now)
        if self.at_once and closing and symbol in self.shown:
            self.match(closing, sizes, touch)
            self.mark(symbol, bid, ask)
            self.tell_loss()

    def match(self, orders, left, touch):
        for side in ("sell", "buy"):
            met = []
            for order in orders:
                found = touch(order) if order["side"] == side else None
                if found is not None:
                    met.append((order, found))
            met.sort(key=lambda one: self.rank(one[0]))
            for order, found in met:
                taken = self.serve(order, found, left[side])
                left[side] = None if left[side] is None else left[side] - taken

    def mark(self, symbol, bid, ask):
        for strategy in (None, "", "a", "b"):
            quantity, _ = self.held(symbol, strategy)
            mark = bid if quantity > 0 else ask
            if quantity and mark is not None:
                self.marks[symbol, strategy] = mark

    def rank(self, order):
        limit = order["limit_price"]
        if limit is None:
            return (0, 0)
        return (1, -limit if order["side"] == "buy" else limit)

    def at_quote(self, order, at):
        """The price, or "no"; and whether the order's stop is triggered by it."""
        sign = 1 if order["side"] == "buy" else -1
        stop, limit = order["stop_price"], order["limit_price"]
        arriving = order["status"] == "accepted" if stop is None else not order["triggered"]
        triggered = stop is not None and (order["triggered"] or sign * at >= sign * stop)
        if stop is not None and not triggered:
            return "no", False
        if limit is None:
            return at, triggered
        if sign * at > sign * limit:
            return "no", triggered
        return (at if arriving else limit), triggered

    def at_bar(self, order, open, high, low):
        buy = order["side"] == "buy"
        sign = 1 if buy else -1
        best, worst = (low, high) if buy else (high, low)
        stop, limit = order["stop_price"], order["limit_price"]
        if stop is not None and not order["triggered"]:
            if sign * worst < sign * stop:
                return "no", False
            at = open if sign * open >= sign * stop else stop
            return ("no" if limit is not None and sign * at > sign * limit else at), True
        triggered = order["triggered"]
        if limit is None or sign * open <= sign * limit:
            return open, triggered
        return (limit if sign * best <= sign * limit else "no"), triggered

    def serve(self, order, found, room):
        price, triggered = found
        at_once = order["time_in_force"] in ("ioc", "fok")
        if price == "no":
            order["triggered"] = triggered
            if at_once and not (order["stop_price"] is not None and not triggered):
                self.cancel(order)
            elif order["status"] == "accepted":
                order["status"] = "new"
            return 0
        before = order["qty"]
        if before is None:
            order["qty"] = self.units(order, price)
            if not order["qty"]:
                order["qty"] = before
                self.cancel(order)
                return 0
        amount = self.remaining(order) if room is None else min(room, self.remaining(order))
        if not amount or (order["time_in_force"] == "fok" and amount < self.remaining(order)):
            order["qty"] = before
            order["triggered"] = triggered
            if at_once:
                self.cancel(order)
            elif order["status"] == "accepted":
                order["status"] = "new"
            return 0
        if before is None:
            order["hold"] = price
        was = dict(order)
        mark = self.marks.get((order["symbol"], None))
        signed = amount if order["side"] == "buy" else -amount
        held = self.held(order["symbol"])[0]
        fee = self.fee(amount, price, not order["fills"])
        order["triggered"] = triggered
        order["filled"] += amount
        order["fills"] += 1
        order["status"] = "partially_filled" if self.remaining(order) else "filled"
        self.fills.append((order, signed, price, fee))
        self.marks[order["symbol"], None] = price
        opens = held * signed >= 0 or abs(signed) > abs(held)
        if opens and self.free < 0 and not order["closing"]:
            self.fills.pop()
            order.update(was)
            if mark is not None:
                self.marks[order["symbol"], None] = mark
            self.cancel(order)
            return 0
        for strategy in (None, order["strategy_id"]):
            quantity, _ = self.held(order["symbol"], strategy)
            worth = self.prices[order["symbol"]][0 if quantity > 0 else 1]
            self.marks[order["symbol"], strategy] = price if worth is None else worth
        if order["time_in_force"] == "ioc" and self.remaining(order):
            self.cancel(order)
        return amount

    def units(self, order, price):
        wanted = down(order["notional"] / price)
        if order["side"] == "buy" or self.shorting:
            return wanted
        quantity, _ = self.held(order["symbol"], order["strategy_id"])
        others = sum(
            self.remaining(one)
            for one in self.open(order["symbol"], order["strategy_id"])
            if one["side"] == "sell" and one is not order
        )
        return min(wanted, max(0, quantity - others))

    def stop_losses(self, symbol, now):
        """The closing orders."""
        made = []
        for strategy, limits in self.limits.items():
            most = limits.get("stopLossPercentage")
            quantity, cost = self.held(symbol, strategy)
            if most is None or not quantity:
                continue
            loss = cost - quantity * self.marks[symbol, strategy]
            closing = any(one["closing"] for one in self.open(symbol, strategy))
            if loss >= most * abs(cost) and not closing:
                made.append(self.close(symbol, strategy, now))
        return made
