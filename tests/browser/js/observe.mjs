/** Tell everything that a service of the SDK has to tell, as (what, value). */
export function observe(service, tell) {
  const all = (what, stream) =>
    stream.subscribe({
      next: (value) => tell(what, value),
      error: (error) => tell('gave up', error.message),
      complete: () => tell('completed', what),
    });
  all('connected', service.isConnected);
  all('signal', service.getStrategySignals('strategy-123'));
  all('any signal', service.getStrategySignals());
  all('trade', service.getStrategyTrades('strategy-123'));
  all('update', service.getStrategyUpdates());
  service.on('*', (message) => tell('message', message));
}
