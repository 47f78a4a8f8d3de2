"""The families of synthetic theorems, a file each; `rl.synthetic.family` lists them."""
