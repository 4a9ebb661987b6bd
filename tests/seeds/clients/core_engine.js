const ws = new WebSocket('ws://localhost:8080/ws');

ws.onopen = () => {
  console.log('âœ… Connected to Rust Core WebSocket');
};

ws.onmessage = (event) => {
  const message = JSON.parse(event.data);
  console.log('ðŸ“¨ Received:', message);
  handleMessage(message);
};

ws.onerror = (error) => {
  console.error('âŒ WebSocket error:', error);
};

ws.onclose = (event) => {
  console.log('ðŸ”Œ Disconnected:', event.code, event.reason);
  // Implement reconnection logic
  setTimeout(() => connectWebSocket(), 5000);
};
