// Bun's own server: `bun bun.js echo|deflate|takeover|broadcast PORT`.
const [mode, port] = process.argv.slice(2);
const compressed = mode === 'deflate' || mode === 'takeover';
const server = Bun.serve({
  hostname: '127.0.0.1',
  port: Number(port),
  fetch: (request, server) => (server.upgrade(request) ? undefined : new Response('WebSocket only', { status: 426 })),
  websocket: {
    maxPayloadLength: 64 << 20,
    idleTimeout: 0,
    perMessageDeflate: compressed && (mode === 'deflate'
      ? { compress: 'shared', decompress: 'shared' }
      : { compress: 'dedicated', decompress: 'dedicated' }),
    open: (socket) => { if (mode === 'broadcast') socket.subscribe('all'); },
    message: (socket, message) => {
      if (mode === 'broadcast') server.publish('all', message);
      else socket.send(message, compressed);
    },
  },
});
