// Runs the WebAssembly Lean: node boot.js FOLDER OPTIONS -- LEAN-ARGUMENTS
//   FOLDER            holds the installed lean.js, lean.wasm, symbols.tsv and lib/ (see install.py)
//   --in N --out N    file descriptors that carry requests and answers, seen inside as /channel/in and /channel/out
//   --file HOST=PATH  copies a file of the host to a path inside
//   --mount HOST=PATH a folder of the host, writable; only for compiling, never where candidates run
//   --code FILE       compiled machine code to start from (see prepare.py); --save-code FILE writes it at the end
//   --stack MIB       the stack of Lean's main thread, 256 if not said
//   --stdin           standard input is passed on; without it, it is empty
'use strict';
const fs = require('fs'), path = require('path'), vm = require('vm');

function parseArguments(argv) {
  const options = { folder: path.resolve(argv[0]), files: [], mounts: [], input: -1, output: -1, stack: 256, lean: [] };
  for (let i = 1; i < argv.length; i++) {
    const pair = () => { const [host, inside] = argv[++i].split('='); return { host: path.resolve(host), inside }; };
    if (argv[i] === '--') { options.lean = argv.slice(i + 1); break; }
    else if (argv[i] === '--in') options.input = Number(argv[++i]);
    else if (argv[i] === '--out') options.output = Number(argv[++i]);
    else if (argv[i] === '--file') options.files.push(pair());
    else if (argv[i] === '--mount') options.mounts.push(pair());
    else if (argv[i] === '--stack') options.stack = Number(argv[++i]);
    else if (argv[i] === '--code') options.code = argv[++i];
    else if (argv[i] === '--save-code') options.saveCode = argv[++i];
    else if (argv[i] === '--stdin') options.stdin = true;
    else throw new Error(`unknown option ${argv[i]}`);
  }
  return options;
}

const options = parseArguments(process.argv.slice(2));

// ---- The stack. The build's own has 64 KiB, and running over its end overwrites data without a word.

const STACK_BYTES = options.stack << 20, GUARD_BYTES = 64 << 10, PATTERN = 0x5AFEC0DE | 0;
const memory = new WebAssembly.Memory({ initial: 256, maximum: 32768, shared: true });
let guard;

function enlargeStack() {
  const base = (Module._malloc(STACK_BYTES + 64) + 63) & ~63;
  if (base <= 0) throw new Error('no memory for the stack');
  Module._emscripten_stack_set_limits(base + STACK_BYTES, base);
  Module.__emscripten_stack_restore(base + STACK_BYTES);
  guard = new Int32Array(memory.buffer, base, GUARD_BYTES >> 2);
  guard.fill(PATTERN);
}

// Whether the lowest part of the stack is as it was left. A frame larger than the guard could jump it, none of Lean's is.
function stackIntact() {
  return guard.every(word => word === PATTERN);
}

// ---- Interrupting. A request may say after how many milliseconds Lean is to give it up. Lean looks at its count of
// heartbeats in all that takes long; a thread of ours pushes that count over every limit, and Lean ends the tactic with
// the error of its own deterministic limit. The kernel, which looks only where a limit is set, is given a low one.

const IDLE = 0, WAITING = 1; // values of STATE
const STATE = 0, MILLISECONDS = 1, CHANGES = 2, PUSHING = 3;
const control = new Int32Array(new SharedArrayBuffer(16));
let heartbeats = 0, mostHeartbeats = 0; // places of the main thread's counters in the memory, as indices of 32-bit words

// Where a 32-bit variable lives, found by setting it: the one word that follows two values.
function placeOf(set) {
  const words = new Uint32Array(memory.buffer), bytes = Buffer.from(memory.buffer), found = [];
  set(0x5EADBEE1n);
  const pattern = Buffer.from(Uint32Array.of(0x5EADBEE1).buffer);
  for (let at = bytes.indexOf(pattern); at >= 0; at = bytes.indexOf(pattern, at + 1)) if (at % 4 === 0) found.push(at / 4);
  set(0x2BADCAFEn);
  const place = found.filter(at => words[at] === 0x2BADCAFE);
  set(0n);
  return place.length === 1 ? place[0] : 0;
}

