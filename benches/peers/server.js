// Node's http server. The last argument says what SIGTERM does: `default` (nothing is installed), `close` (as Node's
// documentation of signals and of `server.close` says), `ignore` (a handler that does not end the process).
const http = require('node:http');

const [port, mode] = process.argv.slice(2);
const server = http.createServer((request, response) => {
  setTimeout(() => response.end('hello\n'), request.url === '/slow' ? 1000 : 5);
});
server.listen(Number(port), '127.0.0.1');
if (mode === 'close') process.on('SIGTERM', () => server.close());
if (mode === 'ignore') process.on('SIGTERM', () => console.log('SIGTERM'));
