module

public import Lean

/-!
The server that both Leans run: JSON lines in, JSON lines out, on a channel that elaborated code cannot reach.

The WebAssembly build sees imported modules at the exported level only, so polymorphic library functions and loops have
no code to call here. Hence the small monomorphic helpers, the recursion, and monads applied by hand.
-/

public section

namespace ProverServer

open Lean Elab Command Meta

/-! ## Lists and text -/

def containsName : List Name → Name → Bool
  | [], _ => false
  | x :: xs, n => if x == n then true else containsName xs n

def reverseNames : List Name → List Name → List Name
  | [], acc => acc
  | x :: xs, acc => reverseNames xs (x :: acc)

/-- The instance behind `toString` has no code in exported data. -/
def nameText (n : Name) : String := Name.toString n

def countNames : List Name → Nat
  | [] => 0
  | _ :: xs => countNames xs + 1

def toParams : List Name → List Level
  | [] => []
  | x :: xs => .param x :: toParams xs

def jsonStrings : List String → List Json
  | [] => []
  | x :: xs => .str x :: jsonStrings xs

def pushAll : List Json → Array Json → Array Json
  | [], acc => acc
  | x :: xs, acc => pushAll xs (acc.push x)

def jsonList (xs : List Json) : Json := .arr (pushAll xs #[])

/-! ## A set of names: visited constants of one proof -/

inductive Bucket where
  | nil
  | cons (name : Name) (rest : Bucket)

def Bucket.has : Bucket → Name → Bool
  | .nil, _ => false
  | .cons m rest, n => if m == n then true else rest.has n

structure Names where
  buckets : Array Bucket

def Names.empty : Names := ⟨Array.replicate 1024 .nil⟩

def Names.slot (n : Name) : Nat := (n.hash % 1024).toNat

def Names.has (s : Names) (n : Name) : Bool :=
  if h : Names.slot n < s.buckets.size then (s.buckets[Names.slot n]).has n else false

def Names.add (s : Names) (n : Name) : Names :=
  if h : Names.slot n < s.buckets.size then
    let old := s.buckets[Names.slot n]
    ⟨s.buckets.set (Names.slot n) (.cons n old)⟩
  else s

/-! ## Elaborating commands -/

/-- What a header gives: the state in which everything below it is elaborated, and the modules it imports. -/
structure Base where
  state : Command.State
  /-- The same with the kernel left out, for what the kernel is going to check anyway when it is judged. -/
  unchecked : Command.State
  imports : Array Import

/-- Lines end as Lean has them when it reads a file. -/
def inputContext (text : String) : Parser.InputContext :=
  let text := text.crlfToLf
  { inputString := text, fileName := "<input>", fileMap := FileMap.ofString text }

def currentScope (cs : Command.State) : Scope := match cs.scopes with
  | [] => { header := "", opts := {} }
  | s :: _ => s

def parserContext (cs : Command.State) : Parser.ParserModuleContext :=
  let scope := currentScope cs
  { env := cs.env, options := scope.opts, currNamespace := scope.currNamespace, openDecls := scope.openDecls }

def commandContext (input : Parser.InputContext) (pos : String.Pos.Raw) : Command.Context :=
  { fileName := input.fileName, fileMap := input.fileMap, cmdPos := pos, snap? := none, cancelTk? := none }

/-- Elaborates one command. Lean catches what a command throws, so an `error` here is the server's own trouble. -/
def elabOne (stx : Syntax) (input : Parser.InputContext) (pos : String.Pos.Raw) (cs : Command.State) :
    BaseIO (Except Exception Command.State) := do
  let ref ← IO.mkRef cs
  match ← EIO.toBaseIO (elabCommandTopLevel stx (commandContext input pos) ref) with
  | .ok _ => return .ok (← ref.get)
  | .error e => return .error e

def severityName : MessageSeverity → String
  | .error => "error"
  | .warning => "warning"
  | .information => "information"

def isError (m : Message) : Bool := match m.severity with
  | .error => true
  | _ => false

def messageJson (m : Message) : IO Json := do
  return Json.mkObj [("severity", .str (severityName m.severity)), ("line", toJson m.pos.line),
    ("column", toJson m.pos.column), ("message", .str (← m.data.toString))]

/-- Puts the messages, oldest first, before `acc` (newest first). Only errors, unless `all`. -/
def collectMessages (all : Bool) : List Message → List Json → IO (List Json)
  | [], acc => return acc
  | m :: ms, acc => do
    if all || isError m then collectMessages all ms ((← messageJson m) :: acc) else collectMessages all ms acc

def reverseJson : List Json → List Json → List Json
  | [], acc => acc
  | x :: xs, acc => reverseJson xs (x :: acc)

/-- The state after a run of commands, its messages (newest first), and how many of them were errors. -/
structure Elaborated where
  state : Command.State
  messages : List Json := []
  errors : Nat := 0
  /-- A command came that could make or run code, and was not elaborated. -/
  stopped : Bool := false

/-- Options that a candidate may set beside the judge, by their first part or whole. -/
def harmlessOption (n : Name) : Bool := match n.getRoot with
  | .str .anonymous r =>
    r == "pp" || r == "maxHeartbeats" || r == "maxRecDepth" || r == "autoImplicit" || r == "relaxedAutoImplicit"
      || r == "synthInstance" || r == "linter" || r == "warningAsError" || r == "trace" || r == "tactic"
  | _ => false

/-- Whether a command makes no constant that could be evaluated, and runs nothing that was written by its author. -/
partial def harmless (stx : Syntax) : Bool :=
  let k := stx.getKind
  if k == ``Parser.Command.declaration then (stx.getArg 1).getKind == ``Parser.Command.theorem
  else if k == ``Parser.Command.in then harmless (stx.getArg 0) && harmless (stx.getArg 2)
  else if k == ``Parser.Command.set_option then harmlessOption (stx.getArg 1).getId
  else k == ``Parser.Command.open || k == ``Parser.Command.namespace || k == ``Parser.Command.section
    || k == ``Parser.Command.end || k == ``Parser.Command.variable || k == ``Parser.Command.universe
    || k == ``Parser.Command.include || k == ``Parser.Command.omit || k == ``Parser.Command.eoi

/-- What a command elaborates in the background would be reported too late. -/
def inForeground (cs : Command.State) : Command.State := match cs.scopes with
  | [] => cs
  | s :: rest => { cs with scopes := { s with opts := s.opts.setBool `Elab.async false } :: rest }

mutual
/-- A command with `false` for `true` in what sets the option Elab.async, wherever in it that is. -/
partial def foreground (stx : Syntax) : Syntax := match stx with
  | .node info kind args => .node info kind (foregroundAll (setsAsync args 0) args 0 #[])
  | s => s

partial def foregroundAll (here : Bool) (args : Array Syntax) (i : Nat) (made : Array Syntax) : Array Syntax :=
  if h : i < args.size then
    foregroundAll here args (i + 1) (made.push (if here then falsify args[i] else foreground args[i]))
  else made

partial def falsify (stx : Syntax) : Syntax := match stx with
  | .atom info text => if text == "true" then .atom info "false" else .atom info text
  | .node info kind args => .node info kind (foregroundAll true args 0 #[])
  | s => s

partial def setsAsync (args : Array Syntax) (i : Nat) : Bool :=
  if h : i < args.size then
    match args[i] with
    | .ident _ _ n _ => n == `Elab.async || setsAsync args (i + 1)
    | _ => setsAsync args (i + 1)
  else false
end

def countErrors : List Message → Nat
  | [] => 0
  | m :: ms => countErrors ms + (if isError m then 1 else 0)

def mentionsAsync (text : String) : Bool := match text.splitOn "async" with
  | _ :: _ :: _ => true
  | _ => false

/-- Elaborates commands to the end of the input. `all`: keep warnings and information too. `guarded`: stop before the
first command that is not harmless. `foreign`: a command may set the option Elab.async. -/
partial def elabAll (all : Bool) (input : Parser.InputContext) (ps : Parser.ModuleParserState) (r : Elaborated)
    (guarded : Bool := false) (foreign : Bool := true) : IO Elaborated := do
  let before := ps.pos
  let (stx, ps, log) := Parser.parseCommand input (parserContext r.state) ps {}
  let parseMessages := log.toList
  let messages ← collectMessages all parseMessages r.messages
  let errors := r.errors + countErrors parseMessages
  if guarded && !harmless stx then return { r with stopped := true }
  let stx := if foreign then foreground stx else stx
  match ← elabOne stx input before (inForeground { r.state with messages := {} }) with
  | .error e =>
    let m := Json.mkObj [("severity", .str "error"), ("line", toJson (1 : Nat)), ("column", toJson (0 : Nat)),
      ("message", .str (← e.toMessageData.toString))]
    return { state := r.state, messages := m :: messages, errors := errors + 1 }
  | .ok cs =>
    let log := cs.messages.toList
    let r := { state := { cs with messages := {} }, messages := ← collectMessages all log messages,
               errors := errors + countErrors log }
    if Parser.isTerminalCommand stx then return r else elabAll all input ps r guarded foreign

def elabText (all : Bool) (base : Command.State) (text : String) (guarded : Bool := false) : IO Elaborated :=
  elabAll all (inputContext text) {} { state := { base with messages := {} } } guarded (mentionsAsync text)

/-! ## Answers -/

inductive Answer where
  | ok (fields : List (String × Json))
  | error (kind : String) (message : String) (line column : Nat)

def fail (kind message : String) : Answer := .error kind message 1 0

def firstMessage (json : List Json) : Json := match reverseJson json [] with
  | [] => .null
  | m :: _ => m

def getString (j : Json) (key : String) : String := match j.getObjVal? key with
  | .error _ => ""
  | .ok v => match v.getStr? with
    | .error _ => ""
    | .ok s => s

def getNat (j : Json) (key : String) (default : Nat) : Nat := match j.getObjVal? key with
  | .error _ => default
  | .ok v => match v.getNat? with
    | .error _ => default
    | .ok n => n

def errorAt (kind : String) (m : Json) : Answer :=
  .error kind (getString m "message") (getNat m "line" 1) (getNat m "column" 0)

/-! ## Environments, one for each header -/

/-- In force for everything a header is followed by; a header's or a candidate's own `set_option` comes after it. -/
def defaultOptions (heartbeats : Nat) : String :=
  "set_option linter.all false\nset_option Elab.async false\nset_option maxHeartbeats " ++ toString heartbeats

def importNames (imports : Array Import) (i : Nat) : List Name :=
  if h : i < imports.size then imports[i].module :: importNames imports (i + 1) else []
  termination_by imports.size - i

def missingImport : List Name → List Name → Option Name
  | [], _ => none
  | n :: ns, allowed => if containsName allowed n then missingImport ns allowed else some n

/-- Lets definitions stand whose code cannot be made: of some library functions this build has none, and no code counts
here. What can be compiled still is. -/
def withoutCode (cs : Command.State) : Command.State := match cs.scopes with
  | [] => cs
  | s :: rest => { cs with scopes := { s with isNoncomputable := true } :: rest }

/-- The environment of a header. `none` in place of an environment: the answer says why. -/
def makeBase (header : String) (heartbeats : Nat) : IO (Except Answer Base) := do
  let input := inputContext header
  let (stx, ps, log) ← Parser.parseHeader input
  let found ← collectMessages false log.toList []
  if countErrors log.toList > 0 then return .error (errorAt "header" (firstMessage found))
  if HeaderSyntax.isModule stx then return .error (fail "header" "a header may not begin with `module`")
  let imports := headerToImports stx
  try
    let env ← importModules (loadExts := true) (leakEnv := true) imports {}
    let start ← elabText false (Command.mkState env {} {}) (defaultOptions heartbeats)
    let r ← elabAll false input ps { state := withoutCode start.state }
    if r.errors > 0 then return .error (errorAt "header" (firstMessage r.messages))
    let unchecked ← elabText false r.state "set_option debug.skipKernelTC true"
    return .ok { state := r.state, unchecked := unchecked.state, imports := imports }
  catch e => return .error (.error "import" e.toString 1 0)

/-! ## The trusted side of a judgement -/

/-- What the trusted statement says, elaborated in the header's environment alone.

`env` is that environment with the constants that the statement itself brought (matchers and the like), but not the
theorem; everything a candidate adds is replayed on top of it. -/
structure Trusted where
  name : Name
  levelParams : List Name
  type : Expr
  env : Environment

def addDecl (env : Environment) (d : Declaration) : Except Kernel.Exception Environment :=
  env.addDeclCore 0 d none

def constructorsOf (env : Environment) : List Name → Option (List Constructor)
  | [] => some []
  | n :: ns => match env.find? n, constructorsOf env ns with
    | some (.ctorInfo c), some rest => some ({ name := n, type := c.type } :: rest)
    | _, _ => none

def inductiveTypes (env : Environment) : List Name → Option (List InductiveType)
  | [] => some []
  | n :: ns => match env.find? n, inductiveTypes env ns with
    | some (.inductInfo i), some rest => match constructorsOf env i.ctors with
      | some cs => some ({ name := n, type := i.type, ctors := cs } :: rest)
      | none => none
    | _, _ => none

/-- The declaration that makes the constant `c` of `env`; `none` for those that only come with another one. -/
def declarationOf (env : Environment) (c : ConstantInfo) : Option Declaration := match c with
  | .thmInfo v => some (.thmDecl v)
  | .defnInfo v => some (.defnDecl v)
  | .opaqueInfo v => some (.opaqueDecl v)
  | .inductInfo v => match inductiveTypes env v.all with
    | some ts => some (.inductDecl v.levelParams v.numParams ts v.isUnsafe)
    | none => none
  | _ => none

/-- State of a walk over everything that a constant rests on. -/
structure Walk where
  env : Environment
  seen : Names := Names.empty
  axioms : List Name := []

/-- Why a walk ended early: the stage of the verdict, and its message. -/
structure Refusal where
  stage : String
  message : String

def standardAxiom (n : Name) : Bool := n == `propext || n == `Quot.sound || n == `Classical.choice

/-- Imported theorems, and definitions whose bodies are not exported, stand as axioms in exported data; what they were
is recorded beside. A constant that nothing is recorded of is taken for an axiom. -/
def isRealAxiom (env : Environment) (n : Name) : Bool := match env.find? n with
  | some (.axiomInfo _) => match getOriginalConstKind? env n with
    | some .thm => false
    | some .defn => false
    | some .opaque => false
    | _ => true
  | _ => false

def exceptionText (e : Kernel.Exception) : IO String := do
  let text ← (e.toMessageData {}).toString
  return text

/-- The kernel evaluates these by running compiled code. -/
def runsCompiled (n : Name) : Bool :=
  n == `Lean.reduceBool || n == `Lean.reduceNat || n == `Lean.ofReduceBool || n == `Lean.ofReduceNat
    || n == `Lean.trustCompiler

/-- What the trusted environment says of a constant that the proof uses. -/
def checkTrusted (n : Name) (c : ConstantInfo) (w : Walk) : Except Refusal Walk :=
  if runsCompiled n then .error ⟨"axioms", "rests on compiled code by " ++ nameText n⟩ else match c with
  | .thmInfo _ => .ok w
  | .ctorInfo _ => .ok w
  | .axiomInfo v =>
    if v.isUnsafe then .error ⟨"axioms", "rests on the unsafe constant " ++ nameText n⟩
    else if isRealAxiom w.env n then
      if standardAxiom n then .ok { w with axioms := n :: w.axioms }
      else .error ⟨"axioms", "rests on the axiom " ++ nameText n⟩
    else .ok w
  | _ => if c.isUnsafe then .error ⟨"axioms", "rests on the unsafe constant " ++ nameText n⟩ else .ok w

/-- `visit` for every name of an array, from index `i`. -/
partial def visitAll (visit : Name → Walk → IO (Except Refusal Walk)) (names : Array Name) (i : Nat) (w : Walk) :
    IO (Except Refusal Walk) := do
  if h : i < names.size then
    match ← visit names[i] w with
    | .error e => return .error e
    | .ok w => visitAll visit names (i + 1) w
  else return .ok w

partial def visitList (visit : Name → Walk → IO (Except Refusal Walk)) : List Name → Walk →
    IO (Except Refusal Walk)
  | [], w => return .ok w
  | n :: ns, w => do
    match ← visit n w with
    | .error e => return .error e
    | .ok w => visitList visit ns w

def imported (env : Environment) (n : Name) : Bool := match env.getModuleIdxFor? n with
  | some _ => true
  | none => false

/-- `visit` for every name in the type and the value of a constant. -/
def visitParts (visit : Name → Walk → IO (Except Refusal Walk)) (c : ConstantInfo) (w : Walk) :
    IO (Except Refusal Walk) := do
  match ← visitAll visit c.type.getUsedConstants 0 w with
  | .error e => return .error e
  | .ok w => match c.value? (allowOpaque := true) with
    | none => return .ok w
    | some v => visitAll visit v.getUsedConstants 0 w

/-- The names that an inductive type's constructors are made of. -/
partial def visitConstructors (source : Environment) (visit : Name → Walk → IO (Except Refusal Walk)) :
    List Name → Walk → IO (Except Refusal Walk)
  | [], w => return .ok w
  | n :: ns, w => do
    match source.find? n with
    | some c => match ← visitAll visit c.type.getUsedConstants 0 w with
      | .error e => return .error e
      | .ok w => visitConstructors source visit ns w
    | none => return .error ⟨"kernel", "no constructor " ++ nameText n⟩

/-- Walks everything that constant `n` of `source` rests on, and has the kernel check it again, in order, in `w.env`.

A name that `w.env` already has is `w.env`'s own, whatever `source` says of it. -/
partial def replay (source : Environment) (n : Name) (w : Walk) : IO (Except Refusal Walk) := do
  if w.seen.has n then return .ok w
  let w := { w with seen := w.seen.add n }
  match w.env.find? n with
  | some c => match checkTrusted n c w with
    | .error e => return .error e
    -- What the header itself declares is no library: it may have left something open.
    | .ok w => if imported w.env n then return .ok w else visitParts (replay source) c w
  | none =>
    match source.find? n with
    | none => return .error ⟨"kernel", "unknown constant " ++ nameText n⟩
    | some c =>
      if c.isUnsafe then return .error ⟨"axioms", "rests on the unsafe constant " ++ nameText n⟩
      match c with
      | .axiomInfo _ => return .error ⟨"axioms", "rests on the axiom " ++ nameText n⟩
      | .ctorInfo v => replay source v.induct w
      | .recInfo v => replayFirst source n v.all w
      | .quotInfo _ => return .error ⟨"kernel", "quotient constant " ++ nameText n ++ " from the candidate"⟩
      | .inductInfo v =>
        match ← visitConstructors source (replay source) v.ctors { w with seen := addAll v.ctors w.seen } with
        | .error e => return .error e
        | .ok w => match ← visitAll (replay source) c.type.getUsedConstants 0 w with
          | .error e => return .error e
          | .ok w => match ← visitList (replay source) v.all w with
            | .error e => return .error e
            | .ok w => admit source n c w
      | _ =>
        match ← visitAll (replay source) c.type.getUsedConstants 0 w with
        | .error e => return .error e
        | .ok w => match c.value? (allowOpaque := true) with
          | none => admit source n c w
          | some v => match ← visitAll (replay source) v.getUsedConstants 0 w with
            | .error e => return .error e
            | .ok w => admit source n c w
where
  addAll : List Name → Names → Names
    | [], s => s
    | n :: ns, s => addAll ns (s.add n)
  -- Constructors and recursors come with their type. If one does not after all, the kernel will not know it where it is
  -- used.
  replayFirst (source : Environment) (n : Name) (parents : List Name) (w : Walk) : IO (Except Refusal Walk) := do
    match parents with
    | [] => return .error ⟨"kernel", "recursor without a type: " ++ nameText n⟩
    | p :: _ => replay source p w
  admit (source : Environment) (n : Name) (c : ConstantInfo) (w : Walk) : IO (Except Refusal Walk) := do
    -- A mutual family comes with its first member.
    if w.env.contains n then return .ok w
    match declarationOf source c with
    | none => return .error ⟨"kernel", "no declaration for " ++ nameText n⟩
    | some d => match addDecl w.env d with
      | .ok env => return .ok { w with env := env }
      | .error e => return .error ⟨"kernel", ← exceptionText e⟩

/-- Takes the annotations out of an expression. -/
partial def stripAnnotations (e : Expr) : Expr :=
  e.replace fun
    | .mdata _ b => some (stripAnnotations b)
    | _ => none

def findDeclared (env : Environment) (scope : Scope) (name : Name) : Option ConstantInfo :=
  match env.find? (scope.currNamespace ++ name) with
  | some c => some c
  | none => env.find? name

/-- On a line of its own: the statement may end in a comment. -/
def withProof (statement text : String) : String := statement ++ "\n  := " ++ text

/-- Elaborates the trusted statement. Its proof is left out by `sorry`, in an environment that is thrown away. -/
def makeTrusted (base : Base) (name statement : String) : IO (Except Answer Trusted) := do
  let r ← elabText false base.unchecked (withProof statement "by sorry")
  if r.errors > 0 then return .error (errorAt "statement" (firstMessage r.messages))
  let own := base.state.env
  match findDeclared r.state.env (currentScope base.state) name.toName with
  | none => return .error (fail "statement" ("the statement declares no theorem of the name " ++ name))
  | some c =>
    if own.contains c.name then
      return .error (fail "statement" ("the header already has a constant of the name " ++ nameText c.name))
    match c with
    | .thmInfo v =>
      if v.type.hasSorry then return .error (fail "statement" "the statement contains sorry")
      match ← visitAll (replay r.state.env) v.type.getUsedConstants 0 { env := own } with
      | .error e => return .error (fail "statement" ("the statement " ++ e.message))
      | .ok w => return .ok { name := c.name, levelParams := v.levelParams, type := stripAnnotations v.type, env := w.env }
    | _ => return .error (fail "statement" ("the statement is not a theorem"))

/-! ## Judging -/

structure Judged where
  stage : String
  message : String := ""
  line : Nat := 0
  column : Nat := 0
  axioms : List Name := []
  messages : List Json := []
  written : Json := .null

def nameStrings : List Name → List String
  | [] => []
  | n :: ns => nameText n :: nameStrings ns

def Judged.toFields (j : Judged) : List (String × Json) :=
  [("stage", .str j.stage), ("message", .str j.message), ("line", toJson j.line), ("column", toJson j.column),
   ("axioms", jsonList (jsonStrings (nameStrings j.axioms))), ("messages", jsonList (reverseJson j.messages []))]

def Judged.withWritten (j : Judged) : List (String × Json) := ("written", .str j.written.compress) :: j.toFields


/-- Whether a constant is one that Lean makes for a `match`, and shares between declarations as it likes. -/
def isMatcher (env : Environment) (n : Name) : Bool := match n with
  | .str _ last => last.startsWith "match_" && !imported env n
  | _ => false

/-- The expression with such constants unfolded. -/
partial def unfoldMatchers (env : Environment) (e : Expr) : Expr :=
  e.replace fun
    | .const n ls =>
      if isMatcher env n then match env.find? n with
        | some (.defnInfo v) => some (unfoldMatchers env (v.value.instantiateLevelParams v.levelParams ls))
        | _ => none
      else none
    | _ => none

/-- What is wrong with a constant as a proof of the trusted statement, judged by its kind and type. All that the type is
made of has been checked in `env`, which grew out of the trusted environment. -/
def saysTheSame (t : Trusted) (env : Environment) : ConstantInfo → Option Judged
  | .thmInfo v =>
    if countNames v.levelParams != countNames t.levelParams then
      some { stage := "mismatch", message := "other universe parameters than the statement" }
    else
      let type := v.type.instantiateLevelParams v.levelParams (toParams t.levelParams)
      let type := stripAnnotations type
      if type.eqv t.type || (unfoldMatchers env type).eqv (unfoldMatchers env t.type) then none
      else some { stage := "mismatch", message := nameText t.name ++ " does not say what was asked" }
  | _ => some { stage := "mismatch", message := nameText t.name ++ " is not a theorem" }

/-- Judges the constant that `source` has under the trusted name. Reads nothing that `source` could have forged: the
kernel checks every term again on top of the trusted environment. -/
def judgeConstant (t : Trusted) (source : Environment) : IO Judged := do
  match source.find? t.name with
  | none => return { stage := "missing", message := "no theorem of the name " ++ nameText t.name }
  | some (.thmInfo _) => match ← replay source t.name { env := t.env } with
    | .error e => return { stage := e.stage, message := e.message }
    | .ok w => match w.env.find? t.name with
      | none => return { stage := "kernel", message := "the kernel did not take the theorem" }
      | some c => match saysTheSame t w.env c with
        | some j => return j
        | none => return { stage := "proved", axioms := reverseNames w.axioms [] }
  | some _ => return { stage := "mismatch", message := nameText t.name ++ " is not a theorem" }

/-! ## Proofs as data

A candidate that runs code of its own could do anything to the process that elaborates it. Such a process only writes
down the constants that came out; another one, which has never run a candidate's code, reads them, and has the kernel
check each of them. Expressions are numbered, so that what is shared stays shared; binder names are left out. -/

inductive ExprBucket where
  | nil
  | cons (e : Expr) (id : Nat) (rest : ExprBucket)

def ExprBucket.find : ExprBucket → Expr → Option Nat
  | .nil, _ => none
  | .cons x i rest, e => if x == e then some i else rest.find e

structure Writer where
  source : Environment
  trusted : Environment
  buckets : Array ExprBucket := Array.replicate 4096 .nil
  exprs : Array Json := #[]
  decls : Array Json := #[]
  seen : Names := Names.empty

def slotOf (e : Expr) : Nat := (e.hash % 4096).toNat

def Writer.find (w : Writer) (e : Expr) : Option Nat :=
  if h : slotOf e < w.buckets.size then (w.buckets[slotOf e]).find e else none

def Writer.push (w : Writer) (e : Expr) (j : List Json) : Writer × Nat :=
  let id := w.exprs.size
  let buckets := if h : slotOf e < w.buckets.size then
      let old := w.buckets[slotOf e]
      w.buckets.set (slotOf e) (.cons e id old)
    else w.buckets
  ({ w with buckets := buckets, exprs := w.exprs.push (jsonList j) }, id)

partial def nameParts : Name → List Json → List Json
  | .anonymous, acc => acc
  | .str p s, acc => nameParts p (.str s :: acc)
  | .num p n, acc => nameParts p (toJson n :: acc)

def nameJson (n : Name) : Json := jsonList (nameParts n [])

def namesJson : List Name → List Json
  | [] => []
  | n :: ns => nameJson n :: namesJson ns

partial def levelJson : Level → Json
  | .zero => jsonList []
  | .succ l => jsonList [.str "s", levelJson l]
  | .max a b => jsonList [.str "m", levelJson a, levelJson b]
  | .imax a b => jsonList [.str "i", levelJson a, levelJson b]
  | .param n => jsonList [.str "p", nameJson n]
  | .mvar _ => .null

def levelsJson : List Level → List Json
  | [] => []
  | l :: ls => levelJson l :: levelsJson ls

def tag (n : Nat) : Json := toJson n

partial def writeExpr (w : Writer) (e : Expr) : Writer × Nat :=
  match e with
  | .mdata _ b => writeExpr w b
  | _ => match w.find e with
    | some id => (w, id)
    | none => match e with
      | .bvar i => w.push e [tag 0, toJson i]
      | .sort l => w.push e [tag 1, levelJson l]
      | .const n ls => w.push e [tag 2, nameJson n, jsonList (levelsJson ls)]
      | .app f a =>
        let (w, f) := writeExpr w f
        let (w, a) := writeExpr w a
        w.push e [tag 3, toJson f, toJson a]
      | .lam _ t b _ =>
        let (w, t) := writeExpr w t
        let (w, b) := writeExpr w b
        w.push e [tag 4, toJson t, toJson b]
      | .forallE _ t b _ =>
        let (w, t) := writeExpr w t
        let (w, b) := writeExpr w b
        w.push e [tag 5, toJson t, toJson b]
      | .letE _ t v b nondep =>
        let (w, t) := writeExpr w t
        let (w, v) := writeExpr w v
        let (w, b) := writeExpr w b
        w.push e [tag (if nondep then 11 else 6), toJson t, toJson v, toJson b]
      | .lit (.natVal n) => w.push e [tag 7, toJson n]
      | .lit (.strVal s) => w.push e [tag 8, .str s]
      | .proj s i b =>
        let (w, b) := writeExpr w b
        w.push e [tag 9, nameJson s, toJson i, toJson b]
      | _ => w.push e [tag 10]

def Writer.declare (w : Writer) (fields : List (String × Json)) : Writer :=
  { w with decls := w.decls.push (Json.mkObj fields) }

def hintJson : ReducibilityHints → Json
  | .opaque => .str "opaque"
  | .abbrev => .str "abbrev"
  | .regular n => toJson n.toNat

def writeConstructors (w : Writer) : List Constructor → List Json → Writer × List Json
  | [], acc => (w, reverseJson acc [])
  | c :: cs, acc =>
    let (w, t) := writeExpr w c.type
    writeConstructors w cs (Json.mkObj [("n", nameJson c.name), ("t", toJson t)] :: acc)

def writeTypes (w : Writer) : List InductiveType → List Json → Writer × List Json
  | [], acc => (w, reverseJson acc [])
  | i :: is, acc =>
    let (w, t) := writeExpr w i.type
    let (w, cs) := writeConstructors w i.ctors []
    writeTypes w is (Json.mkObj [("n", nameJson i.name), ("t", toJson t), ("c", jsonList cs)] :: acc)

def writeValue (w : Writer) (kind : String) (v : ConstantVal) (value : Expr) (more : List (String × Json)) : Writer :=
  let (w, t) := writeExpr w v.type
  let (w, x) := writeExpr w value
  w.declare (("k", .str kind) :: ("n", nameJson v.name) :: ("u", jsonList (namesJson v.levelParams))
    :: ("t", toJson t) :: ("v", toJson x) :: more)

partial def usedByConstructors (env : Environment) (visit : Name → Writer → Writer) : List Name → Writer → Writer
  | [], w => w
  | n :: ns, w => match env.find? n with
    | none => usedByConstructors env visit ns w
    | some c => usedByConstructors env visit ns (visitArray visit c.type.getUsedConstants 0 w)
where
  visitArray (visit : Name → Writer → Writer) (names : Array Name) (i : Nat) (w : Writer) : Writer :=
    if h : i < names.size then visitArray visit names (i + 1) (visit names[i] w) else w

partial def visitNames (visit : Name → Writer → Writer) : List Name → Writer → Writer
  | [], w => w
  | n :: ns, w => visitNames visit ns (visit n w)

partial def visitUsed (visit : Name → Writer → Writer) (names : Array Name) (i : Nat) (w : Writer) : Writer :=
  if h : i < names.size then visitUsed visit names (i + 1) (visit names[i] w) else w

/-- Writes a constant after everything that it rests on. What the reader must not take, an axiom say, is written as
such: the reader decides. -/
partial def writeConstant (n : Name) (w : Writer) : Writer :=
  if w.seen.has n || w.trusted.contains n then w else
  let w := { w with seen := w.seen.add n }
  match w.source.find? n with
  | none => w
  | some c =>
    let w := visitUsed writeConstant c.type.getUsedConstants 0 w
    match c with
    | .ctorInfo v => writeConstant v.induct w
    | .recInfo v => visitNames writeConstant v.all w
    | .inductInfo v =>
      let w := markAll v.all (markAll v.ctors w)
      let w := usedByConstructors w.source writeConstant v.ctors w
      let w := writeFamily v.all w
      match inductiveTypes w.source v.all with
      | none => w
      | some ts =>
        let (w, types) := writeTypes w ts []
        if v.isUnsafe then w.declare [("k", .str "unsafe"), ("n", nameJson n)] else
        w.declare [("k", .str "inductive"), ("n", nameJson n), ("u", jsonList (namesJson v.levelParams)),
          ("p", toJson v.numParams), ("types", jsonList types)]
    | _ =>
      let w := match c.value? (allowOpaque := true) with
        | none => w
        | some v => visitUsed writeConstant v.getUsedConstants 0 w
      if c.isUnsafe then w.declare [("k", .str "unsafe"), ("n", nameJson n)] else
      match c with
      | .thmInfo v => writeValue w "theorem" v.toConstantVal v.value []
      | .defnInfo v => writeValue w "definition" v.toConstantVal v.value [("h", hintJson v.hints)]
      | .opaqueInfo v => writeValue w "opaque" v.toConstantVal v.value []
      | _ => w.declare [("k", .str "axiom"), ("n", nameJson n)]
where
  markAll : List Name → Writer → Writer
    | [], w => w
    | n :: ns, w => markAll ns { w with seen := w.seen.add n }
  writeFamily : List Name → Writer → Writer
    | [], w => w
    | n :: ns, w => match w.source.find? n with
      | some (.inductInfo v) =>
        let w := visitUsed writeConstant v.type.getUsedConstants 0 w
        writeFamily ns (usedByConstructors w.source writeConstant v.ctors w)
      | _ => writeFamily ns w

/-- The constants that the candidate's theorem rests on, as data. -/
def writeProof (t : Trusted) (source : Environment) : Json :=
  let w := writeConstant t.name { source := source, trusted := t.env }
  Json.mkObj [("exprs", .arr w.exprs), ("decls", .arr w.decls)]

/-- Does not judge: writes down what the candidate's theorem rests on, for a process that does. -/
def writeDown (t : Trusted) (source : Environment) : IO Judged := do
  return { stage := "written", written := writeProof t source }

/-! Reading them back. Everything here comes from a process that is not trusted. -/

def item (j : Json) (i : Nat) : Json := match j with
  | .arr xs => if h : i < xs.size then xs[i] else .null
  | _ => .null

def field (j : Json) (key : String) : Json := match j.getObjVal? key with
  | .ok v => v
  | .error _ => .null

def asNat (j : Json) : Nat := match j.getNat? with
  | .ok n => n
  | .error _ => 0

def asString (j : Json) : String := match j.getStr? with
  | .ok s => s
  | .error _ => ""

def asArray (j : Json) : Array Json := match j with
  | .arr xs => xs
  | _ => #[]

def readNameFrom (parts : Array Json) (i : Nat) (acc : Name) : Name :=
  if h : i < parts.size then
    match parts[i] with
    | .str s => readNameFrom parts (i + 1) (.str acc s)
    | j => readNameFrom parts (i + 1) (.num acc (asNat j))
  else acc
  termination_by parts.size - i

def readName (j : Json) : Name := readNameFrom (asArray j) 0 .anonymous

def readNames (js : Array Json) (i : Nat) : List Name :=
  if h : i < js.size then readName js[i] :: readNames js (i + 1) else []
  termination_by js.size - i

partial def readLevel (j : Json) : Level :=
  let kind := asString (item j 0)
  if kind == "s" then .succ (readLevel (item j 1))
  else if kind == "m" then .max (readLevel (item j 1)) (readLevel (item j 2))
  else if kind == "i" then .imax (readLevel (item j 1)) (readLevel (item j 2))
  else if kind == "p" then .param (readName (item j 1))
  else .zero

def readLevels (js : Array Json) (i : Nat) : List Level :=
  if h : i < js.size then readLevel js[i] :: readLevels js (i + 1) else []
  termination_by js.size - i

def exprAt (es : Array Expr) (j : Json) : Expr :=
  if h : asNat j < es.size then es[asNat j] else .const `missing []

def readExpr (es : Array Expr) (j : Json) : Expr :=
  let kind := asNat (item j 0)
  let a := item j 1
  let b := item j 2
  let c := item j 3
  if kind == 0 then .bvar (asNat a)
  else if kind == 1 then .sort (readLevel a)
  else if kind == 2 then .const (readName a) (readLevels (asArray b) 0)
  else if kind == 3 then .app (exprAt es a) (exprAt es b)
  else if kind == 4 then .lam `x (exprAt es a) (exprAt es b) .default
  else if kind == 5 then .forallE `x (exprAt es a) (exprAt es b) .default
  else if kind == 6 then .letE `x (exprAt es a) (exprAt es b) (exprAt es c) false
  else if kind == 11 then .letE `x (exprAt es a) (exprAt es b) (exprAt es c) true
  else if kind == 7 then .lit (.natVal (asNat a))
  else if kind == 8 then .lit (.strVal (asString a))
  else if kind == 9 then .proj (readName a) (asNat b) (exprAt es c)
  else .const `missing []

partial def readExprs (js : Array Json) (i : Nat) (es : Array Expr) : Array Expr :=
  if h : i < js.size then readExprs js (i + 1) (es.push (readExpr es js[i])) else es

def readConstructors (es : Array Expr) (js : Array Json) (i : Nat) : List Constructor :=
  if h : i < js.size then
    { name := readName (field js[i] "n"), type := exprAt es (field js[i] "t") } :: readConstructors es js (i + 1)
  else []
  termination_by js.size - i

def readTypes (es : Array Expr) (js : Array Json) (i : Nat) : List InductiveType :=
  if h : i < js.size then
    { name := readName (field js[i] "n"), type := exprAt es (field js[i] "t"),
      ctors := readConstructors es (asArray (field js[i] "c")) 0 } :: readTypes es js (i + 1)
  else []
  termination_by js.size - i

def readHint (j : Json) : ReducibilityHints := match j with
  | .str "abbrev" => .abbrev
  | .str _ => .opaque
  | j => .regular (asNat j).toUInt32

def readDeclaration (es : Array Expr) (j : Json) : Except Refusal Declaration :=
  let kind := asString (field j "k")
  let name := readName (field j "n")
  let params := readNames (asArray (field j "u")) 0
  let value := exprAt es (field j "v")
  let v : ConstantVal := { name := name, levelParams := params, type := exprAt es (field j "t") }
  if kind == "theorem" then .ok (.thmDecl { v with value := value, all := [name] })
  else if kind == "definition" then
    .ok (.defnDecl { v with value := value, hints := readHint (field j "h"), safety := .safe, all := [name] })
  else if kind == "opaque" then .ok (.opaqueDecl { v with value := value, isUnsafe := false, all := [name] })
  else if kind == "inductive" then
    .ok (.inductDecl params (asNat (field j "p")) (readTypes es (asArray (field j "types")) 0) false)
  else .error ⟨"axioms", "rests on the " ++ kind ++ " " ++ nameText name⟩

def usedInConstructors : List Constructor → List Expr → List Expr
  | [], acc => acc
  | c :: cs, acc => usedInConstructors cs (c.type :: acc)

def usedInTypes : List InductiveType → List Expr → List Expr
  | [], acc => acc
  | t :: ts, acc => usedInTypes ts (usedInConstructors t.ctors (t.type :: acc))

def partsOf : Declaration → List Expr
  | .thmDecl v => [v.type, v.value]
  | .defnDecl v => [v.type, v.value]
  | .opaqueDecl v => [v.type, v.value]
  | .inductDecl _ _ ts _ => usedInTypes ts []
  | _ => []

/-- What the trusted environment, grown by what the kernel took so far, says of a constant that a declaration uses. -/
partial def audit (n : Name) (w : Walk) : IO (Except Refusal Walk) := do
  if w.seen.has n then return .ok w
  match w.env.find? n with
  | none => return .ok w
  | some c => match checkTrusted n c { w with seen := w.seen.add n } with
    | .error e => return .error e
    | .ok w => if imported w.env n then return .ok w else visitParts audit c w

def auditParts : List Expr → Walk → IO (Except Refusal Walk)
  | [], w => return .ok w
  | e :: es, w => do
    match ← visitAll audit e.getUsedConstants 0 w with
    | .error r => return .error r
    | .ok w => auditParts es w

/-- Adds the declarations in turn. The kernel refuses a name that is there already, and a constant that is not. -/
partial def admitAll (es : Array Expr) (js : Array Json) (i : Nat) (w : Walk) : IO (Except Refusal Walk) := do
  if h : i < js.size then
    match readDeclaration es js[i] with
    | .error r => return .error r
    | .ok d =>
      match ← auditParts (partsOf d) w with
      | .error r => return .error r
      | .ok w => match addDecl w.env d with
        | .error e => return .error ⟨"kernel", ← exceptionText e⟩
        | .ok env => admitAll es js (i + 1) { w with env := env }
  else return .ok w

/-- Judges a proof that another process wrote down. -/
def judgeWritten (t : Trusted) (j : Json) : IO Judged := do
  let es := readExprs (asArray (field j "exprs")) 0 #[]
  match ← admitAll es (asArray (field j "decls")) 0 { env := t.env } with
  | .error r => return { stage := r.stage, message := r.message }
  | .ok w => match w.env.find? t.name with
    | none => return { stage := "missing", message := "no theorem of the name " ++ nameText t.name }
    | some c => match saysTheSame t w.env c with
      | some j => return j
      | none => return { stage := "proved", axioms := reverseNames w.axioms [] }

/-- Elaborates a candidate apart from the trusted side, from the state `start`, and has `conclude` look at what came out. -/
def judge (start : Command.State) (base : Base) (t : Trusted) (statement kind text : String) (guarded : Bool)
    (conclude : Trusted → Environment → IO Judged) : IO Judged := do
  if kind == "proof" then
    finish (← elabText false start (withProof statement text) guarded)
  else
    let input := inputContext text
    let (stx, ps, log) ← Parser.parseHeader input
    let found ← collectMessages false log.toList []
    if countErrors log.toList > 0 then return located "elaboration" (firstMessage found) found
    if HeaderSyntax.isModule stx then return { stage := "header", message := "a candidate may not begin with `module`" }
    if (stx.raw.getArg 1).getNumArgs > 0 then
      return { stage := "header", message := "a candidate may not begin with `prelude`" }
    match missingImport (importNames (HeaderSyntax.imports stx false) 0) (importNames base.imports 0) with
    | some n => return { stage := "header", message := "import " ++ nameText n ++ " is not in the trusted header" }
    | none => finish (← elabAll false input ps { state := start } guarded (mentionsAsync text))
where
  located (stage : String) (m : Json) (all : List Json) : Judged :=
    { stage := stage, message := getString m "message", line := getNat m "line" 1, column := getNat m "column" 0,
      messages := all }
  finish (r : Elaborated) : IO Judged := do
    if r.stopped then return { stage := "apart", message := "a command that may run code" }
    if r.errors > 0 then return located "elaboration" (firstMessage r.messages) r.messages
    conclude t r.state.env

/-! ## Tactic states -/

/-- The context in which terms below the header are read and shown. -/
def coreContext (base : Base) : Core.Context :=
  let scope := currentScope base.state
  { fileName := "<input>"
    fileMap := FileMap.ofString ""
    options := scope.opts
    currNamespace := scope.currNamespace
    openDecls := scope.openDecls }

/-- A saved tactic state: everything that a tactic reads, the goals that are open, and those it is a proof of. -/
structure Saved where
  core : Core.State
  metaState : Meta.State
  term : Term.State
  goals : List MVarId
  roots : List MVarId
  context : Core.Context

def runTerm (p : Saved) (input : String) (heartbeats : Nat) (x : TermElabM Saved) :
    IO (Except Exception Saved) := do
  let start ← IO.getNumHeartbeats
  let context := { p.context with fileMap := FileMap.ofString input, initHeartbeats := start,
                                  maxHeartbeats := heartbeats * 1000 }
  let mx : MetaM Saved := do
    let ref ← IO.mkRef p.term
    let q ← x {} ref
    let term ← ref.get
    return { q with term := term }
  let core := { p.core with messages := {}, infoState := { enabled := false } }
  match ← EIO.toIO' ((mx.run {} p.metaState).run context core) with
  | .ok ((q, ms), cs) => return .ok { q with core := cs, metaState := ms }
  | .error e => return .error e

/-- How many binders stand before the colon: the foralls that are left when the type behind it is wrapped. -/
def countForalls : Expr → Nat
  | .forallE _ _ b _ => countForalls b + 1
  | .mdata _ b => countForalls b
  | _ => 0

/-- The first part of a declaration's syntax that is of this kind. -/
partial def findPart (wanted : SyntaxNodeKind) (stx : Syntax) : Option Syntax :=
  match stx with
  | .node _ kind args => if kind == wanted then some stx else search args 0
  | _ => none
where
  search (args : Array Syntax) (i : Nat) : Option Syntax :=
    if h : i < args.size then
      match findPart wanted args[i] with
      | some s => some s
      | none => search args (i + 1)
    else none

/-- The text of a part of a declaration, without what stands around it. -/
def textOf (text : String) (stx : Syntax) : String := match stx.getPos?, stx.getTailPos? with
  | some a, some b => String.Pos.Raw.extract text a b
  | _, _ => ""

/-- The statement with its type put behind an identity function, so that its own foralls do not count as binders. -/
def wrapType (base : Base) (statement : String) : Option String :=
  let text := withProof statement "by sorry"
  let (stx, _, _) := Parser.parseCommand (inputContext text) (parserContext base.state) {} {}
  match findPart ``Parser.Command.declSig stx with
  | none => none
  | some sig => match (sig.getArg 1).getArg 1 |>.getPos?, (sig.getArg 1).getArg 1 |>.getTailPos? with
    | some a, some b => some (String.Pos.Raw.extract text 0 a ++ "(@id Prop (" ++ String.Pos.Raw.extract text a b
        ++ "\n)) := by sorry")
    | _, _ => none

def binderCount (base : Base) (name : Name) (statement : String) : IO Nat := do
  match wrapType base statement with
  | none => return 0
  | some text =>
    let r ← elabText false base.state text
    match r.state.env.find? name with
    | some c => return countForalls c.type
    | none => return 0

/-! ### The negation of a statement -/

def ppType (base : Base) (e : Expr) : IO String := do
  let core : Core.State := { env := base.state.env, ngen := {}, messages := {}, infoState := {} }
  match ← EIO.toIO' (((Meta.ppExpr e).run {} {}).run (coreContext base) core) with
  | .ok ((f, _), _) => return toString f
  | .error e => e.toMessageData.toString

/-- The name with something at its end, and more of it as long as the header has such a constant. -/
partial def negationName (env : Environment) (scope : Scope) (name : Name) (suffix : String) : Name :=
  let new : Name := match name with
    | .str p s => .str p (s ++ suffix)
    | n => .str n suffix
  match findDeclared env scope new with
  | some _ => negationName env scope name (suffix ++ "'")
  | none => new

/-- What the statement says as this Lean prints it, variables and all. `options` are commands that set some. -/
def printedType (base : Base) (t : Trusted) (options : String) : IO String := do
  let r ← elabText false base.state options
  ppType { base with state := r.state } t.type

def undeclaredLevels (known : List Name) : List Name → List String
  | [] => []
  | n :: ns => if containsName known n then undeclaredLevels known ns else nameText n :: undeclaredLevels known ns

def commas : List String → String
  | [] => ""
  | [x] => x
  | x :: xs => x ++ ", " ++ commas xs

/-- The first of the texts that elaborates to the negation of the statement, letter by letter. -/
def firstNegation (base : Base) (t : Trusted) (name : Name) : List (IO String) → IO (Option String)
  | [] => return none
  | candidate :: rest => do
    let text ← candidate
    let r ← elabText false base.unchecked (withProof text "by sorry")
    if r.errors > 0 then return ← firstNegation base t name rest
    -- The statement's own matchers are in `t.env` alone: there both sides can be unfolded.
    let r ← elabText false { base.unchecked with env := t.env } (withProof text "by sorry")
    match findDeclared r.state.env (currentScope base.state) name with
    | none => firstNegation base t name rest
    | some c => match saysTheSame { t with type := .app (.const ``Not []) t.type } r.state.env c with
      | none => return some text
      | some _ => firstNegation base t name rest

/-- A theorem that says the opposite: `theorem t_negation : ¬ (∀ binders, type)`, from the statement's own text if that
says all of it, else (section variables, variables that Lean bound by itself) from what Lean prints. -/
def negate (base : Base) (t : Trusted) (statement : String) : IO Answer := do
  let text := withProof statement "by sorry"
  let (stx, _, _) := Parser.parseCommand (inputContext text) (parserContext base.state) {} {}
  match findPart ``Parser.Command.declId stx, findPart ``Parser.Command.declSig stx with
  | some declared, some sig => match declared.getPos? with
    | none => return fail "negation" "the statement has no name"
    | some at_ =>
      let scope := currentScope base.state
      let name := negationName base.state.env scope (declared.getArg 0).getId "_negation"
      let head := String.Pos.Raw.extract text 0 at_ ++ nameText name
      let binders := textOf text (sig.getArg 0)
      let type := textOf text ((sig.getArg 1).getArg 1)
      let own := head ++ textOf text (declared.getArg 1) ++ " : ¬ (" ++
        (if binders.isEmpty then type else "∀ " ++ binders ++ ", " ++ type) ++ ")"
      let levels := match undeclaredLevels scope.levelNames t.levelParams with
        | [] => ""
        | names => ".{" ++ commas names ++ "}"
      let printed (options : String) : IO String := do
        return head ++ levels ++ " : ¬ (" ++ (← printedType base t options) ++ ")"
      let whole := "set_option pp.deepTerms true\nset_option pp.proofs true"
      match ← firstNegation base t name [pure own, printed whole, printed (whole ++ "\nset_option pp.all true")] with
      | some found => return .ok [("name", .str (nameText name)), ("statement", .str found)]
      | none => return fail "negation" "its negation cannot be written down"
  | _, _ => return fail "negation" "the statement has no name"

def startGoal (base : Base) (t : Trusted) (statement : String) (heartbeats : Nat) : IO (Except Exception Saved) := do
  let n ← binderCount base t.name statement
  let core : Core.State := { env := t.env, ngen := { namePrefix := `_prover }, messages := {}, infoState := {} }
  let p : Saved :=
    { core := core
      metaState := {}
      term := { levelNames := t.levelParams }
      goals := []
      roots := []
      context := coreContext base }
  runTerm p "" heartbeats do
    let g ← mkFreshExprSyntheticOpaqueMVar t.type
    let (_, inner) ← g.mvarId!.introNP n
    return { p with goals := [inner], roots := [g.mvarId!] }

def parseTactic (p : Saved) (text : String) : Except String Syntax :=
  -- Parentheses make one tactic of a sequence; the line break keeps the columns of the text.
  Parser.runParserCategory p.core.env `tactic ("(\n" ++ text ++ "\n)") "<tactic>"

/-- Whether one of these goals was closed by something that rests on `sorry`. -/
def closedBySorry : List MVarId → MetaM Bool
  | [] => return false
  | g :: gs => do
    let e ← instantiateMVars (.mvar g)
    if e.hasSorry then return true
    closedBySorry gs

/-- Whether something in the proofs of these goals has not been given. -/
def leavesOpen : List MVarId → MetaM Bool
  | [] => return false
  | g :: gs => do
    let e ← instantiateMVars (.mvar g)
    if e.hasExprMVar || e.hasLevelMVar then return true
    leavesOpen gs

inductive Step where
  | goals (p : Saved)
  | finished
  | failed (kind message : String)

def errorTexts : List Message → IO (List String)
  | [] => return []
  | m :: ms => do
    if isError m then
      let text ← m.data.toString
      return text :: (← errorTexts ms)
    else errorTexts ms

def setAll (goals : List MVarId) : Tactic.TacticM Unit := fun _ ref => ref.set { goals := goals }

/-- Runs a tactic text with all goals of the state in scope, the first of them the main one. -/
def runTactic (p : Saved) (text : String) (heartbeats : Nat) : IO Step := do
  match parseTactic p text with
  | .error e => return .failed "parse" e
  | .ok stx => match p.goals with
    | [] => return .failed "error" "no goals"
    | g :: _ =>
      let sorryRef ← IO.mkRef false
      let openRef ← IO.mkRef false
      let r ← runTerm p text heartbeats do
        let goals ← Tactic.run g (do setAll p.goals; Tactic.evalTactic stx; Tactic.pruneSolvedGoals)
        Term.synthesizeSyntheticMVarsNoPostponing
        if ← closedBySorry p.goals then sorryRef.set true
        match goals with
        | [] => if ← leavesOpen p.roots then openRef.set true
        | _ => pure ()
        return { p with goals := goals }
      match r with
      | .error e =>
        let message ← e.toMessageData.toString
        return .failed (if e.isRuntime then "limit" else "error") message
      | .ok q => match ← errorTexts q.core.messages.toList with
        | m :: _ => return .failed "error" m
        | [] =>
          if ← sorryRef.get then return .failed "error" "the tactic uses sorry"
          match q.goals with
          | [] => if ← openRef.get then return .failed "error" "the proof leaves metavariables open" else return .finished
          | _ => return .goals q

/-- Names of the `let` variables of a goal, which alone show a value in its text. -/
partial def letNames (lctx : LocalContext) (i : Nat) : List String :=
  if i < lctx.numIndices then
    match lctx.getAt? i with
    | some (.ldecl _ _ n _ _ _ _) => nameText n :: letNames lctx (i + 1)
    | _ => letNames lctx (i + 1)
  else []

/-! ### What makes two goals the same -/

structure StandIn where
  name : Name
  expr : Expr

def findStandIn (n : Name) : List StandIn → Option Expr
  | [] => none
  | s :: ss => if s.name == n then some s.expr else findStandIn n ss

def hasStandIn (n : Name) : List StandIn → Bool
  | [] => false
  | s :: ss => s.name == n || hasStandIn n ss

def countStandIns : List StandIn → Nat
  | [] => 0
  | _ :: ss => countStandIns ss + 1

def numbered (kind : Name) (i : Nat) : Expr := .const (.num kind i) []

/-- The expression with its local constants and metavariables replaced, and without annotations. -/
partial def anonymize (s : List StandIn) (e : Expr) : Expr :=
  e.replace fun
    | .fvar i => findStandIn i.name s
    | .mvar i => findStandIn i.name s
    | .mdata _ b => some (anonymize s b)
    | _ => none

/-- Numbers them from `opened` on, in the order in which they appear. -/
def numberMVars (ms : Array MVarId) (i opened : Nat) (s : List StandIn) : List StandIn :=
  if h : i < ms.size then
    if hasStandIn ms[i].name s then numberMVars ms (i + 1) opened s
    else numberMVars ms (i + 1) (opened + 1) (⟨ms[i].name, numbered `_open opened⟩ :: s)
  else s
  termination_by ms.size - i

def mixNames (ns : Array Name) (i : Nat) (h : UInt64) : UInt64 :=
  if lt : i < ns.size then mixNames ns (i + 1) (mixHash h ns[i].hash) else h
  termination_by ns.size - i

/-- An expression's own hash has 32 bits; the names of its constants add some. Names of bound variables do not count. -/
def fingerprint (e : Expr) : UInt64 := mixNames e.getUsedConstants 0 (mixHash 7 e.hash)

/-- Sorted, each once. -/
def insertHash (h : UInt64) : List UInt64 → List UInt64
  | [] => [h]
  | x :: xs => if h == x then x :: xs else if h < x then h :: x :: xs else x :: insertHash h xs

def mixAll : List UInt64 → UInt64 → UInt64
  | [], h => h
  | x :: xs, h => mixAll xs (mixHash h x)

structure Fingerprints where
  standIns : List StandIn := []
  count : Nat := 0
  data : UInt64 := 11
  facts : List UInt64 := []
  open_ : List Name := []
  opened : Nat := 0

def addNames (ms : Array MVarId) (i : Nat) (ns : List Name) : List Name :=
  if h : i < ms.size then
    addNames ms (i + 1) (if containsName ns ms[i].name then ns else ms[i].name :: ns)
  else ns
  termination_by ms.size - i

def Fingerprints.seen (f : Fingerprints) (e : Expr) : Fingerprints :=
  if e.hasExprMVar then
    let ms := (e.collectMVars {}).result
    let numbers := numberMVars ms 0 f.opened f.standIns
    { f with standIns := numbers, opened := f.opened + countStandIns numbers - countStandIns f.standIns,
             open_ := addNames ms 0 f.open_ }
  else f

/-- Takes in one hypothesis. All proofs are one; of equal facts one counts; `True` says nothing; a datum is its place. -/
def Fingerprints.add (f : Fingerprints) (d : LocalDecl) : MetaM Fingerprints := do
  if d.isImplementationDetail then return f
  let type ← instantiateMVars d.type
  let f := f.seen type
  if !d.isLet && (← Meta.isProp type) then
    let s : StandIn := ⟨d.fvarId.name, .const `_proof []⟩
    let f := { f with standIns := s :: f.standIns }
    if type.isConstOf ``True then return f
    return { f with facts := insertHash (fingerprint (anonymize f.standIns type)) f.facts }
  let h := mixHash f.data (fingerprint (anonymize f.standIns type))
  let (f, h) ← (match d with
    | .ldecl _ _ _ _ v _ _ => do
      let v ← instantiateMVars v
      let f := f.seen v
      return (f, mixHash h (fingerprint (anonymize f.standIns v)))
    | _ => return (f, h))
  let s : StandIn := ⟨d.fvarId.name, numbered `_datum f.count⟩
  return { f with standIns := s :: f.standIns, count := f.count + 1, data := h }

partial def addContext (lctx : LocalContext) (i : Nat) (f : Fingerprints) : MetaM Fingerprints := do
  if i < lctx.numIndices then
    match lctx.getAt? i with
    | some d => addContext lctx (i + 1) (← f.add d)
    | none => addContext lctx (i + 1) f
  else return f

/-- Those that a metavariable with a delayed assignment waits for, besides the metavariables themselves. -/
partial def withPending : List Name → List Name → MetaM (List Name)
  | [], found => return found
  | n :: ns, found => do
    match ← getDelayedMVarAssignment? { name := n } with
    | none => withPending ns found
    | some a =>
      let e ← instantiateMVars (.mvar a.mvarIdPending)
      let ms := (e.collectMVars {}).result
      let more := addNames ms 0 found
      withPending (newNames more found ns) more
where
  newNames : List Name → List Name → List Name → List Name
    | [], _, acc => acc
    | n :: ns, known, acc => newNames ns known (if containsName known n then acc else n :: acc)

/-- A number that goals share which differ in names, order and number of facts only; and the metavariables in it. -/
def goalKey (d : MetavarDecl) : MetaM (UInt64 × List Name) := do
  let f ← addContext d.lctx 0 {}
  let target ← instantiateMVars d.type
  let f := f.seen target
  let key := mixAll f.facts (mixHash f.data (fingerprint (anonymize f.standIns target)))
  return (key, ← withPending f.open_ f.open_)

def jsonNames (g : MVarId) (ns : List Name) : Json := jsonList (jsonStrings (nameText g.name :: nameTexts ns))
where
  nameTexts : List Name → List String
    | [] => []
    | n :: ns => nameText n :: nameTexts ns

def goalsJson : List MVarId → MetaM (List Json)
  | [] => return []
  | g :: gs => do
    let text ← Meta.ppGoal g
    let d ← g.getDecl
    let (key, mentioned) ← (fun c => goalKey d { c with lctx := d.lctx, localInstances := d.localInstances })
    let fields := [("pretty", .str (toString text)), ("key", .str (toString key.toNat)), ("open", jsonNames g mentioned)]
    let fields := match letNames d.lctx 0 with
      | [] => fields
      | names => ("lets", jsonList (jsonStrings names)) :: fields
    return Json.mkObj fields :: (← goalsJson gs)

def showGoals (p : Saved) : IO Json := do
  let context := { p.context with maxHeartbeats := 0 }
  match ← EIO.toIO' (((goalsJson p.goals).run {} p.metaState).run context p.core) with
  | .ok ((js, _), _) => return jsonList js
  | .error e => return jsonList [Json.mkObj [("pretty", .str (← e.toMessageData.toString))]]

/-! ## What a statement says, whatever its names and its header -/

/-- The expression with the definitions unfolded that no library has: the header's, and the statement's own matchers.
Their names say nothing of what they mean. Default values of binders go too, and proofs that Lean has set apart. -/
partial def unfoldOwn (env : Environment) (e : Expr) : Expr :=
  e.replace fun
    | .app (.app (.const n _) t) _ => if n == ``optParam || n == ``autoParam then some (unfoldOwn env t) else none
    | .const n ls =>
      if imported env n then none else match env.find? n with
        | some (.defnInfo v) => some (unfoldOwn env (v.value.instantiateLevelParams v.levelParams ls))
        | some (.thmInfo _) => some (.const `_proof [])
        | _ => none
    | _ => none

def listNames (ns : Array Name) (i : Nat) : List Name :=
  if h : i < ns.size then ns[i] :: listNames ns (i + 1) else []
  termination_by ns.size - i

def numberedLevels (i : Nat) : List Name → List Level
  | [] => []
  | _ :: ns => .param (.num `u i) :: numberedLevels (i + 1) ns

/-- The elaborated type as text: de Bruijn indices, numbered universes, no names or brackets of binders. -/
def formOf (t : Trusted) : String :=
  let type := unfoldOwn t.env t.type
  let levels := listNames (collectLevelParams {} type).params 0
  let type := type.instantiateLevelParams levels (numberedLevels 0 levels)
  let type := type.replaceLevel fun l => some l.normalize
  let (w, _) := writeExpr { source := t.env, trusted := t.env } type
  (Json.arr w.exprs).compress

/-! ## The server -/

structure NamedBase where
  header : String
  heartbeats : Nat
  base : Base

structure NamedTrusted where
  header : String
  name : String
  statement : String
  trusted : Trusted

/-- Everything that outlives a request. Immutable values: no request can change what another one sees. -/
structure Server where
  bases : List NamedBase := []
  statements : List NamedTrusted := []
  states : Array (Option Saved) := #[]

def takeBases : Nat → List NamedBase → List NamedBase
  | 0, _ => []
  | _, [] => []
  | n + 1, x :: xs => x :: takeBases n xs

def takeTrusted : Nat → List NamedTrusted → List NamedTrusted
  | 0, _ => []
  | _, [] => []
  | n + 1, x :: xs => x :: takeTrusted n xs

def findBase (header : String) (heartbeats : Nat) : List NamedBase → List NamedBase → Option (NamedBase × List NamedBase)
  | [], _ => none
  | x :: xs, passed =>
    if x.header == header && x.heartbeats == heartbeats then some (x, joinBases passed xs)
    else findBase header heartbeats xs (x :: passed)
where
  joinBases : List NamedBase → List NamedBase → List NamedBase
    | [], ys => ys
    | x :: xs, ys => joinBases xs (x :: ys)

def findTrusted (header name statement : String) : List NamedTrusted → Option Trusted
  | [] => none
  | x :: xs =>
    if x.statement == statement && x.name == name && x.header == header then some x.trusted
    else findTrusted header name statement xs

/-- The header's environment, from the cache or made now; the one least recently used gives way. -/
def getBase (s : Server) (j : Json) : IO (Server × Except Answer Base) := do
  let header := getString j "header"
  let heartbeats := getNat j "heartbeats" 200000
  match findBase header heartbeats s.bases [] with
  | some (found, others) => return ({ s with bases := found :: others }, .ok found.base)
  | none => match ← makeBase header heartbeats with
    | .error e => return (s, .error e)
    | .ok b => return ({ s with bases := ⟨header, heartbeats, b⟩ :: takeBases 7 s.bases }, .ok b)

def getTrusted (s : Server) (b : Base) (j : Json) : IO (Server × Except Answer Trusted) := do
  let header := getString j "header"
  let name := getString j "name"
  let statement := getString j "statement"
  match findTrusted header name statement s.statements with
  | some t => return (s, .ok t)
  | none => match ← makeTrusted b name statement with
    | .error e => return (s, .error e)
    | .ok t => return ({ s with statements := ⟨header, name, statement, t⟩ :: takeTrusted 15 s.statements }, .ok t)

def saveState (s : Server) (p : Saved) : Server × Nat := ({ s with states := s.states.push (some p) }, s.states.size)

def dropState (states : Array (Option Saved)) (i : Nat) : Array (Option Saved) :=
  if h : i < states.size then states.set i none else states

def dropStates (states : Array (Option Saved)) (handles : Array Json) (i : Nat) : Array (Option Saved) :=
  if h : i < handles.size then
    match handles[i].getNat? with
    | .ok n => dropStates (dropState states n) handles (i + 1)
    | .error _ => dropStates states handles (i + 1)
  else states
  termination_by handles.size - i

def findState (s : Server) (i : Nat) : Option Saved :=
  if h : i < s.states.size then s.states[i] else none

def asIndices (js : Array Json) (i : Nat) : List Nat :=
  if h : i < js.size then asNat js[i] :: asIndices js (i + 1) else []
  termination_by js.size - i

def hasIndex (i : Nat) : List Nat → Bool
  | [] => false
  | n :: ns => n == i || hasIndex i ns

/-- The goals at these places, in their own order. -/
def pickGoals : List MVarId → Nat → List Nat → List MVarId
  | [], _, _ => []
  | g :: gs, i, chosen => if hasIndex i chosen then g :: pickGoals gs (i + 1) chosen else pickGoals gs (i + 1) chosen

def kindOf (env : Environment) (n : Name) : ConstantInfo → String
  | .thmInfo _ => "theorem"
  | .axiomInfo _ => if wasOriginallyTheorem env n then "theorem" else if isRealAxiom env n then "axiom" else "definition"
  | .defnInfo _ => "definition"
  | .opaqueInfo _ => "opaque"
  | .quotInfo _ => "quotient"
  | .inductInfo _ => "inductive"
  | .ctorInfo _ => "constructor"
  | .recInfo _ => "recursor"

/-! ## The library's theorems, and what they say in a smaller environment -/

def moduleJsons (env : Environment) (names : Array Name) (i : Nat) (acc : List Json) : List Json :=
  if h : i < names.size then
    let imports := if g : i < env.header.moduleData.size then importNames env.header.moduleData[i].imports 0 else []
    let m := Json.mkObj [("name", .str (nameText names[i])), ("imports", jsonList (jsonStrings (nameStrings imports)))]
    moduleJsons env names (i + 1) (m :: acc)
  else reverseJson acc []
  termination_by names.size - i

/-- Last parts of theorems that Lean makes for a constructor. -/
def ofConstructor (last : String) : Bool := last == "inj" || last == "injEq" || last == "sizeOf_spec" || last == "hinj"

/-- Whether it is, or is about, what Lean makes for recursion on an inductive type. -/
def ofRecursion : Name → Bool
  | .str p s => s == "recOn" || s == "casesOn" || s == "below" || s.startsWith "brecOn" || ofRecursion p
  | _ => false

/-- Where a theorem comes from that nobody has stated as one: the empty text for the others. -/
def madeBy (env : Environment) (n : Name) : String :=
  if isPrivateName n then "private"
  else if n.hasMacroScopes || n.isInternalDetail then "internal"
  else if isReservedName env n || isAuxRecursor env n || isNoConfusion env n then "generated"
  else if env.isProjectionFn n then "field"
  else if Meta.isInstanceCore env n then "instance"
  else match n with
    | .str p last =>
      let made := match env.find? p with
        | some (.ctorInfo _) => ofConstructor last
        | some (.inductInfo _) => last == "ext_iff" || last == "ext" || last == "ofNat_ctorIdx"
        | _ => false
      if made || ofRecursion n then "generated" else ""
    | _ => "internal"

def theoremJsons (env : Environment) (names : Array Name) (i : Nat) (acc : List Json) : List Json :=
  if h : i < names.size then
    let n := names[i]
    let isTheorem := match env.find? n with
      | some c => kindOf env n c == "theorem"
      | none => false
    if isTheorem then
      let t := Json.mkObj [("name", .str (nameText n)), ("by", .str (madeBy env n))]
      theoremJsons env names (i + 1) (t :: acc)
    else theoremJsons env names (i + 1) acc
  else reverseJson acc []
  termination_by names.size - i

/-- The place of a module among those imported. -/
def moduleAt (names : Array Name) (wanted : String) (i : Nat) : Option Nat :=
  if h : i < names.size then
    if nameText names[i] == wanted then some i else moduleAt names wanted (i + 1)
  else none
  termination_by names.size - i

/-- A way to print what a theorem says. -/
structure Print where
  options : String
  /-- Instances are printed too, so their variables need names. -/
  explicit : Bool := false
  /-- With the types of what is written without an argument, such as `none`. -/
  ascribed : Bool := false
  /-- As seen from the namespace that the theorem's name puts its statement in. -/
  inside : Bool := false
  /-- With what Lean believes is needed to read it back. -/
  analyzed : Bool := false

def setOptions : List String → String
  | [] => ""
  | o :: os => "set_option pp." ++ o ++ "\n" ++ setOptions os

def whole : String := setOptions ["deepTerms true", "maxSteps 1000000", "proofs true", "funBinderTypes true",
  "letVarTypes true", "structureInstanceTypes true"]

def typed : String := whole ++ setOptions ["coercions.types true", "numericTypes true"]

def plainCalls : String := whole ++ setOptions ["numericTypes true", "fieldNotation false", "coercions false"]

/-- The most readable way first. -/
def prints : List Print :=
  [{ options := whole },
   { options := typed },
   { options := typed, ascribed := true },
   { options := typed, inside := true },
   { options := plainCalls, ascribed := true },
   { options := whole ++ setOptions ["piBinderNames true", "analyze true"], analyzed := true },
   { options := plainCalls ++ setOptions ["notation false"], ascribed := true },
   { options := plainCalls ++ setOptions ["explicit true"], explicit := true },
   { options := plainCalls ++ setOptions ["explicit true"], explicit := true, inside := true },
   { options := whole ++ setOptions ["all true", "fullNames false"], explicit := true, inside := true }]

/-- Whether a bound variable's name cannot be written: it was made by a macro, or has a dagger. -/
def unwritable (n : Name) : Bool := n.hasMacroScopes || n.isInaccessibleUserName

def beforeDagger (s : String) : String := match s.splitOn "✝" with
  | first :: _ => if first.isEmpty then "x" else first
  | [] => "x"

partial def freshName (taken : List Name) (base : String) (i : Nat) : Name :=
  let n : Name := if i == 0 then .str .anonymous base else .str .anonymous (base ++ "_" ++ toString i)
  if containsName taken n then freshName taken base (i + 1) else n

partial def boundNames (e : Expr) (acc : List Name) : List Name := match e with
  | .forallE n t b _ => boundNames b (boundNames t (n :: acc))
  | .lam n t b _ => boundNames b (boundNames t (n :: acc))
  | .letE n t v b _ => boundNames b (boundNames v (boundNames t (n :: acc)))
  | .app f a => boundNames a (boundNames f acc)
  | .mdata _ b => boundNames b acc
  | .proj _ _ b => boundNames b acc
  | _ => acc

/-- A name for a bound variable that can be written, and is that of no other one. -/
def nameFor (n : Name) (kept : Bool) (taken : List Name) : Name × List Name :=
  if kept || !unwritable n then (n, taken) else
    let m := freshName taken (beforeDagger (nameText (n.eraseMacroScopes))) 0
    (m, m :: taken)

/-- Default values, which are no part of what a theorem says, are left out; and bound variables that cannot be named get
names that can. Those of arrows keep theirs, so that they are printed as arrows. -/
partial def rename (explicit : Bool) (e : Expr) (taken : List Name) : Expr × List Name := match e with
  | .forallE n t b i =>
    let (m, taken) := nameFor n (!b.hasLooseBVar 0 || (i.isInstImplicit && !explicit)) taken
    let (t, taken) := rename explicit (bare t) taken
    let (b, taken) := rename explicit b taken
    (.forallE m t b i, taken)
  | .lam n t b i =>
    let (m, taken) := nameFor n false taken
    let (t, taken) := rename explicit (bare t) taken
    let (b, taken) := rename explicit b taken
    (.lam m t b i, taken)
  | .letE n t v b d =>
    let (m, taken) := nameFor n false taken
    let (t, taken) := rename explicit t taken
    let (v, taken) := rename explicit v taken
    let (b, taken) := rename explicit b taken
    (.letE m t v b d, taken)
  | .app f a =>
    let (f, taken) := rename explicit f taken
    let (a, taken) := rename explicit a taken
    (.app f a, taken)
  | .mdata _ b => rename explicit b taken
  | .proj s i b =>
    let (b, taken) := rename explicit b taken
    (.proj s i b, taken)
  | e => (e, taken)
where
  bare : Expr → Expr
    | .app (.app (.const n ls) t) v => if n == ``autoParam || n == ``optParam then t else .app (.app (.const n ls) t) v
    | e => e

def writable (explicit : Bool) (e : Expr) : Expr := (rename explicit e (boundNames e [])).1

def onlyImplicit (type : Expr) : Nat → Bool
  | 0 => true
  | n + 1 => match type with
    | .forallE _ _ b i => !i.isExplicit && onlyImplicit b n
    | _ => false

/-- Marks for the pretty printer whatever has arguments, and none of them explicit. -/
partial def ascribe (env : Environment) (e : Expr) : Expr := match e with
  | .app f a =>
    let made := spine (.app f a)
    match e.getAppFn with
    | .const n _ => match env.find? n with
      | some c =>
        if onlyImplicit c.type e.getAppNumArgs then .mdata (KVMap.setBool {} `pp.analysis.needsType true) made else made
      | none => made
    | _ => made
  | .forallE n t b i => .forallE n (ascribe env t) (ascribe env b) i
  | .lam n t b i => .lam n (ascribe env t) (ascribe env b) i
  | .letE n t v b d => .letE n (ascribe env t) (ascribe env v) (ascribe env b) d
  | .proj s i b => .proj s i (ascribe env b)
  | e => e
where
  spine : Expr → Expr
    | .app f a => .app (spine f) (ascribe env a)
    | .const n ls => .const n ls
    | e => ascribe env e

/-- `binders : type` of `∀ binders, type`. -/
def splitBinders (env : Environment) (text : String) : String :=
  match Parser.runParserCategory env `term text "<type>" with
  | .error _ => " : " ++ text
  | .ok stx =>
    if stx.getKind == ``Parser.Term.forall && (stx.getArg 2).getNumArgs == 0 then
      match (stx.getArg 1).getPos?, (stx.getArg 1).getTailPos?, (stx.getArg 4).getPos? with
      | some a, some b, some c =>
        " " ++ String.Pos.Raw.extract text a b ++ " :\n  " ++ String.Pos.Raw.extract text c text.rawEndPos
      | _, _, _ => " : " ++ text
    else " : " ++ text

def levelText : List Name → String
  | [] => ""
  | ns => ".{" ++ commas (nameStrings ns) ++ "}"

/-- A declaration's head, `name.{levels} binders : type`, of an axiom that is added for it. -/
def printSignature (base : Base) (c : ConstantInfo) (p : Print) (heartbeats : Nat) : IO (Except String String) := do
  let type := writable p.explicit c.type
  let type := if p.ascribed then ascribe base.state.env type else type
  let v : ConstantVal := { name := c.name, levelParams := c.levelParams, type := type }
  match addDecl base.state.env (.axiomDecl { v with isUnsafe := false }) with
  | .error e => return .error (← exceptionText e)
  | .ok env =>
    let core : Core.State := { env := env, ngen := {}, messages := {}, infoState := {} }
    let context := coreContext base
    let context := { context with
      initHeartbeats := ← IO.getNumHeartbeats
      maxHeartbeats := heartbeats * 1000
      currNamespace := if p.inside then c.name.getPrefix else context.currNamespace }
    if p.analyzed then
      match ← EIO.toIO' (((Meta.ppExpr v.type).run {} {}).run context core) with
      | .ok ((f, _), _) => return .ok (nameText c.name ++ levelText c.levelParams ++ splitBinders env (toString f))
      | .error e => return .error (← e.toMessageData.toString)
    match ← EIO.toIO' (((PrettyPrinter.ppSignature c.name).run {} {}).run context core) with
    | .ok ((f, _), _) => return .ok (toString f.fmt)
    | .error e => return .error (← e.toMessageData.toString)

/-- Definitions count as what they stand for only where they are reducible, or instances. -/
def instancesOnly : Meta.Context := { keyedConfig := ({ transparency := .instances } : Meta.Config).toConfigWithKey }

/-- Whether the trusted statement says what the constant says: its type, up to reducible definitions, instances and
the proofs inside of it. -/
def saysType (base : Base) (c : ConstantInfo) (t : Trusted) (heartbeats : Nat) : IO Bool := do
  if countNames c.levelParams != countNames t.levelParams then return false
  let said := t.type.instantiateLevelParams t.levelParams (toParams c.levelParams)
  let wanted := writable true c.type
  if said.eqv wanted then return true
  let core : Core.State := { env := t.env, ngen := {}, messages := {}, infoState := {} }
  let context := { coreContext base with
    initHeartbeats := ← IO.getNumHeartbeats
    maxHeartbeats := heartbeats * 1000 }
  match ← EIO.toIO' (((Meta.isDefEq said wanted).run instancesOnly {}).run context core) with
  | .ok ((same, _), _) => return same
  | .error _ => return false

/-- The first constant that the environment does not have. -/
def missingConstant (env : Environment) (names : Array Name) (i : Nat) : Option Name :=
  if h : i < names.size then
    if env.contains names[i] then missingConstant env names (i + 1) else some names[i]
  else none
  termination_by names.size - i

/-- Each way with the header's environment in which its options are set. -/
def prepare (base : Base) : List Print → IO (List (Print × Base))
  | [] => return []
  | p :: ps => do
    let r ← elabText false base.state p.options
    return (p, { base with state := r.state }) :: (← prepare base ps)

/-- The first way of printing that reads back as what was printed. `trouble` is what became of the first one. -/
def firstReading (base : Base) (c : ConstantInfo) (heartbeats : Nat) (trouble : String) (tried : Nat) :
    List (Print × Base) → IO (List (String × Json))
  | [] => return [("trouble", .str trouble)]
  | (p, printing) :: ps => do
    match ← printSignature printing c p heartbeats with
    | .error e => firstReading base c heartbeats (firstOf trouble e) (tried + 1) ps
    | .ok head =>
      let statement := "theorem " ++ head
      match ← makeTrusted base (nameText c.name) statement with
      | .error (.error _ message _ _) => firstReading base c heartbeats (firstOf trouble message) (tried + 1) ps
      | .error _ => firstReading base c heartbeats trouble (tried + 1) ps
      | .ok t =>
        if ← saysType base c t heartbeats then
          let same := c.type.instantiateLevelParams c.levelParams (numberedLevels 0 c.levelParams)
          return [("statement", .str statement), ("key", .str (toString (fingerprint (writable true same)).toNat)),
            ("way", toJson tried)]
        else firstReading base c heartbeats (firstOf trouble "it reads back as another type") (tried + 1) ps
where
  firstOf (a b : String) : String := if a.isEmpty then b else a

/-- What a constant of `source` says, as text that says the same below the header of `base`. -/
def restate (base : Base) (ways : List (Print × Base)) (source : Environment) (heartbeats : Nat) (name : String) :
    IO Json := do
  let n := name.toName
  match source.find? n with
  | none => return Json.mkObj [("name", .str name), ("trouble", .str "no such constant")]
  | some c =>
    let fields ← (match missingConstant base.state.env (writable true c.type).getUsedConstants 0 with
      | some m => return [("missing", .str (nameText m))]
      | none => firstReading base c heartbeats "" 0 ways)
    return Json.mkObj (("name", .str name) :: fields)

partial def restateAll (base : Base) (ways : List (Print × Base)) (source : Environment) (heartbeats : Nat)
    (names : Array Json) (i : Nat) (acc : List Json) : IO (List Json) := do
  if h : i < names.size then
    let said ← restate base ways source heartbeats (asString names[i])
    restateAll base ways source heartbeats names (i + 1) (said :: acc)
  else return reverseJson acc []

/-- The methods `modules`, `theorems` and `restate`, which has the header of another environment in `source`. -/
def library (s : Server) (base : Base) (method : String) (j : Json) : IO (Server × Answer) := do
  let env := base.state.env
  if method == "modules" then return (s, .ok [("modules", jsonList (moduleJsons env env.header.moduleNames 0 []))])
  if method == "theorems" then
    match moduleAt env.header.moduleNames (getString j "module") 0 with
    | none => return (s, fail "request" ("no module " ++ getString j "module"))
    | some i =>
      let names := if h : i < env.header.moduleData.size then env.header.moduleData[i].constNames else #[]
      return (s, .ok [("theorems", jsonList (theoremJsons env names 0 []))])
  let heartbeats := getNat j "heartbeats" 200000
  let (s, source) ← getBase s (Json.mkObj [("header", .str (getString j "source")), ("heartbeats", toJson heartbeats)])
  match source with
  | .error e => return (s, e)
  | .ok source =>
    let ways ← prepare base prints
    let said ← restateAll base ways source.state.env heartbeats (asArray (field j "names")) 0 []
    return (s, .ok [("restated", jsonList said)])

/-- Answers one request. -/
def handle (s : Server) (j : Json) : IO (Server × Answer) := do
  let method := getString j "method"
  if method == "hello" then
    return (s, .ok [("version", .str Lean.versionString), ("commit", .str Lean.githash)])
  if method == "tactic" then
    match findState s (getNat j "state" 0) with
    | none => return (s, fail "state" "no such state")
    | some p => match ← runTactic p (getString j "text") (getNat j "heartbeats" 200000) with
      | .failed kind message => return (s, fail kind message)
      | .finished => return (s, .ok [("finished", .bool true)])
      | .goals q =>
        let (s, i) := saveState s q
        return (s, .ok [("state", toJson i), ("goals", ← showGoals q)])
  if method == "goals" then
    match findState s (getNat j "state" 0) with
    | none => return (s, fail "state" "no such state")
    | some p => return (s, .ok [("goals", ← showGoals p)])
  if method == "focus" then
    match findState s (getNat j "state" 0) with
    | none => return (s, fail "state" "no such state")
    | some p => match pickGoals p.goals 0 (asIndices (asArray (field j "goals")) 0) with
      | [] => return (s, fail "request" "no such goals")
      | goals =>
        let q := { p with goals := goals, roots := goals }
        let (s, i) := saveState s q
        return (s, .ok [("state", toJson i), ("goals", ← showGoals q)])
  if method == "drop" then
    match j.getObjVal? "states" with
    | .ok (.arr handles) => return ({ s with states := dropStates s.states handles 0 }, .ok [])
    | _ => return (s, fail "request" "drop wants `states`")
  let (s, base) ← getBase s j
  match base with
  | .error e => return (s, e)
  | .ok base =>
    if method == "header" then return (s, .ok [])
    if method == "file" then
      let r ← elabText true base.state (getString j "text")
      return (s, .ok [("errors", toJson r.errors), ("messages", jsonList (reverseJson r.messages []))])
    if method == "inspect" then
      let name := (getString j "name").toName
      match base.state.env.find? name with
      | none => return (s, fail "inspect" ("no constant of the name " ++ nameText name))
      | some c => return (s, .ok [("kind", .str (kindOf base.state.env name c)), ("type", .str (← ppType base c.type))])
    if method == "modules" || method == "theorems" || method == "restate" then return ← library s base method j
    let (s, trusted) ← getTrusted s base j
    match trusted with
    | .error e => return (s, e)
    | .ok t =>
      if method == "statement" then return (s, .ok [("type", .str (← ppType base t.type)), ("name", .str (nameText t.name))])
      if method == "form" then return (s, .ok [("form", .str (formOf t))])
      if method == "negation" then return (s, ← negate base t (getString j "statement"))
      let start := match field j "kernel" with
        | .bool true => base.state
        | _ => base.unchecked
      if method == "judge" then
        return (s, .ok (← judge start base t (getString j "statement") (getString j "kind") (getString j "text")
          true judgeConstant).toFields)
      if method == "write" then
        return (s, .ok (← judge start base t (getString j "statement") (getString j "kind") (getString j "text")
          false writeDown).withWritten)
      if method == "judge written" then
        match Json.parse (getString j "written") with
        | .ok written => return (s, .ok (← judgeWritten t written).toFields)
        | .error e => return (s, fail "request" e)
      if method == "start" then
        match ← startGoal base t (getString j "statement") (getNat j "heartbeats" 200000) with
        | .error e => return (s, fail "start" (← e.toMessageData.toString))
        | .ok p =>
          let (s, i) := saveState s p
          return (s, .ok [("state", toJson i), ("goals", ← showGoals p)])
      return (s, fail "request" ("unknown method " ++ method))

def answerLine (j : Json) (elapsed : Nat) (answer : Answer) : String :=
  let head := [("id", toJson (getNat j "id" 0)), ("nonce", .str (getString j "nonce")), ("nanoseconds", toJson elapsed)]
  let body : List (String × Json) := match answer with
    | .ok fields => [("ok", Json.mkObj fields)]
    | .error kind message line column => [("error", Json.mkObj [("kind", .str kind), ("message", .str message),
        ("line", toJson line), ("column", toJson column)])]
  (Json.mkObj (joinFields head body)).compress ++ "\n"
where
  joinFields : List (String × Json) → List (String × Json) → List (String × Json)
    | [], ys => ys
    | x :: xs, ys => x :: joinFields xs ys

partial def serve (input output : IO.FS.Handle) (s : Server) : IO Unit := do
  let line ← input.getLine
  if line.isEmpty then return ()
  let started ← IO.monoNanosNow
  match Json.parse line with
  | .error e =>
    output.putStr (answerLine .null 0 (fail "request" e))
    output.flush
    serve input output s
  | .ok j =>
    let (s, answer) ← (try handle s j catch e => return (s, fail "server" e.toString))
    let elapsed := (← IO.monoNanosNow) - started
    output.putStr (answerLine j elapsed answer)
    output.flush
    serve input output s

/-- Serves on the two files that the environment variables `PROVER_IN` and `PROVER_OUT` name. -/
def start : IO Unit := do
  match ← IO.getEnv "PROVER_IN", ← IO.getEnv "PROVER_OUT" with
  | some i, some o =>
    let input ← IO.FS.Handle.mk i .read
    let output ← IO.FS.Handle.mk o .write
    serve input output {}
  | _, _ => throw (IO.userError "PROVER_IN and PROVER_OUT are not set")

end ProverServer

def main (_ : List String) : IO UInt32 := do
  ProverServer.start
  return 0
