(module name: (_) @name) @definition.module
(class name: (_) @name) @definition.class
(method name: (_) @name) @definition.function
(singleton_method object: (self) name: (_) @name) @definition.function
(singleton_method object: [(identifier) (constant)] @scope name: (_) @name) @definition.function
(alias name: (_) @name) @definition.function

; A constant is one wherever it stands; other variables only at the top.
(assignment left: (constant) @name) @definition.constant
((assignment left: [(class_variable) (global_variable)] @name) @definition.variable (#set! leaf))
((program (assignment left: (identifier) @name) @definition.variable) (#set! leaf))
(assignment left: (left_assignment_list)) @definition.constant
(left_assignment_list (constant) @name)

; Members that a call at class level defines.
((call method: (identifier) @_call arguments: (argument_list [(simple_symbol) (string)] @name)) @definition.field
  (#text? @_call "attr_accessor" "attr_reader" "attr_writer"))
((call method: (identifier) @_call arguments: (argument_list . [(simple_symbol) (string)] @name)) @definition.function
  (#text? @_call "define_method" "define_singleton_method" "alias_method"))
((call method: (identifier) @_call arguments: (argument_list . (simple_symbol) @name)) @definition.field
  (#text? @_call "scope" "belongs_to" "has_many" "has_one" "has_and_belongs_to_many" "delegate" "let" "attribute"))

(lambda) @scope
