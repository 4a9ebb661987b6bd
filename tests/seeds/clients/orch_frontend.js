// Subscribe to strategy signals
webSocketService.getStrategySignals(strategyId)
  .subscribe(signal => {
    // Handle the signal
  });
// Subscribe to strategy trades
webSocketService.getStrategyTrades(strategyId)
  .subscribe(trade => {
    // Handle the trade
  });
// Subscribe to strategy status updates
webSocketService.getStrategyUpdates()
  .subscribe(update => {
    // Handle the update
  });
