// What the documents' JavaScript takes for granted: a browser's WebSocket, and functions of the
// page, each of which prints its name and what it was given.
if (!globalThis.WebSocket) globalThis.WebSocket = require('ws');
for (const name of [
  'connectWebSocket',
  'handleTradeEnter', 'handleTradeExit',
  'setConnectionStatus', 'updateMarketPrice', 'updatePriceChart', 'updateTickerDisplay',
  'appendCandleToChart', 'updateIndicators',
  'addPositionToList', 'updatePositionInList', 'updatePnLDisplay', 'removePositionFromList',
  'addTradeToHistory', 'updatePortfolioBalance', 'playTradeSound',
  'displayAISignal', 'executeTradeFromSignal', 'addSignalToHistory', 'updateSignalChart',
  'updateBotStatusIndicator', 'updateBotMetrics', 'showErrorAlert',
  'showCriticalErrorModal', 'showErrorToast', 'showWarningToast', 'showInfoToast', 'logError',
  'showNotification', 'updateLastHeartbeat',
]) {
  globalThis[name] = (...values) => console.log(name, ...values.map((one) => JSON.stringify(one)));
}
globalThis.autoTradingEnabled = true;
globalThis.notificationsEnabled = true;
