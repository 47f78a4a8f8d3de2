"""llama.cpp's own HTTP server over a GGUF file, as a process: it prints its address and lives until its input ends.

`python llama_server.py FILE.gguf SLOTS CONTEXT [KEY]`
"""

import sys

import xllamacpp


def main() -> None:
    path, slots, context = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    params = xllamacpp.CommonParams()
    params.model.path = path
    params.n_parallel = slots
    params.n_ctx = slots * context
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.n_threads_http = slots + 4
    params.n_gpu_layers = 0
    params.warmup = False
    params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
    params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    if sys.argv[4:]:
        params.api_keys = [sys.argv[4]]
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
