; At the top: functions, whose insides seldom have a symbol, and other statements.
(source_file (_statement) @whole)
(function_declaration name: (identifier) @name) @definition.function @whole

; A method stands under the type of its receiver: (s S), (*S), (c *G[T]).
(method_declaration
  receiver: (parameter_list (parameter_declaration type: [
    (type_identifier) @scope
    (generic_type type: (type_identifier) @scope)
    (pointer_type (type_identifier) @scope)
    (pointer_type (generic_type type: (type_identifier) @scope))
    (parenthesized_type (type_identifier) @scope)
    (parenthesized_type (pointer_type (type_identifier) @scope))
    (pointer_type (parenthesized_type (type_identifier) @scope))]))
  name: (field_identifier) @name) @definition.method
(method_declaration name: (field_identifier) @name) @definition.method @whole

(type_spec name: (type_identifier) @name type: (struct_type)) @definition.struct
(type_spec name: (type_identifier) @name type: (interface_type)) @definition.interface
(type_spec name: (type_identifier) @name) @definition.type
(type_alias name: (type_identifier) @name) @definition.type

; Members of a type; an embedded type is a field of its own name.
((field_declaration name: (field_identifier) @name) @definition.field)
((field_declaration !name type: [
  (type_identifier) @name
  (generic_type type: (type_identifier) @name)
  (qualified_type name: (type_identifier) @name)
  (generic_type type: (qualified_type name: (type_identifier) @name))
  ]) @definition.field (#set! leaf))
(interface_type (method_elem name: (field_identifier) @name) @definition.method)

((const_spec (identifier) @name) @definition.constant (#not-text? @name "_"))
(var_spec name: (identifier) @name value: (expression_list . (func_literal) .)) @definition.function
((var_spec name: (identifier) @name) @definition.variable (#not-text? @name "_"))

(func_literal) @scope
