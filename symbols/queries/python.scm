; Where statements stand.
(if_statement consequence: (block) @inside)
(elif_clause consequence: (block) @inside)
(else_clause body: (block) @inside)
(for_statement body: (block) @inside)
(while_statement body: (block) @inside)
(with_statement body: (block) @inside)
(try_statement body: (block) @inside)
(except_clause (block) @inside)
(finally_clause (block) @inside)
(match_statement body: (block) @inside)
(case_clause consequence: (block) @inside)

; The span of a decorated definition begins at its first decorator.
(decorated_definition definition: (function_definition name: (identifier) @name)) @definition.function
(decorated_definition definition: (class_definition name: (identifier) @name)) @definition.class
(function_definition name: (identifier) @name body: (block) @inside) @definition.function
(class_definition name: (identifier) @name body: (block) @inside) @definition.class
((type_alias_statement left: (type (identifier) @name)) @definition.type (#set! leaf))
((type_alias_statement left: (type (generic_type (identifier) @name))) @definition.type (#set! leaf))

; Each target of an assignment, also of a chained one; those of tuples are found one by one inside it.
((assignment left: (identifier) @name) @definition.variable (#set! leaf))
(assignment left: [(pattern_list) (tuple_pattern) (list_pattern)] @whole) @definition.variable
(assignment right: [(assignment) (augmented_assignment)] @whole)
(augmented_assignment right: [(assignment) (augmented_assignment)] @whole)
(pattern_list (identifier) @name)
(tuple_pattern (identifier) @name)
(list_pattern (identifier) @name)
(list_splat_pattern (identifier) @name)

(lambda) @scope
(for_in_clause) @scope
