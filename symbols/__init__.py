"""Pure parsing: bytes and a language in, symbols out. No Django."""
