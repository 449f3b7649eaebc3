// Tokens of the Couler language. Bytes above 0x7F reach this lexer as the code point U+0001
// (frontend/parse/token_reader.cpp), so that token places are byte offsets; they are text only
// inside strings, raw text and comments.
lexer grammar CoulerLexer;

// Made by frontend/parse/layout.cpp out of the tokens below; grammar/README.md says when.
tokens {
  Term, AfterComma, TypeOpen, Unit, InterpClose, Bad,
  KwEnum, KwSchema, KwTask, KwVolatile, KwWorkflow, KwTransform, KwLabeler, KwTarget, KwTest,
  KwAs, KwFrom, KwWhere, KwMax, KwTune, KwMaximize, KwMinimize, KwUsing, KwPrior,
  KwImage, KwResources, KwEnv, KwTimeout, KwRetry, KwCache, KwRun, KwSh, KwPython,
  KwWithout, KwGroup, KwOrder, KwBy, KwAsc, KwDesc, KwLimit, KwDistinct, KwLeft, KwSemi, KwAnti,
  KwJoin, KwOn, KwVote, KwWhen, KwExpect
}

// Reserved words: nothing else may be called so (but a member after `.` may).
KwAnd: 'and';
KwOr: 'or';
KwNot: 'not';
KwDiv: 'div';
KwIn: 'in';
KwIf: 'if';
KwElse: 'else';
KwFor: 'for';
KwLoop: 'loop';
KwUntil: 'until';
KwTry: 'try';
KwAfter: 'after';
KwFinally: 'finally';
KwReturn: 'return';
KwLet: 'let';
KwImport: 'import';
KwFn: 'fn';
KwTrue: 'true';
KwFalse: 'false';
KwNone: 'none';

Ident: [A-Za-z_] [A-Za-z0-9_]*;

LitFloat: Digits '.' Digits Exponent? | Digits Exponent;
LitInt: Digits;
fragment Digits: [0-9] [0-9_]*;
fragment Exponent: [eE] [+-]? Digits;

LitRaw: '"""' .*? '"""';
RawOpen: '"""';  // no end in the rest of the file
LitRegex: 'r"' (~["\\\r\n] | '\\' ~[\r\n])* '"';
RegexOpen: 'r"' (~["\\\r\n] | '\\' ~[\r\n])*;
LitString: '"' (~["\\{\r\n] | Escape)* '"';
fragment Escape: '\\u{' [0-9A-Fa-f]* '}' | '\\' ~[\r\n];
StringOpen: '"' -> pushMode(Text);
SingleQuoted: '\'' (~['\\\r\n] | '\\' ~[\r\n])* '\'';

OpOpenBrace: '{' -> pushMode(DEFAULT_MODE);
OpCloseBrace: '}' -> popMode;
OpOpenParen: '(';
OpCloseParen: ')';
OpOpenSquare: '[';
OpCloseSquare: ']';
OpSpread: '...';
OpRange: '..';
OpDot: '.';
OpQuestionDot: '?.';
OpCoalesce: '??';
OpQuestion: '?';
OpComma: ',';
OpSemi: ';';
OpColon: ':';
OpArrow: '->';
OpPipe: '|>';
OpEqual: '==';
OpNotEqual: '!=';
OpLessEqual: '<=';
OpGreaterEqual: '>=';
OpLess: '<';
OpGreater: '>';
OpAssign: '=';
OpPlus: '+';
OpMinus: '-';
OpPower: '**';
OpStar: '*';
OpSlash: '/';
OpPercent: '%';

// Habits from other languages; the layout reports them and puts ours in their place.
SlipAnd: '&&';
SlipOr: '||';
SlipNot: '!';
SlipColonEqual: ':=';
SlipFatArrow: '=>';
SlipHash: '#' ~[\r\n]*;

DocComment: '///' (~[/\r\n] ~[\r\n]*)?;
Comment: '//' ~[\r\n]*;
Space: [ \t\r\n]+ -> skip;
Unknown: .;

mode Text;
StringText: (~["\\{\r\n] | Escape)+;
InterpOpen: '{' -> pushMode(DEFAULT_MODE);
StringClose: '"' -> popMode;
TextEnd: [\r\n] -> popMode;  // the line ends before the string does
TextUnknown: .;              // a backslash before the line's end
