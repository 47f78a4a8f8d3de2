"""The sub-commands of `prover data`; app.py lists them."""
