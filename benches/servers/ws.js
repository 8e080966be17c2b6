// npm's ws: `node ws.js echo|deflate|takeover|broadcast PORT`.
'use strict';
const { WebSocketServer } = require('ws');

const [mode, port] = process.argv.slice(2);
const alone = mode === 'deflate';
const compressed = alone || mode === 'takeover';
const server = new WebSocketServer({
  host: '127.0.0.1', port: Number(port), maxPayload: 64 << 20,
  perMessageDeflate: compressed && { serverNoContextTakeover: alone, clientNoContextTakeover: alone, threshold: 0 },
});
server.on('connection', (socket) => {
  socket.on('error', () => {});
  socket.on('message', (message, binary) => {
    if (mode === 'broadcast') {
      for (const client of server.clients) client.send(message, { binary });
    } else {
      socket.send(message, { binary });
    }
  });
});
