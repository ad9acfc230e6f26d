"""Pure parsing: bytes and a language in, symbols out. No Django."""


def parse_symbol_path(text: str) -> str:
    parts = [part.strip() for part in text.strip().split("::")]
    if not all(parts):
        raise ValueError(f"'{text}' has an empty part")
    return "::".join(parts)


def paths_overlap(a: str, b: str) -> bool:
    return a == b or a.startswith(f"{b}::") or b.startswith(f"{a}::")
