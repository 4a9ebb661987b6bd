ws.onopen = () => {
  ws.send(JSON.stringify({
    type: 'Authenticate',
    token: 'eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9...'
  }));
};
