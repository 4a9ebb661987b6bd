const WebSocket = require('ws');
const { v4: uuidv4 } = require('uuid');
const ws = new WebSocket('ws://localhost:8082/ws');
ws.onopen = () => {
  console.log('Connected to Trading API');
};
ws.onmessage = (msg) => {
  const event = JSON.parse(msg.data);
  // Handle ping/pong heartbeat
  if (event.type === 'ping') {
    ws.send(JSON.stringify({ type: 'pong' }));
    return;
  }
  // Process market events
  console.log(`Received event: ${event.type}`);
  if (event.type === 'candle') {
    const bar = event.bar || {};
    console.log(` ${bar.symbol} - Close: ${bar.close}`);
  } else if (event.type === 'quote') {
    const quote = event.quote || {};
    console.log(` ${quote.symbol} - Bid: ${quote.bid} Ask: ${quote.ask}`);
  }
  // Acknowledge the event
  const ack = {
    type: 'event_ack',
    correlation_id: uuidv4(),
    events_processed: [event.id || 'unknown'],
    timestamp: Date.now()
  };
  ws.send(JSON.stringify(ack));
};
ws.onerror = (err) => {
  console.error('WebSocket error:', err.message);
};
ws.onclose = () => {
  console.log('Disconnected from Trading API');
};