function watcher() {
  const { workerData: { memory, control, heartbeats, mostHeartbeats } } = require('worker_threads');
  const words = new Uint32Array(memory.buffer), [WAITING, STATE, MILLISECONDS, CHANGES, PUSHING] = [1, 0, 1, 2, 3];
  for (;;) {
    const changes = Atomics.load(control, CHANGES);
    const late = Atomics.load(control, STATE) === WAITING
      && Atomics.wait(control, CHANGES, changes, Atomics.load(control, MILLISECONDS)) === 'timed-out';
    // Again and again, and each time by more than any limit: a part of Lean may have begun to count anew meanwhile.
    for (let push = 2; late && push < 16 && Atomics.load(control, CHANGES) === changes; push++) {
      // The next request waits while PUSHING is set, so that it never meets what was meant for this one.
      Atomics.store(control, PUSHING, 1);
      if (Atomics.load(control, CHANGES) === changes) {
        if (mostHeartbeats) words[mostHeartbeats] = 1;
        words[heartbeats] = push * 0x10000000;
      }
      Atomics.store(control, PUSHING, 0);
      Atomics.notify(control, PUSHING);
      Atomics.wait(control, CHANGES, changes, 60);
    }
    Atomics.wait(control, CHANGES, changes);
  }
}

function setUpInterrupts(table) {
  const slots = Object.fromEntries(fs.readFileSync(path.join(options.folder, 'symbols.tsv'), 'latin1')
    .match(/^_ZN4lean(14set_heartbeatsEy|17set_max_heartbeatEm)\t\d+$/gm).map(line => line.split('\t')));
  const setter = name => table.get(Number(slots[name]));
  heartbeats = placeOf(setter('_ZN4lean14set_heartbeatsEy'));
  mostHeartbeats = placeOf(value => setter('_ZN4lean17set_max_heartbeatEm')(Number(value)));
  if (!heartbeats) return; // then a request that takes too long costs the process, as it does without this
  const { Worker } = require('worker_threads');
  const thread = new Worker(`(${watcher})()`, { eval: true, workerData: { memory, control, heartbeats, mostHeartbeats } });
  thread.unref();
}

function requestBegins(text) {
  setState(IDLE);
  while (Atomics.load(control, PUSHING)) Atomics.wait(control, PUSHING, 1, 1);
  const words = new Uint32Array(memory.buffer);
  if (heartbeats) words[heartbeats] = 0;
  if (mostHeartbeats) words[mostHeartbeats] = 0;
  const limit = /^\{"id": \d+, "nonce": "[0-9a-f]+", "interrupt": (\d+)/.exec(text);
  if (!limit || !heartbeats) return;
  Atomics.store(control, MILLISECONDS, Number(limit[1]));
  setState(WAITING);
}

function setState(state) {
  Atomics.store(control, STATE, state);
  Atomics.add(control, CHANGES, 1);
  Atomics.notify(control, CHANGES);
}

// ---- The channel. Each end can be opened once, by the server at its start, before any candidate's code has run.

const STACK_OVERRUN = 70;

function channelDevice(direction) {
  let opened = false, pending = Buffer.alloc(0), lineEnded = true;
  const chunk = Buffer.alloc(1 << 16);
  const refuse = () => { throw new Module.FS.ErrnoError(2); };
  return {
    open(stream) { if (opened) refuse(); opened = true; stream.seekable = false; },
    close() {},
    read(stream, buffer, offset, length) {
      if (direction !== 'in') refuse();
      while (pending.length === 0) {
        let n;
        try { n = fs.readSync(options.input, chunk, 0, chunk.length, null); }
        catch (e) { if (e.code === 'EAGAIN') continue; if (e.code === 'EOF') return 0; throw e; }
        if (n === 0) return 0;
        pending = Buffer.from(chunk.subarray(0, n));
        if (lineEnded) requestBegins(pending.toString('latin1', 0, 200));
        lineEnded = pending[n - 1] === 10;
      }
      const n = Math.min(length, pending.length);
      buffer.set(pending.subarray(0, n), offset);
      pending = pending.subarray(n);
      return n;
    },
    write(stream, buffer, offset, length) {
      if (direction !== 'out') refuse();
      if (!stackIntact()) process.exit(STACK_OVERRUN);
      setState(IDLE);
      const bytes = Buffer.from(buffer.subarray(offset, offset + length));
      for (let done = 0; done < bytes.length;) {
        try { done += fs.writeSync(options.output, bytes, done); }
        catch (e) { if (e.code !== 'EAGAIN') throw e; }
      }
      return length;
    },
  };
}

// Each read asks for a byte; `null` ends what is there for now.
function standardInput() {
  const chunk = Buffer.alloc(1 << 16);
  let pending = Buffer.alloc(0), position = 0, lineEnded = false;
  return () => {
    if (!options.stdin) return null;
    if (lineEnded) { lineEnded = false; return null; }
    if (position >= pending.length) {
      let n = 0;
      try { n = fs.readSync(0, chunk, 0, chunk.length, null); } catch (e) { if (e.code !== 'EOF') throw e; }
      if (n === 0) return null;
      pending = Buffer.from(chunk.subarray(0, n));
      position = 0;
    }
    const byte = pending[position++];
    lineEnded = byte === 10;
    return byte;
  };
}

// ---- Machine code. V8 can write down what it has compiled and take it up again, which spares a start the slow
// tier. Not part of Node's public interface: whatever goes wrong, the module is compiled as usual.

function compiled(wire) {
  if (options.code) {
    try {
      const bytes = fs.readFileSync(options.code);
      const revive = new Function('code', 'wire', 'return %DeserializeWasmModule(code, wire)');
      const module = revive(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length), new Uint8Array(wire));
      if (module instanceof WebAssembly.Module) return module;
    } catch {}
  }
  return new WebAssembly.Module(wire);
}

