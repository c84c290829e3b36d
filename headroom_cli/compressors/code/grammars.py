"""The grammars: language -> wheel and query, one row each, loaded when a file of that language comes.

A wheel that is missing or does not load leaves the outline by patterns (``outline.py``) for its language.

A query's captures: ``fn`` a function with a name, ``lambda`` one without (its header is kept inside an elided body
only when the line names it or its first argument is a text, as in ``it("...", () => {``), ``type`` a type that may be
declared inside a body, ``doc`` a documentation string, ``data`` a literal that may be a long table, ``macro`` a call
whose arguments may be a body, ``comment``. Node names were checked on real files of every language.
"""

from __future__ import annotations

import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

_C_COMMENTS = "(comment) @comment"
_SPLIT_COMMENTS = "(line_comment) @comment (block_comment) @comment"
_SCRIPT = """
(function_declaration) @fn (generator_function_declaration) @fn (method_definition) @fn
(arrow_function body: (statement_block)) @lambda (function_expression) @lambda (class_static_block) @lambda
(class_declaration) @type (interface_declaration) @type (enum_declaration) @type (type_alias_declaration) @type
(variable_declarator value: [(object) (array) (template_string)] @data)
(as_expression [(object) (array)] @data) (assignment_expression right: [(object) (array)] @data)
(export_statement value: [(object) (array)] @data)
(comment) @comment
"""

# language -> (module of the wheel, its function, query)
GRAMMARS: dict[str, tuple[str, str, str]] = {
    "python": (
        "tree_sitter_python",
        "language",
        """(function_definition) @fn (class_definition) @type (comment) @comment
        (function_definition body: (block . (expression_statement (string) @doc)))
        (class_definition body: (block . (expression_statement (string) @doc)))
        (module . (comment)* . (expression_statement (string) @doc))
        (module (expression_statement (assignment right: (_) @data)))
        (class_definition body: (block (expression_statement (assignment right: (_) @data))))
        (decorator) @data""",
    ),
    # the grammar of TSX reads JavaScript and JSX too; TypeScript needs its own for casts written <T>x
    "tsx": ("tree_sitter_typescript", "language_tsx", _SCRIPT),
    "typescript": ("tree_sitter_typescript", "language_typescript", _SCRIPT),
    "go": (
        "tree_sitter_go",
        "language",
        "(function_declaration) @fn (method_declaration) @fn (func_literal) @lambda (type_declaration) @type "
        "(var_spec value: (expression_list (composite_literal) @data)) (const_spec value: (_) @data)" + _C_COMMENTS,
    ),
    "rust": (
        "tree_sitter_rust",
        "language",
        """(function_item) @fn (closure_expression body: (block)) @lambda (struct_item) @type (enum_item) @type
        (trait_item) @type
        (const_item value: (_) @data) (static_item value: (_) @data) (macro_invocation (token_tree)) @macro"""
        + _SPLIT_COMMENTS,
    ),
    "java": (
        "tree_sitter_java",
        "language",
        """(method_declaration) @fn (constructor_declaration) @fn (compact_constructor_declaration) @fn
        (lambda_expression body: (block)) @lambda (static_initializer) @lambda (class_declaration) @type
        (enum_declaration) @type (interface_declaration) @type
        (variable_declarator value: (array_initializer) @data)"""
        + _SPLIT_COMMENTS,
    ),
    "c": (
        "tree_sitter_c",
        "language",
        "(function_definition) @fn (struct_specifier body: (_)) @type (enum_specifier body: (_)) @type "
        "(init_declarator value: (initializer_list) @data)" + _C_COMMENTS,
    ),
    "cpp": (
        "tree_sitter_cpp",
        "language",
        """(function_definition) @fn (lambda_expression) @lambda (struct_specifier body: (_)) @type
        (class_specifier body: (_)) @type (enum_specifier body: (_)) @type
        (init_declarator value: (initializer_list) @data)"""
        + _C_COMMENTS,
    ),
    "csharp": (
        "tree_sitter_c_sharp",
        "language",
        """(method_declaration) @fn (constructor_declaration) @fn (destructor_declaration) @fn
        (operator_declaration) @fn (conversion_operator_declaration) @fn (local_function_statement) @fn
        (accessor_declaration) @fn (lambda_expression body: (block)) @lambda (anonymous_method_expression) @lambda
        (class_declaration) @type (interface_declaration) @type (struct_declaration) @type (record_declaration) @type
        (enum_declaration) @type (initializer_expression) @data"""
        + _C_COMMENTS,
    ),
    "ruby": (
        "tree_sitter_ruby",
        "language",
        "(class) @type (module) @type (method) @fn (singleton_method) @fn (do_block) @lambda "
        "(assignment right: [(hash) (array)] @data) "
        "(call receiver: [(hash) (array)] @data) (heredoc_body) @data" + _C_COMMENTS,
    ),
    "php": (
        "tree_sitter_php",
        "language_php",
        "(function_definition) @fn (method_declaration) @fn (anonymous_function) @lambda (class_declaration) @type "
        "(interface_declaration) @type (trait_declaration) @type (enum_declaration) @type "
        "(array_creation_expression) @data (heredoc_body) @data" + _C_COMMENTS,
    ),
    "kotlin": (
        "tree_sitter_kotlin",
        "language",
        """(function_declaration) @fn (secondary_constructor) @fn (getter) @fn (setter) @fn
        (anonymous_initializer) @lambda (anonymous_function) @lambda (lambda_literal) @lambda
        (class_declaration) @type (object_declaration) @type"""
        + _SPLIT_COMMENTS,
    ),
    "swift": (
        "tree_sitter_swift",
        "language",
        """(function_declaration) @fn (init_declaration) @fn (deinit_declaration) @fn (computed_property) @lambda
        (lambda_literal) @lambda (array_literal) @data (dictionary_literal) @data
        (class_declaration) @type (protocol_declaration) @type (comment) @comment (multiline_comment) @comment""",
    ),
    "bash": (
        "tree_sitter_bash",
        "language",
        "(function_definition) @fn (array) @data (heredoc_body) @data" + _C_COMMENTS,
    ),
}

