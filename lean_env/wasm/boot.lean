module

public import Lean.Compiler.IR
public import Lean.Compiler.InitAttr

/-!
Runs the server from its compiled form. Elaborating the server at every start would cost seconds, and this build does
not load the compiled code of a module that it imports; so the code is read from the module's `.ir` file and added to
an environment by hand.
-/

public section

open Lean

unsafe def declarations (entries : Array (Name × Array EnvExtensionEntry)) (i : Nat) : Array IR.Decl :=
  if h : i < entries.size then
    if entries[i].1 == `Lean.IR.declMapExt then unsafeCast entries[i].2 else declarations entries (i + 1)
  else #[]

unsafe def main (_ : List String) : IO UInt32 := do
  let (data, _) ← readModuleData "/server/ProverServer.ir"
  let env ← importModules (loadExts := false) (leakEnv := true) #[{ module := `Lean }] {}
  let add := IR.addDecls (declarations data.entries 0)
  match ← EIO.toIO' (add.run { fileName := "", fileMap := FileMap.ofString "" } { env := env }) with
  | .ok (_, s) =>
    runInit s.env {} `main `ProverServer.start
    return 0
  | .error _ => return 1
