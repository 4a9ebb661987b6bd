switch (message.type) {
  case 'Connected':
    console.log('Connected to server:', message.data.client_id);
    setConnectionStatus('connected');
    break;
  case 'MarketData':
    updateMarketPrice(message.data.symbol, message.data.price);
    updatePriceChart(message.data.symbol, message.data);
    updateTickerDisplay(message.data);
    break;
  case 'ChartUpdate':
    appendCandleToChart(
      message.data.symbol,
      message.data.timeframe,
      message.data.candle
    );
    updateIndicators(message.data.symbol, message.data.indicators);
    break;
  case 'PositionUpdate':
    switch (message.data.action) {
      case 'OPENED':
        addPositionToList(message.data.position);
        showNotification('Position opened: ' + message.data.position.symbol);
        break;
      case 'UPDATED':
        updatePositionInList(message.data.position);
        updatePnLDisplay(message.data.position);
        break;
      case 'CLOSED':
        removePositionFromList(message.data.position.id);
        showNotification('Position closed: ' + message.data.position.symbol);
        break;
    }
    break;
  case 'TradeExecuted':
    addTradeToHistory(message.data);
    updatePortfolioBalance();
    playTradeSound(message.data.side);
    showNotification(
      `Trade executed: ${message.data.side} ${message.data.quantity} ${message.data.symbol} @ ${message.data.executed_price}`
    );
    break;
  case 'AISignalReceived':
    displayAISignal(message.data);

    if (message.data.confidence > 0.70 && autoTradingEnabled) {
      executeTradeFromSignal(message.data);
    }

    addSignalToHistory(message.data);
    updateSignalChart(message.data.symbol, message.data.signal);

    if (notificationsEnabled) {
      showNotification(
        `AI Signal: ${message.data.signal.toUpperCase()} ${message.data.symbol} (${(message.data.confidence * 100).toFixed(0)}%)`
      );
    }
    break;
  case 'BotStatusUpdate':
    updateBotStatusIndicator(message.data.status);
    updateBotMetrics(message.data);

    if (message.data.status === 'ERROR') {
      showErrorAlert('Bot encountered an error');
    }

    if (message.data.status === 'STOPPED') {
      showNotification('Bot has been stopped');
    }
    break;
  case 'Error':
    console.error('Server error:', message.data);

    switch (message.data.severity) {
      case 'CRITICAL':
        showCriticalErrorModal(message.data);
        break;
      case 'ERROR':
        showErrorToast(message.data.message);
        break;
      case 'WARNING':
        showWarningToast(message.data.message);
        break;
      case 'INFO':
        showInfoToast(message.data.message);
        break;
    }

    logError(message.data);
    break;
  case 'Pong':
    updateLastHeartbeat(Date.now());
    resetConnectionTimeout();
    break;
}
