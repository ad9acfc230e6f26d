; A namespace with a body encloses what is in it; one for the whole file, like a package, is no part of a path.
(namespace_declaration name: (_) @name) @definition.module
(class_declaration name: (identifier) @name) @definition.class
(struct_declaration name: (identifier) @name) @definition.struct
(record_declaration name: (identifier) @name) @definition.record
(interface_declaration name: (identifier) @name) @definition.interface
(enum_declaration name: (identifier) @name) @definition.enum
(enum_member_declaration name: (identifier) @name) @definition.constant
(delegate_declaration name: (identifier) @name) @definition.type
(method_declaration name: (identifier) @name) @definition.method
(local_function_statement name: (identifier) @name) @definition.function
(constructor_declaration name: (identifier) @name) @definition.constructor
((destructor_declaration name: (identifier) @name) @definition.destructor (#set! name "~{}"))
(property_declaration name: (identifier) @name) @definition.property
(event_declaration name: (identifier) @name) @definition.property
(indexer_declaration "this" @name) @definition.accessor
((operator_declaration operator: _ @name) @definition.operator (#set! name "operator {}"))
((conversion_operator_declaration type: (_) @name) @definition.operator (#set! name "operator {}"))
(field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field
(event_field_declaration (variable_declaration (variable_declarator name: (identifier) @name))) @definition.field
((record_declaration (parameter_list (parameter name: (identifier) @name) @definition.field)) (#set! leaf))
((global_statement (local_declaration_statement (variable_declaration (variable_declarator name: (identifier) @name))))
  @definition.variable)

(lambda_expression) @scope
(accessor_declaration) @scope
