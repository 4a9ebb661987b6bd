"""Who moves the clock when it is not the market: history, instant by instant."""
