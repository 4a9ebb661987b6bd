const ws = new WebSocket('ws://localhost:8000/api/ws/events');
ws.onopen = () => {
  console.log('Connected to event stream');
};
ws.onmessage = (event) => {
  const data = JSON.parse(event.data);
  console.log(`Event: ${data.type}`, data.payload);
  switch (data.type) {
    case 'job.completed':
    handleJobComplete(data.payload);
    break;
    case 'trade.entered':
    handleTradeEnter(data.payload);
    break;
    case 'trade.exited':
    handleTradeExit(data.payload);
    break;
  }
};
ws.onerror = (error) => {
  console.error('WebSocket error:', error);
};
ws.onclose = () => {
  console.log('Disconnected from event stream');
  // Implement reconnection logic
};
function handleJobComplete(payload) {
  console.log(`Job ${payload.job_id} completed`);
  console.log(`Win rate: ${(payload.result.win_rate * 100).toFixed(1)}%`);
}