# What the extra [languages] adds: its name for the grammar -> query. Only where functions have a field "body".
EXTRA: dict[str, str] = {
    "lua": "(function_declaration) @fn (function_definition) @lambda (comment) @comment",
    "scala": "(function_definition) @fn (comment) @comment (block_comment) @comment",
    "dart": "(function_body) @lambda (comment) @comment (documentation_comment) @comment",
    "julia": "(function_definition) @fn (line_comment) @comment (block_comment) @comment",
    "zig": "(Decl (FnProto) (Block)) @fn (line_comment) @comment",
    "perl": "(subroutine_declaration_statement) @fn (comment) @comment",
    "r": "(function_definition) @lambda (comment) @comment",
    "objc": "(function_definition) @fn (method_definition) @fn (comment) @comment",
    "solidity": "(function_definition) @fn (constructor_definition) @fn (comment) @comment",
}

_BODIES = frozenset(
    ("function_body", "block", "compound_statement", "statement_block", "body_statement", "computed_property", "Block")
)
_CHUNK = 1 << 16  # bytes handed to a parser at once
# Seconds of work for one parse. Grammars read real code at 5 to 20 MB/s; text that is no code slows them to 0.05.
_START = 0.05
_PER_BYTE = 0.3e-6
_ERRORS = 2_000  # nodes on the way to what a grammar could not read, and in one such place; real files have some dozen

_loaded: dict[str, tuple[Any, Any] | None] = {}


def load(language: str) -> tuple[Any, Any] | None:
    """Return (grammar, query) of a language, or None when its grammar is not installed or does not fit."""
    if language not in _loaded:
        try:
            _loaded[language] = _load(language)
        except (ImportError, AttributeError, ValueError, TypeError, LookupError, OSError, SyntaxError):
            # Not installed, built for another tree-sitter, or a grammar whose nodes have other names.
            _loaded[language] = None
    return _loaded[language]


def _load(language: str) -> tuple[Any, Any] | None:
    from tree_sitter import Language, Query, QueryCursor

    if not hasattr(QueryCursor, "set_containing_byte_range"):
        raise ImportError("tree-sitter below 0.26 crashes where a parse has a progress callback")

    row = GRAMMARS.get(language)
    if row is not None:
        module, function, source = row
        grammar = Language(getattr(_binding(module), function)())
    elif language in EXTRA:
        pack: Any = __import__("tree_sitter_language_pack")
        grammar, source = pack.get_language(language), EXTRA[language]
    else:
        return None
    return grammar, Query(grammar, source)


def _binding(module: str) -> Any:
    """Return a wheel's extension module, or the wheel itself where it is laid out otherwise.

    The wheel's own import reads its queries by ``importlib.resources``, which costs as much as the grammar (10 ms).
    """
    if module not in sys.modules:
        import _frozen_importlib_external as external  # what importlib.machinery re-exports, already in memory

        for folder in sys.path:
            path = f"{folder or '.'}/{module}/_binding.abi3.so"
            if os.path.isfile(path):
                spec: Any = external.spec_from_file_location(f"{module}._binding", path)
                extension = spec.loader.create_module(spec)
                spec.loader.exec_module(extension)
                return extension
    return __import__(module)


def captures(language: str, data: bytes, spent: Callable[[], bool]) -> tuple[dict[str, list[Any]], Any] | None:
    """Return (captures, root node) of UTF-8 source, or None without a grammar or when it takes too much work.

    Work is this thread's own time: a busy machine reads a file as an idle one does. ``spent`` is the last guard.
    """
    loaded = load(language)
    if loaded is None:
        return None
    from tree_sitter import Parser, QueryCursor

    grammar, query = loaded
    end = time.thread_time() + _START + len(data) * _PER_BYTE

    def stop(_offset: int, _stumbled: bool) -> bool:  # noqa: FBT001 - the parser's own signature
        return time.thread_time() > end or spent()

    try:
        # Only a parser that reads by callback can be stopped.
        # One parser a parse: the callbacks let other threads in.
        tree = Parser(grammar).parse(lambda offset, _point: data[offset : offset + _CHUNK], progress_callback=stop)
    except ValueError:  # stopped
        return None
    root = tree.root_node
    if root.has_error and _flounders(root):
        return None
    # No progress callback here: tree-sitter 0.26.1 crashes when a query has one. Queries are linear in the tree.
    return QueryCursor(query).captures(root), root


def _flounders(root: Any) -> bool:
    """Return whether the grammar lost its way: queries take quadratic time over an error that holds all the rest."""
    looked = 0
    stack = [root]
    while stack:
        node = stack.pop()
        looked += 1
        if looked > _ERRORS or (node.is_error and node.child_count > _ERRORS):
            return True
        stack += [child for child in node.children if child.has_error]
    return False


def body_of(node: Any) -> Any:
    """Return the node that holds a function's statements, or None for a declaration without any."""
    body = node.child_by_field_name("body")
    if body is not None:
        return body
    if node.type in ("lambda_literal", "do_block", "computed_property", "function_body", "macro_invocation"):
        return node
    for child in reversed(node.children):
        if child.type in _BODIES:
            return child
    return None
