// The syntax of the Couler language, one top-level declaration at a time. The token stream is that of
// CoulerLexer after frontend/parse/layout.cpp: newlines that end a statement are `Term`, words that
// are keywords only in their place are keywords, comments are gone. `Bad` stands for what could not
// be read and has been reported.
parser grammar CoulerParser;
options { tokenVocab = CoulerLexer; }

declaration
  : ( importDecl | enumDecl | schemaDecl | fnDecl | taskDecl | workflowDecl | transformDecl
    | labelerDecl | targetDecl | testDecl ) EOF
  ;

// ---- declarations

importDecl: KwImport (Ident OpDot Ident | LitString) importNames? (KwAs Ident)?;
importNames: OpOpenBrace (importName (separator importName)* OpComma?)? OpCloseBrace;
importName: Ident (KwAs Ident)? | Bad;

enumDecl: KwEnum Ident OpOpenBrace (enumCase (separator enumCase)* OpComma?)? OpCloseBrace;
enumCase: Ident | Bad;

schemaDecl: KwSchema Ident OpOpenBrace (field (separator field)* OpComma?)? OpCloseBrace;

fnDecl: KwFn Ident params (OpArrow type)? OpAssign expr;

taskDecl
  : KwVolatile? KwTask Ident params outputs? OpOpenBrace (taskItem (Term taskItem)*)? OpCloseBrace
  ;
taskItem
  : KwImage expr
  | KwResources settings
  | KwEnv settings
  | KwTimeout expr
  | KwRetry expr settings?
  | KwCache expr
  | KwRun (KwSh | KwPython)? expr
  | Bad
  ;

workflowDecl: KwWorkflow Ident params outputs? block;

transformDecl
  : KwTransform Ident params OpOpenBrace (transformStmt (Term transformStmt)*)? OpCloseBrace
  ;
transformStmt
  : KwWhere expr
  | Ident OpAssign expr
  | OpSpread Ident (KwWithout Ident (OpComma Ident)*)?
  | KwGroup KwBy groupKey (OpComma groupKey)*
  | KwOrder KwBy orderKey (OpComma orderKey)*
  | KwLimit expr
  | KwDistinct
  | (KwLeft | KwSemi | KwAnti)? KwJoin Ident KwOn expr
  | KwResources settings
  | KwTimeout expr
  | KwRetry expr settings?
  | Bad
  ;
groupKey: Ident OpAssign expr | expr;
orderKey: expr (KwAsc | KwDesc)?;

labelerDecl
  : KwLabeler Ident OpOpenParen field OpCloseParen OpArrow type
    OpOpenBrace (vote (Term vote)*)? OpCloseBrace
  ;
vote: KwVote Ident KwWhen expr (KwAs Ident)? | Bad;

targetDecl: KwTarget Ident OpAssign Ident settings?;

testDecl: KwTest LitString OpOpenBrace (testStmt (Term testStmt)*)? OpCloseBrace;
testStmt: letStmt | KwExpect expr | Bad;

params: OpOpenParen (field (OpComma field)* OpComma?)? OpCloseParen;
outputs: OpArrow OpOpenParen (field (OpComma field)* OpComma?)? OpCloseParen;
field: Ident OpColon type (KwFrom LitString)? (OpAssign expr)? (KwWhere expr)? | Bad;
settings: OpOpenBrace (setting (separator setting)* OpComma?)? OpCloseBrace;
setting: Ident OpColon expr | Bad;
separator: OpComma | Term;

// ---- types

type
  : ( Ident (OpDot Ident)? (OpLess type (OpComma type)* OpGreater)?
    | OpOpenParen (field (OpComma field)* OpComma?)? OpCloseParen
    | Bad ) OpQuestion?
  ;

// ---- statements

block: OpOpenBrace (stmt (Term stmt)*)? OpCloseBrace;
stmt: letStmt | KwReturn expr? | KwFinally block | expr;
letStmt: KwLet Ident (OpColon type)? OpAssign expr;

// ---- expressions, tightest first

expr
  : expr (OpDot | OpQuestionDot) Ident
  | expr OpOpenSquare expr OpCloseSquare
  | expr (TypeOpen type OpGreater)? args
  | expr (KwAfter | AfterComma) expr
  | <assoc = right> expr OpPower expr
  | (OpMinus | KwTry) expr
  | expr (OpStar | OpSlash | KwDiv | OpPercent) expr
  | expr (OpPlus | OpMinus) expr
  | expr OpRange expr
  | expr (OpEqual | OpNotEqual | OpLess | OpLessEqual | OpGreater | OpGreaterEqual | KwIn) expr
  | KwNot expr
  | expr KwAnd expr
  | expr KwOr expr
  | expr OpCoalesce expr
  | expr OpPipe expr
  | (LitInt | LitFloat) Unit?
  | Ident | KwTrue | KwFalse | KwNone | LitString | LitRaw | LitRegex | Bad
  | StringOpen (StringText | InterpOpen expr InterpClose)* StringClose
  | args  // a parenthesis or a record
  | list
  | ifExpr
  | forExpr
  | loopExpr
  | tuneExpr
  ;

args: OpOpenParen (argument (OpComma argument)* OpComma?)? OpCloseParen;
argument: Ident OpColon KwIn expr (KwIf expr)? | Ident OpColon expr | OpSpread expr | expr;

list: OpOpenSquare (OpColon | item (OpComma item)* OpComma?)? OpCloseSquare;  // or a map
item: OpSpread expr | expr (OpColon expr)?;

ifExpr: KwIf expr block (KwElse KwIf expr block)* (KwElse block)?;
forExpr: KwFor Ident KwIn expr block;
loopExpr: KwLoop Ident OpAssign expr KwMax expr block KwUntil expr;
tuneExpr
  : KwTune Ident (OpDot Ident)? args (KwMaximize | KwMinimize) Ident (KwUsing Ident args?)?
    (KwPrior KwFrom Ident args?)?
  ;
