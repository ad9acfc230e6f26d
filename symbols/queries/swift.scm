(class_declaration "class" name: (_) @name) @definition.class
(class_declaration "actor" name: (_) @name) @definition.class
(class_declaration "struct" name: (_) @name) @definition.struct
(class_declaration "enum" name: (_) @name) @definition.enum
(class_declaration "extension" name: (_) @name) @definition.extension
(protocol_declaration name: (_) @name) @definition.interface
(function_declaration name: [(simple_identifier) (custom_operator)] @name) @definition.function
(function_declaration ["==" "!=" "<" ">" "<=" ">=" "+" "-" "*" "/" "%" "===" "!==" "&" "|" "^" "~" "<<" ">>"
  "..." "..<" "+=" "-=" "*=" "/=" "%=" "!" "??" "||" "&&"] @name) @definition.function
(protocol_function_declaration name: [(simple_identifier) (custom_operator)] @name) @definition.function
(init_declaration "init" @name) @definition.constructor
(deinit_declaration "deinit" @name) @definition.destructor
(subscript_declaration "subscript" @name) @definition.accessor
(typealias_declaration name: (type_identifier) @name) @definition.type
(associatedtype_declaration name: (type_identifier) @name) @definition.type
(macro_declaration (simple_identifier) @name) @definition.macro
((enum_entry name: (simple_identifier) @name) @definition.constant (#set! leaf))

(property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @definition.variable
(protocol_property_declaration name: (pattern bound_identifier: (simple_identifier) @name)) @definition.variable
(property_declaration name: (pattern (pattern))) @definition.variable
(pattern (pattern (simple_identifier) @name))

(lambda_literal) @scope
(computed_property) @scope
(willset_didset_block) @scope
