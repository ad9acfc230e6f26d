; A namespace with a body encloses what is in it; one for the whole file is no part of a path.
(namespace_definition name: (namespace_name) @name body: (_)) @definition.module
(class_declaration name: (name) @name) @definition.class
(interface_declaration name: (name) @name) @definition.interface
(trait_declaration name: (name) @name) @definition.trait
(enum_declaration name: (name) @name) @definition.enum
(enum_case name: (name) @name) @definition.constant
(function_definition name: (name) @name) @definition.function
(method_declaration name: (name) @name) @definition.method
(const_declaration (const_element . (name) @name)) @definition.constant
(property_declaration (property_element name: (variable_name (name) @name))) @definition.field
((property_promotion_parameter name: (variable_name (name) @name)) @definition.field)
((function_call_expression function: (name) @_call arguments: (arguments . (argument (string) @name)))
  @definition.constant (#text? @_call "define"))

; Variables at the top level.
(expression_statement (assignment_expression left: (variable_name (name) @name))) @definition.variable
(expression_statement (assignment_expression left: (list_literal))) @definition.variable
(list_literal (variable_name (name) @name))

(anonymous_function) @scope
(arrow_function) @scope