function saveCode(module) {
  try {
    const bytes = new Function('module', 'return %SerializeWasmModule(module)')(module);
    fs.writeFileSync(options.saveCode, Buffer.from(bytes));
  } catch (e) { process.stderr.write(`code not saved: ${e.message}\n`); }
}

// ---- Start

function prepareFiles() {
  const FS = Module.FS;
  const folders = inside => { const parts = inside.split('/').slice(1); for (let i = 1; i <= parts.length; i++) {
    const folder = '/' + parts.slice(0, i).join('/'); if (!FS.analyzePath(folder).exists) FS.mkdir(folder); } };
  folders('/lean/bin');
  FS.writeFile('/lean/bin/lean', '');
  for (const { host, inside } of options.mounts) { folders(inside); FS.mount(FS.filesystems.NODEFS, { root: host }, inside); }
  for (const { host, inside } of options.files) { folders(path.dirname(inside)); FS.writeFile(inside, fs.readFileSync(host)); }
  if (options.input >= 0) {
    folders('/channel');
    ['in', 'out'].forEach((name, i) => {
      FS.registerDevice(FS.makedev(90, i), channelDevice(name));
      FS.mkdev(`/channel/${name}`, 0o600, FS.makedev(90, i));
    });
    Module.ENV.PROVER_IN = '/channel/in';
    Module.ENV.PROVER_OUT = '/channel/out';
  }
  Module.ENV.LEAN_PATH = ['/lean/lib/lean', ...options.mounts.map(m => m.inside)].join(':');
  Module.ENV.LEAN_SYSROOT = '/lean';
}

const write = fd => text => { if (!text.startsWith('[DEBUG')) try { fs.writeSync(fd, text + '\n'); } catch {} };
let theModule, table;
const Module = {
  arguments: options.lean,
  wasmMemory: memory,
  thisProgram: '/lean/bin/lean',
  mainScriptUrlOrBlob: path.join(options.folder, 'lean.js'),
  stdin: standardInput(),
  print: write(1),
  printErr: write(2),
  preRun: [prepareFiles],
  onRuntimeInitialized() { enlargeStack(); if (options.input >= 0) setUpInterrupts(table); },
  instantiateWasm(imports, done) {
    theModule = compiled(fs.readFileSync(path.join(options.folder, 'lean.wasm')));
    const instance = new WebAssembly.Instance(theModule, imports);
    table = instance.exports.__indirect_function_table;
    done(instance, theModule);
  },
};
if (options.saveCode) process.on('exit', () => saveCode(theModule));
const script = path.join(options.folder, 'lean.js'), holder = { exports: {} };
const names = ['Module', 'require', '__filename', '__dirname', 'module', 'exports'];
vm.compileFunction(fs.readFileSync(script, 'utf8'), names, { filename: script })(
  Module, require, script, options.folder, holder, holder.exports);
