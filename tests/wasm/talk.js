// Looks at what a module of tests/wasm asks of its host, and talks to it: the RFC's own handshake and frame, and a Close.
'use strict';
const assert = require('node:assert');
const fs = require('node:fs');

const [, , path, mode] = process.argv;
const module_ = new WebAssembly.Module(fs.readFileSync(path));
const imports = WebAssembly.Module.imports(module_).map(({ module, name }) => `${module}.${name}`);
if (mode === '--imports') {
    console.log(imports.join('\n'));
    process.exit(0);
}
assert.deepStrictEqual(imports, [], 'the module wants something of its host');
const { begin, room, receive, take, memory } = new WebAssembly.Instance(module_).exports;

// RFC 6455 section 1.3: this key makes this answer.
const request = Buffer.from('GET /chat HTTP/1.1\r\nHost: server.example.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
    'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n');
// Section 5.7: a masked text message "Hello"; then a Close with 1000 under the same key.
const hello = Buffer.from('818537fa213d7f9f4d5158', 'hex');
const close = Buffer.from('888237fa213d3412', 'hex');
const wire = Buffer.concat([request, hello, close]);
const answers = Buffer.from('810548656c6c6f' + '880203e8', 'hex');

function said(len) {
    assert(len >= 0, 'it gave up');
    // The pointer first: the memory may have grown.
    const at = take();
    return Buffer.from(Buffer.from(memory.buffer, at, len));
}

function feed(octets, now) {
    const at = room(octets.length);
    assert(at !== 0, 'no room');
    Buffer.from(memory.buffer, at, octets.length).set(octets);
    return said(receive(octets.length, now));
}

// What short frames mean that are not masked: a message that came in pieces goes back in fragments.
function meaning(octets) {
    const frames = [];
    for (let at = 0; at < octets.length; at += 2 + octets[at + 1]) {
        const payload = octets.toString('latin1', at + 2, at + 2 + octets[at + 1]);
        if (octets[at] & 0x0f) {
            frames.push({ first: octets[at], payload });
        } else {
            const open = frames.at(-1);
            assert(!(open.first & 0x80), 'a continuation of nothing');
            Object.assign(open, { first: open.first | octets[at], payload: open.payload + payload });
        }
    }
    return frames;
}

// Whole, cut in two at each place, and octet by octet.
const cuts = [[], ...Array.from({ length: wire.length - 1 }, (_, at) => [at + 1]), Array.from(wire.keys()).slice(1)];
for (const places of cuts) {
    begin();
    const parts = [0, ...places].map((from, index) => wire.subarray(from, places[index] ?? wire.length));
    const heard = Buffer.concat(parts.map((part, index) => feed(part, BigInt(index))));
    const head = heard.subarray(0, heard.indexOf('\r\n\r\n') + 4).toString('latin1');
    assert.match(head, /^HTTP\/1\.1 101 /, `${places}`);
    assert.match(head, /\r\nsec-websocket-accept: s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=\r\n/i, `${places}`);
    const frames = heard.subarray(head.length);
    if (places.length === 0) assert.deepStrictEqual(frames, answers);
    assert.deepStrictEqual(meaning(frames), meaning(answers), `${places}`);
}

// A frame that is not masked is refused with 1002; a handshake that takes too long with 408.
begin();
feed(request, 0n);
const refused = feed(Buffer.from('810548656c6c6f', 'hex'), 1n);
assert.strictEqual(refused[0], 0x88);
assert.strictEqual(refused.readUInt16BE(2), 1002);
begin();
feed(request.subarray(0, 20), 0n);
assert.match(feed(request.subarray(20, 21), 10_000n).toString('latin1'), /^HTTP\/1\.1 408 /);
console.log(`wasm: ${fs.statSync(path).size} octets, no imports, ${cuts.length} cuttings of a talk of ${wire.length} octets`);
