let heartbeatInterval;
let connectionTimeout;

function startHeartbeat(ws) {
  // Send ping every 30 seconds
  heartbeatInterval = setInterval(() => {
    if (ws.readyState === WebSocket.OPEN) {
      ws.send(JSON.stringify({
        type: 'Ping',
        timestamp: Date.now()
      }));

      // Set timeout for pong response
      connectionTimeout = setTimeout(() => {
        console.error('No pong received, connection may be dead');
        ws.close();
      }, 10000); // 10 seconds timeout
    }
  }, 30000); // 30 seconds
}

function stopHeartbeat() {
  clearInterval(heartbeatInterval);
  clearTimeout(connectionTimeout);
}

function resetConnectionTimeout() {
  clearTimeout(connectionTimeout);
}
