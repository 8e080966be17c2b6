// permessage-deflate of npm's `ws`, as it is by default, in the form of benches/src/bin/deflate.rs:
// `node ws_peer.js compress yes|no FILE OUT`, `node ws_peer.js inflate yes|no FILE`, `node ws_peer.js held`.
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { promisify } = require('node:util');
const PerMessageDeflate = require(path.join(path.dirname(require.resolve('ws/package.json')), 'lib/permessage-deflate.js'));

const TIME = 200;

// What a server agrees to that a browser's offer comes to.
function extension(takeover) {
    const deflate = new PerMessageDeflate({ isServer: true });
    const offer = { client_max_window_bits: [true] };
    if (!takeover) Object.assign(offer, { server_no_context_takeover: [true], client_no_context_takeover: [true] });
    deflate.accept([offer]);
    return {
        compress: promisify((data, done) => deflate.compress(data, true, done)),
        decompress: promisify((data, done) => deflate.decompress(data, true, done)),
    };
}

function messages(file) {
    const octets = fs.readFileSync(file);
    const made = [];
    for (let at = 0; at < octets.length; ) {
        const size = octets.readUInt32BE(at);
        made.push(octets.subarray(at + 4, at + 4 + size));
        at += 4 + size;
    }
    return made;
}

const total = (items) => items.reduce((sum, item) => sum + item.length, 0);

// One message after the other, as on one connection.
async function measured(one, inputs, octets) {
    const outputs = [];
    for (const input of inputs) outputs.push(await one(input));
    const start = performance.now();
    let best = Infinity;
    while (performance.now() - start < TIME) {
        const begin = performance.now();
        for (const input of inputs) await one(input);
        best = Math.min(best, performance.now() - begin);
    }
    console.log(`mbs ${(octets(outputs) / best / 1e3).toFixed(1)}`);
    return outputs;
}

async function main(way, takeover, file, out) {
    if (way === 'held') {
        const kept = [];
        let before;
        for (let number = 0; number < 300; number++) {
            if (number === 100) before = process.memoryUsage.rss();
            const made = extension(true);
            await made.compress(Buffer.from('what is said to one of many '.repeat(8)));
            kept.push(made);
        }
        console.log(`held ${Math.round((process.memoryUsage.rss() - before) / 200)}`);
        return;
    }
    const deflate = extension(takeover === 'yes');
    const inputs = messages(file);
    if (way === 'compress') {
        const outputs = await measured(deflate.compress, inputs, () => total(inputs));
        const size = (item) => Buffer.from([item.length >>> 24, item.length >>> 16, item.length >>> 8, item.length]);
        fs.writeFileSync(out, Buffer.concat(outputs.flatMap((item) => [size(item), item])));
    } else {
        await measured(deflate.decompress, inputs, total);
    }
}

main(...process.argv.slice(2));
