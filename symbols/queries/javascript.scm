(function_declaration name: (identifier) @name) @definition.function
(generator_function_declaration name: (identifier) @name) @definition.function
(class_declaration name: (identifier) @name) @definition.class
(export_statement decorator: (decorator) declaration: (class_declaration name: (identifier) @name)) @definition.class

; An anonymous default export, and the value of one, is called "default".
(export_statement "default" @name value: [(arrow_function) (function_expression) (generator_function)]) @definition.function
(export_statement "default" @name value: (class)) @definition.class
(export_statement "default" @name value: [
  (array) (await_expression) (binary_expression) (call_expression) (new_expression) (number) (object)
  (parenthesized_expression) (string) (template_string) (ternary_expression)]) @definition.constant

; Members.
((method_definition ["get" "set"] name: (_) @name) @definition.accessor)
((method_definition name: (_) @name) @definition.constructor (#text? @name "constructor"))
(method_definition name: (_) @name) @definition.method
(field_definition property: (_) @name value: (class)) @definition.class
(field_definition property: (_) @name value: [(arrow_function) (function_expression) (generator_function)]) @definition.method
(field_definition property: (_) @name) @definition.field
(pair key: (_) @name value: (class)) @definition.class
(pair key: (_) @name value: [(arrow_function) (function_expression) (generator_function)]) @definition.method

; Variables: by their value first, then any; those of patterns are found one by one inside the declarator.
(variable_declarator name: (identifier) @name value: (class)) @definition.class
(variable_declarator name: (identifier) @name value: [(arrow_function) (function_expression) (generator_function)]) @definition.function
(lexical_declaration "const" (variable_declarator name: (identifier) @name) @definition.constant)
(variable_declarator name: (identifier) @name) @definition.variable
(lexical_declaration "const" (variable_declarator name: [(object_pattern) (array_pattern)]) @definition.constant)
(variable_declarator name: [(object_pattern) (array_pattern)]) @definition.variable
(shorthand_property_identifier_pattern) @name
(object_assignment_pattern left: (shorthand_property_identifier_pattern) @name)
(pair_pattern value: (identifier) @name)
(array_pattern (identifier) @name)
(assignment_pattern left: (identifier) @name)
(rest_pattern (identifier) @name)

; Functions and classes that are assigned to a property.
((assignment_expression
  left: (member_expression object: (_) @_object property: (_) @name)
  right: [(arrow_function) (function_expression) (generator_function)]) @definition.function
  (#text? @_object "exports" "module.exports" "this" "self" "window" "globalThis"))
((assignment_expression
  left: (member_expression object: (_) @_object property: (_) @name)
  right: (class)) @definition.class
  (#text? @_object "exports" "module.exports" "this" "self" "window" "globalThis"))
((assignment_expression
  left: (member_expression object: (identifier) @_object property: (_) @name)
  right: [(arrow_function) (function_expression !name) (generator_function !name)]) @definition.function
  (#text? @_object "module"))
((assignment_expression
  left: (member_expression object: (identifier) @scope property: (_) @name)
  right: [(arrow_function) (function_expression) (generator_function)]) @definition.function
  (#not-text? @scope "module"))
((assignment_expression
  left: (member_expression
    object: (member_expression object: (identifier) @scope property: (_) @_prototype)
    property: (_) @name)
  right: [(arrow_function) (function_expression) (generator_function)]) @definition.method
  (#text? @_prototype "prototype"))
(assignment_expression
  left: (identifier) @name
  right: [(arrow_function) (function_expression) (generator_function)]) @definition.function
(assignment_expression left: (identifier) @name right: (class)) @definition.class
((assignment_expression
  left: (member_expression) @_exports
  right: [(function_expression name: (identifier) @name) (generator_function name: (identifier) @name)])
  @definition.function
  (#text? @_exports "module.exports"))
((assignment_expression left: (member_expression) @_exports right: (class name: (identifier) @name))
  @definition.class
  (#text? @_exports "module.exports"))

; Functions with a name of their own where a value is expected.
(arguments (function_expression name: (identifier) @name) @definition.function)
(return_statement (function_expression name: (identifier) @name) @definition.function)
(return_statement (class name: (identifier) @name) @definition.class)

(arrow_function) @scope
(function_expression) @scope
(generator_function) @scope
(class_static_block) @scope
