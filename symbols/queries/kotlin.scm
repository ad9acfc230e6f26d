(class_declaration "class" name: (identifier) @name) @definition.class
(class_declaration "interface" name: (identifier) @name) @definition.interface
(object_declaration name: (identifier) @name) @definition.object
(companion_object name: (identifier) @name) @definition.object
((companion_object !name) @definition.object (#set! name "Companion"))
(enum_entry . (modifiers)? . (identifier) @name) @definition.constant
(function_declaration name: (identifier) @name) @definition.function
((secondary_constructor "constructor" @name) @definition.constructor)
(type_alias type: (identifier) @name) @definition.type
((class_parameter ["val" "var"] (identifier) @name) @definition.field (#set! leaf))
(property_declaration (variable_declaration . (identifier) @name)) @definition.variable
(property_declaration (multi_variable_declaration (variable_declaration . (identifier) @name))) @definition.variable

(anonymous_initializer) @scope
(lambda_literal) @scope
(getter) @scope
(setter) @scope
(anonymous_function) @scope
