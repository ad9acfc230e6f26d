; inherits: c
(namespace_definition name: (_) @name) @definition.module
(class_specifier name: (_) @name body: (_)) @definition.class
(struct_specifier name: (template_type) @name body: (_)) @definition.struct
(concept_definition name: (identifier) @name) @definition.type
(alias_declaration name: (type_identifier) @name) @definition.type
(type_definition type: (class_specifier !name) declarator: (type_identifier) @name) @definition.class

; Functions whose name is not a plain one; Foo::bar stands under Foo, also where it is defined outside of it.
(function_definition declarator: (function_declarator declarator: [
  (field_identifier) (qualified_identifier) (operator_name) (destructor_name) (template_function)] @name))
  @definition.function
(function_definition declarator: (pointer_declarator declarator: (function_declarator declarator: [
  (field_identifier) (qualified_identifier) (operator_name) (template_function)] @name))) @definition.function
(function_definition declarator: (pointer_declarator declarator: (pointer_declarator
  declarator: (function_declarator declarator: [
  (field_identifier) (qualified_identifier) (operator_name)] @name)))) @definition.function
(function_definition declarator: (reference_declarator (function_declarator declarator: [
  (identifier) (field_identifier) (qualified_identifier) (operator_name) (template_function)] @name)))
  @definition.function
((function_definition declarator: (operator_cast type: (_) @name)) @definition.function
  (#set! name "operator {}"))
((function_definition declarator: (qualified_identifier
  scope: (_) @scope name: (operator_cast type: (_) @name))) @definition.function (#set! name "operator {}"))

; Declarations of members.
(field_declaration declarator: (function_declarator declarator: [
  (field_identifier) (operator_name) (destructor_name)] @name)) @definition.method
(field_declaration declarator: (pointer_declarator declarator: (function_declarator declarator: [
  (field_identifier) (operator_name)] @name))) @definition.method
(field_declaration declarator: (pointer_declarator declarator: (pointer_declarator
  declarator: (function_declarator declarator: [(field_identifier) (operator_name)] @name)))) @definition.method
(field_declaration declarator: (reference_declarator (function_declarator declarator: [
  (field_identifier) (operator_name)] @name))) @definition.method
((declaration declarator: (function_declarator declarator: [(destructor_name) (operator_name)] @name))
  @definition.function (#set! local))
((declaration declarator: (reference_declarator (function_declarator declarator: [
  (identifier) (operator_name)] @name))) @definition.function (#set! local))
((declaration declarator: (operator_cast type: (_) @name)) @definition.function (#set! name "operator {}"))

(reference_declarator [(identifier) (field_identifier)] @name)
(init_declarator declarator: (qualified_identifier) @name)
(declaration declarator: (qualified_identifier) @name)
(structured_binding_declarator (identifier) @name)

(lambda_expression) @scope
(template_parameter_list) @scope
(friend_declaration) @scope
